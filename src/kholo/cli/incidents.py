"""`kholo incidents` and `kholo timeline`: what happened, and what each day looked like."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import click
import msgspec

from kholo.detect import incident_json
from kholo.pipeline.events import events
from kholo.store import Store

from . import output
from .options import filter_options, fingerprints_option, json_option, make_judge, store_option, wanted

_INCIDENTS = {
    "incident_id": "incident",
    "networks": "networks",
    "state": "state",
    "mechanisms": "mechanisms",
    "began": "began (UTC, between)",
    "ended": "ended (UTC, between)",
    "reports": "reports",
    "grade": "grade",
    "simulated": "simulated",
}
_DAYS = {
    "service": "service",
    "place": "place",
    "network": "network",
    "day": "day",
    "state": "state",
    "ok": "ok",
    "blocked": "blocked",
    "throttled": "throttled",
    "reports": "reports",
}
_EPILOG = """
\b
Examples:
  kholo incidents --store store --place PK
  kholo incidents --store store --service x --json
  kholo incidents --store store --out incidents.csv
"""
_DAY_EPILOG = """
\b
Example:
  kholo timeline --store store --service x --place UG --network AS20294
"""


@click.command(epilog=_EPILOG)
@store_option
@filter_options
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="Write to a .csv file.")
@fingerprints_option
@json_option
def incidents(
    store: Path,
    service: str | None,
    place: str | None,
    network: str | None,
    since: datetime | None,
    until: datetime | None,
    out: Path | None,
    fingerprints: tuple[Path, ...],
    as_json: bool,
) -> None:
    """List the events that the measurements show, each with the times between which it began and ended."""
    found = events(Store(store), make_judge(fingerprints), wanted(service, place, network, since, until)).incidents
    if as_json:
        output.json_rows(incident_json(incident) for incident in found)
        return
    rows = [_row(incident_json(incident)) for incident in found]
    if out is not None:
        output.write_file(rows, out, "incidents")
        click.echo(f"written: {out}")
    elif not output.table(rows, _INCIDENTS):
        click.echo("no incident: nothing measured here shows interference by enough independent reports")


def _row(incident: dict[str, Any]) -> dict[str, Any]:
    row = {key: value for key, value in incident.items() if key not in ("onset", "end", "spells")}
    return {**row, "began": _between(incident["onset"]), "ended": _between(incident["end"])}


def _between(bracket: dict[str, Any] | None) -> str | None:
    if bracket is None:
        return None
    earliest, latest = (str(bracket[name])[:16].replace("T", " ") for name in ("earliest", "latest"))
    return f"{earliest} / {latest}"


@click.command(epilog=_DAY_EPILOG)
@store_option
@filter_options
@fingerprints_option
@json_option
def timeline(
    store: Path,
    service: str | None,
    place: str | None,
    network: str | None,
    since: datetime | None,
    until: datetime | None,
    fingerprints: tuple[Path, ...],
    as_json: bool,
) -> None:
    """Show each day of each network; a day without enough measurements says so and is never "ok"."""
    found = events(Store(store), make_judge(fingerprints), wanted(service, place, network, since, until)).days
    rows = [msgspec.to_builtins(day) for day in found]
    if as_json:
        output.json_rows(rows)
    elif not output.table(rows, _DAYS):
        click.echo("nothing was measured here")
