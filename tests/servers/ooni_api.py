"""OONI's API over raw measurements: the listing, single measurements, and counts.

Written after ooni/backend, ooniapi/services/oonimeasurements (routers/v1/measurements.py, routers/v1/aggregation.py)
and ooniapi/common (utils.py, rate_limit_quotas.py), oddities included. What is simpler here: `anomaly` and `failure`
come from the measurement's own `blocking` and `control_failure`, `confirmed` is given by the test, and there are no
filters by category, version or OONI Run link.

- `/api/v1/measurements`: `report_id`, `input`, `domain`, `probe_cc`, `probe_asn`, `test_name` (all but the first two
  may be several, with commas), `since` (later than) and `until` (not later than) for the measurement's start, at most
  180 days apart, by default the last 30 days; `anomaly`, `confirmed`, `failure`; `order` asc or desc (default) by
  start and uid; `limit` (100; up to 1,000,000), `offset` (deprecated), `cont`. `metadata.next_url` is null at the
  end; `count`, `pages`, `current_page` are -1. A last page that is full has a next one, which is empty.
- `/api/v1/raw_measurement`: by `measurement_uid`, or `report_id` and `input`. What is not known is `{}` with status
  200; what is known but not to be had is status 500. The body has no `measurement_uid`: it is a line of the JSONL.
- `/api/v1/measurement_meta`: the same keys, and `full` for the body as text in `raw_measurement`; `{}` if not known.
- `/api/v1/aggregation`: `since` (on or after) and `until` (before), days; `axis_x`, `axis_y`; `time_grain` hour, day,
  week, month, auto, as the length of the time allows; `format` JSON or CSV (columns by name). A wrong axis is status
  400 with `msg`, two axes that are the same are status 200 with `msg` and no `result`; a wrong `time_grain` is status
  500.
- Past the quota of an address (4,000 seconds of the server's work a day) the answer is 429 `Quota exceeded` as text
  and without Retry-After; what is left stands in X-RateLimit-Remaining.
"""

from __future__ import annotations

import csv
import io
import json
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode, urlsplit

from .base import Answer, Request

JSON = {"Content-Type": "application/json"}
DAYS = 180
COUNTS = ("anomaly_count", "confirmed_count", "failure_count", "ok_count", "measurement_count")
AXES = ("blocking_type", "domain", "input", "measurement_start_day", "probe_asn", "probe_cc", "test_name")
GRAINS = ((7, ("hour", "day", "auto")), (30, ("day", "week", "auto")), (10**7, ("day", "week", "month", "auto")))


@dataclass(frozen=True)
class Row:
    """A measurement as the API's table has it."""

    raw: Mapping[str, Any]
    is_confirmed: bool = False

    @property
    def uid(self) -> str:
        return str(self.raw["measurement_uid"])

    @property
    def start(self) -> datetime:
        return datetime.fromisoformat(self.raw["measurement_start_time"]).replace(tzinfo=UTC)

    @property
    def input(self) -> str:
        return self.raw.get("input") or ""

    @property
    def blocking(self) -> str:
        return self.raw.get("test_keys", {}).get("blocking") or ""

    @property
    def is_failure(self) -> bool:
        return bool(self.raw.get("test_keys", {}).get("control_failure"))

    @property
    def group(self) -> str:
        """The one of the counts it belongs to."""
        if self.is_failure:
            return "failure_count"
        if self.is_confirmed:
            return "confirmed_count"
        return "anomaly_count" if self.blocking else "ok_count"

    def field(self, name: str) -> str | int:
        """By the name of a filter or an axis."""
        if name == "probe_asn":
            return int(self.raw["probe_asn"].removeprefix("AS"))
        if name == "domain":
            return urlsplit(self.input).hostname or self.input
        if name == "input":
            return self.input
        return self.blocking if name == "blocking_type" else str(self.raw[name])


