"""`kholo diff`: which verdicts differ between two sets, and why."""

from __future__ import annotations

from pathlib import Path

import click

from kholo.model import UsageError
from kholo.model.text import clean
from kholo.pipeline import sets
from kholo.pipeline.differences import Difference, Said, differences, summary
from kholo.pipeline.verdicts import Filter, derive
from kholo.store import Store

from . import output
from .options import filter_options, json_option, store_option

_EPILOG = """
\b
Examples:
  kholo diff --store store
  kholo diff --store store --from 82fd575ec276 --to 1c0e --service x --place PK
  kholo diff --store store --from 82fd --json
"""


@click.command(epilog=_EPILOG)
@store_option
@click.option("--from", "before", metavar="SET", help="The earlier set, or how its name begins.")
@click.option(
    "--to",
    "after",
    metavar="SET",
    help="The later one. [default: the shipped rules, the store's reference data]",
)
@filter_options
@click.option("--limit", type=click.IntRange(0), default=50, show_default=True, help="Changes shown; 0 for all.")
@json_option
def diff(
    store: Path,
    before: str | None,
    after: str | None,
    chosen: Filter,
    limit: int,
    as_json: bool,
) -> None:
    """Show which verdicts changed from one set to another, and why.

    A set is what one ruleset and one lot of reference data say of all measurements (`kholo rejudge` makes them). Why is
    told by the facts that only one of the two saw, or by the rules that changed.
    """
    opened = Store(store)
    later = sets.find(opened, after) if after else _usual(opened)
    earlier = sets.find(opened, before) if before else _other(opened, later)
    for name in (earlier, later):
        derive(opened, sets.load(opened, name))
    if as_json:
        output.json_rows(differences(opened, earlier, later, chosen))
        return
    _show(opened, earlier, later, chosen, limit)


def _usual(store: Store) -> str:
    return sets.keep(store, sets.judge_for(store))


def _other(store: Store, later: str) -> str:
    others = [name for name in sets.names(store) if name != later]
    if len(others) == 1:
        return others[0]
    there = ", ".join(others) or "none; `kholo rejudge` makes one"
    raise UsageError(f"name the earlier set with --from; sets of verdicts beside {later}: {there}")


def _show(store: Store, earlier: str, later: str, chosen: Filter, limit: int) -> None:
    click.echo(f"from {earlier} to {later}")
    totals = summary(store, earlier, later, chosen)
    if not totals:
        click.echo("no verdict differs")
        return
    for row in totals:
        click.echo(f"  {row['n']} from {row['before']} to {row['after']}")
    click.echo()
    found = differences(store, earlier, later, chosen, limit)
    for one in found:
        _tell(one)
    count = sum(row["n"] for row in totals)
    if limit and count > limit:
        click.echo(f"… and {count - limit} more: --limit 0 shows all, --json writes all")


def _tell(one: Difference) -> None:
    """One change in three lines: a reason is too long for a cell."""
    simulated = "SIMULATED. " if one.simulated else ""
    where = f"{one.measured_at:%Y-%m-%d %H:%M}  {one.place}  {one.network}  {one.service or one.input or 'no address'}"
    click.echo(clean(f"{simulated}{where}  {one.measurement_uid}"))
    click.echo(clean(f"  {_told(one.before)} → {_told(one.after)}"))
    click.echo(clean(f"  {one.why}", 1_000))


def _told(said: Said) -> str:
    mechanism = f", {said.mechanism}" if said.mechanism else ""
    return f"{said.state}{mechanism} ({said.rule_id})"
