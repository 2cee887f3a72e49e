"""`kholo case diff`: which assessments and clocks of a case changed between two looks at it, and why."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import click
import msgspec

from kholo.model import UsageError
from kholo.pipeline.cases import assessed
from kholo.pipeline.sets import judge_for
from kholo.record.changes import Change, Look, changes
from kholo.store import Store

from . import output
from .options import Moment, as_of_option, case_store_option, fingerprints_option, json_option, moment_or_now

_EPILOG = """
\b
Examples:
  kholo case diff cases/x-pakistan-2024 --store new --against old
  kholo case diff cases/x-pakistan-2024 --from 2024-03-01 --as-of 2024-04-01
  kholo case diff cases/x-pakistan-2024 --before yesterday/x-pakistan-2024 --json
"""


@click.command(epilog=_EPILOG)
@click.argument("folder", metavar="CASE", type=click.Path(path_type=Path))
@case_store_option
@click.option(
    "--against",
    type=click.Path(path_type=Path, file_okay=False),
    help="Store to compare with; without it, the same store.",
)
@click.option(
    "--before",
    type=click.Path(path_type=Path),
    help="The case folder as it was, such as a checkout of an earlier commit; without it, CASE itself.",
)
@click.option("--from", "since", type=Moment(), help="Compare with how it stood at this moment (UTC).")
@as_of_option
@fingerprints_option
@json_option
def diff(
    folder: Path,
    store: Path | None,
    against: Path | None,
    before: Path | None,
    since: datetime | None,
    as_of: datetime | None,
    fingerprints: tuple[Path, ...],
    as_json: bool,
) -> None:
    """Say which assessments and clocks of CASE changed, and why: evidence that came or went, an entry edited, time."""
    if against is None and before is None and since is None:
        raise UsageError("nothing to compare with: give --against STORE, --before FOLDER or --from DATE")
    now = moment_or_now(as_of)
    if since is not None and since > now:
        raise UsageError(f"--from ({since:%Y-%m-%d}) is later than --as-of ({now:%Y-%m-%d})")
    new = _look(folder, store, now, fingerprints)
    old = _look(before or folder, against or store, since or now, fingerprints)
    if old.case.id != new.case.id:
        raise UsageError(f"two cases: {old.case.id} and {new.case.id}")
    found = changes(old, new)
    if as_json:
        output.json_rows({**msgspec.to_builtins(row), "simulated": new.case.simulated} for row in found)
        return
    if new.case.simulated:
        click.echo("SIMULATED: nothing of this happened\n")
    for row in found:
        click.echo(_told(row))
    if not found:
        click.echo("nothing changed")


def _look(folder: Path, store: Path | None, as_of: datetime, fingerprints: tuple[Path, ...]) -> Look:
    opened = Store(store) if store else None
    found = assessed(folder, opened, judge_for(opened, fingerprints), as_of)
    incidents = {item.incident_id: item for item in (*found.events.incidents, *found.taken_back)}
    return Look(found.case, found.assessments, found.clocks, incidents, as_of)


def _told(row: Change) -> str:
    name = " ".join(filter(None, (row.what, row.clock, row.entry_id, row.network)))
    lines = [f"{name}: {row.change}"]
    keys = [key for key in (row.after or row.before or {}) if key not in ("because", "coverage", "shown", "returns")]
    for key in keys:
        was, now = (_value(part.get(key) if part else None) for part in (row.before, row.after))
        if was != now:
            lines.append(f"  {key}: {was} → {now}")
    return "\n".join([*lines, *(f"  why: {reason}" for reason in row.why)])


def _value(value: object) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value)) or "-"
    return "-" if value is None else str(value)
