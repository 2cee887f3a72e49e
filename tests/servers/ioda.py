"""IODA's API, version 2: entities, raw signals, alerts and events of outages.

Written after CAIDA/ioda-api (src/Controller, src/Outages/OutagesEventsService.php, src/TimeSeries/TimeSeries.php) and
answers of the running service as others recorded them in 2026. No key. Base:
`https://api.ioda.inetintel.cc.gatech.edu/v2`.

- All answers are `{type, metadata, requestParameters, error, perf, data, copyright}`; where `error` is not null,
  `data` is null. Times are Unix seconds.
- `/entities/query?entityType=&entityCode=&relatedTo=type/code&search=&limit=`: `{code, name, type, attrs: {fqid,
  ...}}`. Types are continent, country, region, county, asn, geoasn; a network's code has no `AS`.
- `/signals/raw/{type}/{code[,code]}?from=&until=&datasource=&maxPoints=`: a list of entities, each a list of series
  `{entityType, entityCode, entityName, datasource, from, until, step, nativeStep, values}`. `values[i]` is at `from +
  i * step`, null where there is none (often at the end). Sources: bgp (5 minutes), ping-slash24 (10), merit-nt (5;
  ucsd-nt before it), gtr and gtr-norm (30, countries only). `ping-slash24-loss` and `-latency` have lists of objects
  as values. With more points than `maxPoints` they are averaged over a longer `step`.
- `/outages/alerts?entityType=&entityCode=&from=&until=&datasource=&limit=&page=`: `{datasource, entity, time, level,
  condition, value, historyValue, method}`; level is normal, warning or critical. A normal one ends what was before.
- `/outages/events?...&includeAlerts=&format=codf|ioda`: made of the alerts in the window at each request, by entity
  and source, from an alert to the next normal one. codf: `{location: "country/PK", location_name, start, duration,
  uncertainty, method, datasource, status, fraction, score, overlaps_window}`. One that has no end yet is ended at
  `until` and has `overlaps_window`; one that began before `from` is not seen before its next alert. The score is the
  sum of minutes times the drop in percent.

Not sure: what an older path form (`/outages/alerts/country/PK`) still does; the status of a request without `from`
(400 here); whether the first value stands before `from` (here at the step that `from` is in); the shape of `ioda`
events.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from .base import Answer, Request

STEPS = (60, 120, 300, 900, 1800, 3600, 7200, 21600, 43200, 86400, 172800, 604800, 1209600, 2419200, 31536000)
NATIVE = {"bgp": 300, "ping-slash24": 600, "merit-nt": 300, "ucsd-nt": 60, "gtr": 1800, "gtr-norm": 1800}
WHEN = "2026-11-24T00:00:00+00:00"


@dataclass(frozen=True)
class Entity:
    """A country, region or network."""

    type: str
    code: str
    name: str
    attrs: Mapping[str, str] = field(default_factory=dict)
    related: frozenset[tuple[str, str]] = frozenset()
    """Types and codes of others that it belongs to or that belong to it."""

    @property
    def place(self) -> tuple[str, str]:
        return self.type, self.code

    def shown(self) -> dict[str, Any]:
        return {"code": self.code, "name": self.name, "type": self.type, "attrs": dict(self.attrs)}


@dataclass(frozen=True)
class Alert:
    """A change of level of one source for one entity."""

    datasource: str
    entity: Entity
    time: int
    level: str
    value: float
    history: float
    condition: str = "< 0.99"

    def shown(self) -> dict[str, Any]:
        return {
            "datasource": self.datasource,
            "entity": self.entity.shown(),
            "time": self.time,
            "level": self.level,
            "condition": self.condition if self.level != "normal" else "normal",
            "value": self.value,
            "historyValue": self.history,
            "method": "median",
        }

    @property
    def drop(self) -> float:
        """In percent."""
        return abs(self.history - self.value) / max(self.history, self.value, 1e-9) * 100


Values = Mapping[tuple[str, str, str], Mapping[int, float | None]]


class Ioda:
    """An app for `serve`. `values` is by type, code and source, and then by time, at multiples of the source's step."""

    def __init__(self, entities: Iterable[Entity], values: Values, alerts: Iterable[Alert] = ()) -> None:
        self.entities = list(entities)
        self.values = values
        self.alerts = sorted(alerts, key=lambda alert: alert.time)

    def __call__(self, request: Request) -> Answer:
        path, asked = request.path.removeprefix("/v2/"), request.query
        if path == "entities/query":
            return enveloped("entities.lookup", asked, [entity.shown() for entity in self._entities(asked)])
        if path.startswith("signals/raw/"):
            return self._signals(path.split("/")[2:], asked)
        if path in ("outages/alerts", "outages/events"):
            return self._outages(path.replace("/", "."), asked)
        return Answer(404, {"Content-Type": "application/json"}, b'{"error":"No route found"}')

    def _entities(self, asked: Mapping[str, str]) -> list[Entity]:
        found = [entity for entity in self.entities if asked.get("entityType", entity.type) == entity.type]
        if "entityCode" in asked:
            found = [entity for entity in found if entity.code in asked["entityCode"].split(",")]
        if "search" in asked:
            found = [entity for entity in found if asked["search"].lower() in entity.name.lower()]
        if "relatedTo" in asked:
            related = tuple(asked["relatedTo"].split("/"))
            found = [entity for entity in found if any(pair[: len(related)] == related for pair in entity.related)]
        return found[: int(asked["limit"]) if "limit" in asked else None]

    def _signals(self, path: list[str], asked: Mapping[str, str]) -> Answer:
        chosen = self._entities({"entityType": path[0], "entityCode": path[1]}) if len(path) == 2 else []
        window, source = _window(asked), asked.get("datasource")
        if window is None or window[0] > window[1]:
            return enveloped("signals", asked, None, "from must be earlier than until")
        if source and source not in NATIVE:
            return enveloped(
                "signals", asked, None, f"invalid datasource {source} (must be one of the following [bgp])"
            )
        if not chosen:
            return enveloped("signals", asked, None, "cannot find corresponding metadata entity 0")
        most = int(asked["maxPoints"]) if "maxPoints" in asked else None
        data = []
        for entity in chosen:
            keys = [(entity.type, entity.code, name) for name in NATIVE if source in (None, name)]
            series = [_series(entity, key[2], self.values[key], window, most) for key in keys if key in self.values]
            data.append(series)
        return enveloped("signals", asked, data)

    def _outages(self, kind: str, asked: Mapping[str, str]) -> Answer:
        window = _window(asked)
        if window is None:
            return enveloped(kind, asked, None, "'from' timestamp must be set")
        wanted = {entity.place for entity in self._entities({**asked, "limit": str(len(self.entities))})}
        alerts = [
            alert for alert in self.alerts if alert.entity.place in wanted and window[0] <= alert.time <= window[1]
        ]
        alerts = [alert for alert in alerts if asked.get("datasource", alert.datasource) == alert.datasource]
        is_plain = kind == "outages.alerts"
        data = [alert.shown() for alert in alerts] if is_plain else events(alerts, window[1], asked)
        size = int(asked.get("limit", max(1, len(data))))
        start = size * int(asked.get("page", 0))
        return enveloped(kind, asked, data[start : start + size])


