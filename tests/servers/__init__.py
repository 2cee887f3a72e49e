"""Servers of the project's own that speak as the archives do, over real sockets, and fail as they do."""

from __future__ import annotations

from .base import Answer, App, Request, Running, Seen, Wire, beside, serve
from .bucket import Bucket
from .faults import ALL, Faults, Hit, Kind
from .ioda import Ioda
from .mlab import MLab
from .ooni_api import OoniApi
from .radar import Radar

__all__ = [
    "ALL",
    "Answer",
    "App",
    "Bucket",
    "Faults",
    "Hit",
    "Ioda",
    "Kind",
    "MLab",
    "OoniApi",
    "Radar",
    "Request",
    "Running",
    "Seen",
    "Wire",
    "beside",
    "serve",
]
