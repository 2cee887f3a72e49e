"""The detector's few numbers, each with its reason. None was fitted to a series."""

from __future__ import annotations

import math

import msgspec


class Settings(msgspec.Struct, frozen=True):
    """Settings of the detector.

    fail_reachable: share of reports that fail though the service is reachable (base rates of failure in the field's
        data are a few percent once results with another cause are taken out).
    fail_impaired: share of reports that fail while access is impaired (blocks leak: resolvers, VPNs, slow roll-out).
    onsets_per_day, ends_per_day: hazards. One impairment a year, lasting two weeks: a few reports overrule them.
    least_dt_days: votes nearer than this count as this far apart, so that a change between them stays possible.
    min_reports, min_hours: distinct reports, and hours, without which there is no incident, whatever their odds.
    min_log_ratio: natural log of how much better "impaired" explains a spell's reports than "reachable" does.
    tail: probability left out at each side of a bracket (0.025: 95 % brackets).
    restoration_days: a restoration shorter than this stays inside its incident.
    spread_days: a block that reaches another network within this time is the same event.
    """

    fail_reachable: float = 0.03
    fail_impaired: float = 0.85
    onsets_per_day: float = 1 / 365
    ends_per_day: float = 1 / 14
    least_dt_days: float = 1 / 1440
    min_reports: int = 3
    min_hours: int = 2
    min_log_ratio: float = math.log(10_000)
    tail: float = 0.025
    restoration_days: float = 7.0
    spread_days: float = 3.0


DEFAULT = Settings()
