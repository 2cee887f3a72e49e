"""`kholo sign` and `kholo timestamp`: who stands for a dossier, and when it was there."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import click

from kholo.evidence import keys, timestamp, tsa
from kholo.evidence.bundle import opened
from kholo.evidence.checks import Outcome, form
from kholo.evidence.witnesses import covered
from kholo.fetch.web import Web
from kholo.model import DossierError
from kholo.pipeline.dossier import signatures
from kholo.store import Store
from kholo.store.custody import Action

from .fetch import timing
from .options import by_option, case_store_option, keeper_of

_SIGN_EPILOG = """
\b
Examples:
  kholo sign x-pakistan.zip --key ~/.ssh/kholo
  kholo sign x-pakistan.zip --key desk.key --key lawyer.key
"""
_TIME_EPILOG = """
\b
Examples:
  kholo timestamp x-pakistan.zip --authority digicert --authority sectigo
  kholo timestamp x-pakistan.zip --authority https://tsa.example.org --roots its-root.pem
"""
#: Bits of the number by chance that an answer has to repeat.
_NONCE = 64
key_option = click.option(
    "--key",
    "key_files",
    multiple=True,
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="A private key in OpenSSH's form (kholo key new). May be given several times.",
)
roots_option = click.option(
    "--roots",
    "root_files",
    multiple=True,
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="PEM file of roots of timestamp authorities to trust, beside those that kholo brings.",
)


def private_keys(files: Sequence[Path]) -> list[keys.PrivateKey]:
    """The keys in files; asks for their passphrases."""
    ask = partial(click.prompt, hide_input=True, err=True)
    return [keys.load_private(file, ask) for file in files]


@click.command(epilog=_SIGN_EPILOG)
@click.argument("path", metavar="FILE", type=click.Path(path_type=Path, dir_okay=False))
@key_option
@case_store_option
@by_option
def sign(path: Path, key_files: tuple[Path, ...], store: Path | None, by: str | None) -> None:
    """Sign the dossier FILE, once it was checked to be whole. What was sealed and other signatures stay as they are."""
    if not key_files:
        raise click.UsageError("say with which key: --key FILE")
    made = private_keys(key_files)
    with opened(path) as dossier:
        _need_whole(path, [check.says for check in form(dossier) if check.outcome is Outcome.FAILED])
        tags = signatures(dossier.statement, made)
        digest = dossier.with_tags(path, tags)
        case = dossier.statement.case
    for key in made:
        click.echo(f"{path}: signed with {key.public.fingerprint}")
    _log(store, by, "sign", path, digest, case, {"keys": " ".join(key.public.fingerprint for key in made)})


def _need_whole(path: Path, wrong: list[str]) -> None:
    if wrong:
        raise DossierError(f"{path}: {wrong[0]}; nobody should sign it (kholo verify says more)")


def _log(
    store: Path | None, by: str | None, action: Action, path: Path, digest: str, case: str, about: dict[str, str]
) -> None:
    if log := keeper_of(Store(store) if store else None, by):
        log.sealed(action, path.name, digest, case, about)


@click.command("timestamp", epilog=_TIME_EPILOG)
@click.argument("path", metavar="FILE", type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "--authority", "authorities", multiple=True, required=True, metavar="NAME|ADDRESS",
    help=f"Whom to ask: {', '.join(tsa.AUTHORITIES)}, or the address of another. May be given several times.",
)  # fmt: skip
@roots_option
@case_store_option
@by_option
def stamp(
    path: Path, authorities: tuple[str, ...], root_files: tuple[Path, ...], store: Path | None, by: str | None
) -> None:
    """Have authorities say that the dossier FILE was there now (RFC 3161), and with which signatures.

    They get a digest and nothing else. A timestamp covers those that are there already, and so renews them: add one
    every few years, and before a certificate ends.
    """
    roots = (*timestamp.pinned(), *(root for file in root_files for root in timestamp.load_roots(file)))
    web = Web(timing())
    try:
        for authority in authorities:
            with opened(path) as dossier:
                place, covers = covered(dossier)
                response = tsa.ask(web, tsa.address_of(authority), covers, secrets.randbits(_NONCE), roots)
                found = timestamp.check(response, covers, roots)
                digest = dossier.with_tags(path, {f"{place}/covers.txt": covers, f"{place}/response.tsr": response})
                case = dossier.statement.case
            click.echo(f"{path}: {found.time:%Y-%m-%d %H:%M:%S} UTC, says {found.authority}; renew by {found.until:%Y}")
            about = {"authority": found.authority, "covers": hashlib.sha256(covers).hexdigest()}
            _log(store, by, "timestamp", path, digest, case, about)
    finally:
        web.close()