class OoniApi:
    """An app for `serve`. Measurements may be added while it runs.

    `confirmed` and `lost` are uids: of blocks that are known, and of measurements whose body is not to be had. `quota`
    is how many requests are answered.
    """

    def __init__(
        self,
        measurements: Iterable[Mapping[str, Any]],
        confirmed: Iterable[str] = (),
        lost: Iterable[str] = (),
        quota: int | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.confirmed, self.lost = frozenset(confirmed), frozenset(lost)
        self.rows = [Row(raw, raw["measurement_uid"] in self.confirmed) for raw in measurements]
        self.quota, self.now = quota, now
        self._lock = threading.Lock()

    def add(self, raw: Mapping[str, Any]) -> None:
        """A measurement that came late."""
        self.rows = [*self.rows, Row(raw, raw["measurement_uid"] in self.confirmed)]

    def __call__(self, request: Request) -> Answer:
        calls = {
            "/api/v1/measurements": self._list,
            "/api/v1/raw_measurement": self._raw,
            "/api/v1/measurement_meta": self._meta,
            "/api/v1/aggregation": self._aggregate,
        }
        call = calls.get(request.path)
        if call is None:
            return answer({"detail": "Not Found"}, 404)
        left = self._left()
        if left < 0:
            return Answer(429, {"Content-Type": "text/plain; charset=utf-8"}, b"Quota exceeded")
        try:
            found = call(request)
        except _Refused as refused:
            found = refused.answer
        return replace(found, headers={**found.headers, "X-RateLimit-Remaining": str(left)})

    def _left(self) -> int:
        with self._lock:
            if self.quota is None:
                return 4000
            self.quota -= 1
            return self.quota

    def _list(self, request: Request) -> Answer:
        asked = request.query
        limit, offset = _number(asked, "limit", 100, 1_000_000), _number(asked, "offset", 0, 1 << 62)
        order = asked.get("order", "desc")
        if order.lower() not in ("asc", "desc"):
            raise _Refused(answer({"detail": "Invalid order parameter"}, 400))
        is_down = order.lower() == "desc"
        rows = sorted(self._chosen(asked), key=lambda row: (row.start, row.uid), reverse=is_down)
        if "cont" in asked and not offset:
            mark = _opened(asked["cont"])
            rows = [row for row in rows if ((row.start, row.uid) < mark if is_down else (row.start, row.uid) > mark)]
        rows = rows[offset : offset + limit]
        if not limit:
            raise _Refused(Answer(500, {"Content-Type": "text/plain"}, b"Internal Server Error"))
        base = f"http://{request.headers['host']}/api/v1"
        listed = [_listed(row, base) for row in rows]

        def page(following: dict[str, str] | None) -> Answer:
            metadata: dict[str, Any] = {"count": -1, "current_page": -1, "pages": -1, "limit": limit, "offset": offset}
            metadata |= {"next_url": None, "query_time": 0.01}
            if following is not None:
                metadata["next_url"] = f"{base}/measurements?{urlencode({**asked, **following, 'limit': str(limit)})}"
            return answer({"metadata": metadata, "results": listed})

        if len(rows) < limit:
            return page(None)
        if offset:
            return replace(page({"offset": str(offset + limit)}), again=lambda: page({"offset": str(offset)}))
        following = {"cont": f"{rows[-1].start:%Y%m%d%H%M%S}-{rows[-1].uid}", "order": order}
        return replace(page(following), again=lambda: page({"cont": asked["cont"]} if "cont" in asked else {}))

    def _chosen(self, asked: Mapping[str, str]) -> list[Row]:
        since, until = _moment(asked, "since"), _moment(asked, "until")
        if "report_id" not in asked:
            until = until or datetime.combine(self.now().date() + timedelta(days=1), datetime.min.time(), UTC)
            since = since or until - timedelta(days=30)
        if since and until and (until - since).days > DAYS:
            detail = (
                f"Time range must not exceed 6 months. Requested: {(until - since).days} days (limit: {DAYS} days)."
            )
            raise _Refused(answer({"detail": detail}, 400))
        rows = [row for row in self.rows if (not since or row.start > since) and (not until or row.start <= until)]
        rows = [row for row in rows if row.raw["report_id"] == asked.get("report_id", row.raw["report_id"])]
        if "probe_cc" not in asked:
            rows = [row for row in rows if row.raw["probe_cc"] != "ZZ"]
        if "probe_asn" not in asked:
            rows = [row for row in rows if row.field("probe_asn")]
        for name, flag in (("anomaly", "blocking"), ("confirmed", "is_confirmed"), ("failure", "is_failure")):
            if name in asked:
                rows = [row for row in rows if bool(getattr(row, flag)) == (asked[name].lower() == "true")]
        return _filtered(rows, {**asked, "domain": ""} if asked.get("input") else asked)

    def _one(self, asked: Mapping[str, str]) -> Row | None:
        if asked.get("measurement_uid"):
            found = [row for row in self.rows if row.uid == asked["measurement_uid"]]
        elif asked.get("report_id"):
            wanted = (asked["report_id"], asked.get("input", ""))
            found = [row for row in self.rows if (row.raw["report_id"], row.input) == wanted]
        else:
            raise _Refused(answer({"detail": "Either report_id or measurement_uid must be provided"}, 400))
        return next((row for row in found if row.field("probe_asn")), None)

    def _raw(self, request: Request) -> Answer:
        row = self._one(request.query)
        if row and row.uid in self.lost:
            return answer({"detail": "Measurement not found"}, 500)
        return Answer(200, {**JSON, "Cache-Control": "max-age=86400"}, _sent(row).encode() if row else b"{}")

    def _meta(self, request: Request) -> Answer:
        row, is_full = self._one(request.query), request.query.get("full", "").lower() in ("true", "1")
        if row is None:
            return answer({"raw_measurement": ""} if is_full else {})
        listed = _listed(row, "")
        names = ("input", "measurement_uid", "report_id", "test_name", "probe_cc", "anomaly", "confirmed", "failure")
        tested = datetime.fromisoformat(row.raw.get("test_start_time", row.raw["measurement_start_time"]))
        meta = {name: listed[name] for name in names} | {
            "measurement_start_time": f"{row.start:%Y-%m-%dT%H:%M:%SZ}",
            "test_start_time": f"{tested:%Y-%m-%dT%H:%M:%SZ}",
            "probe_asn": row.field("probe_asn"),
            "scores": json.dumps(listed["scores"]),
            "category_code": None,
        }
        return answer(meta | ({"raw_measurement": _sent(row)} if is_full else {}))

    def _aggregate(self, request: Request) -> Answer:
        asked = request.query
        today = datetime.combine(self.now().date(), datetime.min.time(), UTC)
        since = _moment(asked, "since", True) or today - timedelta(days=180)
        until = _moment(asked, "until", True) or today
        axes = [axis for axis in (asked.get("axis_x"), asked.get("axis_y")) if axis]
        if len(axes) == 2 and axes[0] == axes[1]:
            return answer({"msg": "Axis X and Y cannot be the same", "v": 0})
        grain = _grain(since, until, asked.get("time_grain", "auto"))
        if not set(axes) <= set(AXES):
            return answer({"msg": "Invalid axis name", "v": 0}, 400)
        groups: dict[tuple[str | int, ...], Counter[str]] = {}
        for row in _filtered(self.rows, asked):
            day = _floor(row.start, grain)
            if _floor(since, grain) <= day < _floor(until, grain):
                text = f"{day:%Y-%m-%dT%H:%M:%SZ}" if grain == "hour" else f"{day:%Y-%m-%d}"
                key = tuple(text if axis == "measurement_start_day" else row.field(axis) for axis in axes)
                groups.setdefault(key, Counter())[row.group] += 1
        if not axes:
            groups.setdefault((), Counter())
        results: list[dict[str, Any]] = [
            {name: count[name] for name in COUNTS}
            | {"measurement_count": count.total()}
            | dict(zip(axes, key, strict=True))
            for key, count in sorted(groups.items())
        ]
        if asked.get("format", "JSON").upper() == "CSV":
            return _csv(results)
        stats = {"row_count": len(self.rows), "bytes": 0, "total_row_count": len(self.rows), "elapsed_seconds": 0.01}
        result = results if axes else results[0]
        return answer({"v": 0, "dimension_count": len(axes), "db_stats": stats, "result": result})


class _Refused(Exception):
    def __init__(self, answer: Answer) -> None:
        super().__init__(answer)
        self.answer = answer


def answer(value: object, status: int = 200) -> Answer:
    """Anything as JSON."""
    return Answer(status, JSON, json.dumps(value).encode())


def _filtered(rows: list[Row], asked: Mapping[str, str]) -> list[Row]:
    for name in ("probe_cc", "probe_asn", "test_name", "domain"):
        if asked.get(name):
            wanted = {
                part.strip().removeprefix("AS") if name == "probe_asn" else part.strip()
                for part in asked[name].split(",")
            }
            rows = [row for row in rows if str(row.field(name)) in wanted]
    if asked.get("input"):
        rows = [row for row in rows if row.input == asked["input"]]
    return rows


def _listed(row: Row, base: str) -> dict[str, Any]:
    return {
        "anomaly": bool(row.blocking),
        "confirmed": row.is_confirmed,
        "failure": row.is_failure,
        "input": row.input or None,
        "probe_asn": f"AS{row.field('probe_asn')}",
        "probe_cc": row.raw["probe_cc"],
        "report_id": row.raw["report_id"],
        "scores": {"blocking_general": float(bool(row.blocking)), "analysis": {"blocking_type": row.blocking}},
        "test_name": row.raw["test_name"],
        "measurement_url": f"{base}/raw_measurement?{urlencode({'measurement_uid': row.uid})}",
        "measurement_start_time": f"{row.start:%Y-%m-%dT%H:%M:%S.%fZ}",
        "measurement_uid": row.uid,
        "verification_status": None,
    }


def _sent(row: Row) -> str:
    return json.dumps({name: value for name, value in row.raw.items() if name != "measurement_uid"})


def _number(asked: Mapping[str, str], name: str, default: int, most: int) -> int:
    text = asked.get(name, str(default))
    if not text.isascii() or not text.isdigit() or int(text) > most:
        raise _Refused(_invalid(name, "Input should be a valid integer in range", text))
    return int(text)


def _moment(asked: Mapping[str, str], name: str, is_day: bool = False) -> datetime | None:
    if name not in asked:
        return None
    try:
        found = datetime.fromisoformat(asked[name])
    except ValueError:
        raise _Refused(_invalid(name, "Input should be a valid datetime or date", asked[name])) from None
    if is_day and found.time() != datetime.min.time():
        raise _Refused(_invalid(name, "Datetimes provided to dates should have zero time", asked[name]))
    return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)


