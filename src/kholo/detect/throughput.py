"""How fast a service came by day or week, beside other sites on the same network: what shows throttling to a reader.

The medians are those of `rates.py`: one rate a report, of transfers that finished. Nothing here decides anything.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import date, timedelta

import msgspec

from .rates import Side, Transfer, side

#: Days up to which a point is a day; of longer times it is a week, from Monday.
MOST_DAYS = 100


class RatePoint(msgspec.Struct, frozen=True, order=True):
    """One network in a day or week that begins with `first` (UTC) and has `days`: the service, and other sites."""

    network: str
    first: date
    days: int
    service: Side
    others: Side
    simulated: bool


def throughput(
    transfers: Iterable[Transfer], service: str, networks: Iterable[str], window: tuple[date, date], simulated: bool
) -> tuple[RatePoint, ...]:
    """The series of each network within the window (both ends inside), by network and time. Other sites are those that
    no service has; days or weeks without a transfer of either are left out. The order of `transfers` makes no
    difference."""
    wanted, (first, last) = frozenset(networks), window
    days = 1 if (last - first).days < MOST_DAYS else 7
    found: dict[tuple[str, date], tuple[list[Transfer], list[Transfer]]] = defaultdict(lambda: ([], []))
    for one in transfers:
        day = one.measured_at.date()
        if one.network not in wanted or one.simulated != simulated or not first <= day <= last:
            continue
        if one.service not in (service, None):
            continue
        begin = day if days == 1 else day - timedelta(days=day.weekday())
        found[one.network, begin][one.service is None].append(one)
    return tuple(
        RatePoint(network, begin, days, side(mine), side(others), simulated)
        for (network, begin), (mine, others) in sorted(found.items(), key=lambda item: item[0])
    )
