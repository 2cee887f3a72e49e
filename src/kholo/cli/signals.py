"""`kholo signals`: what archives say of whole lines."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import click

from kholo.model import SignalKind
from kholo.pipeline.signals import SignalFilter, select
from kholo.store import Store

from . import output
from .options import Moment, json_option, rows_options, store_option

_EPILOG = """
\b
Examples:
  kholo signals --store store --place UG --kind outage
  kholo signals --store store --network AS20294 --since 2026-01-13 --until 2026-01-18
  kholo signals --store store --source mlab --place UG --json
  kholo signals --store store --place UG --out signals.csv
"""
_COLUMNS = {
    "source": "source", "signal": "signal", "kind": "kind", "place": "place", "network": "network",
    "since": "since (UTC)", "until": "until (UTC)", "value": "value", "unit": "unit", "detail": "detail",
    "simulated": "simulated",
}  # fmt: skip


@click.command(epilog=_EPILOG)
@store_option
@click.option("--place", help="Only this country, ISO 3166 alpha-2, such as PK, and networks measured in it.")
@click.option("--network", help="Only this network, such as AS17557; its country as a whole is left out.")
@click.option("--source", help="Only this archive: ioda, radar, mlab.")
@click.option("--since", type=Moment(), help="What still lasted at this moment (UTC), and later.")
@click.option("--until", type=Moment(), help="What began before this moment (UTC).")
@click.option("--kind", type=click.Choice([kind.value for kind in SignalKind]), help="Only levels, or only outages.")
@rows_options
@json_option
def signals(
    store: Path,
    place: str | None,
    network: str | None,
    source: str | None,
    since: datetime | None,
    until: datetime | None,
    kind: str | None,
    limit: int,
    out: Path | None,
    as_json: bool,
) -> None:
    """Show what archives say of whole lines: how much came through (levels), and when a line was out (outages).

    Where an archive corrected itself, the last word stands. What each signal says, and does not, is in docs/signals.md.
    """
    chosen = SignalFilter(
        place=place.upper() if place else None,
        network=network.upper() if network else None,
        source=source,
        kind=kind,
        since=since,
        until=until,
    )
    with Store(store).connect() as db:
        rows = select(db, chosen)
        if output.for_programs(rows, as_json, out, "signals"):
            return
        if not output.table(rows, _COLUMNS, limit or None):
            click.echo("no archive says anything of these lines here: kholo fetch ioda, radar or mlab brings it")
