"""A timestamp authority: OpenSSL's, behind HTTP; and one made by hand that can be wrong in each way there is."""

from __future__ import annotations

import hashlib
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from kholo.evidence.der import INTEGER, NULL, OCTETS, OID, SEQUENCE, SET, integer, read, write

from .base import Answer, App, Request

Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
STAMPING = (ExtendedKeyUsageOID.TIME_STAMPING,)
START, END = datetime(2020, 1, 1, tzinfo=UTC), datetime(2045, 1, 1, tzinfo=UTC)
SHA256 = write(SEQUENCE, write(OID, bytes.fromhex("608648016503040201")), write(NULL))
_RSA = write(SEQUENCE, write(OID, bytes.fromhex("2a864886f70d010101")), write(NULL))
_ECDSA = write(SEQUENCE, write(OID, bytes.fromhex("2a8648ce3d040302")))
_TST_INFO = write(OID, bytes.fromhex("2a864886f70d0109100104"))
_CONFIG = """
[tsa]
default_tsa = t
[t]
serial = {folder}/serial
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256
accuracy = secs:1
ess_cert_id_alg = {ess}
"""


@dataclass(frozen=True)
class Holder:
    """A certificate, its key, and the certificates between it and the root."""

    certificate: x509.Certificate
    key: Key
    between: tuple[x509.Certificate, ...] = ()

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.DER)

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.PEM)


def rsa_key() -> Key:
    return rsa.generate_private_key(65537, 2048)


def curve_key() -> Key:
    return ec.generate_private_key(ec.SECP256R1())


def holder(
    name: str, above: Holder | None = None, uses: Sequence[x509.ObjectIdentifier] = (), *, make: Callable[[], Key],
    is_critical: bool = True, start: datetime = START, end: datetime = END,
) -> Holder:  # fmt: skip
    """A root where there is nobody above; one that issues where it has no uses."""
    key = make()
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = (
        x509.CertificateBuilder(subject_name=subject, issuer_name=above.certificate.subject if above else subject)
        .public_key(key.public_key()).serial_number(x509.random_serial_number())
        .not_valid_before(start).not_valid_after(end)
        .add_extension(x509.BasicConstraints(not uses, None), critical=True)
        .add_extension(x509.KeyUsage(bool(uses), False, False, False, False, not uses, False, False, False), True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key((above.key if above else key).public_key()), False
        )
    )  # fmt: skip
    if uses:
        builder = builder.add_extension(x509.ExtendedKeyUsage(uses), critical=is_critical)
    made = builder.sign(above.key if above else key, hashes.SHA256())
    return Holder(made, key, (above.certificate, *above.between) if above else ())


@dataclass(frozen=True)
class ByHand:
    """How a response is made."""

    signer: Holder
    at: datetime
    certificates: Sequence[x509.Certificate] | None = None
    status: bytes = b"\x02\x01\x00"
    beside: bytes = b""
    """Attributes that no signature covers."""
    revoked: bytes = b""
    means: bytes | None = None
    """The certificate that it says its signer has, if another."""
    twist: Callable[[bytes], bytes] = lambda info: info
    """What is done to the bytes about the time before they are signed."""

    def response(self, asked: bytes) -> bytes:
        _version, imprint, nonce, *_ = read(asked).parts(SEQUENCE)
        assert nonce.tag == INTEGER
        info = self.twist(write(
            SEQUENCE, integer(1), write(OID, b"\x2a\x03\x04"), imprint.whole, integer(1 << 80),
            write(0x18, f"{self.at:%Y%m%d%H%M%SZ}".encode()), nonce.whole,
        ))  # fmt: skip
        content = write(SEQUENCE, _TST_INFO, write(0xA0, write(OCTETS, info)))
        named = self.means or self.signer.der
        mark = write(SEQUENCE, write(SEQUENCE, write(SEQUENCE, write(OCTETS, hashlib.sha256(named).digest()))))
        attributes = b"".join(sorted((
            _attribute("2a864886f70d010903", _TST_INFO),
            _attribute("2a864886f70d010904", write(OCTETS, hashlib.sha256(info).digest())),
            _attribute("2a864886f70d010910022f", mark),
        )))  # fmt: skip
        algorithm, signature = self._sign(write(SET, attributes))
        body = read(self.signer.der).parts(SEQUENCE)[0].parts(SEQUENCE)
        signer = write(
            SEQUENCE, integer(1), write(SEQUENCE, body[3].whole, body[1].whole), SHA256, write(0xA0, attributes),
            algorithm, write(OCTETS, signature), self.beside,
        )  # fmt: skip
        chain = (self.signer.certificate, *self.signer.between[:-1]) if self.certificates is None else self.certificates
        packed = sorted(each.public_bytes(serialization.Encoding.DER) for each in chain)
        signed = write(
            SEQUENCE, integer(3), write(SET, SHA256), content, write(0xA0, *packed), self.revoked, write(SET, signer)
        )
        token = write(SEQUENCE, write(OID, bytes.fromhex("2a864886f70d010702")), write(0xA0, signed))
        return write(SEQUENCE, write(SEQUENCE, self.status), token)

    def _sign(self, data: bytes) -> tuple[bytes, bytes]:
        key = self.signer.key
        if isinstance(key, rsa.RSAPrivateKey):
            return _RSA, key.sign(data, padding.PKCS1v15(), hashes.SHA256())
        return _ECDSA, key.sign(data, ec.ECDSA(hashes.SHA256()))


def _attribute(name: str, value: bytes) -> bytes:
    return write(SEQUENCE, write(OID, bytes.fromhex(name)), write(SET, value))


class OpenSsl:
    """`openssl ts -reply` in a folder of its own; its clock is the machine's."""

    def __init__(self, folder: Path, signer: Holder, ess: str = "sha256") -> None:
        self.folder = folder
        (folder / "serial").write_text("01\n")
        (folder / "tsa.cnf").write_text(_CONFIG.format(folder=folder, ess=ess))
        (folder / "tsa.pem").write_bytes(signer.pem)
        (folder / "tsa.key").write_bytes(signer.key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ))  # fmt: skip
        chain = b"".join(each.public_bytes(serialization.Encoding.PEM) for each in signer.between)
        (folder / "chain.pem").write_bytes(chain)

    def response(self, asked: bytes) -> bytes:
        (self.folder / "asked.tsq").write_bytes(asked)
        command = (
            "openssl", "ts", "-reply", "-config", "tsa.cnf", "-queryfile", "asked.tsq", "-signer", "tsa.pem",
            "-inkey", "tsa.key", "-chain", "chain.pem", "-out", "answer.tsr",
        )  # fmt: skip
        subprocess.run(command, cwd=self.folder, check=True, capture_output=True)
        return (self.folder / "answer.tsr").read_bytes()


def tsa(respond: Callable[[bytes], bytes]) -> App:
    """An authority over HTTP that answers with what is given back for a question."""

    def app(request: Request) -> Answer:
        if request.method != "POST" or request.headers.get("content-type") != "application/timestamp-query":
            return Answer(400, body=b"no question")
        return Answer(200, {"Content-Type": "application/timestamp-reply"}, respond(request.body))

    return app


def when(days: float) -> datetime:
    return datetime(2026, 11, 1, tzinfo=UTC) + timedelta(days=days)
