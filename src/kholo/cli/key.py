"""`kholo key`: keys to sign with."""

from __future__ import annotations

import os
import secrets
import sys
from pathlib import Path

import click

from kholo.evidence import keys, mirror, seal
from kholo.evidence.signers import allowed_line
from kholo.model import KeyFileError

from . import output
from .options import json_option

_EPILOG = """
\b
Examples:
  kholo key new ~/.ssh/kholo --comment "Digital rights desk"
  kholo key show ~/.ssh/kholo.pub
  kholo key show ~/.ssh/kholo.pub --principal desk@example.org >> allowed-signers
"""


#: What a key may sign, in the line for a file of allowed signers.
_SPACES = f"{seal.NAMESPACE},{mirror.NAMESPACE}"


@click.group(epilog=_EPILOG)
def key() -> None:
    """Make and show keys to sign with, in the files of OpenSSH."""


@key.command(epilog=_EPILOG)
@click.argument("path", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--comment", default="", help="A note for people in the public file; it proves nothing.")
@click.option("--no-passphrase", is_flag=True, help="Leave the file open: whoever reads it can sign.")
@json_option
def new(path: Path, comment: str, no_passphrase: bool, as_json: bool) -> None:
    """Make an Ed25519 key: PATH for you alone, PATH.pub for everybody. Nothing is ever overwritten."""
    public = path.with_name(path.name + ".pub")
    for file in (path, public):
        if os.path.lexists(file):
            raise KeyFileError(f"{file}: is there already; a key is never overwritten")
    passphrase = "" if no_passphrase else _passphrase()
    made = keys.new_private(secrets.token_bytes(32), comment)
    _write(path, made.file(passphrase), 0o600)
    _write(public, made.public.line.encode() + b"\n", 0o644)
    _tell(made.public, "", as_json)


@key.command(epilog=_EPILOG)
@click.argument("path", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@click.option("--principal", default="", help="Who signs with it, such as desk@example.org; gives only that line.")
@json_option
def show(path: Path, principal: str, as_json: bool) -> None:
    """Show a key, private or public: its fingerprint, its line, and the line for a file of allowed signers."""
    data = keys.read(path)
    if data.startswith(b"-----BEGIN"):
        shown = keys.load_private(path, lambda question: click.prompt(question, hide_input=True, err=True)).public
    else:
        shown = keys.load_public(data.decode("utf-8", "replace"))
    if principal and not as_json:
        click.echo(allowed_line(_name(principal), shown, _SPACES))
    else:
        _tell(shown, principal, as_json)


def _tell(shown: keys.PublicKey, principal: str, as_json: bool) -> None:
    row = {
        "id": shown.id,
        "fingerprint": shown.fingerprint,
        "public": shown.line,
        "allowed": allowed_line(_name(principal or "somebody@example.org"), shown, _SPACES),
    }
    if as_json:
        output.json_rows([row])
        return
    for name, value in row.items():
        click.echo(f"{name + ':':<13}{value}")


def _name(principal: str) -> str:
    if not principal.isprintable() or any(sign in principal for sign in ' ",!#'):
        raise KeyFileError("the name of a signer has no spaces, commas, quotes, # or !")
    return principal


def _passphrase() -> str:
    if not sys.stdin.isatty():
        raise KeyFileError("nobody is there to be asked for a passphrase: add --no-passphrase to leave the key open")
    asked: str = click.prompt(
        "Passphrase (empty: none)", default="", hide_input=True, confirmation_prompt=True, show_default=False, err=True
    )
    return asked


def _write(path: Path, content: bytes, mode: int) -> None:
    """Made for its owner alone from the first moment on."""
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise KeyFileError(f"{path}: can't be written: {error.strerror or error}") from None
