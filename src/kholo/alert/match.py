"""Which incident of today is which that was told: by what, where and when; the id alone may shift with late data."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec

from .told import Facts, Known

#: An incident that was told and one that is found now are the same when no more than this lies between them.
NEAR = timedelta(days=7)
_NONE = timedelta(0)


class Matched(msgspec.Struct, frozen=True):
    """`pairs` of told and found; `lost` was told and has no partner, `fresh` is found and has none."""

    pairs: list[tuple[Known, Facts]]
    lost: list[Known]
    fresh: list[Facts]


def group_of(item: Facts) -> tuple[str, str, str, bool]:
    """Only within one group can two be the same event."""
    return item.service, item.place, item.state.value, item.simulated


def span(item: Facts) -> tuple[datetime, datetime]:
    """From when to when it may have lasted, as far as measured."""
    ends = (item.onset.latest, item.last_seen, item.end.latest if item.end else item.last_seen)
    return item.onset.earliest, max(ends)


def gap(one: Facts, other: Facts) -> timedelta:
    """The time between two incidents; none when they overlap."""
    (one_from, one_to), (other_from, other_to) = span(one), span(other)
    return max(one_from - other_to, other_from - one_to, _NONE)


def overlap(one: Facts, other: Facts) -> timedelta:
    """How long both lasted."""
    (one_from, one_to), (other_from, other_to) = span(one), span(other)
    return max(min(one_to, other_to) - max(one_from, other_from), _NONE)


def matched(known: Sequence[Known], now: Sequence[Facts]) -> Matched:
    """Pair the members of one group, each with one other at most, the likest first."""
    likely = sorted(
        (_unlikeness(old, new), place, number)
        for place, old in enumerate(known)
        for number, new in enumerate(now)
        if gap(old.seen, new) <= (_NONE if old.gone else NEAR)
    )
    of_known: dict[int, int] = {}
    taken: set[int] = set()
    for _, place, number in likely:
        if place not in of_known and number not in taken:
            of_known[place] = number
            taken.add(number)
    return Matched(
        [(known[place], now[number]) for place, number in sorted(of_known.items())],
        [old for place, old in enumerate(known) if place not in of_known],
        [new for number, new in enumerate(now) if number not in taken],
    )


def _unlikeness(old: Known, new: Facts) -> tuple[bool, bool, bool, timedelta, bool, int]:
    """What has not changed pairs with itself; then those that overlap, those that stand, the nearest onset."""
    seen = old.seen
    moved = abs(seen.onset.earliest - new.onset.earliest) + abs(seen.onset.latest - new.onset.latest)
    shared = len(set(seen.networks) & set(new.networks))
    return (
        seen != new or old.gone is not None,
        gap(seen, new) > _NONE,
        old.gone is not None,
        moved,
        seen.incident_id != new.incident_id,
        -shared,
    )
