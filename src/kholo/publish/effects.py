"""The estimates of the effect on people in words: always a range, with the inputs and what is missing."""

from __future__ import annotations

from math import floor, log10

import msgspec

from kholo.model import Effect, EffectInput, Estimate, Range

from .words import listed

MEASURE = {
    "blocked_hours": "Hours blocked",
    "users_affected": "Users affected",
    "population_share": "Share of the population affected",
    "hours_lost": "Hours of use lost",
    "cost": "Cost to the economy",
}
#: How each one is worked out; the code is `record/effect.py` and `record/exposure.py`.
METHOD = {
    "blocked_hours": (
        "From incidents: from the latest possible onset to the last time it was seen (low), from the earliest onset to"
        " the first working result (high). From published findings: their days, without (low) or with (high) the days"
        " that others found working. Hours of throttling are not counted."
    ),
    "users_affected": "Users of the service × share of them on the networks that were blocked.",
    "population_share": "Users affected ÷ population, the low end by the high one.",
    "hours_lost": "Users × hours blocked, by network × hours of use a day ÷ 24.",
    "cost": (
        "GDP ÷ 8,760 × hours blocked × share of the GDP that depends on the Internet × share of that which depends on"
        " the service (D. M. West, Brookings 2016; the Cost of Shutdown Tool of NetBlocks and the Internet Society"
        " builds on it)."
    ),
}
INPUT = {
    "evidence": "an incident or a finding that says when it was blocked",
    "population": "population",
    "users": "users of the service before the block",
    "use": "hours of use per user and day",
    "gdp": "GDP of the place in a year",
    "digital_share": "share of the GDP that depends on the Internet",
    "service_share": "share of that which depends on the service",
}
UNKNOWN = {
    "vpn": "How many people went on by other means, such as a VPN: they are counted as affected.",
    "throttled": "What throttling did: only hours of blocking are counted.",
    "made_up_for": "How much activity was made up for later or elsewhere: it is counted as lost.",
    "no_end": "When it ended: hours after the last measurement are not counted.",
    "assumptions": "Some inputs are assumptions that nobody published so; they are marked and wait for a review.",
    "changed": "Some ends of ranges were set by hand for this run; they are marked.",
}


class EffectRow(msgspec.Struct, frozen=True):
    """One estimate as the page shows it."""

    estimate: Estimate
    name: str
    says: str
    method: str


def effect_rows(effect: Effect) -> tuple[EffectRow, ...]:
    """The estimates in words."""
    return tuple(
        EffectRow(item, MEASURE[item.measure], estimate_words(item), METHOD[item.measure]) for item in effect.estimates
    )


def estimate_words(item: Estimate) -> str:
    """`3.4 million to 5.9 million people, most likely 4.5 million`, or what is missing."""
    if item.range is None:
        return f"Not estimated. Missing: {listed([input_words(name) for name in item.missing])}."
    return f"{range_words(shown_range(item))} ({item.unit})"


def shown_range(item: Estimate) -> Range:
    """The range as it is shown: hours that were counted to the hour, what is estimated to two digits."""
    found = item.range or Range(0.0, 0.0, 0.0)
    is_counted = item.measure == "blocked_hours"
    return Range(*(float(round(end)) if is_counted else significant(end) for end in msgspec.structs.astuple(found)))


def input_words(name: str) -> str:
    """What an input is called; of a network, its share of the users."""
    return INPUT.get(name) or f"share of the users on {name}"


def range_words(value: Range) -> str:
    """A range with its central value."""
    low, central, high = (number_words(end) for end in (value.low, value.central, value.high))
    return f"{low} to {high}, most likely {central}"


def number_words(value: float) -> str:
    """`4500000` becomes `4.5 million`."""
    shown = round(value, 6)
    for size, word in ((1e12, "trillion"), (1e9, "billion"), (1e6, "million")):
        if shown >= size:
            return f"{shown / size:,.12g} {word}"
    return f"{shown:,.12g}" if shown < 1 or shown == int(shown) else f"{shown:,.10g}"


def significant(value: float, digits: int = 2) -> float:
    """Rounded to so many digits that count."""
    if value == 0:
        return 0.0
    return round(value, digits - 1 - floor(log10(abs(value))))


def changed_words(item: EffectInput) -> str:
    """What of an input was set by hand, if anything."""
    return f"{listed(list(item.changed))} set by hand" if item.changed else ""
