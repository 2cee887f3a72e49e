"""The stretches of time in which an order was not met, by spells or findings, and the brief returns between them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

import msgspec

from kholo.model import Grade, Return

#: A return of access that is not longer than this does not stop the clock of an order; it is shown.
BRIEF = timedelta(days=7)


class Stretch(msgspec.Struct, frozen=True, order=True):
    """Not met from a moment to another, UTC. `surely`: from then on it is known to be met again (None: is open)."""

    start: datetime
    end: datetime
    surely: datetime | None
    grade: Grade
    evidence: tuple[str, ...]
    networks: tuple[str, ...] = ()

    @property
    def is_open(self) -> bool:
        """Nothing shows its end."""
        return self.surely is None


class Chain(msgspec.Struct, frozen=True):
    """Stretches that follow on each other, but for brief returns."""

    stretches: tuple[Stretch, ...]
    returns: tuple[Return, ...]

    @property
    def start(self) -> datetime:
        """When it began."""
        return self.stretches[0].start

    @property
    def last(self) -> Stretch:
        """The stretch that ends it: one without an end, else the one that ends last."""
        return max(self.stretches, key=lambda one: (one.is_open, one.end, one.surely or one.end))

    @property
    def evidence(self) -> tuple[str, ...]:
        """What it rests on."""
        return tuple(sorted({name for one in self.stretches for name in one.evidence}))

    @property
    def networks(self) -> tuple[str, ...]:
        """The networks that it is about."""
        return tuple(sorted({name for one in self.stretches for name in one.networks}))

    @property
    def grade(self) -> Grade:
        """No better than the weakest of what it rests on."""
        return max((one.grade for one in self.stretches), key=lambda grade: grade.value)


def chains(stretches: Iterable[Stretch]) -> list[Chain]:
    """Stretches put together, by time."""
    made: list[Chain] = []
    for stretch in sorted(stretches, key=lambda one: (one.start, one.end, one.evidence, one.networks)):
        before = made[-1] if made else None
        if before is None or (not before.last.is_open and stretch.start - before.last.end > BRIEF):
            made.append(Chain((stretch,), ()))
            continue
        found = _return(before, stretch)
        made[-1] = Chain((*before.stretches, stretch), (*before.returns, *found))
    return made


def _return(before: Chain, stretch: Stretch) -> tuple[Return, ...]:
    """The time between, where it is sure that there was one."""
    last = before.last
    if last.surely is None or stretch.start <= last.surely:
        return ()
    names = tuple(sorted({*last.evidence, *stretch.evidence}))
    return (Return(last.surely, stretch.start, max(last.grade, stretch.grade, key=lambda one: one.value), names),)
