"""`kholo incidents`, `collapses`, `wanted`, `timeline`: what happened, what is missing, what each day looked like."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import click
import msgspec

from kholo.detect import in_words, incident_json, meant
from kholo.model import Incident, UsageError
from kholo.model.text import clean
from kholo.pipeline.events import events
from kholo.pipeline.sets import judge_for
from kholo.pipeline.verdicts import Filter
from kholo.store import Store

from . import output
from .options import (
    Moment,
    filter_options,
    fingerprints_option,
    json_option,
    store_option,
)

_INCIDENTS = {
    "incident_id": "incident",
    "networks": "networks",
    "kind": "kind",
    "mechanisms": "mechanisms",
    "began": "began (UTC, between)",
    "ended": "ended (UTC, between)",
    "pattern": "pattern",
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
  kholo incidents --store store --as-of 2024-02-20      # what would have been said on that day
"""
_GONE_EPILOG = """
\b
Examples:
  kholo collapses --store store --place UG
  kholo collapses --store store --json
"""
_WANTED_EPILOG = """
\b
Examples:
  kholo wanted --store store
  kholo wanted x-UG-blocked-202601 --store store --out wanted.csv
"""
_GONE = {
    "place": "place",
    "network": "network",
    "since": "since (UTC)",
    "until": "until (UTC)",
    "usual": "reports a day, usually",
    "seen": "reports seen",
    "chance": "chance of so few",
    "confirmed_by": "confirmed by",
    "simulated": "simulated",
}
_WANTED = {
    "incident_id": "incident",
    "network": "network",
    "why": "would tell",
    "since": "from (UTC)",
    "until": "to (UTC)",
    "best": "best hour (UTC)",
    "gain_hours": "gain in hours",
}
_as_of = click.option(
    "--as-of", type=Moment(), help="Use only what an archive had received by then (UTC): what would have been said."
)
_csv_option = click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="Write to a .csv file.")
_DAY_EPILOG = """
\b
Example:
  kholo timeline --store store --service x --place UG --network AS20294
"""


@click.command(epilog=_EPILOG)
@store_option
@filter_options
@_as_of
@_csv_option
@fingerprints_option
@json_option
def incidents(
    store: Path,
    chosen: Filter,
    as_of: datetime | None,
    out: Path | None,
    fingerprints: tuple[Path, ...],
    as_json: bool,
) -> None:
    """List the events that the measurements show, each with the times between which it began and ended."""
    chosen = msgspec.structs.replace(chosen, received=as_of)
    opened = Store(store)
    seen = events(opened, judge_for(opened, fingerprints), chosen)
    if as_json:
        output.json_rows(incident_json(incident) for incident in seen.incidents)
        return
    rows = [_row(incident) for incident in seen.incidents]
    if out is not None:
        output.write_file(rows, out, "incidents")
        return
    if not output.table(rows, _INCIDENTS):
        click.echo("no incident: nothing measured here shows interference by enough independent reports")
    for incident in seen.incidents:
        click.echo(f"\n{incident.incident_id}: {incident.kind.value.replace('_', ' ')}")
        for reason in (*_by_the_clock(incident), *incident.because):
            click.echo(f"  {reason}")
    if seen.collapses:
        click.echo(f"\ntimes with far fewer measurements than usual: {len(seen.collapses)} (kholo collapses)")


def _by_the_clock(incident: Incident) -> list[str]:
    if not (hours := incident.hours):
        return []
    return [
        f"{in_words(hours)} on {', '.join(hours.networks)}: {hours.failed_on} of {hours.reports_on} reports failed"
        f" then, {hours.failed_off} of {hours.reports_off} at other times"
    ]


@click.command(epilog=_GONE_EPILOG)
@store_option
@filter_options
@_as_of
@fingerprints_option
@json_option
def collapses(
    store: Path,
    chosen: Filter,
    as_of: datetime | None,
    fingerprints: tuple[Path, ...],
    as_json: bool,
) -> None:
    """List when far fewer measurements than usual came from a network: a shutdown is possible, nothing is proven."""
    opened = Store(store)
    seen = events(opened, judge_for(opened, fingerprints), msgspec.structs.replace(chosen, received=as_of))
    rows = [msgspec.structs.asdict(one) for one in seen.collapses]
    if as_json:
        output.json_rows(rows)
    elif not output.table(rows, _GONE):
        click.echo("from no network did far fewer measurements come than usual")


@click.command("wanted", epilog=_WANTED_EPILOG)
@click.argument("incident", required=False)
@store_option
@filter_options
@_csv_option
@fingerprints_option
@json_option
def wanted_command(
    incident: str | None,
    store: Path,
    chosen: Filter,
    out: Path | None,
    fingerprints: tuple[Path, ...],
    as_json: bool,
) -> None:
    """List the measurements that would narrow the dates of incidents most: a list to send to volunteers.

    What lies in the past can only come from people and archives that measured and have not sent it yet.
    """
    opened = Store(store)
    seen = events(opened, judge_for(opened, fingerprints), chosen)
    named = of_name(seen.incidents, incident).incident_id if incident else None
    rows = [msgspec.structs.asdict(one) for one in seen.wanted if named in (None, one.incident_id)]
    if output.for_programs(rows, as_json, out, "wanted"):
        return
    if not output.table(rows, _WANTED):
        click.echo("nothing is missing that would narrow a date by more than an hour or two")


def of_name(found: Sequence[Incident], name: str) -> Incident:
    """The one incident that the id means; an id from before late data moved it is understood too."""
    known = meant(found, name)
    if len(known) == 1:
        return known[0]
    listed = ", ".join(incident.incident_id for incident in known or found) or "none"
    wrong = "more than one incident" if known else "no incident of that name here"
    raise UsageError(f"{clean(name)}: {wrong}; there is: {listed}")


def _row(incident: Incident) -> dict[str, Any]:
    plain = incident_json(incident)
    row = {key: value for key, value in plain.items() if key not in ("onset", "end", "spells", "hours")}
    pattern = in_words(incident.hours) if incident.hours else None
    return {**row, "pattern": pattern, "began": _between(plain["onset"]), "ended": _between(plain["end"])}


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
    chosen: Filter,
    fingerprints: tuple[Path, ...],
    as_json: bool,
) -> None:
    """Show each day of each network; a day without enough measurements says so and is never "ok"."""
    opened = Store(store)
    found = events(opened, judge_for(opened, fingerprints), chosen).days
    rows = [msgspec.to_builtins(day) for day in found]
    if as_json:
        output.json_rows(rows)
    elif not output.table(rows, _DAYS):
        click.echo("nothing was measured here")
