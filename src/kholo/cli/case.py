"""`kholo case`: working on a case folder."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click
import msgspec

from kholo.disk import write_if_changed
from kholo.model import Case, CaseError, Entry
from kholo.pipeline.casework import tidied
from kholo.publish.words import count
from kholo.record import load_case, load_effect
from kholo.record.format import LINKS
from kholo.record.links import links_of
from kholo.record.schema import schemas
from kholo.record.translations import texts
from kholo.reference import load_services

from . import output
from .case_archive import archive
from .case_translate import translate
from .case_write import add, edit, new
from .effect import effect
from .options import json_option, logs_edits

_LOG = {"date": "date", "entry_id": "entry", "kind": "kind", "actor": "who", "title": "what", "links": "links"}


@click.group()
def case() -> None:
    """Work on a case: a folder of plain text that holds what was said, ordered and found.

    `new` and `add` ask for what is missing when they run on a terminal, and take all of it from options in a script.
    Nothing is written that would make a right case wrong.
    """


@case.command(
    epilog="\b\nExamples:\n  kholo case check cases/x-pakistan-2024\n  kholo case check cases/* --json\n\n"
    "Exit codes: 0 all are right; 2 a case has a mistake."
)
@click.argument("folders", nargs=-1, required=True, type=click.Path(path_type=Path))
@json_option
@click.pass_context
def check(context: click.Context, folders: tuple[Path, ...], as_json: bool) -> None:
    """Check case FOLDERS, and say for each mistake where it is and what would be right."""
    wrong = 0
    for folder in folders:
        try:
            found = load_case(folder, load_services().ids)
        except CaseError as error:
            wrong += 1
            _say_problems(folder, error, as_json)
            continue
        if not as_json:
            checked = sum(entry.proposition is not None for entry in found.entries)
            orders = sum(entry.obligation is not None for entry in found.entries)
            click.echo(
                f"{folder}: right. {count(len(found.entries), 'entry', 'entries')}, of which {checked} can be checked,"
                f" {count(orders, 'order')} with a deadline, {count(len(found.actors), 'actor')}"
                f"{_translated(folder, found)}"
            )
    if wrong:
        context.exit(2)


def _translated(folder: Path, found: Case) -> str:
    """How far the translations of a case are; "" where there are none."""
    wanted = texts(found, load_effect(folder)) if found.languages else ()
    return "".join(
        f"; in {code} {sum(text in one.texts for text in wanted)} of {len(wanted)} texts"
        for code, one in sorted(found.languages.items())
    )


def _say_problems(folder: Path, error: CaseError, as_json: bool) -> None:
    for problem in error.problems:
        if as_json:
            click.echo(msgspec.json.encode({"case": str(folder), **msgspec.to_builtins(problem)}))
        else:
            click.echo(f"{folder}/{problem}", err=True)
    if not as_json:
        click.echo(f"{folder}: {count(len(error.problems), 'mistake')}", err=True)


@case.command(
    epilog="\b\nExamples:\n  kholo case fmt cases/x-pakistan-2024\n  kholo case fmt cases/* --check\n\n"
    "Exit codes: 0 done; 2 a file is not TOML, or with --check one is not in the layout."
)
@click.argument("folders", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--check", "only_check", is_flag=True, help="Write nothing; say which files are not in the layout.")
@logs_edits("edit")
@click.pass_context
def fmt(context: click.Context, folders: tuple[Path, ...], only_check: bool) -> None:
    """Put the files of case FOLDERS into the one layout: keys in the order of the format, texts in Unicode's NFC.

    Comments stay with their keys. What the files say does not change.
    """
    changed = [f"{folder}/{name}" for folder in folders for name in tidied(folder, write=not only_check)]
    for name in changed:
        click.echo(name)
    if changed and only_check:
        context.exit(2)


@case.command(
    epilog="\b\nExamples:\n  kholo case log cases/x-pakistan-2024\n  kholo case log cases/x-pakistan-2024 --json\n\n"
    "Exit codes: 0 done; 2 the case has a mistake."
)
@click.argument("folder", type=click.Path(path_type=Path))
@json_option
def log(folder: Path, as_json: bool) -> None:
    """Show the chronology of the case in FOLDER: every entry by its day, and which others it leads to."""
    found = load_case(folder, load_services().ids)
    if as_json:
        output.json_rows(_row(found, entry) for entry in found.entries)
        return
    if found.simulated:
        click.echo("SIMULATED: nothing of this happened\n")
    output.table((_shown(_row(found, entry)) for entry in found.entries), _LOG)


def _row(found: Case, entry: Entry) -> dict[str, Any]:
    return {
        "entry_id": entry.id,
        "earliest": entry.earliest,
        "latest": entry.latest,
        "kind": entry.kind,
        "actor": entry.actor,
        "title": entry.title,
        "file": entry.file,
        "links": {key.name: links for key in LINKS if (links := links_of(entry, key))},
        "sources": len(entry.sources),
        "archived": sum(source.archived is not None for source in entry.sources),
        "simulated": found.simulated,
    }


def _shown(row: dict[str, Any]) -> dict[str, Any]:
    """A row for a person: one day or both bounds, links in words."""
    day, last = row["earliest"], row["latest"]
    links = [f"{name.replace('_', ' ')} {', '.join(ids)}" for name, ids in row["links"].items()]
    return {**row, "date": str(day) if day == last else f"{day} to {last}", "links": "; ".join(links) or None}


@case.command(
    epilog="\b\nExamples:\n  kholo case schema\n  kholo case schema --out docs/schema\n\n"
    "docs/case-format.md says how an editor is told of it."
)
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), help="Write both schemas into this folder.")
def schema(out: Path | None) -> None:
    """Show the JSON Schemas of the case format, for editors: of case.toml, and of the files in entries/."""
    for name, found in schemas(load_services().ids).items():
        text = json.dumps(found, indent=2, ensure_ascii=False) + "\n"
        if out is None:
            click.echo(text, nl=False)
        else:
            write_if_changed(out / name, text.encode())
            click.echo(out / name)


for _command in (new, add, edit, translate, archive, effect):
    case.add_command(_command)
