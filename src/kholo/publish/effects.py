"""The estimates of the effect on people in words: always a range, with the inputs and what is missing."""

from __future__ import annotations

from math import floor, log10

import msgspec

from kholo.model import Effect, EffectInput, Estimate, Range

from .language import ENGLISH, Language, marked

MEASURE = {
    "blocked_hours": marked("Hours blocked"),
    "users_affected": marked("Users affected"),
    "population_share": marked("Share of the population affected"),
    "hours_lost": marked("Hours of use lost"),
    "cost": marked("Cost to the economy"),
}
#: How each one is worked out; the code is `record/effect.py` and `record/exposure.py`.
METHOD = {
    "blocked_hours": marked(
        "From incidents: from the latest possible onset to the last time it was seen (low), from the earliest onset to"
        " the first working result (high). From published findings: their days, without (low) or with (high) the days"
        " that others found working. Hours of throttling are not counted."
    ),
    "users_affected": marked("Users of the service × share of them on the networks that were blocked."),
    "population_share": marked("Users affected ÷ population, the low end by the high one."),
    "hours_lost": marked("Users × hours blocked, by network × hours of use a day ÷ 24."),
    "cost": marked(
        "GDP ÷ 8,760 × hours blocked × share of the GDP that depends on the Internet × share of that which depends on"
        " the service (D. M. West, Brookings 2016; the Cost of Shutdown Tool of NetBlocks and the Internet Society"
        " builds on it)."
    ),
}
INPUT = {
    "evidence": marked("an incident or a finding that says when it was blocked"),
    "population": marked("population"),
    "users": marked("users of the service before the block"),
    "use": marked("hours of use per user and day"),
    "gdp": marked("GDP of the place in a year"),
    "digital_share": marked("share of the GDP that depends on the Internet"),
    "service_share": marked("share of that which depends on the service"),
}
UNKNOWN = {
    "vpn": marked("How many people went on by other means, such as a VPN: they are counted as affected."),
    "throttled": marked("What throttling did: only hours of blocking are counted."),
    "made_up_for": marked("How much activity was made up for later or elsewhere: it is counted as lost."),
    "no_end": marked("When it ended: hours after the last measurement are not counted."),
    "assumptions": marked(
        "Some inputs are assumptions that nobody published so; they are marked and wait for a review."
    ),
    "changed": marked("Some ends of ranges were set by hand for this run; they are marked."),
}

UNIT = {
    "hours": marked("hours"),
    "people": marked("people"),
    "share": marked("share"),
    "hours of use": marked("hours of use"),
    "hours of use per user and day": marked("hours of use per user and day"),
    "per year": marked("per year"),
    "money": marked("money"),
}
END = {"low": marked("low"), "central": marked("central"), "high": marked("high")}
_SIZES = ((1e12, marked("{n} trillion")), (1e9, marked("{n} billion")), (1e6, marked("{n} million")))


class EffectRow(msgspec.Struct, frozen=True):
    """One estimate as the page shows it."""

    estimate: Estimate
    name: str
    says: str
    method: str


def effect_rows(effect: Effect, language: Language = ENGLISH) -> tuple[EffectRow, ...]:
    """The estimates in words."""
    return tuple(
        EffectRow(
            item,
            language.say(MEASURE[item.measure]),
            estimate_words(item, language),
            language.say(METHOD[item.measure]),
        )
        for item in effect.estimates
    )


def estimate_words(item: Estimate, language: Language = ENGLISH) -> str:
    """`3.4 million to 5.9 million people, most likely 4.5 million`, or what is missing."""
    if item.range is None:
        missing = language.listed([input_words(name, language) for name in item.missing])
        return language.say("Not estimated. Missing: {missing}.", missing=missing)
    return f"{range_words(shown_range(item), language)} ({unit_words(item.unit, language)})"


def unit_words(unit: str, language: Language = ENGLISH) -> str:
    """A unit; of money, the currency as it is."""
    currency, _, rest = unit.partition(" ")
    if unit not in UNIT and rest in UNIT:
        return f"{currency} {language.say(UNIT[rest])}"
    return language.say(UNIT[unit]) if unit in UNIT else unit


def shown_range(item: Estimate) -> Range:
    """The range as it is shown: hours that were counted to the hour, what is estimated to two digits."""
    found = item.range or Range(0.0, 0.0, 0.0)
    is_counted = item.measure == "blocked_hours"
    return Range(*(float(round(end)) if is_counted else significant(end) for end in msgspec.structs.astuple(found)))


def input_words(name: str, language: Language = ENGLISH) -> str:
    """What an input is called; of a network, its share of the users."""
    known = INPUT.get(name)
    return language.say(known) if known else language.say("share of the users on {network}", network=name)


def range_words(value: Range, language: Language = ENGLISH) -> str:
    """A range with its central value."""
    low, central, high = (number_words(end, language) for end in (value.low, value.central, value.high))
    return language.say("{low} to {high}, most likely {central}", low=low, high=high, central=central)


def number_words(value: float, language: Language = ENGLISH) -> str:
    """`4500000` becomes `4.5 million`."""
    shown = round(value, 6)
    for size, word in _SIZES:
        if shown >= size:
            return language.say(word, n=language.number(float(f"{shown / size:.12g}")))
    return language.number(float(f"{shown:.12g}"))


def significant(value: float, digits: int = 2) -> float:
    """Rounded to so many digits that count."""
    if value == 0:
        return 0.0
    return round(value, digits - 1 - floor(log10(abs(value))))


def changed_words(item: EffectInput, language: Language = ENGLISH) -> str:
    """What of an input was set by hand, if anything."""
    ends = [language.say(END[name]) if name in END else name for name in item.changed]
    return language.say("{ends} set by hand", ends=language.listed(ends)) if ends else ""