def enveloped(kind: str, asked: Mapping[str, str], data: object, error: str | None = None) -> Answer:
    """An answer in IODA's envelope."""
    metadata = {"requestTime": WHEN, "responseTime": WHEN}
    whole: dict[str, object] = {
        "type": kind,
        "metadata": metadata,
        "requestParameters": dict(asked),
        "error": error,
        "perf": None,
    }
    whole |= {"data": data, "copyright": "This data is Copyright (c) 2021 Georgia Tech Research Corporation."}
    return Answer(400 if error else 200, {"Content-Type": "application/json"}, json.dumps(whole).encode())


def events(alerts: list[Alert], until: int, asked: Mapping[str, str]) -> list[dict[str, Any]]:
    """What the alerts come to, by their beginnings."""
    running: dict[tuple[tuple[str, str], str], list[Alert]] = {}
    found = []
    for alert in alerts:
        key = (alert.entity.place, alert.datasource)
        if key in running:
            running[key].append(alert)
            if alert.level == "normal":
                found.append((running.pop(key), alert.time, False))
        elif alert.level != "normal":
            running[key] = [alert]
    found += [(group, until, True) for group in running.values()]
    shown = [_event(group, end, overlaps, asked) for group, end, overlaps in found]
    return sorted(shown, key=lambda event: (event.get("start", event.get("from")), event["datasource"]))


def _event(group: list[Alert], end: int, overlaps: bool, asked: Mapping[str, str]) -> dict[str, Any]:
    times = [alert.time for alert in group[1:]] + [end] * overlaps
    score = sum(alert.drop * (after - alert.time) / 60 for alert, after in zip(group, times, strict=False))
    first = group[0]
    if asked.get("format", "codf") == "ioda":
        event = {"entity": first.entity.shown(), "datasource": first.datasource, "from": first.time, "until": end}
        shown = [alert.shown() for alert in group]
        return {**event, "score": score} | ({"alerts": shown} if asked.get("includeAlerts") == "true" else {})
    return {
        "location": f"{first.entity.type}/{first.entity.code}",
        "start": first.time,
        "duration": end - first.time,
        "uncertainty": None,
        "method": "median",
        "datasource": first.datasource,
        "status": 0,
        "fraction": None,
        "score": score,
        "location_name": first.entity.name,
        "overlaps_window": overlaps,
    }


def _window(asked: Mapping[str, str]) -> tuple[int, int] | None:
    texts = asked.get("from", ""), asked.get("until", "")
    if not all(text.isascii() and text.isdigit() for text in texts):
        return None
    return int(texts[0]), int(texts[1])


def _series(
    entity: Entity, source: str, values: Mapping[int, float | None], window: tuple[int, int], most: int | None
) -> dict[str, Any]:
    native = step = NATIVE[source]
    start = window[0] // native * native
    points = [values.get(time) for time in range(start, window[1], native)]
    if most and len(points) > most:
        wanted = native * len(points) / most
        step = next((other for other in STEPS if other >= max(wanted, native) and other % native == 0), native)
        bins: dict[int, list[float]] = {}
        for number, value in enumerate(points):
            inside = bins.setdefault((start + number * native) // step * step, [])
            inside += [] if value is None else [value]
        start, points = min(bins), [sum(inside) / len(inside) if inside else None for inside in bins.values()]
    return {
        "entityType": entity.type,
        "entityCode": entity.code,
        "entityName": entity.name,
        "datasource": source,
        "from": start,
        "until": start + step * len(points),
        "step": step,
        "nativeStep": native,
        "values": points,
    }
