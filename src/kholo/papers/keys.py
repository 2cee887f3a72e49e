"""Signatures by key: those of `ssh-keygen -Y sign`, and bare Ed25519 ones."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
import struct

from kholo.evidence.weak import is_weak
from kholo.model import EnvironmentFault

#: The namespace of `ssh-keygen -Y sign -n`: a signature made for something else is none of a statement.
NAMESPACE = b"kholo-statement"
_ARMOUR = re.compile(r"-----(?:BEGIN|END) SSH SIGNATURE-----|\s")
_MAGIC = b"SSHSIG"
_ED25519 = b"ssh-ed25519"
_HASHES = {b"sha256": hashlib.sha256, b"sha512": hashlib.sha512}


class _Wrong(Exception):
    """A signature that is none; the text says why."""


def verify(key: str, signature: str, signed: bytes) -> str:
    """What is wrong with a signature over the bytes, in words; "" where it is right.

    `key` is a line of an SSH public key (`ssh-ed25519 AAAA…`), or 32 bytes of Ed25519 in Base64. `signature` is the
    armoured text of `ssh-keygen -Y sign`, or 64 bytes of Ed25519 in Base64. The format of the former is PROTOCOL.sshsig
    of OpenSSH. Keys of other kinds are not taken: one strong kind is enough. Raises `EnvironmentFault` where
    the library for it is not installed.
    """
    try:
        public = _public(key)
        packed = _bytes(_ARMOUR.sub("", signature), "signature")
        if packed.startswith(_MAGIC):
            bare, covered = _unpacked(packed, public, signed)
        else:
            bare, covered = packed, signed
        if len(bare) != 64:
            raise _Wrong("the signature has not the length of one by Ed25519")
        return "" if _is_by(public, bare, covered) else "the signature is not one of this key over this text"
    except _Wrong as wrong:
        return str(wrong)


def key_name(key: str) -> str:
    """The fingerprint of a key that verified, as `ssh-keygen -l` writes it."""
    blob = _string(_ED25519) + _string(_public(key))
    return "SHA256:" + base64.b64encode(hashlib.sha256(blob).digest()).decode().rstrip("=")


def _public(key: str) -> bytes:
    words = key.split()
    if words[:1] == [_ED25519.decode()] and len(words) > 1:
        kind, rest = _taken(_bytes(words[1], "key"))
        public, rest = _taken(rest)
        if kind != _ED25519 or rest:
            raise _Wrong("the key is no Ed25519 key")
    elif len(words) == 1:
        public = _bytes(words[0], "key")
    else:
        raise _Wrong("the key is missing or no Ed25519 key: ssh-keygen -t ed25519 makes one")
    if len(public) != 32:
        raise _Wrong("the key has not the length of an Ed25519 key")
    if is_weak(public):
        raise _Wrong("the key is one under which anybody could sign")
    return public


def _unpacked(packed: bytes, public: bytes, signed: bytes) -> tuple[bytes, bytes]:
    """The bare signature inside of an SSH signature, and the bytes that it covers."""
    version, rest = packed[6:10], packed[10:]
    if version != struct.pack(">I", 1):
        raise _Wrong("the signature is of a version that is not known")
    blob, rest = _taken(rest)
    namespace, rest = _taken(rest)
    reserved, rest = _taken(rest)
    name, rest = _taken(rest)
    wrapped, rest = _taken(rest)
    if rest:
        raise _Wrong("more follows after the signature")
    if blob != _string(_ED25519) + _string(public):
        raise _Wrong("the signature is by another key")
    if namespace != NAMESPACE:
        raise _Wrong(f"the signature was made for something else; sign with -n {NAMESPACE.decode()}")
    if name not in _HASHES:
        raise _Wrong("the signature rests on a hash that is not taken")
    kind, inner = _taken(wrapped)
    bare, after = _taken(inner)
    if kind != _ED25519 or after:
        raise _Wrong("the signature is not one by Ed25519")
    digest = _HASHES[name](signed).digest()
    return bare, _MAGIC + _string(namespace) + _string(reserved) + _string(name) + _string(digest)


def _is_by(public: bytes, bare: bytes, covered: bytes) -> bool:
    try:
        from cryptography.exceptions import InvalidSignature  # noqa: PLC0415 - an extra: most uses need no keys
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey  # noqa: PLC0415
    except ImportError as error:
        raise EnvironmentFault("signatures by key need cryptography: pip install 'kholo[signatures]'") from error
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(bare, covered)
    except (InvalidSignature, ValueError):
        return False
    return True


def _bytes(text: str, what: str) -> bytes:
    try:
        return base64.b64decode(text.encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError, ValueError) as error:
        raise _Wrong(f"the {what} is not written in Base64") from error


def _string(value: bytes) -> bytes:
    return struct.pack(">I", len(value)) + value


def _taken(data: bytes) -> tuple[bytes, bytes]:
    """A string of the SSH wire format from the front, and what follows."""
    if len(data) < 4:
        raise _Wrong("the key or the signature is cut off")
    (length,) = struct.unpack(">I", data[:4])
    if len(data) < 4 + length:
        raise _Wrong("the key or the signature is cut off")
    return data[4 : 4 + length], data[4 + length :]
