"""Cloudflare Radar: traffic that reaches Cloudflare, where it fell, and outages that its staff wrote down.

API of Cloudflare, with a token. Three kinds of answers are read: time series (`/radar/netflows/timeseries`,
`/radar/http/timeseries`), `/radar/traffic_anomalies` and `/radar/annotations/outages`. Source of the shapes: the
schema that Cloudflare publishes. Levels are normalised within what was asked for: the unit says how and over which
days, and two answers can't be compared. The part of a country that an annotation names is not kept.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import pairwise
from urllib.parse import parse_qs, urlencode, urlsplit

import msgspec
from msgspec import Raw

from kholo.fetch.plan import Asked, Fetch, Plan, Remote, Told, Wanted
from kholo.model.text import clean

from . import envelope, statements
from .envelope import Refused, show
from .guard import MAX_SIGNALS, parts
from .items import Item
from .source import Aside, Context, Given, Source

_ID = "radar"
#: Places and networks that one annotation may name.
_MOST_LINES = 500
_MOST_ROWS = 500
#: How series are named when asked for, so that an answer says by itself what it is of: `netflows_PK_AS17557`.
_NAMED = re.compile(r"(netflows|http)_([A-Z]{2})(?:_AS(\d{1,10}))?")
_PATH = re.compile(r"/radar/(netflows|http)/timeseries$")
_UNITS = {"netflows": "bytes", "http": "requests"}
_STEPS = {
    "FIFTEEN_MINUTES": timedelta(minutes=15),
    "ONE_HOUR": timedelta(hours=1),
    "ONE_DAY": timedelta(days=1),
    "ONE_WEEK": timedelta(days=7),
}
_NEVER = datetime(9999, 1, 1, tzinfo=UTC)


class _Place(msgspec.Struct):
    code: str


class _Network(msgspec.Struct):
    """The schema says `locations`, the service `location`."""

    asn: str | int
    locations: _Place | None = None
    location: _Place | None = None

    @property
    def place(self) -> str:
        where = self.location or self.locations
        return where.code if where else ""


class _Outage(msgspec.Struct, rename="camel"):
    outage_type: str | None = None
    outage_cause: str | None = None


class _Annotation(msgspec.Struct, rename="camel"):
    start_date: str
    end_date: str | None = None
    event_type: str | None = None
    locations: list[str] | None = None
    asns: list[int | str] | None = None
    asns_details: list[_Network] | None = None
    outage: _Outage | None = None
    description: str | None = None


class _Anomaly(msgspec.Struct, rename="camel"):
    start_date: str
    type: str
    status: str = ""
    end_date: str | None = None
    asn_details: _Network | None = None
    location_details: _Place | None = None


class _Meta(msgspec.Struct):
    normalization: str = ""
    interval: str = msgspec.field(name="aggInterval", default="")


class _Error(msgspec.Struct):
    message: str = ""


class _Series(msgspec.Struct):
    timestamps: list[str]
    values: list[str | float | None]


class _Result(msgspec.Struct, rename={"anomalies": "trafficAnomalies"}):
    annotations: list[Raw] | None = None
    anomalies: list[Raw] | None = None


class _Answer(msgspec.Struct):
    success: bool
    result: Raw = Raw(b"null")
    errors: list[_Error] | None = None


_ANSWER = msgspec.json.Decoder(_Answer)
_RESULT = msgspec.json.Decoder(_Result)
_NAMES = msgspec.json.Decoder(dict[str, Raw])
_META = msgspec.json.Decoder(_Meta)
_SERIES = msgspec.json.Decoder(_Series)
_ANNOTATION = msgspec.json.Decoder(_Annotation)
_ANOMALY = msgspec.json.Decoder(_Anomaly)


def recognises(data: bytes) -> bool:
    """Whether the bytes are an answer of the API that is read here."""
    kinds = b'"annotations"', b'"trafficAnomalies"', b'"timestamps"', b'"errors"'
    return b'"success"' in data and any(kind in data for kind in kinds)


def decode(item: Item, context: Context) -> Iterator[Given]:
    """An answer as the signals in it. Raises `Refused`, and what msgspec raises."""
    answer = _ANSWER.decode(item.data)
    if not answer.success:
        said = "; ".join(error.message for error in answer.errors or [])
        raise Refused("archive_error", f"Cloudflare answered with an error: {clean(said)}")
    names = _NAMES.decode(answer.result)
    meta = _META.decode(names["meta"]) if "meta" in names else _Meta()
    if "annotations" in names or "trafficAnomalies" in names:
        result = _RESULT.decode(answer.result)
        yield from parts(item, "annotations", result.annotations or [], lambda part: _annotation(part, context))
        yield from parts(item, "anomalies", result.anomalies or [], lambda part: _anomaly(part, context))
        return
    series = [(name, row) for name, row in sorted(names.items()) if b'"timestamps"' in bytes(row)]
    yield from parts(item, "series", [row for _, row in series], partial(_named, series, item.file, meta, context))


def _annotation(part: Item, context: Context) -> Iterator[Given]:
    found = _ANNOTATION.decode(part.data)
    if found.event_type not in (None, "OUTAGE"):
        yield Aside()
        return
    said = found.outage or _Outage()
    kind = said.outage_type or ""
    lines = list(_lines(found, kind))
    if len(lines) > _MOST_LINES:
        raise Refused("too_large", f"an annotation of {len(lines)} places and networks")
    # What it says in words of a part of a country names that part.
    words = found.description if kind == "NATIONWIDE" and found.description else ""
    detail = ", ".join(filter(None, (kind.lower(), (said.outage_cause or "").lower(), words)))
    name = "annotation" if kind in ("NATIONWIDE", "NETWORK") else "annotation-part"
    span = _span(found.start_date, found.end_date, context)
    for line in lines:
        yield statements.outage(part, _ID, name, line, span, None, "", detail)
    if not lines:
        raise Refused("unknown_line", "an annotation that names neither a country nor a network")


def _lines(found: _Annotation, kind: str) -> Iterator[tuple[str, str]]:
    """Whole places, save where the annotation is of networks only."""
    places = found.locations or []
    if kind != "NETWORK" or not found.asns:
        yield from ((envelope.place(place), "") for place in places)
        return
    theirs = {str(one.asn): one.place for one in found.asns_details or [] if one.place}
    for number in found.asns:
        place = theirs.get(str(number), places[0] if len(places) == 1 else "")
        yield envelope.place(place) if place else "", statements.network(number)


def _anomaly(part: Item, context: Context) -> Iterator[Given]:
    found = _ANOMALY.decode(part.data)
    place = found.location_details.code if found.location_details else ""
    network = found.asn_details
    if network and not place:
        place = network.place
    if found.type not in ("LOCATION", "AS"):
        yield Aside()
        return
    if (found.type == "AS") != bool(network) or not (place or network):
        raise Refused("unknown_line", "an anomaly that does not say of which country or network")
    line = envelope.place(place) if place else "", statements.network(network.asn) if network else ""
    name = "anomaly" if found.status == "VERIFIED" else "anomaly-unverified"
    yield statements.outage(part, _ID, name, line, _span(found.start_date, found.end_date, context), None, "", "")


def _span(start: str, end: str | None, context: Context) -> tuple[datetime, datetime | None]:
    since = envelope.time(start, context.now)
    return since, statements.ended(since, _time(end) if end else None, context.now)


def _time(text: str) -> datetime:
    """Any time, also one to come."""
    return envelope.time(text, _NEVER)


def _of(name: str, file: str) -> tuple[str, tuple[str, str]]:
    """What a series counts and where, by the name it was asked under, or by the address that it came from."""
    if match := _NAMED.fullmatch(name):
        return match[1], (match[2], statements.network(match[3]) if match[3] else "")
    try:
        address = urlsplit(file)
    except ValueError:
        address = urlsplit("")
    path, asked = _PATH.search(address.path), parse_qs(address.query, max_num_fields=50) if address.query else {}
    places, networks = asked.get("location", [""]), asked.get("asn", [""])
    if path and (places[0] or networks[0]):
        place, number = places[0], networks[0]
        return path[1], (envelope.place(place) if place else "", statements.network(number) if number else "")
    raise Refused(
        "unknown_line",
        f"a series named {show(name)} does not say of which country; ask for it with name=netflows_PK",
    )


def _named(names: Sequence[tuple[str, Raw]], file: str, meta: _Meta, context: Context, part: Item) -> Iterator[Given]:
    what, line = _of(names[part.line - 1][0], file)
    yield from _levels(part, what, line, meta, context)


def _levels(part: Item, what: str, line: tuple[str, str], meta: _Meta, context: Context) -> Iterator[Given]:
    series = _SERIES.decode(part.data)
    if len(series.timestamps) != len(series.values):
        raise Refused("wrong_type", f"{len(series.timestamps)} times and {len(series.values)} values")
    if len(series.values) > MAX_SIGNALS:
        raise Refused("too_large", f"{len(series.values)} values")
    times = [envelope.time(text, context.now) for text in series.timestamps]
    if not times:
        return
    step = min((after - before for before, after in pairwise(times)), default=_STEPS.get(meta.interval, timedelta()))
    if step <= timedelta():
        raise Refused("bad_time", "a series of times that do not rise, or of one time for no time")
    how = clean(meta.normalization or "not said how", 40)
    unit = f"{_UNITS[what]}, normalised ({how}) within {times[0]:%Y-%m-%d} to {times[-1]:%Y-%m-%d}"
    for since, value in zip(times, series.values, strict=True):
        if value is not None:
            yield statements.level(part, _ID, what, line, (since, since + step), _value(value), unit)


def _value(value: str | float) -> float:
    try:
        return float(value)
    except ValueError:
        raise Refused("bad_value", f"the value is {show(value)}; a number was expected") from None


def _plan(wanted: Wanted, endpoints: Mapping[str, str], _asked: Asked, told: Told) -> Plan:
    """Whole months, so that levels are normalised over the same days whenever they are asked for.

    Outages are chosen by their beginning: those of the month before are asked for too.
    """
    base, what = endpoints["api"], wanted.options.get("what", "all")
    end = statements.so_far(wanted.until, wanted.now)
    made: list[Remote] = []
    if what != "levels":
        for start, after in statements.months(wanted.since - timedelta(days=31), end):
            asked = urlencode(_range(start, after, wanted) | {"limit": str(_MOST_ROWS)})
            for kind, path in (("outages", "annotations/outages"), ("anomalies", "traffic_anomalies")):
                made.append(_remote(wanted, kind, (start, after), f"{base}/radar/{path}?{asked}", 20_000))
    if what != "outages":
        for start, after in statements.months(wanted.since, end):
            for kind in _UNITS:
                for network in ("", *wanted.networks):
                    label = "_".join(filter(None, (kind, wanted.place, network)))
                    of = {"asn": network.removeprefix("AS")} if network else {}
                    asked = urlencode(_range(start, after, wanted) | of | {"aggInterval": "1h", "name": label})
                    address = f"{base}/radar/{kind}/timeseries?{asked}"
                    made.append(_remote(wanted, label, (start, after), address, 30_000))
    told(1, 1)
    return Plan(tuple(made), ("levels are normalised within each month: they show when, not how much",))


def _range(start: datetime, end: datetime, wanted: Wanted) -> dict[str, str]:
    # Ends are inclusive there.
    last = statements.so_far(end, wanted.now) - timedelta(seconds=1)
    return {"dateStart": _stamp(start), "dateEnd": _stamp(last), "format": "json", "location": wanted.place}


def _remote(wanted: Wanted, name: str, piece: tuple[datetime, datetime], address: str, guess: int) -> Remote:
    settled = piece[1] + statements.SETTLES <= wanted.now
    return Remote(f"{wanted.place}/{name}-{piece[0]:%Y%m}.json", address, guess=guess, is_settled=settled)


def _stamp(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


SOURCE = Source(
    id=_ID,
    name="Cloudflare Radar",
    what="Traffic of a country or a provider that reaches Cloudflare, where it fell, and outages with their causes.",
    address="https://radar.cloudflare.com/",
    terms="CC BY-NC 4.0 (Cloudflare Radar)",
    recognises=recognises,
    decode=decode,
    fetch=Fetch(
        endpoints={"api": "https://api.cloudflare.com/client/v4"},
        plan=_plan,
        options=(statements.WHAT,),
        token="CLOUDFLARE_API_TOKEN",  # noqa: S106 - the name of a variable
        example="kholo fetch radar --cc PK --since 2024-02-01 --until 2024-03-31 --store store",
    ),
)
