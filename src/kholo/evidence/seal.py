"""The seal: a Merkle tree over the payload, and the statement that is signed. docs/dossier-format.md has the form.

Each leaf holds a salt beside the digest of its file, so that who is not given a file can't try out what stood in it.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterable, Sequence
from datetime import datetime

import msgspec

from kholo.model import DossierError

from . import tree
from .statement import MOMENT, ROOT, SHA256, Form, moment_text

FORMAT = "kholo-dossier/1"
STATEMENT, LEAVES = "seal/statement.txt", "seal/leaves.jsonl"
NAMESPACE = "kholo-dossier"
SALT = 32
_PURPOSE = b"kholo-dossier salt/1\0"
#: As in the files of a case: no sum with another moment leads out of the calendar.
_YEARS = range(1990, 2101)
_HEX = re.compile(r"[0-9a-f]{64}")
#: An id that a case of a dossier can have.
CASE = r"[a-z0-9-]{1,100}"
_FORM = Form(
    FORMAT,
    "dossier",
    STATEMENT,
    {"case": CASE, "as-of": MOMENT, "simulated": "yes|no", "leaves": r"0|[1-9]\d{0,7}", "root": ROOT},
)


class Statement(msgspec.Struct, frozen=True):
    """What is signed. `as_of` is UTC; `root` (hex) stands over `leaves` leaves."""

    case: str
    as_of: datetime
    simulated: bool
    leaves: int
    root: str

    def encode(self) -> bytes:
        """The bytes that are signed."""
        if not re.fullmatch(CASE, self.case):
            raise DossierError(f"{self.case!a}: no dossier can have this case id (a-z, 0-9, -)")
        if self.as_of.year not in _YEARS:
            raise DossierError(f"{self.as_of:%Y-%m-%d}: no dossier is of that year")
        simulated = "yes" if self.simulated else "no"
        return _FORM.encode(self.case, moment_text(self.as_of), simulated, str(self.leaves), f"{SHA256}{self.root}")

    @classmethod
    def decode(cls, data: bytes) -> Statement:
        """Raises `DossierError` for anything that `encode` would not have written."""
        case, at, simulated, leaves, root = _FORM.decode(data)
        as_of = _FORM.moment(at)
        if as_of.year not in _YEARS:
            raise DossierError(f"{STATEMENT}: no dossier is of the year {as_of.year}")
        return cls(case, as_of, simulated == "yes", int(leaves), root.removeprefix(SHA256))


class Leaf(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """One leaf of the tree (all hex).

    Of a file that is there: its `path`, `sha256` and `salt`. Of one that is withheld: the `leaf` itself and why; then
    `path` and `sha256` are of what stands in its place, where something does.
    """

    path: str = ""
    sha256: str = ""
    salt: str = ""
    leaf: str = ""
    withheld: str = ""

    @property
    def is_open(self) -> bool:
        """Whether the file of the leaf is there."""
        return not self.leaf

    def hash(self) -> bytes:
        """The hash of the leaf, 32 bytes."""
        if self.leaf:
            return bytes.fromhex(self.leaf)
        return tree.leaf_hash(bytes.fromhex(self.salt) + bytes.fromhex(self.sha256) + self.path.encode())

    def check(self, number: int) -> Leaf:
        """Itself. Raises `DossierError` where it is no leaf."""
        hexes = (self.leaf,) if self.leaf else (self.sha256, self.salt)
        is_placed = bool(self.path) == bool(self.sha256) and (not self.sha256 or bool(_HEX.fullmatch(self.sha256)))
        is_form = bool(self.withheld) and not self.salt if self.leaf else bool(self.path) and not self.withheld
        if not all(_HEX.fullmatch(one) for one in hexes) or not is_placed or not is_form:
            raise DossierError(f"{LEAVES}:{number}: is no leaf")
        return self


def leaves_of(files: Iterable[tuple[str, str]], secret: bytes) -> list[Leaf]:
    """The leaves of a payload (paths and SHA-256 in hex), in the order of their paths, salted from a secret."""
    return [Leaf(path, sha256, salt_of(secret, path)) for path, sha256 in sorted(files)]


def salt_of(secret: bytes, path: str) -> str:
    """The salt of a file: nobody who lacks the secret can make it, and who has it always makes the same (RFC 2104)."""
    return hmac.new(secret, _PURPOSE + path.encode(), hashlib.sha256).hexdigest()


def root_of(leaves: Sequence[Leaf]) -> str:
    """The root over leaves, in hex."""
    return tree.root([leaf.hash() for leaf in leaves]).hex()


_ENCODER = msgspec.json.Encoder()
_DECODER = msgspec.json.Decoder(Leaf)


def encode_leaves(leaves: Sequence[Leaf]) -> bytes:
    """One line of JSON a leaf."""
    return _ENCODER.encode_lines(leaves)


def decode_leaves(data: bytes) -> list[Leaf]:
    """The leaves of a dossier. Raises `DossierError` for anything that `encode_leaves` would not have written."""
    leaves = []
    for number, line in enumerate(data.splitlines(), 1):
        try:
            leaves.append(_DECODER.decode(line).check(number))
        except (msgspec.DecodeError, UnicodeError) as error:
            raise DossierError(f"{LEAVES}:{number}: is no leaf ({error})") from None
    if encode_leaves(leaves) != data:
        raise DossierError(f"{LEAVES}: is not written as kholo writes it")
    return leaves
