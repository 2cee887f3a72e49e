"""The words and figures in a picture, so that it can be drawn in another language."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import msgspec

from kholo.model import State

from .dates import MONTHS
from .words import LANES, STATE


class Labels(msgspec.Struct, frozen=True):
    """What a picture says. `lanes` are the names of `words.LANES` in their order, `digits` those of 0 to 9."""

    states: Mapping[State, str]
    lanes: tuple[str, ...]
    months: tuple[str, ...]
    incident: str
    measured: str
    unmeasured: str
    published: str
    nothing: str
    bracket: str
    contradicted: str
    supported: str
    undetermined: str
    simulated: str
    digits: str = "0123456789"

    def number(self, value: int) -> str:
        """A whole number, without separators."""
        return "".join(self.digits[int(digit)] for digit in str(value))

    def day(self, value: date) -> str:
        """`17 Feb`."""
        return f"{self.number(value.day)} {self.months[value.month - 1]}"

    def month(self, value: date) -> str:
        """`Feb 2024`."""
        return f"{self.months[value.month - 1]} {self.number(value.year)}"


ENGLISH = Labels(
    states=STATE,
    lanes=tuple(name for name, _ in LANES),
    months=tuple(name[:3] for name in MONTHS),
    incident="Incident",
    measured="Measured here",
    unmeasured="no raw measurements in this store",
    published="Published findings say",
    nothing="nothing measured",
    bracket="onset or end lies in here",
    contradicted="contradicted",
    supported="supported",
    undetermined="undetermined",
    simulated="SIMULATED DATA. Nothing here happened.",
)
