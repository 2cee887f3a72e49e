"""`kholo case effect`: what a block did to people, as ranges, with the inputs and the method."""

from __future__ import annotations

import math
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

import click
import msgspec

from kholo.model import Effect, UsageError
from kholo.model.text import clean
from kholo.pipeline.cases import assessed, case_effect
from kholo.pipeline.sets import judge_for
from kholo.publish.effects import METHOD, UNKNOWN, changed_words, effect_rows, input_words, range_words
from kholo.store import Store

from . import output
from .options import as_of_option, case_store_option, fingerprints_option, json_option, moment_or_now

_EPILOG = """
\b
Examples:
  kholo case effect cases/zz-simulated --store store
  kholo case effect cases/zz-simulated --store store --set users.high=700000 --set use.low=0.1
"""


@click.command(epilog=_EPILOG)
@click.argument("folder", metavar="CASE", type=click.Path(path_type=Path))
@case_store_option
@as_of_option
@fingerprints_option
@click.option(
    "--set", "changes", multiple=True, metavar="INPUT.END=NUMBER", help="Change low, central or high of an input."
)
@json_option
def effect(
    folder: Path,
    store: Path | None,
    as_of: datetime | None,
    fingerprints: tuple[Path, ...],
    changes: tuple[str, ...],
    as_json: bool,
) -> None:
    """Estimate hours blocked, users affected, hours lost and cost of CASE. Inputs stand in its effect.toml."""
    opened, moment = (Store(store) if store else None), moment_or_now(as_of)
    found = assessed(folder, opened, judge_for(opened, fingerprints), moment)
    made = case_effect(folder, found, moment, _changes(changes))
    if as_json:
        output.json_rows(_rows(made, found.case.simulated))
        return
    if found.case.simulated:
        click.echo("SIMULATED: nothing of this happened\n")
    _show(made)


def _changes(given: Iterable[str]) -> dict[str, float]:
    found: dict[str, float] = {}
    for item in given:
        path, _, number = item.partition("=")
        try:
            value = float(number)
        except ValueError:
            value = math.nan
        if not math.isfinite(value):
            raise UsageError(f"--set {clean(item)}: write an input, its end and a number, such as users.high=6000000")
        found[path.strip()] = value
    return found


def _rows(made: Effect, simulated: bool) -> Iterable[dict[str, Any]]:
    for item in made.estimates:
        yield {**msgspec.to_builtins(item), "method": METHOD[item.measure], "simulated": simulated}
    for given in made.inputs:
        yield {"input": given.name, **msgspec.to_builtins(given), "simulated": simulated}


def _show(made: Effect) -> None:
    for row in effect_rows(made):
        click.echo(f"{row.name}: {row.says}")
        click.echo(f"  {row.method}")
        if row.estimate.evidence:
            grade = f", grade {row.estimate.grade}" if row.estimate.grade else ""
            click.echo(f"  hours from {', '.join(row.estimate.evidence)}{grade}")
    if made.inputs:
        click.echo("\nInputs:")
    for item in made.inputs:
        marks = [changed_words(item)] if item.changed else []
        marks += ["assumption, to be reviewed"] if item.is_assumption else []
        more = f" [{'; '.join(marks)}]" if marks else ""
        click.echo(f"  {item.name}: {range_words(item.range)} ({item.unit}, {item.year}){more}")
        click.echo(f"    {input_words(item.name)}: {clean(item.says, 240)}")
        for source in item.sources:
            click.echo(clean(f"    {source.publisher} {source.address}, read {source.read}", 240))
    click.echo("\nWhat these estimates leave open:")
    for key in made.unknown:
        click.echo(f"  - {UNKNOWN[key]}")
