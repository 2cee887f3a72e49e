"""The record: what was said, ordered and found, read from a case folder and set against the evidence."""

from __future__ import annotations

from .assess import assess
from .clocks import clocks
from .effect import effect
from .effect_inputs import load_effect, with_changes
from .load import load_case
from .threepart import checklist

__all__ = ["assess", "checklist", "clocks", "effect", "load_case", "load_effect", "with_changes"]
