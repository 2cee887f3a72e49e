"""`kholo case translate`: a case's texts in other languages."""

from __future__ import annotations

from pathlib import Path

import click

from kholo.pipeline.casework import translated
from kholo.reference import load_services

from . import output
from .options import json_option, logs_edits


@click.command(
    epilog="\b\nExamples:\n  kholo case translate cases/x-pakistan-2024 --to ur\n"
    "  kholo case translate cases/x-pakistan-2024 --to ur --check\n\n"
    "Exit codes: 0 done; 1 with --check, a text has no translation; 2 the case or the catalogue is wrong; 3 the disk."
)
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--to", "code", required=True, metavar="LANGUAGE", help="A code such as ur or pt-BR.")
@click.option("--check", "only_check", is_flag=True, help="Write nothing; say whether every text has a translation.")
@logs_edits("edit")
@json_option
@click.pass_context
def translate(context: click.Context, folder: Path, code: str, only_check: bool, as_json: bool) -> None:
    """Bring the catalogue of the case in FOLDER up to date with its texts: languages/LANGUAGE.po, for any editor of
    gettext catalogues.

    What has a translation keeps it, new texts have none yet, and what is no text of the case any more is put aside at
    the end. Pages and papers in that language show the translation; a text without one stays as it was written. A
    text under the remark "machine text" counts as read by nobody, and pages say so: take the remark away once you have
    read it.
    """
    name, standing = translated(folder, code, load_services().ids, write=not only_check)
    if as_json:
        output.json_rows([standing])
    else:
        aside = f", {standing.unused} put aside" if standing.unused else ""
        click.echo(
            f"{folder}/{name}: {standing.translated} of {standing.texts} texts translated,"
            f" {standing.machine} of them machine text{aside}"
        )
    if only_check and standing.translated < standing.texts:
        context.exit(1)
