"""Exports: a case in the field's formats, one module a format. `docs/exports.md` tells what stands in each."""

from __future__ import annotations

from .write import FORMATS, write_export

__all__ = ["FORMATS", "write_export"]
