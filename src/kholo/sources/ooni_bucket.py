"""OONI's public bucket: which of its objects hold the measurements that are wanted.

The layouts (ooni/backend docs/MeasurementUploader.md, ooni/data oonidata/src/oonidata/dataclient.py):

- `raw/YYYYMMDD/HH/CC/testname/` since 2020-10-20, by the hour of the upload: the same measurements as `.jsonl.gz` and
  as `.tar.gz`. Only the tar has their ids, in the names of its members, and the bytes as the probe sent them.
- `jsonl/testname/CC/YYYYMMDD/` before, made of the cans.
- `canned/YYYY-MM-DD/` before: as LZ4, of all countries at once; until 2020-06-01 in a bucket of its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import partial
from urllib.parse import quote, urlencode

import msgspec
from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from kholo.fetch.plan import Asked, Remote, Told, Wanted

DAY = timedelta(days=1)
_RAW_SINCE = datetime(2020, 10, 20, tzinfo=UTC)
_CANS_MOVED = datetime(2020, 6, 2, tzinfo=UTC)
_AT_ONCE = 4
_NAMESPACE = "{http://s3.amazonaws.com/doc/2006-03-01/}"
#: What a name begins with in `raw/` and `jsonl/`: time, country, test.
_NAME = re.compile(r"(\d{8}|\d{10})_([A-Z]{2})_([a-z0-9]+)\.")
#: A report by itself among the cans: time, country, network, test.
_CANNED_REPORT = re.compile(r"\d{8}T\d{6}Z-([A-Z]{2})-AS\d+-([a-z0-9_]+)-")
_CANNED_TEST = re.compile(r"([a-z0-9_]+)\.\d+\.tar\.lz4")


class Page(msgspec.Struct):
    """One page of a listing; `more` is the token of the next one, "" at the end."""

    objects: list[tuple[str, int, str]]
    more: str


def objects(wanted: Wanted, endpoints: Mapping[str, str], web: Asked, told: Told) -> list[Remote]:
    """All objects with what is wanted, by name."""
    found: set[Remote] = set()
    prefixes = list(_prefixes(wanted))
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        listed = pool.map(lambda one: list(listing(endpoints[one[0]], one[1], web)), prefixes)
        for done, ((bucket, _), keys) in enumerate(zip(prefixes, listed, strict=True), 1):
            found.update(
                Remote(key, f"{endpoints[bucket].rstrip('/')}/{quote(key)}", size, etag)
                for key, size, etag in _chosen(keys, wanted)
            )
            told(done, len(prefixes))
    return sorted(found)


def _prefixes(wanted: Wanted) -> Iterator[tuple[str, str]]:
    """Bucket and beginning of the names, for each piece of the time; later than now there is nothing."""
    layout = wanted.options.get("layout", "auto")
    until = min(wanted.until, wanted.now)
    day = wanted.since.replace(hour=0, minute=0, second=0, microsecond=0)
    while day < until:
        if layout == "canned":
            yield "bucket" if day >= _CANS_MOVED else "legacy", f"canned/{day:%Y-%m-%d}/"
        elif layout == "raw" or (layout == "auto" and day >= _RAW_SINCE):
            hours = (day + timedelta(hours=number) for number in range(24))
            yield from (
                ("bucket", f"raw/{hour:%Y%m%d}/{hour:%H}/{wanted.place}/")
                for hour in hours
                if wanted.since < hour + timedelta(hours=1) and hour < until
            )
        else:
            yield from (("bucket", f"jsonl/{test}/{wanted.place}/{day:%Y%m%d}/") for test in _tests(wanted))
        day += DAY


def _tests(wanted: Wanted) -> list[str]:
    """The names that paths have: without underscores. Without a wish the one test of addresses."""
    return sorted({test.replace("_", "") for test in wanted.tests or ("web_connectivity",)})


def _chosen(keys: Iterable[tuple[str, int, str]], wanted: Wanted) -> list[tuple[str, int, str]]:
    """The keys of the tests and the place that are wanted; of two forms of the same, one."""
    form = wanted.options.get("form", "tar.gz")
    kept: dict[str, tuple[str, int, str]] = {}
    for key, size, etag in sorted(keys):
        if _is_wanted(key, wanted):
            stem = key.removesuffix(".jsonl.gz").removesuffix(".tar.gz")
            if stem not in kept or key.endswith(form):
                kept[stem] = key, size, etag
    return list(kept.values())


def _is_wanted(key: str, wanted: Wanted) -> bool:
    name = key.rpartition("/")[2]
    if match := _NAME.match(name):
        place, test = match[2], match[3]
    elif match := _CANNED_REPORT.match(name):
        place, test = match[1], match[2]
    elif match := _CANNED_TEST.match(name):
        place, test = wanted.place, match[1]
    else:
        return False
    return place == wanted.place and (not wanted.tests or test.replace("_", "") in _tests(wanted))


def listing(endpoint: str, prefix: str, web: Asked) -> Iterator[tuple[str, int, str]]:
    """Key, size and ETag of every object whose name begins so (S3 API, ListObjectsV2)."""
    token = ""
    while True:
        asked = {"list-type": "2", "prefix": prefix} | ({"continuation-token": token} if token else {})
        address = f"{endpoint.rstrip('/')}/?{urlencode(asked)}"
        page = web.read(address, f"the list of {prefix}", partial(_page, prefix=prefix, before=token))
        yield from page.objects
        token = page.more
        if not token:
            return


def _page(data: bytes, prefix: str, before: str) -> Page:
    """Raises `ValueError` on anything that is no page of a listing, or names itself as the next."""
    try:
        root = fromstring(data, forbid_dtd=True)
    except DefusedXmlException as error:
        raise ValueError(f"a listing with {type(error).__name__}") from None
    if root.tag.removeprefix(_NAMESPACE) != "ListBucketResult":
        raise ValueError("no listing")
    space = _NAMESPACE if root.tag.startswith(_NAMESPACE) else ""

    def text(node: object, name: str) -> str:
        return str(node.findtext(f"{space}{name}") or "")  # type: ignore[attr-defined]

    found = [(text(node, "Key"), int(text(node, "Size")), text(node, "ETag")) for node in root.iter(f"{space}Contents")]
    more = text(root, "NextContinuationToken") if text(root, "IsTruncated") == "true" else ""
    if text(root, "IsTruncated") == "true" and more in ("", before):
        raise ValueError("a page that names itself as the next")
    if any(not key.startswith(prefix) for key, _, _ in found):
        raise ValueError("an object that was not asked for")
    return Page(found, more)
