"""Keys that sign logs: Ed25519 in OpenSSH's form, with bare signatures."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from kholo.model import KeyFileError

from . import keys
from .note import Signer
from .sshwire import Reader

_KIND = "ssh-ed25519"


def load(path: Path, ask: Callable[[str], str]) -> Signer:
    """The key in a file; `ask` is called with a question where it is locked. Raises as `keys.load_private` does."""
    key = keys.load_private(path, ask)
    if key.public.kind != _KIND:
        raise KeyFileError(f"{path}: is no Ed25519 key; kholo key new makes one")
    return Signer(_second(key.public.blob), lambda text: _second(key.sign(text)))


def _second(packed: bytes) -> bytes:
    """What follows after the name of the algorithm: a public key, or a signature."""
    reader = Reader(packed)
    reader.string()
    return reader.string()
