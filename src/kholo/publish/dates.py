"""What dates need that is the same in every language. All times are UTC. `Language` says dates in words."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta

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


def unbroken(text: str) -> str:
    """The text with the spaces inside its dates replaced by ones that don't break over lines."""
    return _DATE.sub(lambda found: found[0].replace(" ", "\N{NO-BREAK SPACE}"), text)


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
