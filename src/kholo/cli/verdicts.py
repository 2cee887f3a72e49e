"""`kholo verdicts`: what was decided of each measurement."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import click
import msgspec

from kholo.model import State, UsageError, Vantage
from kholo.pipeline import sets
from kholo.pipeline.verdicts import Filter, judged, select
from kholo.store import Store

from . import output
from .options import filter_options, fingerprints_option, json_option, rows_options, store_option

_EPILOG = """
\b
Examples:
  kholo verdicts --store store --service x --place PK --state blocked
  kholo verdicts --store store --vantage remote --place CN
  kholo verdicts --store store --json | head
  kholo verdicts --store store --out verdicts.parquet
"""
_COLUMNS = {
    "measured_at": "measured (UTC)",
    "place": "place",
    "network": "network",
    "service": "service",
    "state": "state",
    "vantage": "vantage",
    "mechanism": "mechanism",
    "rule_id": "rule",
    "measurement_uid": "measurement",
}


@click.command(epilog=_EPILOG)
@store_option
@filter_options
@click.option("--state", type=click.Choice([state.value for state in State]), help="Only this state.")
@click.option(
    "--vantage",
    type=click.Choice([vantage.value for vantage in (Vantage.PROBE, Vantage.REMOTE, Vantage.HOSTED)]),
    help="Only what was measured on users' lines (probe), from outside (remote), or by hosted devices (hosted).",
)
@rows_options
@click.option(
    "--set", "chosen_set", metavar="SET", help="What this set said (`kholo rejudge`), or how its name begins."
)
@fingerprints_option
@json_option
def verdicts(
    store: Path,
    chosen: Filter,
    state: str | None,
    vantage: str | None,
    limit: int,
    out: Path | None,
    chosen_set: str | None,
    fingerprints: tuple[Path, ...],
    as_json: bool,
) -> None:
    """Show the verdict on each measurement: state, layer, mechanism, and the rule that decided."""
    chosen = msgspec.structs.replace(chosen, state=state, vantage=vantage)
    if chosen_set and fingerprints:
        raise UsageError("a set has its own fingerprints: give --set or --fingerprints, not both")
    opened = Store(store)
    judge = sets.load(opened, sets.find(opened, chosen_set)) if chosen_set else sets.judge_for(opened, fingerprints)
    with judged(opened, judge) as db:
        rows = select(db, chosen)
        if not output.for_programs(rows, as_json, out, "verdicts"):
            _show(rows, limit)


def _show(rows: Iterable[dict[str, Any]], limit: int) -> None:
    tally: dict[str, int] = {}
    vantages: dict[str, int] = {}
    counted = output.counted(output.counted(rows, tally, "state"), vantages, "vantage")
    count = output.table(counted, _COLUMNS, limit or None)
    click.echo(f"\n{count} verdicts: " + (_tallied(tally) or "none"))
    vantages.pop(Vantage.PROBE, None)
    if vantages:
        click.echo(f"Not of users' lines, and in no incident: {_tallied(vantages)}")


def _tallied(tally: dict[str, int]) -> str:
    return ", ".join(f"{count} {word}" for word, count in sorted(tally.items()))
