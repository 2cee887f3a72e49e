"""kholo: what was blocked, where, how, since when, set against what was said and ordered about it."""

from __future__ import annotations

__version__ = "0.1.0"
