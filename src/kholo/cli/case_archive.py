"""`kholo case archive`: copies of a case's sources, kept inside of it."""

from __future__ import annotations

from pathlib import Path

import click

from kholo.fetch.page import Visitor, is_public
from kholo.fetch.wait import Patience
from kholo.model.text import clean
from kholo.pipeline.archive import archive as run
from kholo.reference import load_services

from . import output
from .fetch import timing
from .options import json_option, logs_edits, moment_or_now


@click.command(
    epilog="\b\nExamples:\n  kholo case archive cases/x-pakistan-2024\n"
    "  kholo case archive cases/x-pakistan-2024 f14\n\n"
    "Exit codes: 0 all are kept; 1 some are gone or were refused, each is named; 2 the case is wrong; 3 the disk."
)
@click.argument("folder", type=click.Path(path_type=Path))
@click.argument("entry", required=False)
@click.option("--local", is_flag=True, help="Visit addresses of this machine and its own network too.")
@logs_edits("archive")
@json_option
@click.pass_context
def archive(context: click.Context, folder: Path, entry: str | None, local: bool, as_json: bool) -> None:
    """Fetch the sources of the case in FOLDER, or of one ENTRY, and keep each as a WARC with its SHA-256.

    The copies go into sources/, and the entry names them. What has a copy is not fetched again. One page at a time,
    with a pause between two of the same host. Look at the copies before you publish them: a page may show who asked.
    """
    visitor = Visitor(timing(), Patience(tries=3), (lambda _address: True) if local else is_public)
    missed = total = 0
    try:
        for kept in run(folder, entry, visitor, load_services().ids, lambda: moment_or_now(None)):
            total += 1
            missed += kept.archived is None
            if as_json:
                output.json_rows([kept])
            else:
                what = kept.archived or kept.because
                click.echo(f"{kept.entry_id}: {kept.outcome}: {clean(kept.address, 200)}: {clean(what)}")
    finally:
        visitor.close()
    if not as_json:
        click.echo(f"{folder}: {total - missed} of {total} sources without a copy now have one")
    if missed:
        context.exit(1)
