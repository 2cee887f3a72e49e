"""Days as bits of one number: which days a thing touches, and which it fills. A claim by its dates is read by days."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import msgspec

from kholo.model import Proposition

_DAY = timedelta(1)
#: The shortest time that there is.
TICK = timedelta(microseconds=1)


class Span(msgspec.Struct, frozen=True, order=True):
    """From a moment to another that is not included, UTC."""

    start: datetime
    end: datetime


def midnight(day: date) -> datetime:
    """The first moment of a day, UTC."""
    return datetime.combine(day, time(), UTC)


def last_day(end: datetime) -> date:
    """The last day before an end that is not included."""
    return (end - TICK).date()


class Days:
    """Sets of days as whole numbers: bit 0 is the day `first`. None of the days asked for may lie before it."""

    def __init__(self, first: date) -> None:
        self._first = first.toordinal()

    def bit(self, day: date) -> int:
        """One day."""
        return 1 << (day.toordinal() - self._first)

    def touched(self, span: Span) -> int:
        """Every day of which some lies in the span."""
        if span.end <= span.start:
            return 0
        begin = span.start.date().toordinal() - self._first
        return ((1 << (last_day(span.end).toordinal() - span.start.date().toordinal() + 1)) - 1) << begin

    def filled(self, span: Span, within: Span) -> int:
        """Every day of `within` that the span fills, as far as the day lies in `within`."""
        begin = _later_midnight(span.start) if span.start > within.start else midnight(within.start.date())
        end = midnight(span.end.date()) if span.end < within.end else midnight(last_day(within.end)) + _DAY
        return self.touched(Span(begin, end))


def _later_midnight(moment: datetime) -> datetime:
    day = midnight(moment.date())
    return day if day == moment else day + _DAY


def window(claim: Proposition, as_of: datetime) -> Span:
    """The time that a claim speaks of, as far as it had come by then."""
    return Span(claim.start, max(claim.start, min(claim.end, as_of)))


def is_by_date(claim: Proposition) -> bool:
    """Whether a claim names days, not times of day."""
    return claim.start == midnight(claim.start.date()) and claim.end == midnight(claim.end.date())


def cut(span: Span, within: Span) -> Span | None:
    """What two spans have in common."""
    start, end = max(span.start, within.start), min(span.end, within.end)
    return Span(start, end) if start < end else None


def speaks_against_ok(span: Span, within: Span, by_date: bool) -> bool:
    """Whether a time without access shows that "it worked" is not so.

    Who names a day may have spoken at any time of it. A block that ended on the first day claimed, or began on the
    last, is therefore not held against them, unless it filled that day.
    """
    common = cut(span, within)
    if common is None:
        return False
    if not by_date or common == within:
        return True
    ended_first = last_day(common.end) == within.start.date() and common.end < midnight(within.start.date()) + _DAY
    began_last = common.start.date() == last_day(within.end) and common.start > midnight(common.start.date())
    return not (ended_first or began_last)
