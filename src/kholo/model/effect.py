"""What a block did to people: inputs with their sources, and estimates that are ranges, never one figure."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from .case import Source
from .words import Grade


class Range(msgspec.Struct, frozen=True):
    """Low, central and high of one quantity, in that order."""

    low: float
    central: float
    high: float

    def times(self, other: Range) -> Range:
        """The product, low with low, central with central, high with high: both are never negative."""
        return Range(self.low * other.low, self.central * other.central, self.high * other.high)

    def plus(self, other: Range) -> Range:
        """The sum, in the same way."""
        return Range(self.low + other.low, self.central + other.central, self.high + other.high)

    def per(self, number: float) -> Range:
        """Divided by a number above zero."""
        return Range(self.low / number, self.central / number, self.high / number)


class EffectInput(msgspec.Struct, frozen=True):
    """One number that an estimate needs, as `effect.toml` gives it.

    `name` is a key of the table of inputs, or a network (`AS64500`) whose share of the users it is. `unit` is people,
    share (0 to 1), hours of use per user and day, or a currency per year. `is_assumption`: nobody published it so.
    `changed`: ends of the range that were set by hand for this run and are not those of the source.
    """

    name: str
    range: Range
    unit: str
    year: int
    says: str
    sources: tuple[Source, ...]
    is_assumption: bool = False
    changed: tuple[str, ...] = ()


class Estimate(msgspec.Struct, frozen=True):
    """One estimate, or what it lacks. The JSON names are a public contract.

    `range` is None where `missing` names inputs that are not there. `inputs` and `evidence` (ids of incidents and
    entries) are all that it rests on; `grade` is that of the evidence.
    """

    measure: str
    range: Range | None
    unit: str
    missing: tuple[str, ...]
    inputs: tuple[str, ...]
    evidence: tuple[str, ...]
    grade: Grade | None


class Effect(msgspec.Struct, frozen=True):
    """The estimates of a case with the inputs they were made from. `unknown`: keys of what they leave open."""

    estimates: tuple[Estimate, ...]
    inputs: tuple[EffectInput, ...]
    unknown: tuple[str, ...] = ()

    def estimate(self, measure: str) -> Estimate | None:
        """One of the estimates."""
        return next((item for item in self.estimates if item.measure == measure), None)

    @property
    def by_name(self) -> Mapping[str, EffectInput]:
        """The inputs by their names."""
        return {item.name: item for item in self.inputs}
