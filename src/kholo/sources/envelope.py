"""What every OONI row says of itself (who, when, where, which test), checked field by field.

Source: ooni/spec `data-formats/df-000-base.md`. Nothing in a row is trusted: whatever becomes a key, a place or a
time must have the right form, or the row is a reject with the reason.
"""

from __future__ import annotations

import hashlib
import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from urllib.parse import urlsplit

from kholo.model.text import clean

#: OONI's first measurements are of 2012.
FIRST_YEAR = 2012
#: A probe's clock may be ahead of ours by this much.
CLOCK_SLACK = timedelta(days=1)
MAX_INPUT = 4_096

_UID = re.compile(r"[A-Za-z0-9._-]{1,128}")
_PLACE = re.compile(r"[A-Z]{2}")
_NETWORK = re.compile(r"AS(\d{1,10})")
_TEST = re.compile(r"[a-z0-9_]{1,64}")
_RECEIVED = re.compile(r"[0-9]{14}\.")
_TIME = re.compile(r"(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d)(\.\d{1,9})?Z?")


class Refused(ValueError):
    """A field that makes the row unusable. `reason` is the code of the reject."""

    def __init__(self, reason: str, detail: str) -> None:
        self.reason, self.detail = reason, detail
        super().__init__(detail)


def uid(text: str | None, digest: str) -> str:
    """The measurement's own id where it has a usable one, else one derived from its bytes."""
    if text and _UID.fullmatch(text):
        return text
    return f"kholo-{digest[:32]}"


@lru_cache(maxsize=4_096)
def place(text: str | None) -> str:
    """ISO 3166 alpha-2. Raises `Refused`."""
    if text and _PLACE.fullmatch(text):
        return text
    raise Refused("bad_place", f"the country is {show(text)}; a two-letter code such as PK was expected")


@lru_cache(maxsize=16_384)
def network(value: str | int | None) -> str:
    """`AS<number>`; `AS0` where it is unknown. Raises `Refused` on anything else."""
    if value is None or value == "":
        return "AS0"
    if isinstance(value, int):
        value = f"AS{value}"
    if (match := _NETWORK.fullmatch(value)) and int(match[1]) < 2**32:
        return f"AS{int(match[1])}"
    raise Refused("bad_network", f"the network is {show(value)}; AS and a number was expected")


@lru_cache(maxsize=4_096)
def test_name(text: str | None) -> str:
    """Raises `Refused`."""
    if text and _TEST.fullmatch(text):
        return text
    raise Refused("bad_test_name", f"test_name is {show(text)}; lower-case letters, digits and _ were expected")


def time(text: str | None, now: datetime) -> datetime:
    """A time in UTC, in any form that OONI has used. Raises `Refused` when it is unreadable or can't be true."""
    moment = _parse(text) if text else None
    if moment is None:
        raise Refused("bad_time", f"the start time is {show(text)}; 'YYYY-MM-DD hh:mm:ss' was expected")
    return plausible(moment, now)


def plausible(moment: datetime, now: datetime) -> datetime:
    """The moment (UTC). Raises `Refused` when nothing can have been measured then."""
    if moment.year < FIRST_YEAR:
        raise Refused("time_implausible", f"measured at {_said(moment)}: before there were measurements ({FIRST_YEAR})")
    if moment > now + CLOCK_SLACK:
        raise Refused("time_in_future", f"measured at {_said(moment)}: later than now ({_said(now)})")
    return moment


def _said(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"


@lru_cache(maxsize=4_096)
def _parse(text: str) -> datetime | None:
    match = _TIME.fullmatch(text)
    if not match:
        return None
    try:
        moment = datetime.fromisoformat(f"{match[1]} {match[2]}")
    except ValueError:
        return None
    micros = int((match[3] or ".0")[1:7].ljust(6, "0"))
    return moment.replace(microsecond=micros, tzinfo=UTC)


def is_clock_ahead(uid: str, measured_at: datetime) -> bool:
    """Whether the probe says that it measured after the collector had the result (an id begins with that time)."""
    day = measured_at.year * 10_000 + measured_at.month * 100 + measured_at.day
    if not _RECEIVED.match(uid) or int(uid[:8]) >= day:
        return False
    received = _parse(f"{uid[:4]}-{uid[4:6]}-{uid[6:8]} {uid[8:10]}:{uid[10:12]}:{uid[12:14]}")
    return received is not None and measured_at > received + CLOCK_SLACK


@lru_cache(maxsize=4_096)
def report(report_id: str | None) -> str:
    """A digest that tells reports apart and says nothing else; "" where there is no report id."""
    return hashlib.sha256(report_id.encode()).hexdigest()[:16] if report_id else ""


@lru_cache(maxsize=65_536)
def hostname(url: str | None) -> str:
    """The host that an input names, lower case, IDNA (RFC 3490); "" where it names none."""
    if not url:
        return ""
    try:
        name = urlsplit(url if "://" in url else f"//{url}").hostname or ""
        return name if name.isascii() else name.encode("idna").decode("ascii").lower()
    except (ValueError, UnicodeError):
        return ""


def show(value: object) -> str:
    """A value of the input as a person may safely see it."""
    return clean(repr(value), 80)
