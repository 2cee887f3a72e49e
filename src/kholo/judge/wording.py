"""The sentences of a measurement's story."""

from __future__ import annotations

from pathlib import Path

from kholo.wording import Wording

WORDING = Wording(Path(__file__).with_name("wording.toml"))
say = WORDING.say
