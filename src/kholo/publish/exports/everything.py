"""Everything of a case in one JSON file: what `data.json` holds, and the record itself."""

from __future__ import annotations

from typing import Any

import msgspec

from kholo.model import Entry

from ..data import case_content
from ..jsontext import json_bytes
from ..rows import CasePage


def everything(page: CasePage) -> bytes:
    """The file. Entries have the names of their fields in the model; absent is null, an unset list is empty."""
    view = page.view
    record = {
        "summary": view.case.summary,
        "limits": view.case.limits,
        "actors": [msgspec.to_builtins(actor) for actor in view.case.actors],
        "entries": [_entry(entry) | {"simulated": view.simulated} for entry in view.case.entries],
    }
    return json_bytes(case_content(page) | {"record": record})


def _entry(entry: Entry) -> dict[str, Any]:
    made: dict[str, Any] = msgspec.to_builtins(entry)
    return {key: value for key, value in made.items() if key != "file"}
