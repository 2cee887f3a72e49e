"""Who stamped a dossier, and when: its RFC 3161 responses, up to roots that you give, with nothing of kholo's own code.

python contrib/check_timestamps.py FILE ROOT.pem...       (exit code: 0 nothing is wrong, 1 something is, 2 usage)

Whether the dossier holds, and its timestamps are over all that was there before, says verify_dossier.py: run it first.
"""

import hashlib
import re
import sys
import zipfile
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding

MAX_RESPONSE, MAX_COVERS, LONGEST = 64 << 10, 1 << 20, 8
INTEGER, OCTETS, OID, SEQUENCE, SET, CONTEXT_0 = 0x02, 0x04, 0x06, 0x30, 0x31, 0xA0
PKCS9 = bytes.fromhex("2a864886f70d0109")  # 1.2.840.113549.1.9
SIGNED_DATA, TST_INFO = bytes.fromhex("2a864886f70d010702"), PKCS9 + b"\x10\1\4"
CONTENT_TYPE, MESSAGE_DIGEST = PKCS9 + b"\3", PKCS9 + b"\4"
SIGNING_CERTIFICATE, SIGNING_CERTIFICATE_V2 = PKCS9 + b"\x10\2\x0c", PKCS9 + b"\x10\2\x2f"
#: SHA-256, SHA-384 and SHA-512 (2.16.840.1.101.3.4.2), and the last byte of the names of RSA and ECDSA with each.
HASHES: dict[bytes, tuple[hashes.HashAlgorithm, bytes, bytes]] = {
    bytes.fromhex("608648016503040201"): (hashes.SHA256(), b"\x0b", b"\2"),
    bytes.fromhex("608648016503040202"): (hashes.SHA384(), b"\x0c", b"\3"),
    bytes.fromhex("608648016503040203"): (hashes.SHA512(), b"\x0d", b"\4"),
}
RSA, ECDSA = bytes.fromhex("2a864886f70d0101"), bytes.fromhex("2a8648ce3d0403")
NULL = b"\5\0"


class Unknown(Exception):
    """What can't be established with these roots, and is not wrong for that."""


def need(holds: object, says: str) -> None:
    if not holds:
        raise ValueError(says)


class Value(NamedTuple):
    """A value of DER (X.690)."""

    tag: int
    inside: bytes
    whole: bytes


