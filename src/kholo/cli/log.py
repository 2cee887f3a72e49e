"""`kholo log`: the append-only signed log of dossiers, as files that any host can serve."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click

from kholo.disk import file_digest, write_if_changed
from kholo.evidence import append, log, note, signer, tlog
from kholo.evidence.audit import Audit, audit
from kholo.evidence.bundle import opened
from kholo.evidence.faults import Malformed
from kholo.evidence.shelf import Folder, Site
from kholo.evidence.witnesses import log_place
from kholo.fetch.web import Web
from kholo.model import UsageError
from kholo.model.text import clean

from . import output
from .fetch import timing
from .options import by_option, bytes_of, json_option, keeper_at, log_store_option

_EPILOG = """
\b
Examples:
  kholo log new log --origin example.org/kholo --key ~/.ssh/id_ed25519
  kholo log add log x-pakistan-2024.zip --key ~/.ssh/id_ed25519
  kholo log show https://example.org/kholo --case x-pakistan-2024
  kholo log check https://example.org/kholo --trust example.org/kholo+29d21d33+AYqI… --keep last
  kholo log check https://example.org/kholo --trust example.org/kholo+29d21d33+AYqI… --seen last --keep last
  kholo log proof log x-pakistan-2024.zip --into
"""
_COLUMNS = {
    "index": "entry", "case": "case", "as_of": "as of", "simulated": "simulated", "root": "root",
    "supersedes": "supersedes", "superseded_by": "superseded by",
}  # fmt: skip
_ADDED = {"index": "entry", "case": "case", "as_of": "as of", "simulated": "simulated", "is_new": "new", "file": "file"}

_folder_argument = click.argument("folder", metavar="FOLDER", type=click.Path(path_type=Path, file_okay=False))
_place_argument = click.argument("place", metavar="FOLDER|ADDRESS")
_dossier = click.Path(path_type=Path, dir_okay=False, exists=True)
_key_option = click.option(
    "--key",
    "keys",
    multiple=True,
    required=True,
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="File with a private Ed25519 key in OpenSSH's form. May be given several times.",
)
_trust_option = click.option(
    "--trust",
    "trusted",
    multiple=True,
    metavar="KEY|FILE",
    help="Public key of the log or of a witness, or a file of them, known from elsewhere; else the log's own is taken.",
)
_seen_option = click.option(
    "--seen",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="A checkpoint of this log that you kept: the log must go on from there.",
)


@click.group("log", epilog=_EPILOG)
def log_command() -> None:
    """A public log of dossiers that only grows, so that quietly replacing one is seen. `docs/log.md`."""


@log_command.command(epilog=_EPILOG)
@_folder_argument
@click.option("--origin", required=True, help="The log's name for good: its address without https://.")
@_key_option
def new(folder: Path, origin: str, keys: tuple[Path, ...]) -> None:
    """Begin a log in FOLDER, without entries yet, and print the public key by which others will check it."""
    signers = _signers(keys)
    append.create(Folder(folder), origin, signers)
    for one in signers:
        click.echo(str(one.key(origin)))


@log_command.command(epilog=_EPILOG)
@_folder_argument
@click.argument("dossiers", metavar="DOSSIER...", nargs=-1, required=True, type=_dossier)
@_key_option
@log_store_option
@by_option
@json_option
def add(
    folder: Path, dossiers: tuple[Path, ...], keys: tuple[Path, ...], store: Path | None, by: str | None, as_json: bool
) -> None:
    """Add each DOSSIER to the log in FOLDER. One that is there already is not added again. Nothing can be taken out."""
    custody = keeper_at(store, by)
    signers = _signers(keys)
    wanted = [append.New(_statement(path), f"sha256:{file_digest(path)}") for path in dossiers]
    found = append.append(Folder(folder), signers, wanted)
    for path, one in zip(dossiers, found, strict=True):
        if custody and one.is_new:
            digest = one.entry.dossier.removeprefix("sha256:")
            custody.sealed("log", path.name, digest, one.entry.case, {"entry": str(one.index)})
    _print(
        [
            {**_row(one.index, one.entry), "is_new": one.is_new, "file": str(path)}
            for path, one in zip(dossiers, found, strict=True)
        ],
        _ADDED,
        as_json,
    )


@log_command.command(epilog=_EPILOG)
@_place_argument
@click.option("--case", "case_id", metavar="ID", help="Only the dossiers of this case.")
@_trust_option
@json_option
def show(place: str, case_id: str | None, trusted: tuple[str, ...], as_json: bool) -> None:
    """List the dossiers in a log, and which of them a later one superseded."""
    with reader_of(place) as reader:
        found = log.read(reader, _keys(reader, trusted))
    after = {entry.supersedes: index for index, entry in enumerate(found.entries)}
    rows = [
        {**_row(index, entry), "superseded_by": after.get(index)}
        for index, entry in enumerate(found.entries)
        if case_id in (None, entry.case)
    ]
    _print(rows, _COLUMNS, as_json)


@log_command.command(epilog=_EPILOG)
@_place_argument
@_seen_option
@click.option(
    "--keep",
    type=click.Path(path_type=Path, dir_okay=False),
    help="File for the checkpoint, if all is right; may be the one of --seen.",
)
@_trust_option
@json_option
def check(place: str, seen: Path | None, keep: Path | None, trusted: tuple[str, ...], as_json: bool) -> None:
    """Compute a log anew from its entries and compare every file and signature. Exit code 1: something is wrong."""
    old = bytes_of(seen, note.MAX_NOTE) if seen else None
    with reader_of(place) as reader:
        found = audit(reader, _keys(reader, trusted), old)
    if keep:
        write_if_changed(keep, found.log.opened.data)
    facts = _facts(found, bool(trusted))
    if as_json:
        output.json_rows([facts])
        return
    for name, value in facts.items():
        texts = value if isinstance(value, list) else [value]
        shown = ", ".join(clean(str(text), 300) for text in texts) if texts != [None] else ""
        click.echo(f"{name.replace('_', ' ')}: {shown or 'none'}")


@log_command.command(epilog=_EPILOG)
@_place_argument
@click.argument("dossier", metavar="DOSSIER", type=_dossier)
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="File to write.")
@click.option("--into", is_flag=True, help="Put it into DOSSIER itself, in the place of an older one of this log.")
@_trust_option
@log_store_option
@by_option
def proof(
    place: str,
    dossier: Path,
    out: Path | None,
    into: bool,
    trusted: tuple[str, ...],
    store: Path | None,
    by: str | None,
) -> None:
    """Write the proof that DOSSIER is in a log, to be kept with it: it can be checked without the log."""
    if (out is None) is not into:
        raise click.UsageError("say where to write it: --out FILE, or --into for the dossier itself")
    custody = keeper_at(store, by)
    with reader_of(place) as reader:
        keys = _keys(reader, trusted)
        found = log.check(reader, _statement(dossier), keys)
        made = log.proof(reader, found.index, keys)
    if out:
        write_if_changed(out, made)
    else:
        with opened(dossier) as whole:
            digest = whole.with_tags(dossier, {log_place(made): made})
            case = whole.statement.case
        if custody:
            custody.sealed("log", dossier.name, digest, case, {"proof": found.origin})
    click.echo(f"entry {found.index} of {found.size}: {out or dossier}")


def _facts(found: Audit, is_trusted: bool) -> dict[str, Any]:
    head, signed = found.log.opened.head, found.log.opened.signed
    return {
        "origin": head.origin,
        "entries": head.size,
        "root": head.root.hex(),
        "signed_by": [str(one.key) for one in signed if one.at is None],
        "keys_from": "given" if is_trusted else "the log itself: whoever serves it could have put them there",
        "witnesses": [f"{one.key.name} at {one.at:%Y-%m-%dT%H:%M:%SZ}" for one in signed if one.at is not None],
        "signatures_not_checked": list(found.log.opened.others),
        "files_compared": found.tiles,
        "files_not_signed_yet": found.unsigned,
        "goes_on_from_size": found.seen,
    }


def _row(index: int, entry: log.Entry) -> dict[str, Any]:
    return {
        "index": index,
        "case": entry.case,
        "as_of": entry.as_of,
        "simulated": entry.simulated,
        "root": entry.root,
        "statement": entry.statement,
        "dossier": entry.dossier,
        "supersedes": entry.supersedes,
    }


def _print(rows: list[dict[str, Any]], columns: dict[str, str], as_json: bool) -> None:
    if as_json:
        output.json_rows(rows)
    else:
        output.table(({**row, "root": row["root"][:23]} for row in rows), columns)


@contextmanager
def reader_of(place: str) -> Iterator[tlog.Reader]:
    """A folder, or an address on the web. Raises `UsageError`."""
    if not place.startswith(("http://", "https://")):
        yield Folder(Path(place))
        return
    parts = urlsplit(place)
    if not parts.hostname or parts.query or parts.fragment or not place.isascii() or not place.isprintable():
        raise UsageError(f"{clean(place)}: is no address of a log, such as https://example.org/kholo")
    web = Web(timing())
    try:
        yield Site(web, place)
    finally:
        web.close()


def _keys(reader: tlog.Reader, trusted: Sequence[str]) -> Sequence[note.Key]:
    """The keys to trust: those given, else those beside the log. Raises `UsageError`, `Malformed`."""
    return trusted_keys(trusted) or log.own_keys(reader)


def trusted_keys(trusted: Sequence[str]) -> Sequence[note.Key]:
    """The public keys of logs and witnesses that were given, each as text or in a file. Raises `UsageError`."""
    lines: list[str] = []
    for text in trusted:
        is_file = len(text) < 256 and Path(text).is_file()
        lines += bytes_of(Path(text), log.MAX_KEYS).decode("utf-8", "replace").splitlines() if is_file else [text]
    try:
        return [note.parse_key(line) for line in lines]
    except Malformed as error:
        raise UsageError(f"no key of a log: {error}") from None


def _signers(paths: Sequence[Path]) -> list[note.Signer]:
    return [signer.load(path, partial(click.prompt, hide_input=True, err=True)) for path in paths]


def _statement(path: Path) -> bytes:
    with opened(path) as dossier:
        return dossier.statement.encode()
