"""The detector's few numbers, each with its reason. None was fitted to a real series."""

from __future__ import annotations

import msgspec

YEAR = 365.25


class Settings(msgspec.Struct, frozen=True):
    """Settings of the detector. Hazards are per day, correlations and shares from 0 to 1.

    blocks_per_day, block_ends_per_day: half a block a year on a line that is looked at, lasting ten days.
    faults_per_day, fault_steps_per_day: hours in which a probe or its own line was broken; three in two years, in three
        steps of two hours each on average: one in eight lasts for ten hours, one in twelve hundred for a day.
    shifts_per_day: the share of failures of a reachable line may change to another (probes come and go); once in two
        years.
    turns_per_day: so may that of a block (partial at first, then complete).
    hourly_per_day, hourly_ends_per_day: blocks at some hours of the day are rarer; the end counts hours blocked only.
    off_per_day, on_per_day: within them, four hours blocked and ten not, on average.
    correlation: of results within one hour, beyond their common rate: they may be of one probe.
    false_per_year: false incidents admitted per year and series (Markov bound; `docs/detector.md`).
    min_reports, min_hours: distinct reports, and hours, without which there is no incident and no end of one.
    fault_hours: those hours have to lie outside of the half day in which most failed: one broken probe may make that.
    sparse_per_day, sparse_hours: on a line with fewer reports a day, so many hours have to lie outside of two such half
        days: two broken probes may stand side by side there.
    tail: probability left out at each side of a bracket, before it is widened to the results around it; together they
        hold the truth in about 95 of 100 simulated cases (`docs/detector.md`).
    open_chance: a spell has an end only where the chance that it lasts is below this.
    restoration_days: a restoration shorter than this stays inside its incident.
    spread_days: a block that reaches another network within this time is the same event.
    """

    blocks_per_day: float = 0.5 / YEAR
    block_ends_per_day: float = 1 / 10
    faults_per_day: float = 1.5 / YEAR
    fault_steps_per_day: tuple[float, float, float] = (14.0, 12.0, 10.0)
    shifts_per_day: float = 0.5 / YEAR
    turns_per_day: float = 1 / 10
    correlation: float = 0.15
    hourly_per_day: float = 0.1 / YEAR
    hourly_ends_per_day: float = 1 / 3
    off_per_day: float = 6.0
    on_per_day: float = 2.5
    false_per_year: float = 1 / 1_000
    min_reports: int = 3
    min_hours: int = 2
    fault_hours: float = 12.0
    sparse_per_day: float = 1.5
    sparse_hours: int = 4
    tail: float = 0.05
    open_chance: float = 0.05
    restoration_days: float = 7.0
    spread_days: float = 3.0


DEFAULT = Settings()
