"""Dates in words. All times are UTC; month names don't depend on the machine's locale."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta

from kholo.model import Bracket

MONTHS = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]

SHORT = [month[:3] for month in MONTHS]

_DATE = re.compile(rf"\b\d{{1,2}} (?:{'|'.join(MONTHS)}) \d{{1,4}}\b")


def day(value: date) -> str:
    """`17 February 2024`."""
    return f"{value.day} {MONTHS[value.month - 1]} {value.year}"


def month(value: date) -> str:
    """`February 2024`."""
    return f"{MONTHS[value.month - 1]} {value.year}"


def short_day(value: date) -> str:
    """`17 Feb 2024`, with spaces that don't break over lines."""
    return f"{value.day}\N{NO-BREAK SPACE}{MONTHS[value.month - 1][:3]}\N{NO-BREAK SPACE}{value.year}"


def unbroken(text: str) -> str:
    """The text with the spaces inside its dates replaced by ones that don't break over lines."""
    return _DATE.sub(lambda found: found[0].replace(" ", "\N{NO-BREAK SPACE}"), text)


def stretch(first: date, last: date) -> str:
    """`3 May 2024`, or `3 May 2024 to 5 May 2024`."""
    return day(first) if first == last else f"{day(first)} to {day(last)}"


def either(earliest: date, latest: date) -> str:
    """A day that may be uncertain: `17 February 2024`, or `between 17 and 19 February 2024`."""
    if earliest == latest:
        return day(earliest)
    return f"between {_shortened(earliest, latest)} and {day(latest)}"


def _shortened(first: date, second: date) -> str:
    if first.year != second.year:
        return day(first)
    if first.month != second.month:
        return f"{first.day} {MONTHS[first.month - 1]}"
    return str(first.day)


def moment(value: datetime) -> str:
    """`17 February 2024, 14:05 UTC`."""
    return f"{day(value)}, {value.hour:02}:{value.minute:02} UTC"


def bracket(value: Bracket) -> str:
    """An uncertain moment: both times, or one when they are the same minute."""
    if value.earliest == value.latest:
        return moment(value.earliest)
    if value.earliest.date() == value.latest.date():
        first, last = value.earliest, value.latest
        return f"{day(first)}, between {first.hour:02}:{first.minute:02} and {last.hour:02}:{last.minute:02} UTC"
    return f"between {moment(value.earliest)} and {moment(value.latest)}"


def last_day(end: datetime) -> date:
    """The last day inside an interval whose `end` (UTC) is exclusive."""
    if end == datetime.min.replace(tzinfo=end.tzinfo):
        return end.date()
    return (end - timedelta(microseconds=1)).date()


def stamp(value: datetime) -> str:
    """RFC 3339, for `datetime` attributes and data."""
    return value.replace(tzinfo=UTC).isoformat().replace("+00:00", "Z")


def ordinal(value: date | datetime) -> float:
    """Days since 1 January of year 1, with the part of the day: one number line for dates and times."""
    whole = float(value.toordinal())
    if isinstance(value, datetime):
        return whole + (value.hour * 3600 + value.minute * 60 + value.second) / 86_400
    return whole
