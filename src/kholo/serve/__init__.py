"""The serve room: pages and a read-only API, from an index that follows a store and case folders."""

from __future__ import annotations

from .refresh import Sources, alone, case_folders, refresh
from .run import Options, serve

__all__ = ["Options", "Sources", "alone", "case_folders", "refresh", "serve"]
