"""Fetching OONI's measurements: from the bucket, or one by one from the API, whichever takes less time."""

from __future__ import annotations

from collections.abc import Mapping

from kholo.fetch.plan import Asked, Fetch, Option, Plan, Remote, Told, Wanted
from kholo.model import NetworkFault, UsageError

from . import ooni_bucket, ooni_listing

#: Supposed of the line, to choose between the ways: bytes a second, and seconds a request, all connections together.
_RATE, _REQUEST = 4 << 20, 0.25


def plan(wanted: Wanted, endpoints: Mapping[str, str], web: Asked, told: Told) -> Plan:
    """The objects to fetch, and why from there. Raises `UsageError`, `NetworkFault`."""
    via = wanted.options["via"]
    if via == "auto" and (not wanted.service or wanted.options["layout"] == "canned"):
        via = "bucket"
    if via == "bucket":
        return _bucket(ooni_bucket.objects(wanted, endpoints, web, told), ())
    if not wanted.service:
        raise UsageError("--via api needs --service: without one, the bucket is the way to get all there is")
    if via == "api":
        return _api(ooni_listing.objects(wanted, endpoints["api"], web, told), ())
    return _cheaper(wanted, endpoints, web, told)


def _cheaper(wanted: Wanted, endpoints: Mapping[str, str], web: Asked, told: Told) -> Plan:
    """Counts first: where fewer measurements are wanted than the bucket has hours, nothing needs to be compared."""
    try:
        count = ooni_listing.count(wanted, endpoints["api"], web)
    except NetworkFault as error:
        return _bucket(ooni_bucket.objects(wanted, endpoints, web, told), (f"from the bucket alone: {error}",))
    days = (min(wanted.until, wanted.now) - wanted.since).days + 1
    by_api = count * _REQUEST
    if by_api > days * 24 * _REQUEST:
        found = ooni_bucket.objects(wanted, endpoints, web, told)
        by_bucket = sum(one.size or 0 for one in found) / _RATE + len(found) * _REQUEST
        if by_bucket <= by_api:
            note = f"the bucket takes less time than {count} single measurements from the API; it has other sites too"
            return _bucket(found, (note,))
    note = (
        f"{count} measurements of the service, one by one from the API: that takes less time than the bucket. Other"
        " sites, by which an outage is told from a block, come with --via bucket"
    )
    return _api(ooni_listing.objects(wanted, endpoints["api"], web, told), (note,))


def _bucket(found: list[Remote], notes: tuple[str, ...]) -> Plan:
    return Plan(tuple(found), notes, len(found) * _REQUEST)


def _api(found: list[Remote], notes: tuple[str, ...]) -> Plan:
    return Plan(tuple(found), notes, len(found) * _REQUEST)


FETCH = Fetch(
    endpoints={
        "bucket": "https://ooni-data-eu-fra.s3.eu-central-1.amazonaws.com",
        "legacy": "https://ooni-data.s3.amazonaws.com",
        "api": "https://api.ooni.io",
    },
    plan=plan,
    options=(
        Option("via", "From the bucket, or one by one from the API.", "auto", ("auto", "bucket", "api")),
        Option(
            "layout", "Which of the bucket's layouts; auto: what was in use at the time.", "auto",
            ("auto", "raw", "jsonl", "canned"),
        ),
        Option(
            "form", "Of two forms of the same: tar.gz has the measurements' ids, jsonl.gz has not.", "tar.gz",
            ("tar.gz", "jsonl.gz"),
        ),
    ),
    example="kholo fetch ooni --cc PK --service x --since 2024-02-01 --until 2024-03-31 --store store",
)  # fmt: skip
