"""From verdicts to hourly cells, from cells to incidents with honest dates. Knows nothing of what anyone said."""

from __future__ import annotations

from .cells import Result, cells
from .days import days
from .incidents import incident_json, incidents
from .settings import Settings

__all__ = ["Result", "Settings", "cells", "days", "incident_json", "incidents"]
