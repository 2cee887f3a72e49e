"""`kholo redact`: a dossier without what must not be seen, still under the same root and signatures."""

from __future__ import annotations

import sys
from pathlib import Path

import click
import msgspec

from kholo.evidence import redact as parts
from kholo.evidence.bundle import opened

from .options import by_option, json_option, keeper_at, log_store_option

_EPILOG = """
\b
Examples:
  kholo redact case.zip --out public.zip --text "A. Witness" --because "the person is in danger"
  kholo redact case.zip --out public.zip --withhold case/entries/f17-source.toml --because "asked by the source"
"""


@click.command(epilog=_EPILOG)
@click.argument("path", metavar="FILE", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--out", required=True, type=click.Path(path_type=Path, dir_okay=False), help="The new file.")
@click.option(
    "--withhold", "paths", multiple=True, metavar="PATH", help="A file or folder of the payload to leave out."
)
@click.option("--text", "texts", multiple=True, help="A text to black out wherever it stands, such as a name.")
@click.option("--because", required=True, help="Why; it stands in the new file.")
@log_store_option
@by_option
@json_option
def redact(
    path: Path,
    out: Path,
    paths: tuple[str, ...],
    texts: tuple[str, ...],
    because: str,
    store: Path | None,
    by: str | None,
    as_json: bool,
) -> None:
    """Write FILE anew without some of its parts. Its root, signatures and times go on to hold.

    The place of what is withheld stays in the tree, so that a reader sees that something is missing, why, and that
    nothing else was changed. What was made of it and can't be searched is left out too.
    """
    log = keeper_at(store, by)
    with opened(path) as dossier:
        done = parts.redact(dossier, out, paths, texts, because)
        case = dossier.statement.case
    if log:
        log.sealed("redact", out.name, done.digest, case, {"of": path.name})
    if as_json:
        sys.stdout.buffer.write(msgspec.json.encode(done) + b"\n")
        return
    for name in done.withheld:
        click.echo(f"left out     {name}")
    for name in done.blacked:
        click.echo(f"blacked out  {name}")
    click.echo(f"{out}: {done.digest}")
    click.echo("Look it through before it leaves you: what is written otherwise was not found. kholo verify checks it.")
