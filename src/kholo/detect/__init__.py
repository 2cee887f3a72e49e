"""From verdicts to hourly cells, from cells to incidents with honest dates. Knows nothing of what anyone said."""

from __future__ import annotations

from .baselines import Baselines, Month, baselines
from .cells import Result, cells
from .days import days
from .hours import in_words
from .incidents import incident_json, incidents
from .kinds import Nearby, decided
from .lines import Around, Outage, Report, Speed, confirmed, in_order
from .names import meant, named
from .settings import Settings
from .volume import Hour, collapses
from .wanted import wanted

__all__ = [
    "Around",
    "Baselines",
    "Hour",
    "Month",
    "Nearby",
    "Outage",
    "Report",
    "Result",
    "Settings",
    "Speed",
    "baselines",
    "cells",
    "collapses",
    "confirmed",
    "days",
    "decided",
    "in_order",
    "in_words",
    "incident_json",
    "incidents",
    "meant",
    "named",
    "wanted",
]
