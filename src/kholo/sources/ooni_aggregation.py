"""OONI's counts: how many measurements there were, and what its own first look made of them. Levels, not verdicts.

`/api/v1/aggregation` answers in JSON and CSV with a row for each group. A row does not say what was asked for all of
them, so files are kept under names that do (`probe_cc=PK/domain=x.com/time_grain=day/2024-02-01.json`); any file
may be named so. Counts have the archive's names and go with the units below: what it calls an anomaly is no block.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Annotated, Any
from urllib.parse import urlencode

import msgspec

from kholo.fetch.plan import Asked, Fetch, Plan, Remote, Told, Wanted
from kholo.model import Signal, SignalKind
from kholo.model.text import clean

from . import csvrows, envelope
from .envelope import Refused
from .items import Item
from .source import Context, CsvTable, Given, Source

#: The counts, with what each is a number of.
UNITS = {
    "measurement_count": "measurements",
    "ok_count": "measurements in which the archive saw nothing unusual",
    "anomaly_count": "measurements that the archive calls unusual, most of them not blocked",
    "confirmed_count": "measurements with a block page that the archive knows",
    "failure_count": "measurements that did not work",
}
_GROUPS = ("domain", "input", "test_name", "category_code", "blocking_type")
_LONG = {"hour": timedelta(hours=1), "day": timedelta(days=1), "week": timedelta(days=7)}
#: Days of one answer: of so many the API still gives days, not weeks.
_SPAN = timedelta(days=30)
_LATE = timedelta(days=14)
_KIND = "ooni_aggregation"


_Count = Annotated[int, msgspec.Meta(ge=0, le=2**53)]


class _Row(msgspec.Struct):
    measurement_count: _Count
    ok_count: _Count
    anomaly_count: _Count
    confirmed_count: _Count
    failure_count: _Count
    measurement_start_day: str = ""
    probe_cc: str = ""
    probe_asn: int | str = ""
    domain: str = ""
    input: str = ""
    test_name: str = ""
    category_code: str = ""
    blocking_type: str = ""
    simulated: bool = False


def recognises(data: bytes) -> bool:
    """Whether the bytes are an answer of the API, or a row of its table."""
    return b'"dimension_count"' in data or data.startswith(b'{"%s":' % _KIND.encode())


def decode(item: Item, context: Context) -> Iterator[Given]:
    """The counts of each row of an answer, or of one row. Raises `Refused`, and what msgspec raises."""
    answer = msgspec.json.decode(item.data, type=dict[str, Any])
    found = answer.get(_KIND) or answer.get("result")
    asked = dict(part.split("=", 1) for part in item.file.split("/") if "=" in part)
    for number, row in enumerate(found if isinstance(found, list) else [found], 1):
        place = Item(item.file, number if isinstance(found, list) else item.line, item.data, item.received)
        try:
            yield from _signals(place, row, asked, context.now)
        except Refused as error:
            yield place.reject(error.reason, error.detail)
        except msgspec.ValidationError as error:
            yield place.reject("wrong_type", str(error))


def _signals(item: Item, given: Any, asked: Mapping[str, str], now: datetime) -> Iterator[Signal]:
    # Cells of a table are texts, empty where the row is of no such group.
    said = {name: value for name, value in given.items() if value != ""} if isinstance(given, dict) else given
    row = msgspec.convert({**asked, **said} if isinstance(said, dict) else said, _Row, strict=False)
    day = row.measurement_start_day
    since = envelope.time(day if "T" in day else f"{day} 00:00:00", now)
    long = _LONG["hour"] if "T" in day else _LONG.get(asked.get("time_grain", ""))
    groups = [f"{name}={clean(text)}" for name in _GROUPS if (text := getattr(row, name))]
    network = envelope.network(f"AS{row.probe_asn}".replace("ASAS", "AS", 1)) if row.probe_asn != "" else ""
    for name, unit in UNITS.items():
        yield Signal(
            source=_KIND,
            signal=" ".join([name, *groups]),
            kind=SignalKind.LEVEL,
            place=envelope.place(row.probe_cc),
            network=network,
            service="",
            since=since,
            # A date alone may be of a day, a week or a month, and only the name of the file tells.
            until=since + long if long else None,
            value=float(getattr(row, name)),
            usual=None,
            unit=unit,
            detail="counted by OONI; says nothing of a block",
            simulated=row.simulated,
            digest=item.digest,
            file=item.file,
            line=item.line,
        )


def _day(moment: datetime) -> datetime:
    return moment.replace(hour=0, minute=0, second=0, microsecond=0)


def plan(wanted: Wanted, endpoints: Mapping[str, str], _web: Asked, _told: Told) -> Plan:
    """One answer for each host (or one for all there is) and thirty days: counts a day and network."""
    objects = []
    since, end = _day(wanted.since), _day(min(wanted.until, wanted.now) + _LONG["day"] - timedelta(microseconds=1))
    while since < end:
        until = min(since + _SPAN, end)
        for host in wanted.hosts or ("",):
            asked = {"probe_cc": wanted.place, **({"domain": host} if host else {}), "time_grain": "day"}
            more = {"since": f"{since:%Y-%m-%d}", "until": f"{until:%Y-%m-%d}", "axis_x": "measurement_start_day"}
            networks = {"probe_asn": ",".join(wanted.networks)} if wanted.networks else {}
            query = urlencode({**asked, **more, "axis_y": "probe_asn", **networks}, safe=",")
            name = "/".join([*(f"{key}={value}" for key, value in asked.items()), *wanted.networks, more["since"]])
            address = f"{endpoints['api'].rstrip('/')}/api/v1/aggregation?{query}"
            settled = until + _LATE <= wanted.now
            objects.append(Remote(f"{name}_{more['until']}.json", address, guess=20_000, is_settled=settled))
        since = until
    return Plan(tuple(objects), ("counts say how much was measured, not what was blocked",), 1.0 * len(objects))


SOURCE = Source(
    id=_KIND,
    name="OONI aggregation",
    what="How many measurements OONI has of a country, a day and a network, and what its first look made of them.",
    address="https://explorer.ooni.org/chart/mat",
    terms="CC BY-NC-SA 4.0 (OONI data policy)",
    recognises=recognises,
    decode=decode,
    tables=(CsvTable(tuple(UNITS), csvrows.items(_KIND)),),
    fetch=Fetch({"api": "https://api.ooni.io"}, plan, example=f"kholo fetch {_KIND} --cc PK --since 2024-02-01"),
)
