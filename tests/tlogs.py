"""Logs of dossiers for tests: keys, statements, and what stands in a folder."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryFile

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from kholo.evidence import append, log, note, seal, tree
from kholo.evidence.bag import Head
from kholo.evidence.bundle import sealed, write_dossier
from kholo.evidence.shelf import Folder
from kholo.evidence.spool import Spool

from .conftest import NOW

ORIGIN = "example.org/kholo"


def signer(seed: int = 1) -> note.Signer:
    private = Ed25519PrivateKey.from_private_bytes(bytes([seed]) * 32)
    return note.Signer(private.public_key().public_bytes_raw(), private.sign)


SIGNER = signer()
KEYS = (SIGNER.key(ORIGIN),)


def inclusion(leaf_hashes: Sequence[bytes], index: int) -> list[bytes]:
    """The proof that a leaf is in a tree, computed from all leaves."""
    return [tree.root(leaf_hashes[start:end]) for start, end in tree.inclusion_ranges(index, len(leaf_hashes))]


def statement(number: int, case: str = "", simulated: bool = True) -> bytes:
    """The statement of some dossier; of one of seven cases where none is named."""
    root = sha256(b"root %d" % number).hexdigest()
    return (
        f"kholo-dossier/1\ncase: {case or f'case-{number % 7}'}\nas-of: 2026-11-25T00:00:00Z\n"
        f"simulated: {'yes' if simulated else 'no'}\nleaves: {number + 1}\nroot: sha256:{root}\n"
    ).encode()


def new(number: int, case: str = "") -> append.New:
    return append.New(statement(number, case), log.digest(b"dossier %d" % number))


def made(folder: Path, numbers: Iterable[int] = ()) -> Folder:
    """A log with dossiers of these numbers, added at once."""
    shelf = Folder(folder)
    append.create(shelf, ORIGIN, [SIGNER])
    append.append(shelf, [SIGNER], map(new, numbers))
    return shelf


def content(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def dossier(path: Path, number: int, case: str = "x-simulated") -> bytes:
    """A small dossier, written as every dossier is; gives its statement."""
    head = Head(seal.FORMAT, case, "A case", NOW, True, "kholo 0", "0a-0b", "public", {})
    with TemporaryFile() as stream:
        spool = Spool(stream)
        spool.add("data/dossier.json", head.encode())
        spool.add("data/number.txt", b"%d\n" % number)
        said, leaves = sealed(spool, head, b"secret")
        write_dossier(path, spool, head, said, leaves, {})
    return said.encode()


def key_file(path: Path, seed: int = 1, passphrase: bytes = b"") -> Path:
    """The private key of `signer(seed)` as ssh-keygen writes it."""
    private = Ed25519PrivateKey.from_private_bytes(bytes([seed]) * 32)
    hidden = BestAvailableEncryption(passphrase) if passphrase else NoEncryption()
    path.write_bytes(private.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, hidden))
    return path
