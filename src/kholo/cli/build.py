"""`kholo build`: case folders become pages."""

from __future__ import annotations

import tempfile
from datetime import datetime
from pathlib import Path

import click

from kholo.model import UsageError
from kholo.pipeline.attach import Extra, attached
from kholo.pipeline.cases import view
from kholo.pipeline.sets import judge_for
from kholo.pipeline.site import of_views
from kholo.publish import build_site
from kholo.publish.safe import web_address
from kholo.store import Store

from .options import as_of_option, by_option, case_store_option, fingerprints_option, keeper_of, moment_or_now

_EPILOG = """
\b
Examples:
  kholo build cases/x-pakistan-2024 --out site
  kholo build cases/* --store store --out site --as-of 2025-05-07
  kholo build cases/* --store store --out site --dossiers dossiers --log log --sqlite
  kholo build cases/* --out site --address https://example.org/kholo --key kholo.pub --key-name "The desk"
"""
_folder = click.Path(path_type=Path, file_okay=False, exists=True)


@click.command(epilog=_EPILOG)
@click.argument("folders", metavar="CASE...", nargs=-1, required=True, type=click.Path(path_type=Path))
@case_store_option
@click.option("--out", required=True, type=click.Path(path_type=Path, file_okay=False), help="Folder of the site.")
@click.option("--dossiers", type=_folder, help="Folder of sealed dossiers of these cases, which the site then carries.")
@click.option("--log", "log_folder", type=_folder, help="Folder of the log of dossiers, which the site then carries.")
@click.option("--sqlite", "with_sqlite", is_flag=True, help="Also make data/kholo.sqlite: every public table.")
@click.option("--address", default="", metavar="URL", help="Where the site stands on the web; needed for a sitemap.")
@click.option(
    "--key", "key_file", type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="Public key (.pub) of who publishes the site; every page names it.",
)  # fmt: skip
@click.option("--key-name", default="", help="Whose key that is, in words; else its comment.")
@as_of_option
@fingerprints_option
@by_option
def build(
    folders: tuple[Path, ...],
    store: Path | None,
    out: Path,
    dossiers: Path | None,
    log_folder: Path | None,
    with_sqlite: bool,
    address: str,
    key_file: Path | None,
    key_name: str,
    as_of: datetime | None,
    fingerprints: tuple[Path, ...],
    by: str | None,
) -> None:
    """Build the site of one or more case folders: static pages for any host. An unchanged page is not rewritten."""
    if address and web_address(address) is None:
        raise UsageError("--address: no plain http:// or https:// address")
    opened = Store(store) if store else None
    judge, moment = judge_for(opened, fingerprints), moment_or_now(as_of)
    log = keeper_of(opened, by)
    views = [view(folder, opened, judge, moment) for folder in folders]
    with tempfile.TemporaryDirectory() as work:
        extra = Extra(dossiers, log_folder, key_file, key_name, Path(work) if with_sqlite else None)
        standing, beside = attached(extra, views, opened, judge)
        files = build_site(of_views(views, opened, judge, dossiers=standing, attached=beside, address=address), out)
    for made in views:
        if log:
            log.made("build", made, out, [path for path in files if made.case.id in path.relative_to(out).parts])
    click.echo(f"{len(files)} files; begin at {out / 'index.html'}")
