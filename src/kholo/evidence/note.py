"""Signed notes (C2SP signed-note): a text, and under it the signatures of one or several keys.

Two kinds of signature are known: Ed25519 of the text (type 1), and the cosignatures with a time that witnesses of a log
give (type 4, C2SP tlog-cosignature). All others are kept and not checked, as the specification wants it.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Callable, Iterable
from datetime import UTC, datetime

import msgspec

from kholo.model import EnvironmentFault

from .faults import BadSignature, Malformed

ED25519, COSIGNATURE = 1, 4
#: Bytes of a note. Sixteen signatures must be taken, and those of quantum-safe kinds have 5 kB each.
MAX_NOTE = 1 << 18
MAX_SIGNATURES = 100
_DASH = "\N{EM DASH} "
_CONTROL = re.compile("[\x00-\x09\x0b-\x1f]")
_MARK = re.compile(r"[0-9a-f]{8}")
#: The last second that a calendar of four-digit years has.
_LAST_SECOND = 253_402_300_799


class Key(msgspec.Struct, frozen=True):
    """A public key that is trusted under a name. `kind` is `ED25519` or `COSIGNATURE`, `public` has 32 bytes."""

    name: str
    kind: int
    public: bytes

    @property
    def mark(self) -> bytes:
        """The key's id in signature lines, four bytes. It finds a key; it proves nothing."""
        return hashlib.sha256(self.name.encode() + b"\n" + bytes([self.kind]) + self.public).digest()[:4]

    def __str__(self) -> str:
        """The key as other tools of such logs write it (a "vkey")."""
        return f"{self.name}+{self.mark.hex()}+{_base64(bytes([self.kind]) + self.public)}"


class Signature(msgspec.Struct, frozen=True):
    """One line under a note: who says to have signed, the id of the key, and what comes after it."""

    name: str
    mark: bytes
    value: bytes


class Note(msgspec.Struct, frozen=True):
    """A text, which ends in a newline, and its signatures in their order."""

    text: bytes
    signatures: tuple[Signature, ...]

    def encode(self) -> bytes:
        """The note as it is written."""
        lines = (f"{_DASH}{one.name} {_base64(one.mark + one.value)}\n" for one in self.signatures)
        return self.text + b"\n" + "".join(lines).encode()


class Signed(msgspec.Struct, frozen=True):
    """A signature that was checked and is right. `at` is the time that a witness gave; a log gives none."""

    key: Key
    at: datetime | None = None


class Signer(msgspec.Struct, frozen=True):
    """Somebody who can sign: the public key, and what makes 64 bytes of Ed25519 signature of a text."""

    public: bytes
    sign: Callable[[bytes], bytes]

    def key(self, name: str) -> Key:
        """The public key under a name."""
        return Key(name, ED25519, self.public)

    def signature(self, name: str, text: bytes) -> Signature:
        """The signature of a text under a name."""
        return Signature(name, self.key(name).mark, self.sign(text))


def parse_key(text: str) -> Key:
    """A key as `str(key)` writes it. Raises `Malformed`."""
    name, _, rest = text.partition("+")
    mark, _, packed = rest.partition("+")
    # Messages name keys: what a terminal would obey is no name here, though the specification allows it.
    if not _is_name(name) or not name.isprintable() or not _MARK.fullmatch(mark):
        raise Malformed("a key must be written as NAME+8 HEX DIGITS+BASE64")
    value = _unbase64(packed, "a key")
    key = Key(name, value[0] if value else 0, value[1:])
    if key.kind not in (ED25519, COSIGNATURE) or len(key.public) != 32:
        raise Malformed("a key is of a kind that is not known here; there are 1 (Ed25519) and 4 (cosignature)")
    if key.mark.hex() != mark:
        raise Malformed("a key's id is not that of its name and bytes; was it copied whole?")
    return key


def parse(data: bytes) -> Note:
    """A note from its bytes, strictly. Raises `Malformed`."""
    if len(data) > MAX_NOTE:
        raise Malformed(f"a signed note has more than {MAX_NOTE} bytes")
    try:
        whole = data.decode()
    except UnicodeDecodeError:
        raise Malformed("a signed note is not in UTF-8") from None
    if _CONTROL.search(whole):
        raise Malformed("a signed note has control characters in it")
    text, cut, lines = whole.rpartition("\n\n")
    if not cut or not lines.endswith("\n"):
        raise Malformed("a signed note needs an empty line, and after it signatures with a newline each")
    found = tuple(_signature(line) for line in lines[:-1].split("\n", MAX_SIGNATURES - 1))
    return Note((text + "\n").encode(), found)


def _signature(line: str) -> Signature:
    name, _, packed = line.removeprefix(_DASH).partition(" ")
    if not line.startswith(_DASH) or not _is_name(name):
        raise Malformed("a line under a signed note is no signature, or there are too many")
    value = _unbase64(packed, "a signature")
    if len(value) < 5:
        raise Malformed("a signature is too short")
    return Signature(name, value[:4], value[4:])


def check(note: Note, keys: Iterable[Key]) -> tuple[Signed, ...]:
    """The signatures of keys that are trusted, all of them right, one a key; at least one.

    Raises `BadSignature` where one of them is wrong, or where there is none.
    """
    known = {(key.name, key.mark): key for key in keys}
    found: dict[Key, Signed] = {}
    for signature in note.signatures:
        key = known.get((signature.name, signature.mark))
        if key is not None:
            found.setdefault(key, _checked(key, signature, note.text))
    if not found:
        raise BadSignature("nobody signed it whose key is trusted")
    return tuple(found.values())


def _checked(key: Key, signature: Signature, text: bytes) -> Signed:
    at, bare = None, signature.value
    if key.kind == COSIGNATURE:
        seconds, bare = int.from_bytes(bare[:8]), bare[8:]
        text = b"cosignature/v1\ntime %d\n" % seconds + text
        if seconds > _LAST_SECOND:
            raise BadSignature(f"the cosignature of {key.name} is of no time that there is")
        at = datetime.fromtimestamp(seconds, UTC)
    if not _is_by(key.public, bare, text):
        raise BadSignature(f"the signature of {key.name} ({key.mark.hex()}) does not fit the text")
    return Signed(key, at)


def _is_by(public: bytes, bare: bytes, text: bytes) -> bool:
    try:
        from cryptography.exceptions import InvalidSignature  # noqa: PLC0415 - an extra: most uses need no keys
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey  # noqa: PLC0415
    except ImportError as error:
        raise EnvironmentFault("signatures need cryptography: pip install 'kholo[signatures]'") from error
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(bare, text)
    except (InvalidSignature, ValueError):
        return False
    return True


def _is_name(name: str) -> bool:
    return bool(name) and "+" not in name and not any(char.isspace() for char in name)


def _base64(value: bytes) -> str:
    return base64.b64encode(value).decode()


def _unbase64(text: str, what: str) -> bytes:
    """Base64 in the one way of writing it that there is for some bytes. Raises `Malformed`."""
    try:
        value = base64.b64decode(text.encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError):
        raise Malformed(f"{what} is not written in Base64") from None
    if _base64(value) != text:
        raise Malformed(f"{what} is not written in Base64 as it should be")
    return value
