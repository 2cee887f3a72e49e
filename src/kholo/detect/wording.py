"""The sentences of incidents: what was looked at in their hours, and what it showed."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import msgspec

from kholo.model import Incident
from kholo.wording import Told, Wording, said

WORDING = Wording(Path(__file__).with_name("wording.toml"))
say = WORDING.say


def with_reasons(incident: Incident, reasons: Iterable[Told]) -> Incident:
    """The incident with these reasons before those that it has."""
    texts = tuple(reasons)
    return msgspec.structs.replace(
        incident,
        because=(*map(str, texts), *incident.because),
        said=(*map(said, texts), *incident.said),
    )
