"""`kholo papers`: the campaign's papers, drawn from a case."""

from __future__ import annotations

import functools
import re
import sys
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from kholo.disk import write_if_changed
from kholo.model import UsageError
from kholo.papers import FORMATS, Signatory, kinds, languages, paper, read_answers, render, statement_digest
from kholo.papers import signatories as lists
from kholo.pipeline.cases import view
from kholo.pipeline.sets import judge_for
from kholo.publish import CaseView
from kholo.publish.csvtext import write_csv
from kholo.store import Store

from . import output
from .options import (
    as_of_option,
    by_option,
    bytes_of,
    case_store_option,
    fingerprints_option,
    json_option,
    keeper_of,
    moment_or_now,
)

_EPILOG = """
\b
Examples:
  kholo papers cases/x-pakistan-2024 --kind annexure --format pdf --out annexure.pdf
  kholo papers cases/x-pakistan-2024 --kind letter --lang ur --format html --out letter.html
  kholo papers cases/x-pakistan-2024 --kind report --lang ur --format pdf --out report.ur.pdf
  kholo papers cases/x-pakistan-2024 --all papers
"""
_LIST_EPILOG = """
\b
Examples:
  kholo signatories message cases/x-pakistan-2024 --as-of 2025-06-01 > to-sign.txt
  ssh-keygen -Y sign -n kholo-statement -f ~/.ssh/id_ed25519 to-sign.txt
  kholo signatories codes cases/x-pakistan-2024 --as-of 2025-06-01 --list signatories.csv --secret secret
  kholo signatories check cases/x-pakistan-2024 --as-of 2025-06-01 --list signatories.csv --json
"""
_ROOT = re.compile(r"(?:sha256:)?[0-9a-f]{64}")
_COLUMNS = {name: name for name in ("line", "name", "organisation", "check", "why", "key")}
_list_option = click.option(
    "--list",
    "listed",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="CSV of signatories: name, organisation, address, code, key, signature.",
)
_secret_option = click.option(
    "--secret",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="File with the secret that codes for addresses are made with.",
)
_fonts_option = click.option(
    "--fonts",
    multiple=True,
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    envvar="KHOLO_FONTS",
    help="Folder with fonts for PDF, beside the system's. [env: KHOLO_FONTS]",
)


def _of_case(command: Callable[..., None]) -> Callable[..., None]:
    """Adds what names a case, its evidence and a language; the command gets the view of it."""

    @functools.wraps(command)
    def run(
        folder: Path, store: Path | None, as_of: datetime | None, fingerprints: tuple[Path, ...], **others: Any
    ) -> None:
        opened = Store(store) if store else None
        command(view(folder, opened, judge_for(opened, fingerprints), moment_or_now(as_of)), **others)

    for option in (
        click.option("--lang", default="en", type=click.Choice(languages()), show_default=True),
        fingerprints_option,
        as_of_option,
        case_store_option,
        click.argument("folder", metavar="CASE", type=click.Path(path_type=Path)),
    ):
        run = option(run)
    return run


def _root(_context: click.Context, _option: click.Parameter, value: str) -> str:
    if value and not _ROOT.fullmatch(value):
        raise UsageError("--root is 64 hexadecimal digits, in small letters: the line root of seal/statement.txt")
    return value.removeprefix("sha256:")


@click.command(epilog=_EPILOG)
@_of_case
@click.option("--kind", type=click.Choice(kinds()), help="Which paper.")
@click.option("--format", "form", default="html", type=click.Choice(FORMATS), show_default=True)
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="File to write.")
@click.option(
    "--all",
    "every",
    type=click.Path(path_type=Path, file_okay=False),
    help="Write all kinds, languages and formats here.",
)
@_list_option
@_secret_option
@_fonts_option
@click.option(
    "--root", default="", callback=_root, help="Root of the dossier that a report belongs to (64 hex digits)."
)
@click.option(
    "--certificate",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="TOML with the answers of who swears to a report, by field.",
)
@by_option
def papers(
    seen: CaseView,
    kind: str | None,
    lang: str,
    form: str,
    out: Path | None,
    every: Path | None,
    listed: Path | None,
    secret: Path | None,
    fonts: tuple[Path, ...],
    root: str,
    certificate: Path | None,
    by: str | None,
) -> None:
    """Write a paper of CASE: statement, letter, information request, annexure, bulletin or report for a court.

    Every figure has a note.
    """
    answers = read_answers(certificate) if certificate else {}
    if every is None and (kind is None or out is None):
        raise UsageError("give --kind and --out, or --all FOLDER")
    if every is None:
        wanted = [(str(kind), lang, form, Path(str(out)))]
    else:
        wanted = [
            (one, code, end, every / f"{seen.case.id}-{one}.{code}.{end}")
            for one in kinds()
            for code in languages()
            for end in FORMATS
        ]
    store = click.get_current_context().params["store"]
    log = keeper_of(Store(store) if store else None, by)
    for one, code, end, path in wanted:
        names = _read(seen, one, code, listed, secret) if listed else ()
        write_if_changed(path, render(paper(seen, one, code, names, root=root, answers=answers), end, fonts))
        click.echo(str(path))
    if log:
        log.made("papers", seen, every or wanted[0][-1], [path for *_, path in wanted])


@click.group(epilog=_LIST_EPILOG)
def signatories() -> None:
    """Who put their name to a statement: what is signed, codes for addresses, and how each signature was checked."""


@signatories.command(epilog=_LIST_EPILOG)
@_of_case
def message(seen: CaseView, lang: str) -> None:
    """Print the bytes that a key signs for the joint statement of CASE."""
    click.echo(lists.message(statement_digest(seen, "statement", lang)).decode(), nl=False)


@signatories.command(epilog=_LIST_EPILOG)
@_of_case
@_list_option
@_secret_option
def codes(
    seen: CaseView,
    lang: str,
    listed: Path | None,
    secret: Path | None,
) -> None:
    """Print a code for each address of the list, to be mailed there. This holds addresses: keep it to yourself."""
    if listed is None or secret is None:
        raise UsageError("codes need --list and --secret")
    digest = statement_digest(seen, "statement", lang)
    made = lists.codes(listed, digest, bytes_of(secret, lists.MAX_SECRET))
    rows = [{"address": address, "code": code} for address, code in made]
    write_csv(rows, sys.stdout)


@signatories.command(epilog=_LIST_EPILOG)
@_of_case
@_list_option
@_secret_option
@json_option
def check(
    seen: CaseView,
    lang: str,
    listed: Path | None,
    secret: Path | None,
    as_json: bool,
) -> None:
    """Check each signature under the joint statement of CASE. Exit code 1: some are wrong. No address is shown."""
    if listed is None:
        raise UsageError("check needs --list")
    found = _read(seen, "statement", lang, listed, secret)
    shown = [
        {
            "name": item.name,
            "organisation": item.organisation,
            "check": item.check.value,
            "why": item.why,
            "key": item.key,
            "line": item.line,
            "simulated": seen.simulated,
        }
        for item in found
    ]
    if as_json:
        output.json_rows(shown)
    else:
        output.table(shown, _COLUMNS)
    if not all(item.is_counted for item in found):
        click.get_current_context().exit(1)


def _read(seen: CaseView, kind: str, code: str, listed: Path, secret: Path | None) -> Sequence[Signatory]:
    known = bytes_of(secret, lists.MAX_SECRET) if secret else None
    return lists.read(listed, statement_digest(seen, kind, code), known)
