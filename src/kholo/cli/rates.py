"""`kholo rates`: how fast a service's pages came, against before and against others."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import click
import msgspec

from kholo.detect.rates import RateFinding, RateSettings, Side, sentence, speed
from kholo.pipeline.rates import rates as find
from kholo.reference import load_reference
from kholo.store import Store

from . import output
from .options import filter_options, json_option, store_option, wanted

_EPILOG = """
\b
Examples:
  kholo rates --store store --service x --place PK
  kholo rates --store store --service x --days 1 --json
"""
_COLUMNS = {
    "network": "network", "service": "service", "start": "from", "end": "to", "state": "state", "now": "now",
    "others": "others now", "before": "before", "because": "because",
}  # fmt: skip


@click.command(epilog=_EPILOG)
@store_option
@filter_options
@click.option("--days", type=click.IntRange(1, 366), default=7, show_default=True, help="Length of a window in days.")
@json_option
def rates(
    store: Path,
    service: str | None,
    place: str | None,
    network: str | None,
    since: datetime | None,
    until: datetime | None,
    days: int,
    as_json: bool,
) -> None:
    """Show how fast a service was: against itself before, and against others on the same network.

    Throttled is said only where five independent reports of each of the three sides say so. The times cut the
    series: what lies before --since is no "before".
    """
    reference = load_reference()
    chosen = wanted(service, place, network, since, until)
    found = find(Store(store), reference, chosen, RateSettings(window_days=days))
    if as_json:
        output.json_rows(msgspec.to_builtins(finding) for finding in found)
        return
    output.table((_row(finding) for finding in found), _COLUMNS, None)
    for finding in found:
        if finding.state == "throttled":
            click.echo(f"\n{sentence(finding, reference.services.name(finding.service))}")
    if not found:
        click.echo("No transfer long enough to tell a rate: probes write down bytes and times for some tests only.")


def _row(finding: RateFinding) -> dict[str, Any]:
    sides = {name: _told(getattr(finding, name)) for name in ("now", "others", "before")}
    return msgspec.structs.asdict(finding) | sides


def _told(side: Side) -> str:
    return f"{speed(side.kbits)} ({side.reports})" if side.kbits is not None else "-"
