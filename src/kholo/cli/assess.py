"""`kholo assess` and `kholo clocks`: a case's claims and orders, set against the evidence."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import click
import msgspec

from kholo.pipeline.cases import Assessed, assessed
from kholo.pipeline.sets import judge_for
from kholo.store import Store

from . import output
from .options import as_of_option, case_store_option, fingerprints_option, json_option, moment_or_now

_ASSESSMENTS = {
    "date": "date",
    "entry_id": "entry",
    "kind": "kind",
    "outcome": "outcome",
    "grade": "grade",
    "reason": "reason",
    "because": "because",
}
_CLOCKS = {
    "clock": "clock",
    "entry_id": "entry",
    "network": "network",
    "started": "started",
    "stopped": "stopped",
    "days": "days",
    "standing": "standing",
    "grade": "grade",
}


def _command(
    name: str, help_text: str, rows: Callable[[Assessed], list[Any]], columns: dict[str, str]
) -> click.Command:
    """One of the two commands that show a part of an assessed case."""

    @click.command(name=name, help=help_text, epilog=f"\b\nExample:\n  kholo {name} cases/x-pakistan-2024 --json\n")
    @click.argument("folder", metavar="CASE", type=click.Path(path_type=Path))
    @case_store_option
    @as_of_option
    @fingerprints_option
    @json_option
    def command(
        folder: Path, store: Path | None, as_of: datetime | None, fingerprints: tuple[Path, ...], as_json: bool
    ) -> None:
        opened = Store(store) if store else None
        found = assessed(folder, opened, judge_for(opened, fingerprints), moment_or_now(as_of))
        shown = [{**msgspec.to_builtins(row), "simulated": found.case.simulated} for row in rows(found)]
        if found.case.simulated and not as_json:
            click.echo("SIMULATED: nothing of this happened\n")
        if as_json:
            output.json_rows(shown)
        elif not output.table(shown, columns):
            click.echo("this case has none")

    return command


assess = _command(
    "assess",
    "Set each claim of CASE against the evidence: supported, contradicted or undetermined, with its grade.",
    lambda found: list(found.assessments),
    _ASSESSMENTS,
)
clocks = _command(
    "clocks",
    "Show the clocks of CASE: days since each order was due, and days without a public reason.",
    lambda found: list(found.clocks),
    _CLOCKS,
)
