"""The effect of a block on people, by published methods, as ranges. What lacks an input is not estimated."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from kholo.model import Case, Effect, EffectInput, Estimate, Incident, Range

from .exposure import Exposure, exposure

HOURS_OF_A_YEAR = 365 * 24
_ALL = Range(1.0, 1.0, 1.0)
_NONE = Range(0.0, 0.0, 0.0)


def effect(case: Case, inputs: Sequence[EffectInput], incidents: Sequence[Incident], as_of: datetime) -> Effect:
    """Hours blocked, users affected, hours of use lost, and cost. Ranges are propagated low with low, high with high.

    Users affected: users of the service, times the share of them on networks that were blocked. Hours of use lost:
    users, times hours blocked on their networks, times hours of use a day / 24. Cost: the gross domestic product of
    these hours, times the share of it that depends on the Internet, times the share of that which depends on the
    service, times the share of users blocked. That is the arithmetic of D. M. West, "Internet shutdowns cost
    countries $2.4 billion last year" (Brookings, October 2016), on which the Cost of Shutdown Tool of NetBlocks and
    the Internet Society (COST, 2018) builds too. Like theirs it is rough: a share of activity in these hours, of which
    some was made up for later or by other means, and nothing for lost trust, taxes or investment.
    """
    seen = exposure(case, incidents, as_of)
    have = {item.name: item for item in inputs}
    estimates = (
        _blocked(seen),
        _estimate("users_affected", "people", ("users",), seen, have),
        *_of_population(seen, have),
        _estimate("hours_lost", "hours of use", ("users", "use"), seen, have),
        _estimate("cost", _currency(have), ("gdp", "digital_share", "service_share"), seen, have),
    )
    return Effect(estimates, tuple(inputs), _unknown(seen, have))


def _currency(have: dict[str, EffectInput]) -> str:
    return have["gdp"].unit.partition(" ")[0] if "gdp" in have else "money"


def _blocked(seen: Exposure | None) -> Estimate:
    if seen is None:
        return Estimate("blocked_hours", None, "hours", ("evidence",), (), (), None)
    return Estimate("blocked_hours", seen.hours, "hours", (), (), seen.evidence, seen.grade)


def _estimate(
    measure: str, unit: str, needs: tuple[str, ...], seen: Exposure | None, have: dict[str, EffectInput]
) -> Estimate:
    networks = [name for name, _ in seen.networks if name] if seen else []
    wanted = (*needs, *networks)
    missing = (*(() if seen else ("evidence",)), *(name for name in wanted if name not in have))
    if missing or seen is None:
        return Estimate(measure, None, unit, missing, (), seen.evidence if seen else (), seen.grade if seen else None)
    shares = [(have[name].range if name else _ALL, hours) for name, hours in seen.networks]
    found = _FORMULAS[measure]({name: have[name].range for name in needs}, shares)
    return Estimate(measure, found, unit, (), tuple(sorted(wanted)), seen.evidence, seen.grade)


_Shares = list[tuple[Range, Range]]


def _users(given: dict[str, Range], shares: _Shares) -> Range:
    """A network whose block may not have lasted at all counts at the high end only."""
    total = _NONE
    for share, hours in shares:
        total = total.plus(
            Range(
                share.low if hours.low > 0 else 0.0,
                share.central if hours.central > 0 else 0.0,
                share.high if hours.high > 0 else 0.0,
            )
        )
    return given["users"].times(_at_most_all(total))


def _of_population(seen: Exposure | None, have: dict[str, EffectInput]) -> tuple[Estimate, ...]:
    """Users affected of all people, where the population is known: beside it, not in place of it."""
    users = _estimate("users_affected", "people", ("users",), seen, have)
    if users.range is None or "population" not in have or not have["population"].range.low:
        return ()
    people = have["population"].range
    ends = users.range.low / people.high, users.range.central / people.central, users.range.high / people.low
    inputs = tuple(sorted((*users.inputs, "population")))
    share = Range(*(min(end, 1.0) for end in ends))
    return (Estimate("population_share", share, "share", (), inputs, users.evidence, users.grade),)


def _lost(given: dict[str, Range], shares: _Shares) -> Range:
    return given["users"].times(given["use"].per(24)).times(_weighted(shares))


def _cost(given: dict[str, Range], shares: _Shares) -> Range:
    hourly = given["gdp"].per(HOURS_OF_A_YEAR)
    return hourly.times(given["digital_share"]).times(given["service_share"]).times(_weighted(shares))


_FORMULAS = {"users_affected": _users, "hours_lost": _lost, "cost": _cost}


def _weighted(shares: _Shares) -> Range:
    """Hours blocked, each network's weighed by its share of the users; never more than the longest of them."""
    total = _NONE
    for share, hours in shares:
        total = total.plus(share.times(hours))
    longest = max(hours.high for _, hours in shares)
    return Range(*(min(end, longest) for end in (total.low, total.central, total.high)))


def _at_most_all(total: Range) -> Range:
    return Range(min(total.low, 1.0), min(total.central, 1.0), min(total.high, 1.0))


def _unknown(seen: Exposure | None, have: dict[str, EffectInput]) -> tuple[str, ...]:
    """Keys of what the estimates leave open, whatever the inputs say."""
    open_end = ("no_end",) if seen and seen.is_open else ()
    assumed = ("assumptions",) if any(item.is_assumption for item in have.values()) else ()
    changed = ("changed",) if any(item.changed for item in have.values()) else ()
    return ("vpn", "throttled", "made_up_for", *open_end, *assumed, *changed)
