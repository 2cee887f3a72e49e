"""`kholo build`: case folders become pages."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import click

from kholo.model import EnvironmentFault
from kholo.pipeline.sets import judge_for
from kholo.pipeline.site import site
from kholo.publish import build_site
from kholo.publish.cards import card_maker
from kholo.publish.font import FontMaker, font_maker
from kholo.store import Store

from .options import as_of_option, by_option, case_store_option, fingerprints_option, keeper_of, moment_or_now

_EPILOG = """
\b
Examples:
  kholo build cases/x-pakistan-2024 --out site
  kholo build cases/* --store store --out site --as-of 2025-05-07
"""


@click.command(epilog=_EPILOG)
@click.argument("folders", metavar="CASE...", nargs=-1, required=True, type=click.Path(path_type=Path))
@case_store_option
@click.option("--out", required=True, type=click.Path(path_type=Path, file_okay=False), help="Folder of the site.")
@as_of_option
@fingerprints_option
@click.option(
    "--fonts", type=click.Path(path_type=Path, exists=True, file_okay=False), help="Folder with Noto Nastaliq Urdu."
)
@by_option
def build(
    folders: tuple[Path, ...],
    store: Path | None,
    out: Path,
    as_of: datetime | None,
    fingerprints: tuple[Path, ...],
    fonts: Path | None,
    by: str | None,
) -> None:
    """Build the site of one or more case folders: static pages for any host. An unchanged page is not rewritten."""
    opened = Store(store) if store else None
    judge, moment = judge_for(opened, fingerprints), moment_or_now(as_of)
    log = keeper_of(opened, by)
    whole = site(folders, opened, judge, moment, _font(fonts), has_cards=_can_draw())
    files = build_site(whole, out)
    for made in whole.views:
        if log:
            log.made("build", made, out, [path for path in files if made.case.id in path.relative_to(out).parts])
    click.echo(f"{len(files)} files; begin at {out / 'index.html'}")


def _font(folder: Path | None) -> FontMaker | None:
    """The font for the pages in Urdu. They are whole without it: what is missing is said once."""
    try:
        return font_maker([folder] if folder else [])
    except EnvironmentFault as fault:
        click.echo(f"without a font of its own: {fault}", err=True)
        return None


def _can_draw() -> bool:
    """Whether pictures for sharing can be made here; what is missing is said once."""
    try:
        card_maker()
    except EnvironmentFault as fault:
        click.echo(f"without pictures for sharing: {fault}", err=True)
        return False
    return True
