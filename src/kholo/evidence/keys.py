"""Keys in the files of OpenSSH: Ed25519, RSA from 2048 bits on, ECDSA on NIST's three curves."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from kholo import disk
from kholo.model import KeyFileError, SignatureError

from .sshwire import Reader

if TYPE_CHECKING:
    from . import primitives

#: Bytes of a file of keys.
MAX_FILE = 1 << 20
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


class PublicKey(msgspec.Struct, frozen=True):
    """A public key. `blob` is it in SSH's wire format; the comment is anybody's, and proves nothing."""

    blob: bytes
    comment: str = ""

    @property
    def kind(self) -> str:
        """Such as ssh-ed25519."""
        return Reader(self.blob).string().decode("ascii")

    @property
    def id(self) -> str:
        """16 hex digits that name it in a dossier."""
        return hashlib.sha256(self.blob).hexdigest()[:16]

    @property
    def fingerprint(self) -> str:
        """As `ssh-keygen -l` writes it."""
        return "SHA256:" + base64.b64encode(hashlib.sha256(self.blob).digest()).decode().rstrip("=")

    @property
    def line(self) -> str:
        """As it stands in a .pub file, without a line's end."""
        return f"{self.kind} {base64.b64encode(self.blob).decode()} {self.comment}".rstrip()

    def signed(self, message: bytes, signature: bytes) -> bool:
        """Whether a bare signature in SSH's wire format is this key's over the message.

        Raises `SignatureError` where key or signature are not of a form that is taken, and `EnvironmentFault`.
        """
        from . import primitives  # noqa: PLC0415 - an extra

        try:
            return primitives.is_by(self.blob, signature, message)
        except ValueError as error:
            raise SignatureError(f"the signature is not valid: {error}") from None


class PrivateKey:
    """A private key, open. It never shows itself."""

    def __init__(self, key: primitives.Private, comment: str = "") -> None:
        from . import primitives  # noqa: PLC0415 - an extra

        self._key = key
        self.public = PublicKey(primitives.blob_of(key), comment)

    def sign(self, message: bytes) -> bytes:
        """A bare signature in SSH's wire format."""
        from . import primitives  # noqa: PLC0415

        return primitives.sign(self._key, message)

    def seed(self) -> bytes:
        """Its 32 secret bytes. Raises `KeyFileError` for keys of another kind than Ed25519."""
        from . import primitives  # noqa: PLC0415

        try:
            return primitives.seed_of(self._key)
        except ValueError as error:
            raise KeyFileError(str(error)) from None

    def file(self, passphrase: str = "") -> bytes:
        """The bytes of its file."""
        from . import primitives  # noqa: PLC0415

        return primitives.file_of(self._key, passphrase)


def new_private(seed: bytes, comment: str = "") -> PrivateKey:
    """The Ed25519 key of 32 bytes of chance."""
    from . import primitives  # noqa: PLC0415

    return PrivateKey(primitives.from_seed(seed), plain(comment))


def load_private(path: Path, ask: Callable[[str], str]) -> PrivateKey:
    """The key in a file; `ask` is called with a question where it is locked by a passphrase.

    Raises `KeyFileError`, and `EnvironmentFault` where the library for it is not installed.
    """
    from . import primitives  # noqa: PLC0415

    data = read(path)
    try:
        return PrivateKey(primitives.read_private(data, lambda: ask(f"Passphrase of {path}")))
    except ValueError as error:
        raise KeyFileError(f"{path}: {error}") from None


def load_public(line: str) -> PublicKey:
    """The key in a line such as a .pub file has. Raises `KeyFileError`."""
    from . import primitives  # noqa: PLC0415

    kind, _, rest = line.strip().partition(" ")
    packed, _, comment = rest.strip().partition(" ")
    try:
        blob = base64.b64decode(packed.encode("ascii"), validate=True)
        if base64.b64encode(blob).decode() != packed:
            raise ValueError("its Base64 is not written in the one usual way")
        primitives.read_public(blob)
        key = PublicKey(blob, plain(comment))
        if key.kind != kind:
            raise ValueError("its first word is not the kind of key that follows")
    except (ValueError, binascii.Error) as error:
        reason = "it is not written in Base64" if isinstance(error, binascii.Error | UnicodeError) else str(error)
        raise KeyFileError(f"a public key can't be used: {reason}") from None
    return key


def secret_of(key: PrivateKey, purpose: str) -> bytes:
    """32 bytes that only the holder of an Ed25519 key can make, other ones for each purpose. Raises `KeyFileError`."""
    return hmac.new(key.seed(), b"kholo secret\0" + purpose.encode(), hashlib.sha256).digest()


def read(path: Path) -> bytes:
    """The bytes of a small file. Raises `KeyFileError`."""
    try:
        return disk.read(path, MAX_FILE)
    except OSError as error:
        raise KeyFileError(f"{path}: can't be read: {error.strerror or error}") from None


def plain(comment: str) -> str:
    """A comment on one line, without signs that steer a terminal."""
    return _CONTROL.sub(" ", comment).strip()
