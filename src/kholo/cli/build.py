"""`kholo build`: case folders become pages."""

from __future__ import annotations

import tempfile
from datetime import datetime
from pathlib import Path

import click

from kholo.pipeline.attach import Extra
from kholo.pipeline.cases import view
from kholo.pipeline.sets import judge_for
from kholo.pipeline.site import write_site
from kholo.store import Store

from .options import as_of_option, by_option, case_store_option, fingerprints_option, keeper_of, moment_or_now
from .site_options import site_options, with_looks

_EPILOG = """
\b
Examples:
  kholo build cases/x-pakistan-2024 --out site
  kholo build cases/* --store store --out site --as-of 2025-05-07
  kholo build cases/* --store store --out site --dossiers dossiers --log log --sqlite
  kholo build cases/* --out site --address https://example.org/kholo --key kholo.pub --key-name "The desk"
"""


@click.command(epilog=_EPILOG)
@click.argument("folders", metavar="CASE...", nargs=-1, required=True, type=click.Path(path_type=Path))
@case_store_option
@click.option("--out", required=True, type=click.Path(path_type=Path, file_okay=False), help="Folder of the site.")
@site_options
@as_of_option
@fingerprints_option
@by_option
def build(
    folders: tuple[Path, ...],
    store: Path | None,
    out: Path,
    extra: Extra,
    as_of: datetime | None,
    fingerprints: tuple[Path, ...],
    by: str | None,
) -> None:
    """Build the site of one or more case folders: static pages for any host. An unchanged page is not rewritten."""
    opened = Store(store) if store else None
    judge, moment = judge_for(opened, fingerprints), moment_or_now(as_of)
    log = keeper_of(opened, by)
    views = [view(folder, opened, judge, moment) for folder in folders]
    with tempfile.TemporaryDirectory() as work:
        files = write_site(views, opened, judge, with_looks(extra), out, Path(work))
    for made in views:
        if log:
            log.made("build", made, out, [path for path in files if made.case.id in path.relative_to(out).parts])
    click.echo(f"{len(files)} files; begin at {out / 'index.html'}")
