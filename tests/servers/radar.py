"""Cloudflare Radar: outage annotations, traffic anomalies, and traffic over time.

Written after developers.cloudflare.com/api (resources/radar), developers.cloudflare.com/radar/get-started/error-codes
and answers of the running service as others recorded them in 2025 and 2026. Base:
`https://api.cloudflare.com/client/v4`. The data is CC BY-NC 4.0.

- `Authorization: Bearer TOKEN`. All answers are `{success, errors: [{code, message}], result}`, with `success` false
  and `result` null (or left out) in an error, which may come with status 200.
- `/radar/annotations/outages?location=PK&asn=&dateRange=&dateStart=&dateEnd=&limit=&offset=&format=JSON`:
  `result.annotations`, the newest first: `{id, dataSource, description, scope, startDate, endDate, locations: [PK],
  asns: [29256], eventType, linkedUrl, asnsDetails: [{asn: "29256", name, location: {code, name}}], locationsDetails:
  [{code, name}], outage: {outageCause, outageType}}`. `endDate` is null while it lasts. The reference names
  `locations` in asnsDetails, the service sends `location`. Since November 2025 also `origins`, `originsDetails`.
- `/radar/traffic_anomalies?...&status=VERIFIED|UNVERIFIED&type=LOCATION|AS|ORIGIN`: `result.trafficAnomalies`:
  `{uuid, type, status, startDate, endDate, locationDetails: {code, name}, asnDetails: {asn, name, location},
  visibleInDataSources}`.
- `/radar/http/timeseries`,
  `/radar/netflows/timeseries?location=|asn=&dateRange=7d|dateStart=&dateEnd=&aggInterval=15m|1h|1d |1w&name=`:
  `result.meta` and `result.serie_0`, or under the `name` asked for: `{timestamps: [...Z], values: ["0.42822"]}`.
  Values are texts, and relative: with MIN0_MAX 1 is the largest in this answer, so two answers cannot be set side by
  side.
- Errors: 2001 with status 400 (input), 2002 with 422 (too much asked), 1015 with 429, 7003 with 404, 2000 with 500;
  9106 with 400 (no token), 6003 with 400 (no form of a token), 1000 with 401 or 10000 with 403 (refused).

Not sure: how many annotations come without `limit` (10 here); which of 401 and 403 a revoked token gives; whether
ranges choose by the start (as here) or by overlap; the step that is chosen without `aggInterval`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from .base import Answer, Request

STEPS = {
    "15m": ("FIFTEEN_MINUTES", 900),
    "1h": ("ONE_HOUR", 3600),
    "1d": ("ONE_DAY", 86400),
    "1w": ("ONE_WEEK", 604800),
}
TOKEN = "Sn3lZJTBX6kkg7OdcBUAxOO963GEIyGQqnFTOFYY"


class Radar:
    """An app for `serve`. `traffic` is by `http` or `netflows` and a country's code or `AS1234`, then by time."""

    def __init__(
        self,
        outages: Iterable[Mapping[str, Any]] = (),
        anomalies: Iterable[Mapping[str, Any]] = (),
        traffic: Mapping[tuple[str, str], Mapping[datetime, float]] | None = None,
        token: str = TOKEN,
        weak: Iterable[str] = (),
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """`weak` are tokens that are known but may not do this."""
        self.outages = sorted(outages, key=lambda item: str(item["startDate"]), reverse=True)
        self.anomalies = sorted(anomalies, key=lambda item: str(item["startDate"]), reverse=True)
        self.traffic = traffic or {}
        self.token, self.weak, self.now = token, frozenset(weak), now

    def __call__(self, request: Request) -> Answer:
        refused = self._refused(request.headers.get("authorization"))
        if refused:
            return refused
        path = request.path.removeprefix("/client/v4/radar/")
        try:
            if path == "annotations/outages":
                return done({"annotations": self._chosen(self.outages, request.query, _outage_of)})
            if path == "traffic_anomalies":
                return done({"trafficAnomalies": self._chosen(self.anomalies, request.query, _anomaly_of)})
            if path in ("http/timeseries", "netflows/timeseries"):
                return done(self._series(path.split("/")[0], request.query))
        except ValueError as error:
            return failed(400, 2001, str(error))
        return failed(404, 7003, f"Could not route to {request.path}, perhaps your object identifier is invalid?")

    def _refused(self, header: str | None) -> Answer | None:
        if header is None:
            return failed(400, 9106, "Missing X-Auth-Key, X-Auth-Email or Authorization headers")
        if not re.fullmatch(r"Bearer [A-Za-z0-9_-]{40}", header):
            chain = [{"code": 6111, "message": "Invalid format for Authorization header"}]
            return failed(400, 6003, "Invalid request headers", error_chain=chain)
        token = header.removeprefix("Bearer ")
        if token in self.weak:
            return failed(403, 10000, "Authentication error")
        return None if token == self.token else failed(401, 1000, "Invalid API Token")

    def _chosen(
        self, items: list[Mapping[str, Any]], asked: Mapping[str, str], of: Callable[[Mapping[str, Any]], set[str]]
    ) -> list[Mapping[str, Any]]:
        start, end = self._range(asked, "")
        where = _where(asked)
        found = [item for item in items if where is None or where in of(item)]
        if start and end:
            found = [item for item in found if start <= datetime.fromisoformat(item["startDate"]) <= end]
        for name in ("status", "type"):
            if name in asked:
                found = [item for item in found if item.get(name) == asked[name]]
        offset, limit = _whole(asked, "offset", 0), _whole(asked, "limit", 10)
        return found[offset : offset + limit]

    def _series(self, kind: str, asked: Mapping[str, str]) -> dict[str, Any]:
        start, end = self._range(asked, "7d")
        assert start and end
        long = end - start
        step = asked.get("aggInterval") or ("15m" if long <= timedelta(1) else "1h" if long <= timedelta(28) else "1d")
        if step not in STEPS:
            raise ValueError(f"Invalid aggInterval: {step}")
        name, seconds = STEPS[step]
        points: dict[int, float] = {}
        for time, value in self.traffic.get((kind, _where(asked) or "all"), {}).items():
            if start <= time < end:
                place = int(time.timestamp()) // seconds * seconds
                points[place] = points.get(place, 0) + value
        most = max(points.values(), default=0) or 1
        meta = {
            "dateRange": [{"startTime": _text(start), "endTime": _text(end)}],
            "confidenceInfo": {"annotations": [], "level": 5},
            "normalization": "MIN0_MAX",
            "aggInterval": name,
            "lastUpdated": _text(end),
            "units": [{"name": "*", "value": "requests" if kind == "http" else "bytes"}],
        }
        times = sorted(points)
        values = [str(round(points[time] / most, 6)) for time in times]
        series = {"timestamps": [_text(datetime.fromtimestamp(time, UTC)) for time in times], "values": values}
        return {"meta": meta, asked.get("name", "serie_0"): series}

    def _range(self, asked: Mapping[str, str], default: str) -> tuple[datetime, datetime] | tuple[None, None]:
        if "dateStart" in asked or "dateEnd" in asked:
            start, end = (datetime.fromisoformat(asked.get(name, "missing")) for name in ("dateStart", "dateEnd"))
            if not (start.tzinfo and end.tzinfo and start < end):
                raise ValueError("dateStart must be before dateEnd")
            return start, end
        length = asked.get("dateRange", default)
        if not length:
            return None, None
        match = re.fullmatch(r"([1-9]\d{0,2})([dw])", length)
        if match is None:
            raise ValueError(f"Invalid dateRange: {length}")
        return self.now() - timedelta(days=int(match[1]) * (7 if match[2] == "w" else 1)), self.now()


def done(result: object) -> Answer:
    """An answer in Cloudflare's envelope."""
    return _json(200, {"success": True, "errors": [], "result": result})


def failed(status: int, code: int, message: str, **more: object) -> Answer:
    """An error in Cloudflare's envelope."""
    errors = [{"code": code, "message": message, **more}]
    return _json(status, {"success": False, "errors": errors, "messages": [], "result": None})


def _json(status: int, value: object) -> Answer:
    return Answer(status, {"Content-Type": "application/json"}, json.dumps(value).encode())


def _where(asked: Mapping[str, str]) -> str | None:
    """A country's code or AS1234; ValueError where it is neither."""
    location, asn = asked.get("location"), asked.get("asn")
    if location and not re.fullmatch("[A-Za-z]{2}", location):
        raise ValueError(f"Invalid location: {location}")
    if asn and not re.fullmatch("[0-9]{1,10}", asn):
        raise ValueError(f"Invalid asn: {asn}")
    return f"AS{asn}" if asn else location and location.upper()


def _whole(asked: Mapping[str, str], name: str, default: int) -> int:
    text = asked.get(name, str(default))
    if not re.fullmatch("[0-9]{1,6}", text):
        raise ValueError(f"Invalid {name}: {text}")
    return int(text)


def _outage_of(item: Mapping[str, Any]) -> set[str]:
    return {*item["locations"], *(f"AS{number}" for number in item["asns"])}


def _anomaly_of(item: Mapping[str, Any]) -> set[str]:
    network, place = item.get("asnDetails"), item.get("locationDetails")
    return ({f"AS{network['asn']}"} if network else set()) | ({place["code"]} if place else set())


def _text(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"
