"""The envelope of a timestamp (RFC 3161, in CMS, RFC 5652): taken apart, and put together in one form."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import msgspec

from .der import INTEGER, NULL, OCTETS, OID, SEQUENCE, SET, Part, integer, read, read_all, write

SHA256 = bytes.fromhex("608648016503040201")
_SIGNED_DATA = bytes.fromhex("2a864886f70d010702")
_TST_INFO = bytes.fromhex("2a864886f70d0109100104")
_CONTENT_TYPE = bytes.fromhex("2a864886f70d010903")
_SIGNING_CERTIFICATE = bytes.fromhex("2a864886f70d010910020c")
_SIGNING_CERTIFICATE_V2 = bytes.fromhex("2a864886f70d010910022f")
_CONTEXT_0, _BITS = 0xA0, 0x03
_HASHES = {
    SHA256: "sha256",
    bytes.fromhex("608648016503040202"): "sha384",
    bytes.fromhex("608648016503040203"): "sha512",
}
_RSA = bytes.fromhex("2a864886f70d0101")
_ECDSA = bytes.fromhex("2a8648ce3d0403")
#: The last byte of the names of RSA and ECDSA with each hash (RFC 8017, RFC 5758).
_LAST = {"sha256": (b"\x0b", b"\x02"), "sha384": (b"\x0c", b"\x03"), "sha512": (b"\x0d", b"\x04")}
_STATUS = {1: "granted with changes", 2: "refused", 3: "put off", 4: "about to be revoked", 5: "revoked"}


class Envelope(msgspec.Struct, frozen=True):
    """What a response holds. `info`, `signer` and `certificates` are bytes as they came, `hashes` the name of the hash.

    `certificate_hash` is of the signer's certificate, and the signature covers it; `hash_name` says how it was made.
    """

    info: bytes
    hashes: bytes
    signer: bytes
    certificates: tuple[bytes, ...]
    named: bytes
    certificate_hash: bytes
    hash_name: str

    def is_of(self, certificate: bytes) -> bool:
        """Whether it says that it is by the holder of this certificate. Raises `ValueError` where it names two."""
        if hashlib.new(self.hash_name, certificate).digest() != self.certificate_hash:
            return False
        if issuer_and_serial(certificate) != self.named:
            raise ValueError("it names one certificate as its signer's, and means another")
        return True

    def together(self, certificates: Iterable[bytes]) -> bytes:
        """The response again, in its one form: with these certificates, sorted, and with nothing that nobody signed."""
        content = write(
            SEQUENCE,
            integer(3),
            write(SET, self.hashes),
            self.info,
            write(_CONTEXT_0, *sorted(certificates)),
            write(SET, self.signer),
        )
        token = write(SEQUENCE, write(OID, _SIGNED_DATA), write(_CONTEXT_0, content))
        return write(SEQUENCE, write(SEQUENCE, integer(0)), token)


def request(digest: bytes, nonce: int) -> bytes:
    """The question for an authority: a timestamp of the SHA-256 `digest`, with its certificates."""
    imprint = write(SEQUENCE, write(SEQUENCE, write(OID, SHA256), write(NULL)), write(OCTETS, digest))
    return write(SEQUENCE, integer(1), imprint, integer(nonce), b"\x01\x01\xff")


def take_apart(response: bytes) -> Envelope:
    """Raises `ValueError` where it is no DER, not granted, or no timestamp of one signer."""
    status, *token = read(response).parts(SEQUENCE)
    code = int.from_bytes(_first(status.parts(SEQUENCE)).of(INTEGER), "big")
    if code:
        raise ValueError(f"the authority did not grant it: {_STATUS.get(code, 'for an unknown reason')}")
    kind, content = _count(_one(token).parts(SEQUENCE), 2)
    version, _hashes, info, certificates, *rest = _least(read(content.of(_CONTEXT_0)).parts(SEQUENCE), 5)
    if kind.of(OID) != _SIGNED_DATA or version.whole != integer(3):
        raise ValueError("it is no signed data of the version that timestamps have")
    if _first(info.parts(SEQUENCE)).of(OID) != _TST_INFO:
        raise ValueError("what is signed in it is no timestamp")
    signer = _least(_one(rest[-1].parts(SET)).parts(SEQUENCE), 6)[:6]
    number, named, hashes, attributes, algorithm, signature = signer
    if number.whole != integer(1):
        raise ValueError("its signer is named in a way that timestamps don't have")
    signature.of(OCTETS)
    _know(hashes, algorithm)
    certificate_hash, hash_name = _signer(read_all(attributes.of(_CONTEXT_0)))
    return Envelope(
        info.whole,
        hashes.whole,
        write(SEQUENCE, *(part.whole for part in signer)),
        tuple(dict.fromkeys(part.whole for part in read_all(certificates.of(_CONTEXT_0)))),
        named.whole,
        certificate_hash,
        hash_name,
    )


def issuer_and_serial(certificate: bytes) -> bytes:
    """As an envelope names a certificate. Raises `ValueError` where it has a form that its signature does not fix."""
    body, _algorithm, signature = _count(read(certificate).parts(SEQUENCE), 3)
    if signature.of(_BITS)[:1] != b"\0":
        raise ValueError("the signature of a certificate in it is not written in whole bytes")
    parts = body.parts(SEQUENCE)
    serial, _, issuer = _least(parts[1:] if _first(parts).tag == _CONTEXT_0 else parts, 3)[:3]
    return write(SEQUENCE, issuer.whole, serial.whole)


def _know(hashes: Part, algorithm: Part) -> None:
    """Raises `ValueError` unless they are a strong hash and RSA or ECDSA with the same, in the forms they have."""
    name = _HASHES.get(_first(hashes.parts(SEQUENCE)).of(OID))
    if name is None:
        raise ValueError("it rests on a hash that is not taken")
    rsa, ecdsa = _LAST[name]
    null = write(NULL)
    plain = [write(SEQUENCE, hashes.parts(SEQUENCE)[0].whole, end) for end in (null, b"")]
    known = [write(SEQUENCE, write(OID, _RSA + last), null) for last in (b"\x01", rsa)]
    if hashes.whole not in plain or algorithm.whole not in [*known, write(SEQUENCE, write(OID, _ECDSA + ecdsa))]:
        raise ValueError("it rests on an algorithm that is not taken")


def _signer(attributes: list[Part]) -> tuple[bytes, str]:
    """The hash of the signer's certificate, and which hash it is (RFC 5035)."""
    found = {}
    for attribute in attributes:
        name, values = _count(attribute.parts(SEQUENCE), 2)
        if name.of(OID) in found:
            raise ValueError("an attribute of its signature stands twice")
        found[name.of(OID)] = _one(values.parts(SET))
    if found.get(_CONTENT_TYPE, read(integer(0))).whole != write(OID, _TST_INFO):
        raise ValueError("its signature is not one of a timestamp")
    newer = found.get(_SIGNING_CERTIFICATE_V2)
    either = newer or found.get(_SIGNING_CERTIFICATE)
    if either is None:
        raise ValueError("its signature does not say by which certificate it is")
    mark, *more = _first(_first(either.parts(SEQUENCE)).parts(SEQUENCE)).parts(SEQUENCE)
    if mark.tag == OCTETS:
        return mark.inside, "sha256" if newer else "sha1"
    hash_name = _HASHES.get(_first(mark.parts(SEQUENCE)).of(OID))
    if hash_name is None or not newer:
        raise ValueError("it names its certificate by a hash that is not taken")
    return _first(more).of(OCTETS), hash_name


def _first(parts: list[Part]) -> Part:
    return _least(parts, 1)[0]


def _one(parts: list[Part]) -> Part:
    return _count(parts, 1)[0]


def _count(parts: list[Part], count: int) -> list[Part]:
    if len(parts) != count:
        raise ValueError("a part of it is missing, or one too many")
    return parts


def _least(parts: list[Part], count: int) -> list[Part]:
    return parts if len(parts) >= count else _count(parts, count)
