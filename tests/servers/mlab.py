"""M-Lab's public statistics of NDT: one JSON file a place or network and year.

Written after m-lab/stats-pipeline (docs/api-structure.md, docs/format-schema.md, docs/stats-overview.md, config.json
and k8s/data-processing/config/config.json). Base: `https://statistics.measurementlab.net`.

- `/v0/<continent>/<country>/<year>/histogram_daily_stats.json`, for a network of the country
  `/v0/<continent>/<country>/asn/AS<number>/<year>/...`, for all of a network `/v0/asn/AS<number>/<year>/...`; also
  regions, cities. Continents are AF, AN, AS, EU, NA, OC, SA: Pakistan is `AS/PK`.
- The file is an array, for each day eight objects, one a bucket of speeds; what belongs to the day is in all eight.
  `date`, `bucket_min`, `bucket_max` (Mbit/s: 0, 10^0.25, 10^0.75 ... 10^3.75); `dl_frac_bucket`, `dl_samples_bucket`,
  `dl_samples_day`; `download_MIN`, `_Q25`, `_MED`, `_AVG`, `_Q75`, `_MAX` in Mbit/s, `download_minRTT_MED` in ms;
  `dl_LOG_AVG_rnd1` and `_rnd2` (geometric means, each of one test an address and day), `dl_minRTT_LOG_AVG_rnd1`,
  `_rnd2`; the same for `ul_` and `upload_`.

Not sure: what a missing file is answered with (as Google's storage does here: 404 and XML), whether a day or bucket
without tests is left out (days are here, buckets are not), and how late a day appears.
"""

from __future__ import annotations

import json
import math
import statistics
from collections.abc import Mapping, Sequence
from datetime import date
from itertools import pairwise
from typing import Any

from .base import Answer, Request
from .bucket import error, read, store

BOUNDS = [0.0, *(10 ** (power / 4) for power in range(1, 16, 2))]
Tests = Mapping[date, Sequence[tuple[float, float, float]]]


class MLab:
    """An app for `serve`. `tests` is by place (`AS/PK`, `AS/PK/asn/AS9541`, `asn/AS9541`), then by day.

    A test is its download and upload in Mbit/s and its smallest round trip in ms.
    """

    def __init__(self, tests: Mapping[str, Tests]) -> None:
        self.files = {}
        for place, days in tests.items():
            for year in {day.year for day in days}:
                rows = [row for day, runs in sorted(days.items()) if day.year == year for row in buckets(day, runs)]
                self.files[f"/v0/{place}/{year}/histogram_daily_stats.json"] = store(json.dumps(rows).encode())

    def __call__(self, request: Request) -> Answer:
        stored = self.files.get(request.path)
        if stored is None:
            return error(404, "NoSuchKey", "The specified key does not exist.")
        found = read(stored, request)
        return Answer(found.status, {**found.headers, "Content-Type": "application/json"}, found.body)


def buckets(day: date, runs: Sequence[tuple[float, float, float]]) -> list[dict[str, Any]]:
    """The eight objects of a day."""
    trips = [trip for _, _, trip in runs]
    sides = {"dl": ("download", [run[0] for run in runs]), "ul": ("upload", [run[1] for run in runs])}
    rows = []
    for low, high in pairwise(BOUNDS):
        row: dict[str, Any] = {"date": f"{day}", "bucket_min": low, "bucket_max": high}
        for short, (name, speeds) in sides.items():
            inside = sum(low <= speed < high for speed in speeds)
            row |= _day(short, name, speeds, trips)
            row |= {f"{short}_frac_bucket": round(inside / len(speeds), 3), f"{short}_samples_bucket": inside}
        rows.append(row)
    return rows


def _day(short: str, name: str, speeds: list[float], trips: list[float]) -> dict[str, float]:
    low, middle, high = statistics.quantiles(speeds, method="inclusive") if len(speeds) > 1 else speeds * 3
    means = {f"{short}_LOG_AVG_rnd{number}": _mean(speeds) for number in (1, 2)}
    means |= {f"{short}_minRTT_LOG_AVG_rnd{number}": _mean(trips) for number in (1, 2)}
    return means | {
        f"{short}_samples_day": len(speeds),
        f"{name}_MIN": round(min(speeds), 3),
        f"{name}_Q25": round(low, 3),
        f"{name}_MED": round(middle, 3),
        f"{name}_AVG": round(statistics.fmean(speeds), 3),
        f"{name}_Q75": round(high, 3),
        f"{name}_MAX": round(max(speeds), 3),
        f"{name}_minRTT_MED": round(statistics.median(trips), 3),
    }


def _mean(values: list[float]) -> float:
    """The geometric one; nothing is as a thousandth."""
    return round(math.exp(statistics.fmean(math.log(max(value, 0.001)) for value in values)), 3)
