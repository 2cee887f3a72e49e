"""`kholo export`: a case in the field's formats."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import click

from kholo.pipeline.cases import view
from kholo.pipeline.database import database
from kholo.pipeline.sets import judge_for
from kholo.publish.exports import FORMATS, write_export
from kholo.store import Store

from .options import as_of_option, by_option, case_store_option, fingerprints_option, keeper_of, moment_or_now

_EPILOG = """
\b
Examples:
  kholo export cases/x-brazil-2024 --format stop --out brazil.csv
  kholo export cases/x-pakistan-2024 --store store --format csv --out pakistan.zip
  kholo export cases/x-pakistan-2024 --format claimreview --url https://example.org/x-pakistan-2024/ --out claims.json
  kholo export cases/x-pakistan-2024 --format atom --out site/x-pakistan-2024/changes.atom
  kholo export cases/x-pakistan-2024 --store store --format sqlite --out kholo.sqlite
"""
#: Not made in memory as the others are, since it holds every verdict.
_SQLITE = "sqlite"


@click.command(epilog=_EPILOG)
@click.argument("folder", metavar="CASE", type=click.Path(path_type=Path))
@case_store_option
@click.option(
    "--format", "kind", required=True, type=click.Choice([*FORMATS, _SQLITE]), help="docs/exports.md tells them."
)
@click.option(
    "--out", required=True, type=click.Path(path_type=Path), help="File to write; of csv a folder, or a .zip."
)
@click.option("--url", default="", metavar="URL", help="The address at which the page of the case stands.")
@as_of_option
@fingerprints_option
@by_option
def export(
    folder: Path,
    store: Path | None,
    kind: str,
    out: Path,
    url: str,
    as_of: datetime | None,
    fingerprints: tuple[Path, ...],
    by: str | None,
) -> None:
    """Write CASE in a format of the field. An unchanged file is not rewritten."""
    opened = Store(store) if store else None
    log = keeper_of(opened, by)
    judge = judge_for(opened, fingerprints)
    made = view(folder, opened, judge, moment_or_now(as_of))
    files = database([made], opened, judge, out) if kind == _SQLITE else write_export(made, kind, out, url)
    if log:
        log.made("export", made, out, files)
    for path in files:
        click.echo(path)
