"""An invented country, service and networks, measured in OONI's own format. Every row says that it is simulated."""

from __future__ import annotations

import gzip
import io
from collections.abc import Iterable
from pathlib import Path

from kholo.disk import replaced
from kholo.model import UsageError

from .scenario import Scenario, load_scenario, shipped_scenarios
from .world import simulate, truth

__all__ = ["Scenario", "load_scenario", "shipped_scenarios", "simulate", "truth", "write"]


def write(lines: Iterable[bytes], path: Path) -> int:
    """Write lines to a `.jsonl` or `.jsonl.gz` file, whole or not at all, and give their number.

    The same lines give the same bytes. Raises `UsageError` for another ending.
    """
    if not path.name.endswith((".jsonl", ".jsonl.gz")):
        raise UsageError(f"{path}: the name must end in .jsonl or .jsonl.gz")
    with replaced(path, is_lasting=False) as draft:
        return _fill(lines, draft, is_packed=path.suffix == ".gz")


def _fill(lines: Iterable[bytes], path: Path, *, is_packed: bool) -> int:
    count = 0
    with path.open("wb") as raw:
        packed = gzip.GzipFile("", "wb", fileobj=raw, mtime=0) if is_packed else raw
        with io.BufferedWriter(packed, 1 << 20) as stream:
            for line in lines:
                stream.write(line)
                count += 1
    return count