def _invalid(name: str, message: str, text: str) -> Answer:
    return answer({"detail": [{"type": "parsing", "loc": ["query", name], "msg": message, "input": text}]}, 422)


def _opened(token: str) -> tuple[datetime, str]:
    try:
        moment, uid = token.split("-")
        return datetime.strptime(moment, "%Y%m%d%H%M%S").replace(tzinfo=UTC), uid
    except ValueError as error:
        raise _Refused(answer({"detail": {"msg": f"Invalid continuation token: {error}"}}, 400)) from None


def _grain(since: datetime, until: datetime, grain: str) -> str:
    length = until - since
    for days, allowed in GRAINS:
        if timedelta() < length <= timedelta(days=days) and grain in allowed:
            return allowed[0] if grain == "auto" else grain
        if length <= timedelta(days=days):
            break
    raise _Refused(Answer(500, {"Content-Type": "text/plain"}, b"Internal Server Error"))


def _floor(moment: datetime, grain: str) -> datetime:
    if grain == "hour":
        return moment.replace(minute=0, second=0, microsecond=0)
    day = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    if grain == "week":
        return day - timedelta(days=day.isoweekday() % 7)
    return day.replace(day=1) if grain == "month" else day


def _csv(results: list[dict[str, Any]]) -> Answer:
    if not results:
        return answer({"detail": "list index out of range"}, 400)
    text = io.StringIO()
    writer = csv.DictWriter(text, sorted(results[0]))
    writer.writeheader()
    writer.writerows(results)
    return Answer(200, {"Content-Type": "text/csv; charset=utf-8"}, text.getvalue().encode())
