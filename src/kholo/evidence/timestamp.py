"""Timestamps of authorities (RFC 3161): asked for, and checked offline against pinned roots."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib import import_module, resources
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from kholo.model import KeyFileError, KholoError, TimestampError, UnknownRoot

from . import envelope
from .extra import needs
from .keys import read

if TYPE_CHECKING:
    from cryptography import x509

#: Bytes of a response: those of well-known authorities have 3 to 8 KiB.
MAX_RESPONSE = 64 << 10
_LONGEST = 8


class Stamped(msgspec.Struct, frozen=True):
    """That an authority saw the bytes. `authority` is the name in its certificate, `root` the SHA-256 of the root's.

    `until`: when the first certificate of its chain ends. Until then a newer timestamp should cover this one: after it
    nobody warns of the authority's key being lost, and anybody who has it could make up times.
    """

    time: datetime
    authority: str
    root: str
    serial: str
    policy: str
    until: datetime


def request(digest: bytes, nonce: int) -> bytes:
    """The question for an authority; `digest` is a SHA-256, `nonce` a random number that the answer repeats."""
    if len(digest) != 32 or nonce < 0:
        raise ValueError("a SHA-256 has 32 bytes, and a nonce is not negative")
    return envelope.request(digest, nonce)


def check(response: bytes, data: bytes, roots: Sequence[x509.Certificate], nonce: int | None = None) -> Stamped:
    """What the response proves of the data, whatever time it is now.

    The response must be in the one form that `tidy` gives: each of its bytes is signed, or could not be another.
    Certificates have to be valid at the time that is stamped. Raises `TimestampError`, and `EnvironmentFault` where
    the library for it is not installed.
    """
    with needs("timestamps", "rfc3161-client", "timestamps"):
        import_module("rfc3161_client")
    with _refusing():
        chain = _chain(response, roots)
        if chain.tidy != response:
            raise ValueError("it holds something that nobody signed")
        return _stamped(response, data, chain, nonce)


def tidy(response: bytes, roots: Sequence[x509.Certificate]) -> bytes:
    """The response without what nobody signed: words, lists of revocations, certificates that are not of its chain.

    It proves what it proved before. Raises `TimestampError`, and `EnvironmentFault`.
    """
    with _refusing():
        return _chain(response, roots).tidy


def pinned() -> tuple[x509.Certificate, ...]:
    """The roots that are shipped: roots/roots.toml says whose they are."""
    folder = resources.files(__package__).joinpath("roots")
    files = sorted((file for file in folder.iterdir() if file.name.endswith(".pem")), key=lambda file: file.name)
    return tuple(found for file in files for found in _certificates(file.read_bytes(), file.name))


def load_roots(path: Path) -> tuple[x509.Certificate, ...]:
    """Further roots, from a file in PEM. Raises `KeyFileError`, and `EnvironmentFault`."""
    return _certificates(read(path), str(path))


def _certificates(data: bytes, name: str) -> tuple[x509.Certificate, ...]:
    with needs("timestamps", "rfc3161-client", "timestamps"):
        from cryptography import x509  # noqa: PLC0415 - an extra
    try:
        return tuple(x509.load_pem_x509_certificates(data))
    except ValueError:
        raise KeyFileError(f"{name}: holds no certificates in PEM") from None


@contextmanager
def _refusing() -> Iterator[None]:
    try:
        yield
    except KholoError:
        raise
    except ValueError as error:
        raise TimestampError(f"the timestamp is not valid: {error}") from None
    except Exception as error:  # The libraries raise a dozen kinds at certificates that are odd on purpose.
        raise TimestampError(f"the timestamp is not valid: it can't be read ({type(error).__name__})") from error


class _Chain(msgspec.Struct, frozen=True):
    """From the signer's certificate to one under the root, and the response with only these."""

    certificates: tuple[x509.Certificate, ...]
    root: x509.Certificate
    tidy: bytes


def _chain(response: bytes, roots: Sequence[x509.Certificate]) -> _Chain:
    with needs("timestamps", "rfc3161-client", "timestamps"):
        from cryptography import x509  # noqa: PLC0415 - an extra
        from cryptography.hazmat.primitives.serialization import Encoding  # noqa: PLC0415

    if len(response) > MAX_RESPONSE:
        raise ValueError("it is too long")
    taken = envelope.take_apart(response)
    packed = [der for der in taken.certificates if taken.is_of(der)]
    if len(packed) != 1:
        raise ValueError("the certificate of its signer is not in it")
    for der in taken.certificates:
        envelope.issuer_and_serial(der)
    known = [x509.load_der_x509_certificate(der) for der in taken.certificates]
    chain = [x509.load_der_x509_certificate(packed[0])]
    while len(chain) < _LONGEST:
        root = _issuer(chain[-1], roots)
        if root is not None:
            return _Chain(tuple(chain), root, taken.together(each.public_bytes(Encoding.DER) for each in chain))
        above = _issuer(chain[-1], [each for each in known if each not in chain])
        if above is None:
            break
        chain.append(above)
    raise UnknownRoot("its authority does not lead to a root that is trusted here; --roots FILE adds one")


def _issuer(certificate: x509.Certificate, among: Sequence[x509.Certificate]) -> x509.Certificate | None:
    from cryptography.exceptions import InvalidSignature  # noqa: PLC0415 - an extra

    for each in among:
        try:
            certificate.verify_directly_issued_by(each)
        except (ValueError, TypeError, InvalidSignature):
            continue
        return each
    return None


def _stamped(response: bytes, data: bytes, chain: _Chain, nonce: int | None) -> Stamped:
    with needs("timestamps", "rfc3161-client", "timestamps"):
        from cryptography import x509  # noqa: PLC0415 - an extra
        from cryptography.hazmat.primitives.hashes import SHA256  # noqa: PLC0415
        from rfc3161_client import VerificationError, VerifierBuilder, decode_timestamp_response  # noqa: PLC0415

    found = decode_timestamp_response(response)
    info, leaf = found.tst_info, chain.certificates[0]
    time = info.gen_time.astimezone(UTC)
    line = (*chain.certificates, chain.root)
    if any(not each.not_valid_before_utc <= time <= each.not_valid_after_utc for each in line):
        raise ValueError(f"a certificate of its chain was not valid at the time it states, {time:%Y-%m-%d %H:%M} UTC")
    _only_for_timestamps(leaf)
    verifier = VerifierBuilder(roots=[chain.root], nonce=nonce).build()
    try:
        verifier.verify_message(found, data)
    except VerificationError as error:
        raise ValueError(f"{_WORDS.get(str(error), 'its signature or its chain does not hold')}") from None
    names = leaf.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
    return Stamped(
        time,
        str(names[0].value) if names else leaf.subject.rfc4514_string(),
        chain.root.fingerprint(SHA256()).hex(),
        f"{info.serial_number:x}",
        info.policy.dotted_string,
        min(each.not_valid_after_utc for each in line),
    )


_WORDS = {"Mismatch between messages": "it is over other bytes", "Nonce mismatch": "it answers another question"}


def _only_for_timestamps(leaf: x509.Certificate) -> None:
    """Raises `ValueError` unless its one critical use is to stamp times (RFC 3161, 2.3)."""
    from cryptography import x509  # noqa: PLC0415 - an extra

    try:
        use = leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage)
    except x509.ExtensionNotFound:
        raise ValueError("its certificate is not one for timestamps") from None
    if not use.critical or list(use.value) != [x509.oid.ExtendedKeyUsageOID.TIME_STAMPING]:
        raise ValueError("its certificate is not one for timestamps alone")
