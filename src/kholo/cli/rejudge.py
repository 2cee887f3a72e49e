"""`kholo rejudge`: other rules or fingerprints on what is stored."""

from __future__ import annotations

from pathlib import Path

import click

from kholo.pipeline import sets
from kholo.pipeline.custody import Keeper
from kholo.pipeline.verdicts import derive
from kholo.store import Store

from . import output
from .options import by_option, cpu_count, fingerprints_option, json_option, moment_or_now, store_option
from .progress import Steps

_EPILOG = """
\b
Examples:
  kholo rejudge --store store --fingerprints more.csv
  kholo rejudge --store store --rules my-rules.toml --json
  kholo diff --store store --from 82fd --to 1c0e
"""


@click.command(epilog=_EPILOG)
@store_option
@click.option(
    "--rules", type=click.Path(path_type=Path, dir_okay=False, exists=True), help="Rules to judge by, a TOML file."
)
@fingerprints_option
@click.option("--workers", type=click.IntRange(1, 64), help="Processes that judge. [default: one a core]")
@by_option
@json_option
def rejudge(
    store: Path,
    rules: Path | None,
    fingerprints: tuple[Path, ...],
    workers: int | None,
    by: str | None,
    as_json: bool,
) -> None:
    """Judge everything in a store by other rules or fingerprints.

    The observations as they came in are judged anew; raw data is not needed and nothing stored is changed. The
    verdicts are a set of their own, named by the digests of rules and reference data, beside those there are: `kholo
    diff` shows what changed and why. Without --rules and --fingerprints the shipped ones
    are used, with the snapshots that `kholo reference update` keeps in the store.
    """
    opened = Store(store)
    log = Keeper(opened, moment_or_now(None), by)
    judge = sets.judge_for(opened, fingerprints, rules)
    with Steps("parts") as steps:
        parts = derive(opened, judge, workers or cpu_count(), steps.tell)
    name = sets.name_of(judge)
    digests = {"ruleset": judge.ruleset.digest, "reference": judge.reference.digest}
    log.set_up("rejudge", name, digests, {"parts": parts})
    shipped = sets.name_of(sets.judge_for(opened)) == name
    if as_json:
        output.json_rows(
            [{"set": name} | digests | {"parts_judged": parts, "is_shipped": shipped, "sets": sets.names(opened)}]
        )
        return
    usual = " (the shipped rules, the store's reference data)" if shipped else ""
    click.echo(f"{parts} parts judged: set {name}{usual}")
    others = [other for other in sets.names(opened) if other != name]
    if others:
        click.echo(f"`kholo diff --store {store} --from {others[0]} --to {name}` shows what changed and why")
