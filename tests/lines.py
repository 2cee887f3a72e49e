"""Answers about whole lines, in the shapes that IODA, Cloudflare Radar and M-Lab give, made by hand."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec


def seconds(text: str) -> int:
    """Seconds since 1970 of a time in UTC."""
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


def ioda(*data: Any, kind: str = "signals", error: str | None = None) -> bytes:
    """An answer of IODA."""
    answer = {
        "type": kind,
        "metadata": {"requestTime": "2026-01-20T00:00:00Z"},
        "requestParameters": {"from": "1", "until": "2"},
        "error": error,
        "perf": None,
        "data": data,
        "copyright": "This data is Copyright (c) 2021 Georgia Tech Research Corporation.",
    }
    return msgspec.json.encode(answer)


_START = seconds("2026-01-14T00:00")


def series(
    values: list[Any], kind: str = "country", code: str = "UG", source: str = "bgp", start: int = _START, **more: Any
) -> list[Any]:
    """One series of IODA by the hour from `start` (seconds since 1970), as it stands in an answer."""
    one = {
        "entityType": kind, "entityCode": code, "entityName": "Uganda", "entityFqid": "geo.provider.AF.UG",
        "datasource": source, "subtype": "", "from": start, "until": start + 3_600 * len(values), "step": 3_600,
        "nativeStep": 300, "values": values,
    }  # fmt: skip
    return [one | more]


def event(location: str, since: str, until: str, share: float = 90.0, source: str = "bgp") -> dict[str, Any]:
    """An event of IODA in which so many per cent were lost."""
    start, end = seconds(since), seconds(until)
    return {
        "location": location, "start": start, "duration": end - start, "uncertainty": None, "method": "median",
        "datasource": source, "status": 0, "fraction": None, "score": share * (end - start) / 60,
        "location_name": "Uganda", "overlaps_window": False,
    }  # fmt: skip


def alert(time: str, level: str, value: float, was: float = 1_000.0, kind: str = "country", code: str = "UG") -> Any:
    """An alert of IODA."""
    return {
        "datasource": "bgp", "entity": {"code": code, "name": "Uganda", "type": kind, "attrs": {}},
        "time": seconds(time), "level": level, "condition": "< 0.99", "value": value, "historyValue": was,
        "method": "median",
    }  # fmt: skip


def radar(**result: Any) -> bytes:
    """An answer of Cloudflare."""
    return msgspec.json.encode({"success": True, "errors": [], "messages": [], "result": result})


def annotation(kind: str = "NATIONWIDE", **more: Any) -> dict[str, Any]:
    """An annotated outage of Uganda, January 2026."""
    return {
        "id": "550", "asns": [20294], "asnsDetails": [{"asn": "20294", "name": "MTN", "locations": {"code": "UG"}}],
        "dataSource": "ALL", "eventType": "OUTAGE", "locations": ["UG"], "startDate": "2026-01-13T15:00:00Z",
        "endDate": "2026-01-17T20:00:00Z", "description": "Shut down before the election", "scope": "Kampala",
        "outage": {"outageCause": "GOVERNMENT_DIRECTED", "outageType": kind},
    } | more  # fmt: skip


def anomaly(**more: Any) -> dict[str, Any]:
    """A fall of the traffic of a network."""
    return {
        "uuid": "55a57f33", "type": "AS", "status": "VERIFIED", "startDate": "2026-01-13T16:00:00Z",
        "endDate": "2026-01-14T04:00:00Z", "visibleInDataSources": ["HTTP"],
        "asnDetails": {"asn": "20294", "name": "MTN", "locations": {"code": "UG", "name": "Uganda"}},
    } | more  # fmt: skip


def timeseries(values: list[Any], name: str = "netflows_UG_AS20294") -> bytes:
    """Traffic by the hour from 13 January 2026."""
    times = [f"2026-01-{13 + number // 24:02}T{number % 24:02}:00:00Z" for number in range(len(values))]
    meta = {"aggInterval": "ONE_HOUR", "normalization": "MIN0_MAX", "confidenceInfo": {"level": 5}}
    return radar(meta=meta, **{name: {"timestamps": times, "values": values}})


def mlab(days: list[tuple[str, float]], **more: Any) -> bytes:
    """Days of M-Lab's statistics with their medians, in two of the eight bands that each day is repeated in."""
    rows = [
        {
            "date": day, "bucket_min": band, "bucket_max": band + 1.78, "dl_frac_bucket": 0.5, "dl_samples_day": 200,
            "ul_samples_day": 180, "download_MIN": 0, "download_MED": speed, "upload_MED": speed / 2,
        } | more
        for day, speed in days
        for band in (0, 1)
    ]  # fmt: skip
    return msgspec.json.encode(rows)
