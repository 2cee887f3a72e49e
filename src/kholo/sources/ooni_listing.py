"""OONI's API: which measurements of a service there are, each to be had by its id.

Source: ooni/backend, ooniapi/services/oonimeasurements (routers/v1). `since` is later than, `until` not later than; a
measurement has no id in its body, so the file that it is kept in is named by it.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import partial
from urllib.parse import quote, urlencode, urlsplit

import msgspec

from kholo.fetch.plan import Asked, Remote, Told, Wanted

from .tars import UID

#: Days of one listing, and rows of one page of it.
_SLICE = timedelta(days=30)
_PAGE = 1_000
_SECOND = timedelta(seconds=1)
#: Bytes supposed of one measurement of a page; a size is never said before.
GUESS = 60_000


class _Counts(msgspec.Struct):
    measurement_count: int = 0


class _Aggregation(msgspec.Struct):
    result: _Counts | None = None


class _Row(msgspec.Struct):
    measurement_uid: str | None = None


class _Metadata(msgspec.Struct):
    next_url: str | None = None


class _Listing(msgspec.Struct):
    results: list[_Row]
    metadata: _Metadata


_AGGREGATION = msgspec.json.Decoder(_Aggregation)
_LISTING = msgspec.json.Decoder(_Listing)


def count(wanted: Wanted, endpoint: str, web: Asked) -> int:
    """How many measurements there are, by the archive's own count."""
    total = 0
    for since, until in _slices(wanted, timedelta(days=360)):
        for asked in _questions(wanted):
            query = asked | {"since": f"{since:%Y-%m-%d}", "until": f"{until + timedelta(days=1) - _SECOND:%Y-%m-%d}"}
            address = f"{endpoint.rstrip('/')}/api/v1/aggregation?{urlencode(query)}"
            found = web.read(address, "the count of measurements", _AGGREGATION.decode).result
            total += found.measurement_count if found else 0
    return total


def objects(wanted: Wanted, endpoint: str, web: Asked, told: Told) -> list[Remote]:
    """Every measurement by itself, by name."""
    found: set[Remote] = set()
    slices = [(part, asked) for part in _slices(wanted, _SLICE) for asked in _questions(wanted)]
    for done, ((since, until), asked) in enumerate(slices, 1):
        times = {"since": f"{since - _SECOND:%Y-%m-%dT%H:%M:%S}", "until": f"{until - _SECOND:%Y-%m-%dT%H:%M:%S}"}
        query = urlencode(asked | times | {"limit": _PAGE, "order_by": "measurement_start_time", "order": "asc"})
        for uid in _uids(endpoint, query, web):
            found.add(_remote(uid, endpoint))
        told(done, len(slices))
    return sorted(found)


def _slices(wanted: Wanted, length: timedelta) -> Iterator[tuple[datetime, datetime]]:
    begin, until = wanted.since, min(wanted.until, wanted.now)
    while begin < until:
        end = min(begin + length, until)
        yield begin, end
        begin = end


def _questions(wanted: Wanted) -> list[dict[str, str]]:
    """One a test of the service, and one a host for the test of addresses."""
    base = {"probe_cc": wanted.place} | ({"probe_asn": ",".join(wanted.networks)} if wanted.networks else {})
    made: list[dict[str, str]] = []
    for test in wanted.tests:
        if test == "web_connectivity" and wanted.hosts:
            # The archive keeps sites by their whole name.
            names = [name for host in wanted.hosts for name in (host, f"www.{host}")]
            made += [base | {"test_name": test, "domain": name} for name in names]
        else:
            made.append(base | {"test_name": test})
    return made or [base]


def _uids(endpoint: str, query: str, web: Asked) -> Iterator[str]:
    path = f"{endpoint.rstrip('/')}/api/v1/measurements?"
    while query:
        page = web.read(path + query, "the list of measurements", partial(_page, before=query))
        yield from (row.measurement_uid for row in page.results if row.measurement_uid)
        # Only the question is taken from an address that the other side names.
        query = urlsplit(page.metadata.next_url or "").query


def _page(data: bytes, before: str) -> _Listing:
    page = _LISTING.decode(data)
    if page.metadata.next_url and urlsplit(page.metadata.next_url).query == before:
        raise ValueError("a page that names itself as the next")
    if any(row.measurement_uid and not UID.fullmatch(row.measurement_uid) for row in page.results):
        raise ValueError("an id that is no measurement's")
    return page


def _remote(uid: str, endpoint: str) -> Remote:
    address = f"{endpoint.rstrip('/')}/api/v1/raw_measurement?measurement_uid={quote(uid)}"
    return Remote(f"api/{uid[:8]}/{uid}.json", address, guess=GUESS)
