"""`kholo sources`: the archives there are, as a table and as the page of the documentation."""

from __future__ import annotations

from typing import Any

import click

from kholo.sources import registry
from kholo.sources.source import Source

from . import output
from .options import json_option

_COLUMNS = {"id": "source", "name": "archive", "how": "how", "what": "what", "terms": "terms"}


@click.command(epilog="\b\nExamples:\n  kholo sources\n  kholo sources --markdown > docs/sources.md\n")
@click.option("--markdown", is_flag=True, help="The page docs/sources.md.")
@json_option
def sources(markdown: bool, as_json: bool) -> None:
    """List the archives that can be fetched or ingested."""
    known = registry.sources()
    if as_json:
        output.json_rows(_row(source) for source in known)
    elif markdown:
        click.echo(page(known), nl=False)
    else:
        output.table((_row(source) for source in known), _COLUMNS)


def _row(source: Source) -> dict[str, Any]:
    way = source.fetch
    return {
        "id": source.id,
        "name": source.name,
        "what": source.what,
        "address": source.address,
        "terms": source.terms,
        "how": "fetch, ingest" if way else "ingest",
        "tables": [table.needed for table in source.tables],
        "files": [pattern for pattern, _ in source.files],
        "options": [{"name": one.name, "help": one.help, "default": one.default} for one in way.options] if way else [],
        "token": way.token if way else "",
        "example": way.example if way else "",
    }


def page(known: tuple[Source, ...]) -> str:
    """The page of the documentation, made from the sources themselves."""
    head = (
        "# Sources\n\n"
        "<!-- Made from the sources: kholo sources --markdown > docs/sources.md -->\n\n"
        "The archives that kholo reads. `kholo fetch` gets data over the network, `kholo ingest` reads files that you"
        " have: JSON, JSON Lines and\nthe tables named below. [Adding a source](adding-a-source.md) says how there come"
        " to be more.\n\n"
    )
    table = ["| id | archive | what | how | terms |", "|---|---|---|---|---|"]
    return head + "\n".join([*table, *(_cells(source) for source in known)]) + "\n" + "".join(map(_section, known))


def _cells(source: Source) -> str:
    how = f"`kholo fetch {source.id}`, `kholo ingest`" if source.fetch else "`kholo ingest`"
    cells = (f"`{source.id}`", f"[{source.name}]({source.address})", source.what, how, source.terms)
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _section(source: Source) -> str:
    lines = [
        f"- Tables (CSV) with the columns {', '.join(f'`{name}`' for name in one.needed)}" for one in source.tables
    ]
    lines += [f"- Files named `{pattern}`" for pattern, _ in source.files]
    if way := source.fetch:
        lines += [_option(option.name, option.help, option.default) for option in way.options]
        lines += [f"- Needs a token in `{way.token}`"] if way.token else []
        lines += [f"- Example: `{way.example}`"] if way.example else []
    return f"\n## {source.name}\n\n" + "\n".join(lines) + "\n" if lines else ""


def _option(name: str, text: str, default: str) -> str:
    return f"- `--{name.replace('_', '-')}`: {text}" + (f" Default: `{default}`." if default else "")
