"""`kholo rates`: how fast a service's pages came, against other sites at the time and against what is usual."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
import msgspec

from kholo.detect.rates import RateFinding, Side, sentence, speed
from kholo.pipeline.rates import rates as find
from kholo.pipeline.verdicts import Filter
from kholo.reference import Reference, load_reference
from kholo.store import Store

from . import output
from .options import filter_options, json_option, store_option

_EPILOG = """
\b
Examples:
  kholo rates --store store --service x --place PK
  kholo rates --store store --service x --network AS8402 --json
"""
_COLUMNS = {
    "network": "network", "service": "service", "state": "state", "since": "from (UTC)", "until": "to (UTC)",
    "now": "rate", "others": "others at the time", "usual": "usual", "because": "because",
}  # fmt: skip


@click.command(epilog=_EPILOG)
@store_option
@filter_options
@json_option
def rates(
    store: Path,
    chosen: Filter,
    as_json: bool,
) -> None:
    """Show how fast a service was: against other sites on the same network at the time, and against what is usual.

    Throttled is said only where that ratio falls far under the usual one of the same address, for long enough and in
    enough independent reports. The times cut the series: what lies before --since is not looked at.
    """
    reference = load_reference()
    with Store(store).connect() as db:
        found = [one.finding for one in find(db, reference, chosen)]
    if as_json:
        output.json_rows(msgspec.to_builtins(finding) for finding in found)
        return
    output.table((_row(finding) for finding in found), _COLUMNS, None)
    for finding in found:
        if finding.kind:
            click.echo(f"\n{sentence(finding, _name(finding, chosen.service, reference))}")
    if not found:
        click.echo("No transfer long enough to tell a rate: probes write down bytes and times for some tests only.")


def _name(finding: RateFinding, service: str | None, reference: Reference) -> str:
    asked = finding.service or service
    return reference.services.name(asked) if asked else "one service"


def _row(finding: RateFinding) -> dict[str, Any]:
    sides = {name: _told(getattr(finding, name)) for name in ("now", "others", "usual")}
    return msgspec.structs.asdict(finding) | sides | {"service": finding.service or "all other sites"}


def _told(side: Side) -> str:
    return f"{speed(side.kbits)} ({side.reports})" if side.kbits is not None else "-"
