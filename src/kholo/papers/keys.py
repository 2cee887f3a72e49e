"""Signatures by key: those of `ssh-keygen -Y sign`, and bare Ed25519 ones."""

from __future__ import annotations

import base64
import binascii
import re

from kholo.evidence import sshsig
from kholo.evidence.keys import PublicKey, load_public
from kholo.evidence.sshwire import string
from kholo.model import KeyFileError, SignatureError

#: The namespace of `ssh-keygen -Y sign -n`: a signature made for something else is none of a statement.
NAMESPACE = "kholo-statement"
_ARMOUR = re.compile(r"-----(?:BEGIN|END) SSH SIGNATURE-----|\s")
_KIND = b"ssh-ed25519"
_NOT_ITS = "the signature is not valid: it is not one of its key over these bytes"


def verify(key: str, signature: str, signed: bytes) -> str:
    """What is wrong with a signature over the bytes, in words; "" where it is right.

    `key` is a line of an SSH public key (`ssh-ed25519 AAAA…`), or 32 bytes of Ed25519 in Base64. `signature` is the
    armoured text of `ssh-keygen -Y sign`, its lines broken anyhow, or 64 bytes of Ed25519 in Base64. Keys of other
    kinds are not taken: one strong kind is enough. Raises `EnvironmentFault` where the library for it is not installed.
    """
    try:
        public = _public(key)
        packed = _bytes(_ARMOUR.sub("", signature))
        if not packed.startswith(sshsig.MAGIC):
            return "" if public.signed(signed, string(_KIND) + string(packed)) else _NOT_ITS
        by = sshsig.check(signed, sshsig.armoured(packed), NAMESPACE)
        return "" if by.blob == public.blob else "the signature is by another key"
    except (KeyFileError, SignatureError) as error:
        return str(error)


def key_name(key: str) -> str:
    """The fingerprint of a key that verified, as `ssh-keygen -l` writes it."""
    return _public(key).fingerprint


def _public(key: str) -> PublicKey:
    """Raises `KeyFileError`."""
    words = key.split()
    if len(words) == 1:
        blob = string(_KIND) + string(_bytes(words[0]))
        words = [_KIND.decode(), base64.b64encode(blob).decode()]
    if words[:1] != [_KIND.decode()]:
        raise KeyFileError("the key is missing or no Ed25519 key: ssh-keygen -t ed25519 makes one")
    return load_public(" ".join(words[:2]))


def _bytes(text: str) -> bytes:
    """Raises `SignatureError`."""
    try:
        return base64.b64decode(text.encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError, ValueError):
        raise SignatureError("the key or the signature is not written in Base64") from None
