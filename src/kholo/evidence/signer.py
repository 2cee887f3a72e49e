"""Keys that sign: Ed25519 in OpenSSH's form."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from kholo.model import EnvironmentFault, UsageError

from .note import Signer

#: Bytes of a file with a key; one of Ed25519 has some 400.
MAX_FILE = 1 << 16


def load(path: Path, ask: Callable[[], str]) -> Signer:
    """The key in a file; `ask` gives the passphrase of one that has any. Raises `UsageError`, `EnvironmentFault`."""
    try:
        from cryptography.exceptions import UnsupportedAlgorithm  # noqa: PLC0415 - an extra: most uses need no keys
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey  # noqa: PLC0415
        from cryptography.hazmat.primitives.serialization import load_ssh_private_key  # noqa: PLC0415
    except ImportError as error:
        raise EnvironmentFault("signatures need cryptography: pip install 'kholo[signatures]'") from error
    try:
        with path.open("rb") as stream:
            data = stream.read(MAX_FILE)
    except OSError as error:
        raise EnvironmentFault(f"{path}: can't be read: {error.strerror}") from error
    try:
        try:
            key = load_ssh_private_key(data, None)
        except TypeError:
            key = load_ssh_private_key(data, ask().encode())
    except UnsupportedAlgorithm as error:
        raise EnvironmentFault(f"{path}: a key with a passphrase needs bcrypt: pip install bcrypt") from error
    except (ValueError, TypeError) as error:
        raise UsageError(f"{path}: is no private key in OpenSSH's form, or the passphrase is wrong") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise UsageError(f"{path}: is no Ed25519 key; ssh-keygen -t ed25519 makes one")
    return Signer(key.public_key().public_bytes_raw(), key.sign)
