"""`kholo rejects`: what could not be used, where it stands, and why."""

from __future__ import annotations

from pathlib import Path

import click

from kholo.store import Store, rows

from . import output
from .options import json_option, store_option

_COLUMNS = {"file": "file", "line": "line", "reason": "reason", "detail": "detail", "digest": "SHA-256"}


@click.command(epilog="\b\nExample:\n  kholo rejects --store store\n")
@store_option
@json_option
def rejects(store: Path, as_json: bool) -> None:
    """List the items of input that were rejected."""
    with Store(store).connect() as db:
        found = rows(db.execute("SELECT * FROM rejects ORDER BY file, line, reason, digest"))
        if as_json:
            output.json_rows(found)
        elif not output.table(found, _COLUMNS):
            click.echo("nothing was rejected")
