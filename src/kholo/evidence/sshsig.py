"""Signatures as `ssh-keygen -Y sign` makes them (PROTOCOL.sshsig of OpenSSH), in their one usual form and no other."""

from __future__ import annotations

import base64
import binascii
import hashlib
import struct

from kholo.model import DossierError, SignatureError

from .keys import PrivateKey, PublicKey
from .signers import Signers
from .sshwire import Reader, string

__all__ = ["MAGIC", "MAX_SIGNATURE", "Signers", "armoured", "check", "sign"]

#: Bytes of an armoured signature: those of RSA with 16384 bits have 6 KiB.
MAX_SIGNATURE = 16 << 10
MAGIC = b"SSHSIG"
_VERSION = struct.pack(">I", 1)
_BEGIN, _END = b"-----BEGIN SSH SIGNATURE-----\n", b"-----END SSH SIGNATURE-----\n"
_WIDTH = 70
_HASHES = {b"sha256": hashlib.sha256, b"sha512": hashlib.sha512}
_HASH = b"sha512"


def sign(message: bytes, key: PrivateKey, namespace: str) -> bytes:
    """An armoured signature; `namespace` says what it is for, and it is good for nothing else."""
    bare = key.sign(_covered(message, namespace.encode(), _HASH))
    parts = (key.public.blob, namespace.encode(), b"", _HASH, bare)
    return armoured(MAGIC + _VERSION + b"".join(map(string, parts)))


def check(message: bytes, text: bytes, namespace: str) -> PublicKey:
    """The key that signed the message for this purpose. Whose key it is, is another question: see `Signers`.

    Raises `SignatureError`, and `EnvironmentFault` where the library for it is not installed.
    """
    from . import primitives  # noqa: PLC0415 - an extra

    try:
        blob, name, bare = _read(_bytes(text), namespace.encode())
        if not primitives.is_by(blob, bare, _covered(message, namespace.encode(), name)):
            raise ValueError("it is not one of its key over these bytes")
    except ValueError as error:
        raise SignatureError(f"the signature is not valid: {error}") from None
    return PublicKey(blob)


def signed(message: bytes, key: PrivateKey, namespace: str, folder: str) -> dict[str, bytes]:
    """A signature and the key beside it, as files called by the key's id in a folder (named with its slash)."""
    name = f"{folder}{key.public.id}"
    return {f"{name}.sig": sign(message, key, namespace), f"{name}.pub": _beside(key.public)}


def check_beside(message: bytes, text: bytes, beside: bytes, namespace: str, identity: str) -> PublicKey:
    """As `check`, where the key lies beside the signature and both are called by its id. Raises also `DossierError`."""
    key = check(message, text, namespace)
    if key.id != identity or beside != _beside(key):
        raise DossierError("it is by another key than the one that lies beside it")
    return key


def _beside(key: PublicKey) -> bytes:
    """The key as a file; without a comment, which nothing would vouch for."""
    return f"{PublicKey(key.blob).line}\n".encode()


def _covered(message: bytes, namespace: bytes, name: bytes) -> bytes:
    return MAGIC + string(namespace) + string(b"") + string(name) + string(_HASHES[name](message).digest())


def _read(packed: bytes, namespace: bytes) -> tuple[bytes, bytes, bytes]:
    """Key, name of the hash and bare signature. Raises `ValueError`."""
    reader = Reader(packed)
    if reader.take(6) != MAGIC or reader.take(4) != _VERSION:
        raise ValueError("it is no signature of SSH, or of a version that is not known")
    blob, wanted, reserved, name, bare = (reader.string() for _ in range(5))
    reader.end()
    if wanted != namespace:
        raise ValueError(f"it was made for something else; sign with -n {namespace.decode()}")
    if reserved:
        raise ValueError("it holds something that the format has no meaning for")
    if name not in _HASHES:
        raise ValueError("it rests on a hash that is not taken")
    return blob, name, bare


def armoured(packed: bytes) -> bytes:
    """A packed signature in its armour."""
    text = base64.b64encode(packed)
    lines = b"".join(text[at : at + _WIDTH] + b"\n" for at in range(0, len(text), _WIDTH))
    return _BEGIN + lines + _END


def _bytes(text: bytes) -> bytes:
    """What is inside. Raises `ValueError` where `ssh-keygen` would have written it in another way."""
    if len(text) > MAX_SIGNATURE:
        raise ValueError("it is too long")
    if not (text.startswith(_BEGIN) and text.endswith(_END)):
        raise ValueError("it is not in the armour of an SSH signature")
    try:
        packed = base64.b64decode(text[len(_BEGIN) : -len(_END)].replace(b"\n", b""), validate=True)
    except binascii.Error:
        raise ValueError("it is not written in Base64") from None
    if armoured(packed) != text:
        raise ValueError("it is not written as ssh-keygen writes it")
    return packed
