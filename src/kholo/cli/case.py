"""`kholo case`: working on a case folder."""

from __future__ import annotations

from pathlib import Path

import click
import msgspec

from kholo.model import CaseError
from kholo.record import load_case
from kholo.reference import load_reference

from .options import json_option

_EPILOG = """
\b
Examples:
  kholo case check cases/x-pakistan-2024
  kholo case check cases/* --json
"""


@click.group()
def case() -> None:
    """Work on a case: a folder of plain text that holds what was said, ordered and found."""


@case.command(epilog=_EPILOG)
@click.argument("folders", nargs=-1, required=True, type=click.Path(path_type=Path))
@json_option
@click.pass_context
def check(context: click.Context, folders: tuple[Path, ...], as_json: bool) -> None:
    """Check case FOLDERS, and say for each mistake where it is and what would be right."""
    wrong = 0
    for folder in folders:
        try:
            found = load_case(folder, load_reference().services.ids)
        except CaseError as error:
            wrong += 1
            _say_problems(folder, error, as_json)
            continue
        if not as_json:
            claims = sum(entry.proposition is not None for entry in found.entries)
            orders = sum(entry.obligation is not None for entry in found.entries)
            click.echo(
                f"{folder}: right. {len(found.entries)} entries, {claims} claims that can be checked,"
                f" {orders} orders with a deadline, {len(found.actors)} actors"
            )
    if wrong:
        context.exit(2)


def _say_problems(folder: Path, error: CaseError, as_json: bool) -> None:
    for problem in error.problems:
        if as_json:
            click.echo(msgspec.json.encode({"case": str(folder), **msgspec.to_builtins(problem)}))
        else:
            click.echo(f"{folder}/{problem}", err=True)
    if not as_json:
        count = len(error.problems)
        click.echo(f"{folder}: {count} {'mistake' if count == 1 else 'mistakes'}", err=True)
