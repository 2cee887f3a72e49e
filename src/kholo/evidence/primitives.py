"""The keys of OpenSSH in the hands of `cryptography`. Only `keys` and `sshsig` use it, and only when they need it."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Callable

from kholo.model import EnvironmentFault

from .extra import needs
from .sshwire import Reader, mpint, string
from .weak import is_weak

with needs("keys and signatures", "cryptography", "signatures"):
    from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
    from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
    from cryptography.hazmat.primitives.serialization import (
        BestAvailableEncryption,
        Encoding,
        NoEncryption,
        PrivateFormat,
        PublicFormat,
        load_ssh_private_key,
        load_ssh_public_key,
    )

Private = Ed25519PrivateKey | rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
Public = Ed25519PublicKey | rsa.RSAPublicKey | ec.EllipticCurvePublicKey

LEAST_RSA, MOST_RSA = 2048, 16384
_CURVE_HASHES: dict[str, hashes.HashAlgorithm] = {
    "secp256r1": hashes.SHA256(), "secp384r1": hashes.SHA384(), "secp521r1": hashes.SHA512(),
}  # fmt: skip
#: SHA-1 (`ssh-rsa`) is not taken.
_RSA_HASHES: dict[bytes, hashes.HashAlgorithm] = {b"rsa-sha2-256": hashes.SHA256(), b"rsa-sha2-512": hashes.SHA512()}


def read_private(data: bytes, ask: Callable[[], str]) -> Private:
    """A private key from the bytes of its file; `ask` is called where it is locked. Raises `ValueError`."""
    try:
        try:
            key = load_ssh_private_key(data, None)
        except TypeError:
            key = load_ssh_private_key(data, ask().encode())
    except UnsupportedAlgorithm as error:
        if "bcrypt" in str(error):
            raise EnvironmentFault("a key with a passphrase needs bcrypt: pip install bcrypt") from error
        raise ValueError("it is locked in a way that is not known here") from error
    except (ValueError, TypeError, NotImplementedError) as error:
        raise ValueError("it is no private key of OpenSSH, or the passphrase is wrong") from error
    if isinstance(key, Private):
        read_public(blob_of(key))
        return key
    raise ValueError("keys of its kind are not taken: make one with kholo key new")


def from_seed(seed: bytes) -> Ed25519PrivateKey:
    """The Ed25519 key that 32 bytes of chance make."""
    return Ed25519PrivateKey.from_private_bytes(seed)


def seed_of(key: Private) -> bytes:
    """Its 32 secret bytes. Raises `ValueError` for keys of another kind than Ed25519."""
    if not isinstance(key, Ed25519PrivateKey):
        raise ValueError("only an Ed25519 key can make secrets: make one with kholo key new")
    return key.private_bytes_raw()


def file_of(key: Private, passphrase: str) -> bytes:
    """The file of a private key; no passphrase leaves it open."""
    lock = BestAvailableEncryption(passphrase.encode()) if passphrase else NoEncryption()
    return key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, lock)


def blob_of(key: Private) -> bytes:
    """The public half in SSH's wire format."""
    return _blob(key.public_key())


def read_public(blob: bytes) -> Public:
    """The key in a blob of SSH. Raises `ValueError` where it is weak, of a kind not taken, or written oddly."""
    kind = Reader(blob).string()
    if kind.startswith(b"sk-"):
        raise ValueError("keys on a security token (sk-…) are not taken")
    try:
        key = load_ssh_public_key(kind + b" " + b64encode(blob))
    except (ValueError, UnsupportedAlgorithm, NotImplementedError) as error:
        raise ValueError("it is no public key of OpenSSH") from error
    if not isinstance(key, Public):
        raise ValueError("keys of its kind are not taken: Ed25519, RSA and ECDSA are")
    if _blob(key) != blob:
        raise ValueError("it is not written as OpenSSH writes it")
    if isinstance(key, rsa.RSAPublicKey) and not LEAST_RSA <= key.key_size <= MOST_RSA:
        raise ValueError(f"an RSA key has to have {LEAST_RSA} to {MOST_RSA} bits")
    if isinstance(key, Ed25519PublicKey) and is_weak(key.public_bytes_raw()):
        raise ValueError("it is a key under which anybody could sign")
    return key


def _blob(key: Public) -> bytes:
    return b64decode(key.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).split()[1])


def sign(key: Private, message: bytes) -> bytes:
    """A signature in SSH's wire format: the name of the algorithm, and what it made."""
    if isinstance(key, Ed25519PrivateKey):
        return string(b"ssh-ed25519") + string(key.sign(message))
    if isinstance(key, rsa.RSAPrivateKey):
        return string(b"rsa-sha2-512") + string(key.sign(message, padding.PKCS1v15(), hashes.SHA512()))
    r, s = decode_dss_signature(key.sign(message, ec.ECDSA(_CURVE_HASHES[key.curve.name])))
    return string(Reader(blob_of(key)).string()) + string(mpint(r) + mpint(s))


def is_by(blob: bytes, signature: bytes, message: bytes) -> bool:
    """Whether a signature that `sign` could have made is one of the key over the message. Raises `ValueError`."""
    key, reader = read_public(blob), Reader(signature)
    name, inner = reader.string(), reader.string()
    reader.end()
    try:
        if isinstance(key, rsa.RSAPublicKey):
            if name not in _RSA_HASHES:
                raise ValueError("it rests on an algorithm that is not taken: rsa-sha2-512 and rsa-sha2-256 are")
            key.verify(inner, message, padding.PKCS1v15(), _RSA_HASHES[name])
            return True
        if name != Reader(blob).string():
            raise ValueError("its algorithm is not that of its key")
        if isinstance(key, Ed25519PublicKey):
            key.verify(inner, message)
            return True
        numbers = Reader(inner)
        packed = encode_dss_signature(numbers.number(), numbers.number())
        numbers.end()
        key.verify(packed, message, ec.ECDSA(_CURVE_HASHES[key.curve.name]))
    except InvalidSignature:
        return False
    return True
