"""M-Lab: how fast speed tests (NDT) ran, by country or network and day.

Read are the public statistics (`histogram_daily_stats.json`; source of the shape: m-lab/stats-pipeline,
`docs/format-schema.md`) and tables that somebody exported from BigQuery as CSV or JSON Lines. Only medians are kept,
for means follow the fastest lines, and how many tests they are of.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from msgspec import Raw

from kholo.fetch.plan import Asked, Fetch, Plan, Remote, Told, Wanted
from kholo.model import UsageError

from . import csvrows, envelope, statements
from .continents import CONTINENT
from .envelope import Refused
from .guard import parts
from .items import Item
from .source import Aside, Context, CsvTable, Given, Source

_ID = "mlab"
_NEEDED = ("date", "country_code", "download_MED")
#: Where the address says which line a file is of; and how a copy may be named that has lost its folders.
_ADDRESS = re.compile(r"(?:^|/)[A-Z]{2}/([A-Z]{2})/(?:asn/(AS\d{1,10})/)?\d{4}/histogram_daily_stats\.json$")
_COPY = re.compile(r"(?:^|/)mlab-([A-Z]{2})(?:-(AS\d{1,10}))?-\d{4}\.json$")
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_RATE, _TESTS = "Mbit/s (median)", "tests"


class _Day(msgspec.Struct):
    """One row of the statistics: a day, or one of the eight bands of speeds of a day, which repeat its medians."""

    date: str
    download_MED: float | None = None
    upload_MED: float | None = None
    dl_samples_day: float | None = None
    ul_samples_day: float | None = None
    country_code: str | None = None
    asn: str | int | None = None
    city: str | None = None
    region: str | None = msgspec.field(name="ISO3166_2region1", default=None)


class _CsvRow(msgspec.Struct):
    mlab_row: dict[str, str]


_ROWS = msgspec.json.Decoder(list[Raw])
_ROW = msgspec.json.Decoder(_Day)
_CSV_ROW = msgspec.json.Decoder(_CsvRow)


def recognises(data: bytes) -> bool:
    """Whether the bytes are days of the statistics, or a row of a table of them."""
    return b'"download_MED"' in data


def decode(item: Item, context: Context) -> Iterator[Given]:
    """Days as signals. Raises `Refused`, and what msgspec raises."""
    if item.data.startswith(b'{"mlab_row"'):
        cells: dict[str, Any] = {name: cell for name, cell in _CSV_ROW.decode(item.data).mlab_row.items() if cell}
        yield from _day(item, msgspec.convert(cells, _Day, strict=False), set(), context)
        return
    rows = _ROWS.decode(item.data) if item.data.startswith(b"[") else [Raw(item.data)]
    seen: set[tuple[str, str, str]] = set()
    yield from parts(item, "days", rows, lambda part: _day(part, _ROW.decode(part.data), seen, context, item.file))


def _day(part: Item, row: _Day, seen: set[tuple[str, str, str]], context: Context, file: str = "") -> Iterator[Given]:
    if row.city or row.region:
        yield Aside()
        return
    line = _line(row, file or part.file)
    if not _DAY.fullmatch(row.date):
        raise Refused("bad_time", f"the day is {envelope.show(row.date)}; YYYY-MM-DD was expected")
    since = envelope.time(f"{row.date} 00:00:00", context.now)
    if (*line, row.date) in seen:
        yield Aside()
        return
    seen.add((*line, row.date))
    told = {
        "download": (row.download_MED, _RATE),
        "download-tests": (row.dl_samples_day, _TESTS),
        "upload": (row.upload_MED, _RATE),
        "upload-tests": (row.ul_samples_day, _TESTS),
    }
    for name, (value, unit) in told.items():
        if value is not None and value < 0:
            raise Refused("bad_value", f"{name} is {value}")
        if value is not None:
            yield statements.level(part, _ID, name, line, (since, since + timedelta(days=1)), value, unit)


def _line(row: _Day, file: str) -> tuple[str, str]:
    """What the row says of itself; else what the address says that it came from."""
    if row.country_code:
        return envelope.place(row.country_code), statements.network(row.asn) if row.asn else ""
    match = _ADDRESS.search(file) or _COPY.search(file)
    if match is None:
        raise Refused(
            "unknown_line",
            "neither the row nor the file says which country it is of; keep the folders of the address"
            " (AS/PK/asn/AS17557/2024/histogram_daily_stats.json), or name it mlab-PK-AS17557-2024.json",
        )
    return envelope.place(match[1]), statements.network(match[2]) if match[2] else ""


def _plan(wanted: Wanted, endpoints: Mapping[str, str], _asked: Asked, told: Told) -> Plan:
    """A file a year, of the country and of each network. Raises `UsageError` for a country on no continent."""
    if wanted.place not in CONTINENT:
        raise UsageError(f"{wanted.place}: M-Lab has no statistics under this code")
    last = (min(wanted.until, wanted.now) - timedelta(microseconds=1)).year
    lines = ["", *(f"asn/{network}/" for network in wanted.networks)]
    years = range(wanted.since.year, last + 1)
    made: list[Remote] = []
    for year in years:
        settled = datetime(year + 1, 1, 1, tzinfo=UTC) + 4 * statements.SETTLES <= wanted.now
        for line in lines:
            name = f"{CONTINENT[wanted.place]}/{wanted.place}/{line}{year}/histogram_daily_stats.json"
            made.append(Remote(name, f"{endpoints['statistics']}/{name}", guess=2_500_000, is_settled=settled))
    told(1, 1)
    notes = () if wanted.networks else ("the country as a whole; --network adds the days of a network",)
    return Plan(tuple(made), notes)


SOURCE = Source(
    id=_ID,
    name="M-Lab",
    what="The median speed of NDT tests by country or network and day: is a whole line slow, or one service?",
    address="https://www.measurementlab.net/data/",
    terms="CC0 1.0 (M-Lab data)",
    recognises=recognises,
    decode=decode,
    tables=(CsvTable(_NEEDED, csvrows.items("mlab_row")),),
    fetch=Fetch(
        endpoints={"statistics": "https://statistics.measurementlab.net/v0"},
        plan=_plan,
        example="kholo fetch mlab --cc PK --network AS17557 --since 2024-02-01 --until 2024-03-31 --store store",
    ),
)
