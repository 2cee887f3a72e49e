"""IODA (Georgia Tech): how many networks of a country are announced, answer, and send noise; and when they were out.

API version 2, public, without a key. Three kinds of answers are read: series (`/signals/raw`), events and alerts
(`/outages/events`, `/outages/alerts`). Source of the shapes: InetIntel/ioda-api, `TimeSeriesNormalizer`,
`OutagesEventNormalizer`, `OutagesAlertNormalizer`. Only countries and networks are read: regions say more of a place
than leaves kholo.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from urllib.parse import urlencode

import msgspec
from msgspec import Raw

from kholo.fetch.plan import Asked, Fetch, Plan, Remote, Told, Wanted
from kholo.model import LOST, Signal
from kholo.model.text import clean

from . import envelope, statements
from .envelope import Refused
from .guard import MAX_SIGNALS, guarded, parts
from .items import Item
from .source import Aside, Context, Given, Source

_ID = "ioda"
_UNITS = {
    "bgp": "/24s visible",
    "ping-slash24": "/24s up",
    "merit-nt": "unique source addresses",
    "ucsd-nt": "unique source addresses",
    "gtr": "traffic",
    "gtr-norm": "normalised traffic",
}
#: Series asked for: routes, answers to pings, and what the lines send into the dark. All three may fail by themselves.
_SERIES = ("bgp", "ping-slash24", "merit-nt")
_EVENT_WEEKS = 4
_EVENTS = timedelta(weeks=_EVENT_WEEKS)
_LONGEST_STEP = 7 * 86_400
_HOURS_OF_A_WEEK = 168


class _Answer(msgspec.Struct):
    data: list[Raw] | None = None
    error: str | None = None


class _Entity(msgspec.Struct):
    code: str | int
    type: str = ""
    name: str = ""


class _Series(msgspec.Struct, rename={"kind": "entityType", "code": "entityCode", "start": "from"}):
    kind: str
    code: str | int
    datasource: str
    start: int
    step: int
    values: list[float | int | str | list[Raw] | dict[str, Raw] | None]
    subtype: str | None = None


class _Event(msgspec.Struct, rename={"first": "from", "last": "until"}):
    """In the format "codf", which the API gives when none is asked for, or "ioda"."""

    datasource: str = ""
    location: str = ""
    entity: _Entity | None = None
    start: int | None = None
    duration: int | None = None
    first: int | None = None
    last: int | None = None
    score: float | None = None
    method: str = ""


class _Alert(msgspec.Struct, rename={"was": "historyValue"}):
    datasource: str
    entity: _Entity
    time: int
    level: str
    value: float | None = None
    was: float | None = None
    method: str = ""


class _Kind(msgspec.Struct):
    """Just enough of a row to tell which kind it is."""

    level: Raw = Raw(b"")
    values: Raw = Raw(b"")


_ANSWER = msgspec.json.Decoder(_Answer)
_ROWS = msgspec.json.Decoder(list[Raw])
_KIND = msgspec.json.Decoder(_Kind)
_SERIES_OF = msgspec.json.Decoder(_Series)
_EVENT = msgspec.json.Decoder(_Event)
_ALERT = msgspec.json.Decoder(_Alert)


def recognises(data: bytes) -> bool:
    """Whether the bytes are an answer of the API: each repeats what was asked."""
    return b'"requestParameters"' in data


def decode(item: Item, context: Context) -> Iterator[Given]:
    """An answer as the signals in it. Raises `Refused`, and what msgspec raises."""
    answer = _ANSWER.decode(item.data)
    if answer.error:
        raise Refused("archive_error", f"IODA answered with an error: {clean(answer.error)}")
    alerts: list[tuple[Item, _Alert]] = []

    def row(part: Item) -> Iterator[Given]:
        kind = _KIND.decode(part.data)
        if kind.level:
            if len(alerts) >= MAX_SIGNALS:
                raise Refused("too_large", f"more than {MAX_SIGNALS} alerts in one answer; ask for less time")
            alerts.append((part, _ALERT.decode(part.data)))
            return
        yield from _series(part, context) if kind.values else _event(part, context)

    yield from parts(item, "data", _flat(answer.data or []), row)
    yield from _paired(alerts, context)


def _flat(rows: list[Raw]) -> Iterator[Raw]:
    """Series come in lists of their own, one an entity."""
    for row in rows:
        yield from _ROWS.decode(row) if bytes(row).lstrip()[:1] == b"[" else [row]


def _line(kind: str, code: str | int) -> tuple[str, str] | None:
    """The place and the network of an entity. Which country a network is in IODA does not say."""
    if kind == "country":
        return envelope.place(str(code)), ""
    if kind == "asn":
        return "", statements.network(code)
    return None


def _series(part: Item, context: Context) -> Iterator[Given]:
    found = _SERIES_OF.decode(part.data)
    line = _line(found.kind, found.code)
    values = [value for value in found.values if value is not None]
    if line is None or any(not isinstance(value, float | int) for value in values):
        yield Aside(len(values))
        return
    if not 0 < found.step <= _LONGEST_STEP:
        raise Refused("bad_time", f"a value each {found.step} seconds")
    name = found.datasource + (f"/{found.subtype}" if found.subtype else "")
    unit = _UNITS.get(found.datasource, "")
    step = timedelta(seconds=found.step)
    since = statements.at(found.start, context.now)
    statements.at(found.start + found.step * max(0, _last(found.values)), context.now)
    for value in found.values:
        after = since + step
        if isinstance(value, float | int):
            yield statements.level(part, _ID, name, line, (since, after), value, unit)
        since = after


def _last(values: Sequence[object]) -> int:
    """The place of the last value that says anything: a window that reaches into the future ends in nulls."""
    return next((place for place in range(len(values) - 1, -1, -1) if values[place] is not None), 0)


def _event(part: Item, context: Context) -> Iterator[Given]:
    event = _EVENT.decode(part.data)
    kind, _, code = event.location.partition("/")
    line = _line(event.entity.type, event.entity.code) if event.entity else _line(kind, code)
    if line is None:
        yield Aside()
        return
    first = event.start if event.start is not None else event.first
    last = first + event.duration if first is not None and event.duration is not None else event.last
    if first is None or last is None:
        raise Refused("bad_time", "an event that does not say when it began and ended")
    yield _outage(part, event.datasource, line, (first, last), event.score, event.method, context)


def _outage(
    part: Item, datasource: str, line: tuple[str, str], seconds: tuple[int, int], score: float | None, method: str,
    context: Context,
) -> Signal:  # fmt: skip
    since = statements.at(seconds[0], context.now)
    # The score of merged sources is a product: nothing can be read from it.
    unit = LOST if datasource in _UNITS else "score"
    span = since, statements.until(since, seconds[1], context.now)
    return statements.outage(part, _ID, datasource, line, span, score, unit, f"method {method}" if method else "")


def _paired(alerts: list[tuple[Item, _Alert]], context: Context) -> Iterator[Given]:
    """Alerts are points: an outage lasts from one that is not "normal" to the next that is.

    Scored as IODA scores its events: the share lost, in per cent, times the minutes. What the answer does not see the
    end of is known only up to the last alert.
    """
    series: dict[tuple[str, str, str, str], list[tuple[Item, _Alert]]] = defaultdict(list)
    for part, alert in alerts:
        key = alert.datasource, alert.method, alert.entity.type, str(alert.entity.code)
        series[key].append((part, alert))
    for _, rows in sorted(series.items()):
        rows.sort(key=lambda row: (row[1].time, row[1].level == "normal", row[0].digest))
        lasting: list[tuple[Item, _Alert]] = []
        for part, alert in rows:
            if lasting or alert.level != "normal":
                lasting.append((part, alert))
            if lasting and alert.level == "normal":
                yield from guarded(lasting[0][0], _closed(lasting, context))
                lasting = []
        if lasting:
            yield from guarded(lasting[0][0], _closed(lasting, context))


def _closed(rows: list[tuple[Item, _Alert]], context: Context) -> Iterator[Given]:
    part, alert = rows[0]
    span = alert.time, rows[-1][1].time
    line = _line(alert.entity.type, alert.entity.code)
    if line is None or span[0] == span[1]:
        yield Aside(len(rows))
        return
    score = sum(_drop(one) * (other.time - one.time) / 60 for (_, one), (_, other) in pairwise(rows))
    yield _outage(part, alert.datasource, line, span, score, alert.method, context)


def _drop(alert: _Alert) -> float:
    """The share that was lost, in per cent."""
    value, was = alert.value or 0.0, alert.was or 0.0
    return max(0.0, (was - value) / was * 100) if was > 0 else 0.0


def _plan(wanted: Wanted, endpoints: Mapping[str, str], _asked: Asked, told: Told) -> Plan:
    """Series by the hour and week; events of the country and of all of its networks, by four weeks.

    An event is made of the alerts in the window asked for and ends with it, so a window runs on for as long again: what
    began in a piece is seen whole unless it lasts longer than that. What began before `since` is in the piece before.
    """
    base, what = endpoints["api"], wanted.options.get("what", "all")
    end = statements.so_far(wanted.until, wanted.now)
    made: list[Remote] = []
    if what != "levels":
        for start, after in statements.weeks(wanted.since - _EVENTS, end, _EVENT_WEEKS):
            span = _span(start, after + _EVENTS, wanted)
            country = {"entityType": "country", "entityCode": wanted.place}
            networks = {"entityType": "asn", "relatedTo": f"country/{wanted.place}"}
            for name, of in (("country", country), ("networks", networks)):
                address = f"{base}/outages/events?{urlencode(span | of)}"
                settled = after + _EVENTS + statements.SETTLES <= wanted.now
                made.append(_remote(f"{wanted.place}/events-{name}", start, address, 20_000, settled))
    if what != "outages":
        lines = [f"country/{wanted.place}", *(f"asn/{network.removeprefix('AS')}" for network in wanted.networks)]
        for start, after in statements.weeks(wanted.since, end):
            for line in lines:
                for source in _SERIES:
                    asked = _span(start, after, wanted) | {"datasource": source, "maxPoints": _HOURS_OF_A_WEEK}
                    address = f"{base}/signals/raw/{line}?{urlencode(asked)}"
                    name = f"{wanted.place}/{line.replace('/', '-')}-{source}"
                    made.append(_remote(name, start, address, 3_000, after + statements.SETTLES <= wanted.now))
    told(1, 1)
    notes = () if wanted.networks else ("levels are of the country as a whole; --network adds those of a network",)
    return Plan(tuple(made), notes)


def _span(start: datetime, end: datetime, wanted: Wanted) -> dict[str, str | int]:
    return {"from": int(start.timestamp()), "until": int(statements.so_far(end, wanted.now).timestamp())}


def _remote(name: str, start: datetime, address: str, guess: int, settled: bool) -> Remote:
    return Remote(f"{name}-{start:%Y%m%d}.json", address, guess=guess, is_settled=settled)


SOURCE = Source(
    id=_ID,
    name="IODA",
    what="How many networks of a country, or of a provider, are announced and answer; and when they were out.",
    address="https://ioda.inetintel.cc.gatech.edu/",
    terms="Georgia Tech Research Corporation; for research and education, with attribution",
    recognises=recognises,
    decode=decode,
    fetch=Fetch(
        endpoints={"api": "https://api.ioda.inetintel.cc.gatech.edu/v2"},
        plan=_plan,
        options=(statements.WHAT,),
        example="kholo fetch ioda --cc PK --since 2024-02-01 --until 2024-03-31 --store store",
    ),
)
