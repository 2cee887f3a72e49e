"""DNS messages and certificates as they were on the wire. Needs the extra `ripeatlas`.

Both are read by libraries (`docs/decisions/0012-wire.md`), loaded only when there is something to read.
"""

from __future__ import annotations

import base64
import binascii
import warnings
from importlib import import_module
from typing import Any

import msgspec

from .envelope import Refused

#: Bytes of a DNS message: its length is a number of 16 bits (RFC 1035, 4.2.2).
MAX_MESSAGE = 65_535
#: Characters of one certificate as PEM; real ones have some 2,000.
MAX_CERTIFICATE = 100_000
MAX_ANSWERS = 64

#: What a certificate says of the name that was asked for. None of them says that it is valid.
NAMED, OTHERS, UNREADABLE = "certificate names the host", "certificate names others", "certificate is unreadable"

_INSTALL = "needs the {name} library: pip install 'kholo[ripeatlas]', then run the same again"
#: What answers with an error are in OONI's words (df-007).
_RCODES = {2: "dns_servfail_error", 3: "dns_nxdomain_error", 5: "dns_refused_error"}
#: Class and type of the records that hold an address: IN A, IN AAAA.
_ADDRESSES = ((1, 1), (1, 28))


class Lookup(msgspec.Struct, frozen=True):
    """One DNS message. `name` is in small letters without the last dot, `failure` None where it has what was asked."""

    name: str
    query_type: str
    failure: str | None = None
    answers: tuple[str, ...] = ()


def _library(module: str, name: str) -> Any:
    try:
        return import_module(module)
    except ImportError:
        raise Refused("needs_extra", _INSTALL.format(name=name)) from None


def missing() -> str:
    """What to install before RIPE Atlas's results can be read; "" where nothing is missing."""
    try:
        _library("dns.message", "dnspython")
        _library("cryptography.x509", "cryptography")
    except Refused as error:
        return error.detail
    return ""


def dns(encoded: str, is_answer: bool) -> Lookup:
    """A DNS message in base64, a question or an answer. Raises `Refused` where it is not that."""
    library = _library("dns.message", "dnspython")
    if len(encoded) > 4 * MAX_MESSAGE / 3 + 4:
        raise Refused("not_dns", f"a DNS message of more than {MAX_MESSAGE} bytes")
    try:
        message = library.from_wire(base64.b64decode(encoded, validate=True), ignore_trailing=True)
    except (library.dns.exception.DNSException, binascii.Error, ValueError) as error:
        raise Refused("not_dns", f"what should be a DNS message in base64 is none ({error})") from None
    if is_answer != bool(message.flags & library.dns.flags.QR):
        raise Refused("not_dns", "a question stands where an answer should, or an answer where a question should")
    name = query_type = ""
    if message.question:
        name = message.question[0].name.to_text(omit_final_dot=True).lower()[:253]
        query_type = library.dns.rdatatype.to_text(message.question[0].rdtype)[:16]
    addresses = (rows for rows in message.answer if (rows.rdclass, rows.rdtype) in _ADDRESSES)
    found = dict.fromkeys(data.address for rows in addresses for data in rows)
    has_answer = bool(found) if query_type in ("A", "AAAA") else bool(message.answer)
    is_cut = bool(message.flags & library.dns.flags.TC)
    return Lookup(name, query_type, _failure(int(message.rcode()), has_answer, is_cut), tuple(found)[:MAX_ANSWERS])


def _failure(rcode: int, has_answer: bool, is_cut: bool) -> str | None:
    if rcode:
        return _RCODES.get(rcode, "dns_server_misbehaving")
    if has_answer:
        return None
    # A message cut short does not show that there was no answer.
    return "unknown_failure" if is_cut else "dns_no_answer"


def certificate(pem: str, host: str) -> str:
    """What the certificate of a server says of the host that was asked for: one of three things, none of them "valid".

    Only its names are compared (RFC 6125: a wildcard stands for one label); not its signature, time or issuer.
    """
    x509 = _library("cryptography.x509", "cryptography")
    if len(pem) > MAX_CERTIFICATE:
        return UNREADABLE
    try:
        # What the library warns of are oddities of certificates that it reads all the same.
        with warnings.catch_warnings(action="ignore"):
            names = _names(x509, x509.load_pem_x509_certificate(pem.encode()))
    except (ValueError, TypeError, x509.InvalidVersion, x509.DuplicateExtension, x509.UnsupportedGeneralNameType):
        return UNREADABLE
    wanted = {host, "*." + host.partition(".")[2]}
    return NAMED if host and any(name.lower() in wanted for name in names) else OTHERS


def _names(x509: Any, read: Any) -> list[str]:
    """The names that a certificate is made out to; in old ones they stand in the subject alone."""
    try:
        extension = read.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        return [str(name.value) for name in read.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)]
    return list(extension.value.get_values_for_type(x509.DNSName))
