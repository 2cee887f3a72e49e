"""What suspends or ends an order: stays, and the entries that take an order or a stay back. Appeals do neither."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec

from kholo.model import Case, Entry, EntryKind

from .spans import Span, cut, midnight


class Bounds(msgspec.Struct, frozen=True):
    """How long an order binds: to `limit`, which `ended` says is its end; and not while it is stayed."""

    limit: datetime
    ended: bool
    stays: tuple[Span, ...]
    stayed_by: tuple[str, ...]
    appealed_by: tuple[str, ...]

    def suspended(self, start: datetime, end: datetime) -> timedelta:
        """How much of a time lies under a stay. Stays that overlap count once."""
        total, upto = timedelta(), start
        for stay in self.stays:
            common = cut(stay, Span(max(start, upto), max(start, upto, end)))
            if common:
                total += common.end - common.start
                upto = common.end
        return total


def bounds(case: Case, order: Entry, as_of: datetime) -> Bounds:
    """What is known of an order by then. An uncertain day is read in favour of whoever is bound."""
    known = [entry for entry in case.entries if midnight(entry.earliest) <= as_of]
    until = order.obligation.until if order.obligation else None
    ends = [moment for moment in (until, _taken_back(known, order)) if moment is not None and moment <= as_of]
    staying = [entry for entry in known if entry.kind is EntryKind.STAY and order.id in entry.stays]
    found = sorted((span, entry.id) for entry in staying if (span := _span(known, entry, as_of)))
    return Bounds(
        limit=min([as_of, *ends]),
        ended=bool(ends),
        stays=tuple(span for span, _ in found),
        stayed_by=tuple(sorted({name for _, name in found})),
        appealed_by=tuple(
            sorted(entry.id for entry in known if entry.kind is EntryKind.APPEAL and order.id in entry.appeals)
        ),
    )


def _span(known: Sequence[Entry], entry: Entry, as_of: datetime) -> Span | None:
    stay = entry.stay
    start = stay.start if stay and stay.start else midnight(entry.earliest)
    ends = [moment for moment in (stay.end if stay else None, _taken_back(known, entry, late=True)) if moment]
    return cut(Span(start, min([as_of, *ends])), Span(start, as_of)) if start < as_of else None


def _taken_back(known: Sequence[Entry], entry: Entry, *, late: bool = False) -> datetime | None:
    """When an entry was taken back, if it was; of an uncertain day the first, or the last (`late`)."""
    days = [other.latest if late else other.earliest for other in known if entry.id in other.retracts]
    return midnight(min(days)) if days else None
