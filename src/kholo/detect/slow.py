"""Which transfers are slow against their own usual, and for how long: the detector's engine on rates.

A series is a list of values that fall when something slows down, each with the address it is of. A value is slow when
it lies under the 5 % quantile of its address's own usual values. "Usual" is what lies outside of slow stretches, so the
quantile and the stretches are found in turns until neither changes.

Source of the words: Xue and others, "Throttling Twitter" (IMC 2021). The engine: `docs/detector.md`.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from statistics import median

import msgspec

from kholo.model import Grade, State

from .cells import Result, cells
from .segments import LOW, Array, weights
from .settings import Settings
from .spells import Spell, spells

MECHANISM = "throttle.rate"
#: Turns after which the quantile and the stretches count as never agreeing.
_ROUNDS = 8
#: Shares of all values left out of "usual" at first.
_SHARES = (0.1, 0.2, 0.3, 0.4)
#: Reports that the share of slow ones in "usual" counts for at most.
_MOST_REPORTS = 60


class SlowSettings(msgspec.Struct, frozen=True):
    """usual_share: of an address's usual reports that are held to be slow.

    least_usual: distinct reports outside of slow stretches that "usual" of an address needs; of fewer than twenty
        there is no lowest 5 %.
    half: times slower than the usual median that a slow value is at least.
    slower: by medians, times slower that a stretch must be in all; a half is within the ups and downs of a mobile line.
    """

    usual_share: float = 0.05
    least_usual: int = 20
    half: float = 2.0
    slower: float = 3.0


class Value(msgspec.Struct, frozen=True, order=True):
    """One transfer as the engine sees it. `log`: natural logarithm of what is compared; -inf where it was cut off by
    time, slower than could be told (censored). `host` "" is an address of its own."""

    measured_at: datetime
    report: str
    host: str
    measurement_uid: str
    log: float


class Usual(msgspec.Struct, frozen=True):
    """What is usual at one address: the value at or under which one is slow, and the median."""

    limit: float
    middle: float


class SlowStretch(msgspec.Struct, frozen=True):
    """One slow stretch: what the engine found, the slow values in it, times slower by medians (inf: most cut off)."""

    spell: Spell
    values: tuple[Value, ...]
    times: float


class Slow(msgspec.Struct, frozen=True):
    """What a series shows. `judged`: values of addresses whose usual is known; `usual`: those outside of stretches."""

    stretches: tuple[SlowStretch, ...]
    judged: tuple[Value, ...]
    usual: tuple[Value, ...]


class Line(msgspec.Struct, frozen=True, order=True):
    """Whose values they are. `service` "" stands for everything else that was measured."""

    service: str
    place: str
    network: str
    simulated: bool


def slow(values: Iterable[Value], line: Line, settings: SlowSettings, engine: Settings) -> Slow:
    """The slow stretches of one series. The order of `values` makes no difference.

    The first guess of "usual" is all values; then all but the lowest tenth, fifth and so on, as far as so many lie far
    under the upper quarter of their address. The first that settles on a stretch stands, if it leaves more values
    outside than inside.
    """
    ordered = sorted(values)
    first = found = _settled(ordered, frozenset(), line, settings, engine)
    low = _far_under(ordered, settings)
    for share in _SHARES:
        if _is_settled(found) or len(low) < share * len(ordered):
            break
        found = _settled(ordered, frozenset(low[: round(share * len(ordered))]), line, settings, engine)
    return found if _is_settled(found) else msgspec.structs.replace(first, stretches=())


def _is_settled(found: Slow) -> bool:
    return bool(found.stretches) and len(found.judged) < 2 * len(found.usual)


def _far_under(values: Sequence[Value], settings: SlowSettings) -> list[int]:
    """The values far under the upper quarter of their address, the lowest first."""
    upper = {host: _rank(sorted(logs), 0.75) for host, logs in _by_host(values, range(len(values))).items()}
    under = [(one.log - upper[one.host], place) for place, one in enumerate(values) if upper[one.host] > -math.inf]
    return [place for below, place in sorted(under) if below < -math.log(settings.slower)]


def _settled(
    values: Sequence[Value], low: frozenset[int], line: Line, settings: SlowSettings, engine: Settings
) -> Slow:
    """From a guess of the values that are not usual to one that agrees with the stretches that follow from it."""
    inside = low
    for turn in range(_ROUNDS):
        known = _usual(values, inside, settings)
        judged = [place for place, one in enumerate(values) if one.host in known]
        found = _stretches([values[place] for place in judged], known, line, settings, engine)
        now = frozenset(place for place in judged if any(_may_cover(one, values[place]) for one in found))
        is_settled = now == inside or bool(turn and now < inside)
        if is_settled:
            break
        # The guess is given up at once. What was found later only grows: values at an edge could go to and fro.
        inside = inside | now if turn else now
    usual = [values[place] for place in judged if place not in inside]
    wide = [one for one in found if is_settled and one.times >= settings.slower]
    return Slow(tuple(wide), tuple(values[place] for place in judged), tuple(usual))


def _usual(values: Sequence[Value], inside: frozenset[int], settings: SlowSettings) -> Mapping[str, Usual]:
    made = {}
    for host, logs in _by_host(values, (place for place in range(len(values)) if place not in inside)).items():
        middle = median(logs)
        # Where half were cut off, the others were not written down: nothing is known of the usual rate.
        if len(logs) >= settings.least_usual and middle > -math.inf:
            limit = min(_rank(sorted(logs), settings.usual_share), middle - math.log(settings.half))
            made[host] = Usual(limit, middle)
    return made


def _by_host(values: Sequence[Value], places: Iterable[int]) -> dict[str, list[float]]:
    """One value a report, by address: one report is never several. Those without an id are one an hour."""
    reports: dict[tuple[str, str], list[float]] = defaultdict(list)
    for place in places:
        one = values[place]
        reports[one.host, one.report or f"{one.measured_at:%Y%m%d%H}"].append(one.log)
    hosts: dict[str, list[float]] = defaultdict(list)
    for (host, _), logs in reports.items():
        hosts[host].append(median(logs))
    return hosts


def _rank(ordered: Sequence[float], share: float) -> float:
    """The value at or below which this share of a sorted list lies (nearest rank)."""
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def _stretches(
    values: Sequence[Value], known: Mapping[str, Usual], line: Line, settings: SlowSettings, engine: Settings
) -> list[SlowStretch]:
    counted = cells(_result(one, known[one.host], line) for one in values)
    if not counted:
        return []
    reports = len({(one.host, one.report or one.measured_at) for one in values})
    (found,) = spells([counted], engine, [_baseline(reports, settings)])
    made = []
    for spell in found:
        inside = [one for one in values if _covers(spell, one)]
        below = [one.log - known[one.host].middle for one in inside]
        slowest = tuple(one for one in inside if one.log <= known[one.host].limit)
        made.append(SlowStretch(spell, slowest, math.exp(-median(below)) if below else 1.0))
    return made


def _result(one: Value, usual: Usual, line: Line) -> Result:
    is_slow = one.log <= usual.limit
    return Result(
        service=line.service or "*",
        place=line.place,
        network=line.network,
        measured_at=one.measured_at,
        state=State.THROTTLED if is_slow else State.OK,
        mechanism=MECHANISM if is_slow else None,
        report=one.report,
        grade=Grade.A,
        simulated=line.simulated,
        measurement_uid=one.measurement_uid,
    )


def _baseline(reports: int, settings: SlowSettings) -> Array:
    """One in twenty is slow by definition; how sure that is depends on how many reports it was learned from."""
    strength = min(reports, _MOST_REPORTS)
    return weights(LOW, settings.usual_share * strength, (1 - settings.usual_share) * strength)


def _covers(spell: Spell, one: Value) -> bool:
    """Whether a value is known to lie in the spell."""
    seen = spell.seen
    return (
        seen.onset.latest <= one.measured_at <= max(seen.last_seen, seen.end.earliest if seen.end else seen.last_seen)
    )


def _may_cover(found: SlowStretch, one: Value) -> bool:
    """Whether it may lie in it: such values are no measure of what is usual."""
    seen = found.spell.seen
    return seen.onset.earliest <= one.measured_at and (seen.end is None or one.measured_at <= seen.end.latest)