def written(tag: int, *inside: bytes) -> bytes:
    data = b"".join(inside)
    size = len(data).to_bytes((len(data).bit_length() + 7) // 8, "big")
    return bytes([tag]) + (bytes([len(data)]) if len(data) < 0x80 else bytes([0x80 | len(size)]) + size) + data


def values(data: bytes) -> list[Value]:
    """The values that stand one behind the other, each in its one form."""
    found = []
    while data:
        start = 2 + (data[1] & 0x7F if data[1] & 0x80 else 0)
        end = start + (int.from_bytes(data[2:start], "big") if start > 2 else data[1])
        one = Value(data[0], data[start:end], data[:end])
        need(written(one.tag, one.inside) == one.whole, "it is cut off, or no DER")
        found.append(one)
        data = data[end:]
    return found


def within(value: Value, tag: int) -> list[Value]:
    need(value.tag == tag, "a part of it is not what should stand there")
    return values(value.inside)


def hashed(algorithm: Value, data: bytes) -> tuple[bytes, hashes.HashAlgorithm]:
    name, *more = within(algorithm, SEQUENCE)
    need(
        name.tag == OID and name.inside in HASHES and [one.whole for one in more] in ([], [NULL]),
        "it rests on a hash that is not taken",
    )
    by = HASHES[name.inside][0]
    return hashlib.new(by.name, data).digest(), by


class Response(NamedTuple):
    """What a response holds: what was stamped, by which signer, and certificates."""

    info: Value
    certificates: list[bytes]
    signer: Value

    def together(self, certificates: Sequence[x509.Certificate]) -> bytes:
        """The one form of the response with these certificates and with nothing that nobody signed."""
        digest = within(self.signer, SEQUENCE)[2]
        packed = sorted(one.public_bytes(Encoding.DER) for one in certificates)
        three, zero = written(INTEGER, b"\3"), written(INTEGER, b"\0")
        parts = three, written(SET, digest.whole), self.info.whole, written(CONTEXT_0, *packed)
        content = written(SEQUENCE, *parts, written(SET, self.signer.whole))
        token = written(SEQUENCE, written(OID, SIGNED_DATA), written(CONTEXT_0, content))
        return written(SEQUENCE, written(SEQUENCE, zero), token)


def taken_apart(response: bytes) -> Response:
    (whole,) = values(response)
    status, token = within(whole, SEQUENCE)
    need(within(status, SEQUENCE)[0].whole == written(INTEGER, b"\0"), "the authority did not grant it")
    _, packed = within(token, SEQUENCE)
    (content,) = within(packed, CONTEXT_0)
    parts = within(content, SEQUENCE)
    need(len(parts) == 5, "it holds something that nobody signed, or lacks a part")
    _, _, info, certificates, signers = parts
    (signer,) = within(signers, SET)
    need(len(within(signer, SEQUENCE)) == 6, "its signer says more than is signed, or less")
    return Response(info, [one.whole for one in within(certificates, CONTEXT_0)], signer)


def stamped(info: Value, covers: bytes) -> tuple[datetime, bytes]:
    """The time, and the bytes that are signed (TSTInfo). They have to be over the SHA-256 of `covers`."""
    kind, packed = within(info, SEQUENCE)
    (octets,) = within(packed, CONTEXT_0)
    (inner,) = within(octets, OCTETS)
    _, _, imprint, _, moment = within(inner, SEQUENCE)[:5]
    hashing, digest = within(imprint, SEQUENCE)
    need(kind.whole == written(OID, TST_INFO) and moment.inside.endswith(b"Z"), "it is no timestamp")
    need(isinstance(hashed(hashing, b"")[1], hashes.SHA256), "it is over another hash than SHA-256")
    need(digest.inside == hashlib.sha256(covers).digest(), "it is over something else")
    when = datetime.strptime(moment.inside[:14].decode("ascii"), "%Y%m%d%H%M%S").replace(tzinfo=UTC)
    return when, octets.inside


def signed_by(response: Response, content: bytes) -> x509.Certificate:
    """The certificate whose key signed the attributes, which name the content and the certificate."""
    version, named, digest, attributes, algorithm, signature = within(response.signer, SEQUENCE)
    made, by = hashed(digest, content)
    said: dict[bytes, Value] = {}
    for attribute in within(attributes, CONTEXT_0):
        name, held = within(attribute, SEQUENCE)
        need(name.inside not in said, "an attribute of its signature stands twice")
        (said[name.inside],) = within(held, SET)
    need(version.whole == written(INTEGER, b"\1") and signature.tag == OCTETS, "its signer is not one of a timestamp")
    need(said[CONTENT_TYPE].inside == TST_INFO, "its signature is not one of a timestamp")
    need(said[MESSAGE_DIGEST].inside == made, "its signature is over another content")
    (packed,) = [one for one in response.certificates if is_meant(one, said)]
    at = x509.load_der_x509_certificate(packed)
    serial = written(INTEGER, at.serial_number.to_bytes(at.serial_number.bit_length() // 8 + 1, "big"))
    need(named.whole == written(SEQUENCE, at.issuer.public_bytes(), serial), "it names one signer, and means another")
    (_, rsa_with, ecdsa_with), key = HASHES[values(digest.inside)[0].inside], at.public_key()
    text = written(SET, attributes.inside)
    if isinstance(key, rsa.RSAPublicKey):
        known = [written(SEQUENCE, written(OID, RSA + last), NULL) for last in (b"\1", rsa_with)]
        key.verify(signature.inside, text, padding.PKCS1v15(), by)
    elif isinstance(key, ec.EllipticCurvePublicKey):
        known = [written(SEQUENCE, written(OID, ECDSA + ecdsa_with))]
        key.verify(signature.inside, text, ec.ECDSA(by))
    else:
        raise ValueError("it is by a key of another kind than RSA and ECDSA")
    need(algorithm.whole in known, "its signature rests on an algorithm that is not taken")
    return at


def is_meant(certificate: bytes, said: dict[bytes, Value]) -> bool:
    """Whether the signed attributes name this certificate as the signer's (RFC 5035; with SHA-1 RFC 2634)."""
    newer = said.get(SIGNING_CERTIFICATE_V2)
    first, *_ = within(within(newer or said[SIGNING_CERTIFICATE], SEQUENCE)[0], SEQUENCE)
    mark, *more = within(first, SEQUENCE)
    if mark.tag == OCTETS:
        return (
            hashlib.new("sha256" if newer else "sha1", certificate, usedforsecurity=bool(newer)).digest() == mark.inside
        )
    return hashed(mark, certificate)[0] == more[0].inside


def issuer(of: x509.Certificate, among: Sequence[x509.Certificate]) -> x509.Certificate | None:
    for one in among:
        try:
            of.verify_directly_issued_by(one)
        except (ValueError, TypeError, InvalidSignature):
            continue
        return one
    return None


def up(
    at: x509.Certificate, known: Sequence[x509.Certificate], roots: Sequence[x509.Certificate]
) -> tuple[list[x509.Certificate], x509.Certificate]:
    """The certificates from the signer's to the last one below a root, and the root."""
    chain = [at]
    while len(chain) < LONGEST:
        if root := issuer(chain[-1], roots):
            return chain, root
        above = issuer(chain[-1], [one for one in known if one not in chain])
        if above is None:
            break
        chain.append(above)
    raise Unknown("no root that was given vouches for its authority")


def timestamp(covers: bytes, response: bytes, roots: Sequence[x509.Certificate]) -> str:
    """Raises `Unknown`, and whatever the libraries raise at what is broken."""
    taken = taken_apart(response)
    when, content = stamped(taken.info, covers)
    at = signed_by(taken, content)
    chain, root = up(at, [x509.load_der_x509_certificate(one) for one in taken.certificates], roots)
    for one in (*chain, root):
        need(one.not_valid_before_utc <= when <= one.not_valid_after_utc, f"a certificate was not valid on {when}")
    for one in (*chain[1:], root):
        need(one.extensions.get_extension_for_class(x509.BasicConstraints).value.ca, "an issuer is no authority")
    use = at.extensions.get_extension_for_class(x509.ExtendedKeyUsage)
    need(use.critical and list(use.value) == [x509.OID_TIME_STAMPING], "its certificate is not for timestamps alone")
    need(taken.together(chain) == response, "it holds something that nobody signed")
    who = f"{at.subject.rfc4514_string()}, below {root.subject.rfc4514_string()}"
    return f"existed on {when:%Y-%m-%d %H:%M:%S} UTC, says {who}"


def checks(archive: zipfile.ZipFile, roots: Sequence[x509.Certificate]) -> Iterator[tuple[str, str, str]]:
    """Folder, outcome (passed, failed, not_checked) and a sentence of each timestamp."""
    for name in archive.namelist():
        if found := re.fullmatch(r"([^/]+/seal/timestamps/[0-9]{4})/response\.tsr", name):
            try:
                with archive.open(name) as one, archive.open(f"{found[1]}/covers.txt") as other:
                    response, covers = one.read(MAX_RESPONSE + 1), other.read(MAX_COVERS + 1)
                need(len(response) <= MAX_RESPONSE and len(covers) <= MAX_COVERS, "it is too long")
                yield found[1], "passed", timestamp(covers, response, roots)
            except Unknown as error:
                yield found[1], "not_checked", str(error)
            except Exception as error:  # what is odd on purpose makes libraries raise a dozen kinds
                yield found[1], "failed", f"{type(error).__name__}: {error}"


def main() -> int:
    try:
        archive = zipfile.ZipFile(sys.argv[1])
        pems = [Path(path).read_bytes() for path in sys.argv[2:]]
        roots = [one for pem in pems for one in x509.load_pem_x509_certificates(pem)]
    except (IndexError, OSError, ValueError, zipfile.BadZipFile) as error:
        print(f"{__doc__}\n{error}", file=sys.stderr)
        return 2
    with archive:
        found = list(checks(archive, roots)) or [("seal", "not_checked", "there are no timestamps")]
    for name, outcome, says in found:
        print(f"{outcome:<12} {name}: {''.join(sign if sign.isprintable() else '?' for sign in says)}")
    return int(any(outcome == "failed" for _, outcome, _ in found))


if __name__ == "__main__":
    sys.exit(main())
