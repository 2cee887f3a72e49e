"""Fetching results of RIPE Atlas measurements: those of a country's probes, a day at a time.

The API is described in "REST API reference" of the documentation of atlas.ripe.net: `/api/v2/probes/`,
`/api/v2/measurements/ID/` and `/api/v2/measurements/ID/results/`. Public measurements need no key.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

import msgspec

from kholo.fetch.plan import Asked, Fetch, Option, Plan, Remote, Told, Wanted
from kholo.model import EnvironmentFault, NotThere, UsageError

from . import wire

_DAY = timedelta(days=1)
#: Probes send what they could not send before: so long after its end a day may still grow.
_LATE = timedelta(days=14)
#: Ids in one address, so that no server finds it too long; probes on one page, and pages of one country at most.
_IDS, _PAGE, _PAGES = 200, 500, 100
#: Bytes of one result, supposed.
_SIZES = {"dns": 900, "sslcert": 6_000, "http": 450}


class _Probe(msgspec.Struct):
    id: int
    asn_v4: int | None = None
    asn_v6: int | None = None
    first_connected: int | None = None
    last_connected: int | None = None


class _Page(msgspec.Struct):
    results: list[_Probe]
    next: str | None = None


class _Measurement(msgspec.Struct):
    type: str
    target: str | None = None
    query_argument: str | None = None
    interval: int | None = None
    start_time: int | None = None
    stop_time: int | None = None


_PAGE_OF = msgspec.json.Decoder(_Page)
_ABOUT = msgspec.json.Decoder(_Measurement)


def plan(wanted: Wanted, endpoints: Mapping[str, str], web: Asked, told: Told) -> Plan:
    """One object for each measurement, day and lot of probes. Raises `UsageError`, `NetworkFault`."""
    if needed := wire.missing():
        raise EnvironmentFault(f"reading what RIPE Atlas gives {needed}")
    ids = _ids(wanted.options["measurement"])
    base = endpoints["api"].rstrip("/")
    lots = _lots(wanted, base, web)
    notes = [] if any(lots) else [f"RIPE Atlas had no probe in {wanted.place} on these days"]
    objects: list[Remote] = []
    for done, number in enumerate(ids, 1):
        measurement = _measurement(number, base, web)
        about = measurement.query_argument or measurement.target or ""
        if wanted.service and not any(about == host or about.endswith("." + host) for host in wanted.hosts):
            notes.append(f"measurement {number} looks at {about or 'no name'}, which is no host of {wanted.service}")
        objects += _objects(wanted, base, number, measurement, lots)
        told(done, len(ids))
    return Plan(tuple(objects), tuple(notes))


def _ids(text: str) -> list[int]:
    parts = [part.strip() for part in text.split(",") if part.strip()]
    if not parts or not all(part.isascii() and part.isdigit() and len(part) < 13 for part in parts):
        raise UsageError(
            f"--measurement {text!r}: ids with commas were expected, such as 1001,1002; measurements of a name are"
            " found on atlas.ripe.net under Measurements"
        )
    return list(dict.fromkeys(int(part) for part in parts))


def _measurement(number: int, base: str, web: Asked) -> _Measurement:
    try:
        address = f"{base}/api/v2/measurements/{number}/"
        found = web.read(address, f"measurement {number} of RIPE Atlas", _ABOUT.decode)
    except NotThere:
        raise UsageError(f"--measurement {number}: RIPE Atlas has no such measurement, or it is not public") from None
    if found.type not in _SIZES:
        raise UsageError(f"--measurement {number} is a {found.type!r}; of {', '.join(_SIZES)} results are read")
    return found


def _lots(wanted: Wanted, base: str, web: Asked) -> list[list[int]]:
    """Ids of the probes of the country that are wanted, in lots.

    A lot is a stretch of all probes that the country has: a new one is the last of the list, and the lots before stay
    what they were.
    """
    probes: list[_Probe] = []
    for page in range(1, _PAGES + 1):
        query = urlencode({"country_code": wanted.place, "page_size": _PAGE, "page": page, "sort": "id"})
        answer = web.read(f"{base}/api/v2/probes/?{query}", f"the probes of {wanted.place}", _PAGE_OF.decode)
        probes += answer.results
        if not answer.next:
            break
    lots = (probes[first : first + _IDS] for first in range(0, len(probes), _IDS))
    return [[probe.id for probe in lot if _is_wanted(probe, wanted)] for lot in lots]


def _is_wanted(probe: _Probe, wanted: Wanted) -> bool:
    if probe.first_connected is None or probe.first_connected >= wanted.until.timestamp():
        return False
    if probe.last_connected is not None and probe.last_connected < wanted.since.timestamp():
        return False
    return not wanted.networks or not {f"AS{probe.asn_v4}", f"AS{probe.asn_v6}"}.isdisjoint(wanted.networks)


def _objects(
    wanted: Wanted, base: str, number: int, measurement: _Measurement, lots: list[list[int]]
) -> Iterator[Remote]:
    """Whole days, whatever the hours asked for, so that a day is one object however often it is asked for.

    The name, which rows have as their file, says nothing of single probes.
    """
    begin = max(wanted.since, _moment(measurement.start_time, wanted.since))
    end = min(wanted.until, wanted.now, _moment(measurement.stop_time, wanted.until) + _DAY)
    day = begin.replace(hour=0, minute=0, second=0, microsecond=0)
    often = max(1.0, 86_400 / measurement.interval) if measurement.interval else 1.0
    some = "-" + hashlib.sha256(",".join(wanted.networks).encode()).hexdigest()[:8] if wanted.networks else ""
    while day < end:
        for place, lot in enumerate(lots):
            times = {"start": int(day.timestamp()), "stop": int((day + _DAY).timestamp()) - 1}
            query = urlencode({**times, "format": "txt", "probe_ids": ",".join(map(str, lot))}, safe=",")
            if lot:
                yield Remote(
                    f"{number}/{wanted.place}/{day:%Y-%m-%d}-{place}{some}.jsonl",
                    f"{base}/api/v2/measurements/{number}/results/?{query}",
                    guess=int(len(lot) * often * _SIZES[measurement.type]),
                    is_settled=day + _DAY + _LATE <= wanted.now,
                )
        day += _DAY


def _moment(seconds: int | None, otherwise: datetime) -> datetime:
    try:
        return otherwise if seconds is None else datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return otherwise


FETCH = Fetch(
    endpoints={"api": "https://atlas.ripe.net"},
    plan=plan,
    options=(Option("measurement", "Ids of measurements, with commas: 1001,1002. They stand on atlas.ripe.net."),),
    example="kholo fetch ripeatlas --cc PK --since 2024-02-17 --until 2024-02-19 --measurement 1001 --store store",
)
