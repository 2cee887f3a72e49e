"""`kholo sign` and `kholo timestamp`: who stands for a dossier, and when it was there."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from kholo.evidence import keys, timestamp, tsa
from kholo.evidence.bundle import opened
from kholo.evidence.checks import Outcome, form
from kholo.evidence.witnesses import covered, proof_place
from kholo.fetch.web import Web
from kholo.model import DossierError
from kholo.pipeline.custody import Keeper
from kholo.pipeline.dossier import signatures

from .fetch import timing
from .options import by_option, keeper_at, log_store_option

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

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
  kholo timestamp x-pakistan.zip --proof statement.txt.ots
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
@log_store_option
@by_option
def sign(path: Path, key_files: tuple[Path, ...], store: Path | None, by: str | None) -> None:
    """Sign the dossier FILE, once it was checked to be whole. What was sealed and other signatures stay as they are."""
    if not key_files:
        raise click.UsageError("say with which key: --key FILE")
    log = keeper_at(store, by)
    made = private_keys(key_files)
    with opened(path) as dossier:
        _need_whole(path, [check.says for check in form(dossier) if check.outcome is Outcome.FAILED])
        tags = signatures(dossier.statement, made)
        digest = dossier.with_tags(path, tags)
        case = dossier.statement.case
    for key in made:
        click.echo(f"{path}: signed with {key.public.fingerprint}")
    if log:
        log.sealed("sign", path.name, digest, case, {"keys": " ".join(key.public.fingerprint for key in made)})


def _need_whole(path: Path, wrong: list[str]) -> None:
    if wrong:
        raise DossierError(f"{path}: {wrong[0]}; nobody should sign it (kholo verify says more)")


@click.command("timestamp", epilog=_TIME_EPILOG)
@click.argument("path", metavar="FILE", type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "--authority", "authorities", multiple=True, metavar="NAME|ADDRESS",
    help=f"Whom to ask: {', '.join(tsa.AUTHORITIES)}, or the address of another. May be given several times.",
)  # fmt: skip
@click.option(
    "--proof", "proofs", multiple=True, type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="A finished proof of OpenTimestamps over seal/statement.txt (.ots), to be put in. Asks nobody.",
)  # fmt: skip
@roots_option
@log_store_option
@by_option
def stamp(
    path: Path,
    authorities: tuple[str, ...],
    proofs: tuple[Path, ...],
    root_files: tuple[Path, ...],
    store: Path | None,
    by: str | None,
) -> None:
    """Have authorities say that the dossier FILE was there now (RFC 3161), and with which signatures.

    They get a digest and nothing else. A timestamp covers those that are there already, and so renews them: add one
    every few years, and before a certificate ends.
    """
    if not authorities and not proofs:
        raise click.UsageError("say whom to ask, or what to put in: --authority NAME, --proof FILE")
    log = keeper_at(store, by)
    for proof in proofs:
        _put_in(path, keys.read(proof), log)
    if authorities:
        roots = (*timestamp.pinned(), *(root for file in root_files for root in timestamp.load_roots(file)))
        _ask(path, [tsa.address_of(authority) for authority in authorities], roots, log)


def _put_in(path: Path, proof: bytes, log: Keeper | None) -> None:
    with opened(path) as dossier:
        digest = dossier.with_tags(path, {proof_place(dossier, proof): proof})
        case = dossier.statement.case
    click.echo(f"{path}: has the proof; kholo verify --bitcoin-headers checks it")
    if log:
        log.sealed("timestamp", path.name, digest, case, {"proof": hashlib.sha256(proof).hexdigest()})


def _ask(path: Path, addresses: Sequence[str], roots: Sequence[Certificate], log: Keeper | None) -> None:
    web = Web(timing())
    try:
        for address in addresses:
            with opened(path) as dossier:
                place, covers = covered(dossier)
                response = tsa.ask(web, address, covers, secrets.randbits(_NONCE), roots)
                found = timestamp.check(response, covers, roots)
                digest = dossier.with_tags(path, {f"{place}/covers.txt": covers, f"{place}/response.tsr": response})
                case = dossier.statement.case
            click.echo(f"{path}: {found.time:%Y-%m-%d %H:%M:%S} UTC, says {found.authority}; renew by {found.until:%Y}")
            about = {"authority": found.authority, "covers": hashlib.sha256(covers).hexdigest()}
            if log:
                log.sealed("timestamp", path.name, digest, case, about)
    finally:
        web.close()
