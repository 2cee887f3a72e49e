"""`kholo case wording`: every sentence that says how a claim or an order stands."""

from __future__ import annotations

import click
import msgspec

from kholo.record.wording import WORDING, page

from . import output
from .options import json_option


@click.command(
    epilog="\b\nExamples:\n  kholo case wording\n  kholo case wording --markdown > docs/assessment-wording.md\n"
)
@click.option("--markdown", is_flag=True, help="The page docs/assessment-wording.md.")
@json_option
def wording(markdown: bool, as_json: bool) -> None:
    """List every sentence that says how a claim or an order stands, and when it is said."""
    if markdown:
        click.echo(page(), nl=False)
        return
    rows = [msgspec.to_builtins(sentence) for sentence in WORDING.table.sentence]
    if as_json:
        output.json_rows(rows)
    else:
        output.table(rows, {"id": "id", "text": "sentence"})
