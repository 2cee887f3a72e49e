"""What archives say of whole lines, made into signals, each field within bounds."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from kholo.fetch.plan import Option
from kholo.model import Signal, SignalKind
from kholo.model.text import clean

from . import envelope
from .envelope import Refused, show
from .items import Item

#: Larger than anything that is counted here.
_MOST = 1e18
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/ -]{0,63}")
#: 9999-12-31; what is later can't be written as a date.
_LAST_SECOND = 253_402_300_799


def level(
    item: Item, source: str, signal: str, line: tuple[str, str], span: tuple[datetime, datetime], value: float,
    unit: str,
) -> Signal:  # fmt: skip
    """A level over `span` on `line`, a place ("": wherever the network is) and a network ("": all of the place)."""
    place, network = line
    since, until = span
    return Signal(
        source, _name(signal), SignalKind.LEVEL, place, network, "", since, until, number(value), None, unit, "",
        False, item.digest, item.file, item.line,
    )  # fmt: skip


def outage(
    item: Item, source: str, signal: str, line: tuple[str, str], span: tuple[datetime, datetime | None],
    score: float | None, unit: str, detail: str,
) -> Signal:  # fmt: skip
    """That `line` was out over `span`. `detail` is the archive's, and is cleaned and cut here."""
    place, network = line
    since, until = span
    return Signal(
        source, _name(signal), SignalKind.OUTAGE, place, network, "", since, until,
        None if score is None else number(score), None, unit, clean(" ".join(detail.split())), False, item.digest,
        item.file, item.line,
    )  # fmt: skip


def _name(signal: str) -> str:
    if _NAME.fullmatch(signal):
        return signal
    raise Refused("bad_signal", f"the signal is named {show(signal)}; letters, digits and ._/- were expected")


def network(value: str | int) -> str:
    """A network that is known, by its number or as AS and a number. Raises `Refused`."""
    text = str(value)
    known = envelope.network(text if text.startswith("AS") else f"AS{text}")
    if known == "AS0":
        raise Refused("bad_network", "AS0 is no network")
    return known


def number(value: float) -> float:
    """Raises `Refused` on what can be no count, share or rate."""
    if math.isfinite(value) and abs(value) <= _MOST:
        return float(value)
    raise Refused("bad_value", f"the value is {show(value)}")


def at(seconds: float, now: datetime) -> datetime:
    """A time given as seconds since 1970. Raises `Refused` where it can't be true."""
    return envelope.plausible(_moment(seconds), now)


def _moment(seconds: float) -> datetime:
    if not 0 <= seconds <= _LAST_SECOND:
        raise Refused("bad_time", f"the time is {show(seconds)}; seconds since 1970 were expected")
    return datetime.fromtimestamp(int(seconds), UTC)


def until(since: datetime, seconds: float, now: datetime) -> datetime | None:
    """The end given as seconds since 1970; None where that is still to come."""
    return ended(since, _moment(seconds), now)


def ended(since: datetime, end: datetime | None, now: datetime) -> datetime | None:
    """The end, None where there is none yet. Raises `Refused` where it does not come after the beginning."""
    if end is not None and end <= since:
        raise Refused("bad_time", f"it ended at {end:%Y-%m-%d %H:%M}, not after it began, {since:%Y-%m-%d %H:%M}")
    return None if end is None or end > now else end


#: The option of a source that has both.
WHAT = Option("what", "What to get: outages, levels, or both.", "all", ("all", "outages", "levels"))
#: A piece of time has settled when this has passed since its end: archives correct what is younger.
SETTLES = timedelta(days=7)
_EPOCH = datetime(1970, 1, 5, tzinfo=UTC)


def weeks(since: datetime, end: datetime, count: int = 1) -> Iterator[tuple[datetime, datetime]]:
    """The pieces of whole weeks from Monday (UTC) that hold this time: the same days are always in the same piece."""
    long = timedelta(days=7 * count)
    start = _EPOCH + (since - _EPOCH) // long * long
    while start < end:
        yield start, start + long
        start += long


def months(since: datetime, end: datetime) -> Iterator[tuple[datetime, datetime]]:
    """The whole months (UTC) that hold this time."""
    start = datetime(since.year, since.month, 1, tzinfo=UTC)
    while start < end:
        after = datetime(start.year + start.month // 12, start.month % 12 + 1, 1, tzinfo=UTC)
        yield start, after
        start = after


def so_far(end: datetime, now: datetime) -> datetime:
    """The end of a piece, as far as it has come: to the full hour. Archives refuse, or invent, what is to come."""
    return min(end, now.replace(minute=0, second=0, microsecond=0))
