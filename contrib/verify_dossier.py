#!/usr/bin/env python3
"""A second opinion on a dossier: checks it by docs/dossier-format.md, with nothing of kholo's own code.

python contrib/verify_dossier.py FILE [--root AUTHORITY.pem] [--json]     (exit code: 0 holds, 1 does not, 2 usage)
"""

import argparse
import base64
import hashlib
import json
import re
import struct
import sys
import zlib
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa

Files = dict[str, bytes]
TAGS, MANIFEST, SAID, LEAVES = (
    "tagmanifest-sha256.txt",
    "manifest-sha256.txt",
    "seal/statement.txt",
    "seal/leaves.jsonl",
)
FIXED = ("bagit.txt", "bag-info.txt", MANIFEST, TAGS, SAID, LEAVES)
NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*(/[A-Za-z0-9_][A-Za-z0-9._-]*)*")
MORE = re.compile(
    r"seal/(signatures/[0-9a-f]{16}\.(sig|pub)|timestamps/[0-9]{4}/(covers\.txt|response\.tsr)"
    r"|log/[a-z0-9.-]{1,60}\.proof|opentimestamps/[a-z0-9.-]{1,60}\.ots)"
)
STATEMENT = re.compile(
    r"kholo-dossier/1\ncase: ([a-z0-9-]{1,100})\nas-of: ([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z)\n"
    r"simulated: (yes|no)\nleaves: (0|[1-9][0-9]{0,7})\nroot: sha256:([0-9a-f]{64})\n"
)
PKCS9 = bytes.fromhex("2a864886f70d0109")  # 1.2.840.113549.1.9
BROKEN = (
    ArithmeticError, AttributeError, InvalidSignature, LookupError, RecursionError, TypeError, UnsupportedAlgorithm,
    ValueError, struct.error, x509.DuplicateExtension, x509.ExtensionNotFound, zlib.error,
)  # fmt: skip


class Unknown(Exception):
    """What can't be established here, and is not wrong for that."""


def need(holds: object, says: str) -> None:
    if not holds:
        raise ValueError(says)


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def unpacked(data: bytes) -> Files:
    """The container: every header from the front, then the directory that these files must have, byte for byte."""
    files: Files = {}
    directory, at, before, far = bytearray(), 0, "", 0xFFFFFFFF
    while data[at : at + 4] == b"PK\3\4":
        crc, size, _, length, _ = struct.unpack("<3L2H", data[at + 14 : at + 30])
        name, start = data[at + 30 : at + 30 + length], at + 30 + length
        path, content = name.decode("ascii"), data[start : start + size]
        need(NAME.fullmatch(path) and length <= 200 and path > before, f"{path[:200]!a}: a bad name, or out of order")
        head = struct.pack("<4s5H3L2H", b"PK\3\4", 20, 0, 0, 0, 0x21, crc, size, size, length, 0) + name
        need(data[at:start] == head and len(content) == size, f"{path}: its header was changed, or it is cut off")
        need(zlib.crc32(content) == crc, f"{path}: was changed")
        more, version = (struct.pack("<2HQ", 1, 8, at), 45) if at >= far else (b"", 20)
        fields = (b"PK\1\2", 768 | version, version, 0, 0, 0, 0x21, crc, size, size, length, len(more), 0, 0, 0)
        directory += struct.pack("<4s6H3L5H2L", *fields, 0o100644 << 16, min(at, far)) + name + more
        files[path], before, at = content, path, start + size
    many, size = len(files), len(directory)
    if many >= 0xFFFF or at >= far or size >= far:
        directory += struct.pack("<4sQ2H2L4Q", b"PK\6\6", 44, 768 | 45, 45, 0, 0, many, many, size, at)
        directory += struct.pack("<4sLQL", b"PK\6\7", 0, at + size, 1)
    few = min(many, 0xFFFF)
    directory += struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, few, few, min(size, far), min(at, far), 0)
    need(data[at:] == directory, "the directory is not that of these files, or something stands beside them")
    folder = before.partition("/")[0] + "/"
    need(all(path.startswith(folder) for path in files), "it holds not one folder")
    inside = {path.removeprefix(folder): content for path, content in files.items()}
    need(inside.keys() >= {*FIXED, "data/dossier.json"}, "a file is missing that every dossier has")
    above = {path.rsplit("/", depth)[0] for path in inside for depth in range(1, path.count("/") + 1)}
    need(above.isdisjoint(inside), "a path is that of a file and of a folder")
    odd = [path for path in inside if not (path.startswith("data/") or path in FIXED or MORE.fullmatch(path))]
    need(not odd, f"these do not belong in a dossier: {odd[:9]}")
    need(folder == f"{statement(inside)[0]}-dossier/", "its folder is not called after its case")
    return inside


def statement(files: Files) -> tuple[str, datetime, bool, int, str]:
    found = STATEMENT.fullmatch(files[SAID].decode("ascii"))
    case, moment, simulated, leaves, root = found.groups() if found else ("", "no statement", "", "0", "")
    when = datetime.strptime(moment, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    need(1990 <= when.year <= 2100, "no dossier is of that year")
    return case, when, simulated == "yes", int(leaves), root


def manifest(files: Files, name: str) -> dict[str, str]:
    rows = {line[66:]: line[:64] for line in files[name].decode("ascii").split("\n")[:-1]}
    need(
        "".join(f"{rows[path]}  {path}\n" for path in sorted(rows)).encode() == files[name], f"{name}: is not in order"
    )
    need(all(re.fullmatch("[0-9a-f]{64}", digest) for digest in rows.values()), f"{name}: holds what is no SHA-256")
    return rows


def whole(files: Files) -> str:
    tags, payload = manifest(files, TAGS), manifest(files, MANIFEST)
    need(tags.keys() == {path for path in files if not path.startswith("data/")} - {TAGS}, f"{TAGS}: names other files")
    need(payload.keys() == {path for path in files if path.startswith("data/")}, f"{MANIFEST}: names other files")
    changed = [path for path, sha in (tags | payload).items() if sha256(files[path]) != sha]
    need(not changed, f"changed: {', '.join(changed[:20])}")
    return f"all {len(tags) + len(payload)} files are there, none beside them, each with its SHA-256"


def tree(files: Files) -> str:
    row, withheld, written = [], 0, bytearray()
    placed: dict[str, str] = {}
    for line in files[LEAVES].split(b"\n")[:-1]:
        leaf = {key: value for key, value in json.loads(line).items() if value}
        written += json.dumps(leaf, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
        path, kinds = leaf.get("path", ""), tuple(leaf)
        need(
            all(isinstance(text, str) for text in leaf.values()) and path not in placed, f"{LEAVES}: no leaf of a file"
        )
        is_open = kinds == ("path", "sha256", "salt")
        is_held = kinds in {("leaf", "withheld"), ("path", "sha256", "leaf", "withheld")}
        numbers = [leaf[key] for key in ("sha256", "salt", "leaf") if key in leaf]
        need((is_open or is_held) and all(re.fullmatch("[0-9a-f]{64}", one) for one in numbers), f"{LEAVES}: no leaf")
        placed |= {path: leaf["sha256"]} if path else {}
        withheld += is_held
        hashed = b"" if is_held else b"\0" + bytes.fromhex(leaf["salt"] + leaf["sha256"]) + path.encode()
        row.append(bytes.fromhex(leaf["leaf"]) if is_held else hashlib.sha256(hashed).digest())
    need(written == files[LEAVES], f"{LEAVES}: is not in the one form that it has")
    *_, many, root = statement(files)
    need(len(row) == many and placed == manifest(files, MANIFEST), "the tree is not of the files that are there")
    while len(row) > 1:  # RFC 6962, 2.1: one that is left over goes up as it is
        pairs = [hashlib.sha256(b"\1" + row[i] + row[i + 1]).digest() for i in range(0, len(row) - 1, 2)]
        row = pairs + row[len(pairs) * 2 :]
    need(row and row[0].hex() == root, "the tree has another root than the statement")
    return f"the {many} files were sealed together under the root {root}; withheld: {withheld}"


def bag(files: Files) -> str:
    head = json.loads(files["data/dossier.json"])
    case, when, simulated, *_ = statement(files)
    says = ("kholo-dossier/1", case, f"{when:%Y-%m-%dT%H:%M:%SZ}", simulated)
    need(
        (head["format"], head["case"], head["as_of"], head["simulated"]) == says, "dossier.json: not of this statement"
    )
    need(
        re.fullmatch("[0-9a-f]{1,64}-[0-9a-f]{1,64}", head["set"]) and head["software"].isprintable(),
        "dossier.json: odd",
    )
    sizes = [len(content) for path, content in files.items() if path.startswith("data/")]
    notice = "SIMULATED: nothing of this happened. " if simulated else ""
    info = f"Bag-Software-Agent: {head['software']}\nBagging-Date: {when:%Y-%m-%d}\n"
    info += f"External-Description: {notice}Dossier of the case {case}\nExternal-Identifier: {case}\n"
    need(
        files["bag-info.txt"] == f"{info}Payload-Oxum: {sum(sizes)}.{len(sizes)}\n".encode(),
        "bag-info.txt: was changed",
    )
    need(files["bagit.txt"] == b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n", "bagit.txt: was changed")
    return f"{notice}it is a bag (RFC 8493) of the case {case} as of {when:%Y-%m-%d %H:%M} UTC"


def strings(data: bytes) -> Iterator[bytes]:
    """The strings of RFC 4251, section 5, one behind the other."""
    while data:
        size = 4 + int.from_bytes(data[:4], "big")
        need(size <= len(data), "a string is cut off")
        yield data[4:size]
        data = data[size:]


def signature(files: Files, name: str) -> str:
    line, sig = files[f"{name}.pub"], files[f"{name}.sig"].decode("ascii").rstrip("\n").split("\n")
    blob = base64.b64decode(line.split()[1], validate=True)
    raw = base64.b64decode("".join(sig[1:-1]), validate=True)
    key, space, reserved, hashing, signed = strings(raw[10:])
    need(line == b"ssh-ed25519 %s\n" % base64.b64encode(blob), f"{name}.pub: is no Ed25519 key in its one form")
    need(name.endswith(sha256(blob)[:16]) and key == blob, f"{name}: is not of the key beside it")
    need(
        (sig[0], sig[-1]) == ("-----BEGIN SSH SIGNATURE-----", "-----END SSH SIGNATURE-----"), f"{name}: is not armored"
    )
    need((raw[:10], space) == (b"SSHSIG\0\0\0\1", b"kholo-dossier"), f"{name}: was not made for a dossier")
    need(hashing in {b"sha512", b"sha256"}, f"{name}: hashes in a way that nobody does")
    (kind, public), (made, value) = strings(key), strings(signed)
    need(kind == made == b"ssh-ed25519", f"{name}: is no Ed25519 signature")
    parts = (space, reserved, hashing, hashlib.new(hashing.decode(), files[SAID]).digest())
    text = b"SSHSIG" + b"".join(struct.pack(">L", len(part)) + part for part in parts)
    ed25519.Ed25519PublicKey.from_public_bytes(public).verify(value, text)
    return f"signed by {line.decode().strip()} (whose key that is, no file can say)"


def der(data: bytes) -> list[tuple[int, bytes, bytes]]:
    """The values of DER (X.690) that stand one behind the other: tag, content, the whole."""
    out = []
    while data:
        size, start = data[1], 2 + (data[1] & 0x7F if data[1] & 0x80 else 0)
        end = start + (int.from_bytes(data[2:start], "big") if size & 0x80 else size)
        need(end <= len(data), "DER is cut off")
        out.append((data[0], data[start:end], data[:end]))
        data = data[end:]
    return out


def hashed(algorithm_id: bytes, data: bytes) -> tuple[bytes, hashes.HashAlgorithm]:
    """By a hash of the arc 2.16.840.1.101.3.4.2."""
    oid = der(algorithm_id)[0][1]
    need(oid[:-1] == bytes.fromhex("6086480165030402"), "a timestamp hashes in a way that is not known here")
    algorithm = {1: hashes.SHA256(), 2: hashes.SHA384(), 3: hashes.SHA512()}[oid[-1]]
    return hashlib.new(algorithm.name, data).digest(), algorithm


def is_above(issuer: x509.Certificate, at: x509.Certificate) -> bool:
    try:
        at.verify_directly_issued_by(issuer)
        return issuer.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except BROKEN:
        return False


def timestamp(files: Files, folder: str, roots: Sequence[x509.Certificate]) -> str:
    """An RFC 3161 response over covers.txt: what it covers, its time, its signature, and the chain to a given root."""
    covers, listed = manifest(files, f"{folder}/covers.txt"), files[f"{folder}/covers.txt"]
    need(
        covers.keys() >= {SAID, *(path for path in files if "seal/timestamps/" <= path < folder)},
        f"{folder}: lacks some",
    )
    need(all(sha256(files[path]) == sha for path, sha in covers.items()), f"{folder}: covers others")
    status, token = der(der(files[f"{folder}/response.tsr"])[0][1])
    need(der(status[1])[0][1] in {b"\0", b"\1"}, f"{folder}: was refused by the authority")
    _, _, content, *more, signers = der(der(der(token[1])[1][1])[0][1])
    info = der(der(content[1])[1][1])[0][1]
    _, _, imprint, _, moment = (value[1] for value in der(der(info)[0][1])[:5])
    need(der(imprint)[1][1] == hashed(der(imprint)[0][1], listed)[0], f"{folder}: is of something else")
    when = datetime.strptime(moment.decode("ascii")[:14], "%Y%m%d%H%M%S").replace(tzinfo=UTC)
    _, issued, digest, attributes, _, value = der(der(signers[1])[0][1])[:6]
    said = {der(one[1])[0][1]: der(der(one[1])[1][1])[0][1] for one in der(attributes[1])}
    made, algorithm = hashed(digest[1], info)
    need(
        said[PKCS9 + b"\4"] == made and said[PKCS9 + b"\3"] == PKCS9 + b"\x10\1\4",
        f"{folder}: the signed attributes are of another content",
    )
    known = [x509.load_der_x509_certificate(one[2]) for part in more if part[0] == 0xA0 for one in der(part[1])]
    serial = int.from_bytes(der(issued[1])[1][1], "big")
    at, *_ = [one for one in known if one.serial_number == serial and one.issuer.public_bytes() == der(issued[1])[0][2]]
    need(x509.OID_TIME_STAMPING in at.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value, "no authority")
    key, text = at.public_key(), b"\x31" + attributes[2][1:]
    if isinstance(key, rsa.RSAPublicKey):
        key.verify(value[1], text, padding.PKCS1v15(), algorithm)
    elif isinstance(key, ec.EllipticCurvePublicKey):
        key.verify(value[1], text, ec.ECDSA(algorithm))
    else:
        raise Unknown(f"{folder}: signed by a key of another kind than RSA and ECDSA")
    while at not in roots:
        above = [one for one in (*roots, *known) if one.subject == at.issuer and one != at and is_above(one, at)]
        if not above or not at.not_valid_before_utc <= when <= at.not_valid_after_utc:
            raise Unknown(
                f"{folder}: says {when:%Y-%m-%d %H:%M:%S} UTC; no root that was given (--root) vouches for it"
            )
        at, known = above[0], [one for one in known if one != above[0]]
    return f"existed on {when:%Y-%m-%d %H:%M:%S} UTC, says an authority below {at.subject.rfc4514_string()}"


Row = tuple[str, str, str]


def tried(name: str, check: Callable[..., str], *values: object) -> Row:
    try:
        return name, "passed", check(*values)
    except Unknown as error:
        return name, "not_checked", str(error)
    except BROKEN as error:
        return name, "failed", f"{type(error).__name__}: {error}" if not isinstance(error, ValueError) else str(error)


def checks(data: bytes, roots: Sequence[x509.Certificate] = ()) -> Iterator[Row]:
    """Name, outcome (passed, failed, not_checked) and a sentence of each check."""
    files: Files = {}
    yield (first := tried("container", lambda: files.update(unpacked(data)) or "a ZIP in its one form"))
    if first[1] == "failed":
        return
    yield from (tried(name, check, files) for name, check in (("files", whole), ("tree", tree), ("bag", bag)))
    signed = sorted({path[:-4] for path in files if path.startswith("seal/signatures/")})
    yield from (tried("signature", signature, files, name) for name in signed)
    stamps = sorted({path[:20] for path in files if path.startswith("seal/timestamps/")})
    yield from (tried("timestamp", timestamp, files, folder, roots) for folder in stamps)
    rest = ("signature", signed, "nobody signed this"), ("timestamp", stamps, "nobody vouches for when it existed")
    yield from ((name, "not_checked", why) for name, there, why in rest if not there)
    if others := sorted(path for path in files if re.match("seal/(log|opentimestamps)/", path)):
        yield "others", "not_checked", f"not looked at here: {', '.join(others)}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path)
    parser.add_argument("--root", type=Path, action="append", default=[], help="certificates (PEM) of an authority")
    parser.add_argument("--json", action="store_true", help="one object of JSON a line")
    given = parser.parse_args()
    try:
        data, pems = given.file.read_bytes(), [path.read_bytes() for path in given.root]
        roots = [one for pem in pems for one in x509.load_pem_x509_certificates(pem)]
    except (OSError, ValueError) as error:
        parser.error(str(error))
    found = list(checks(data, roots))
    for check, outcome, says in found:
        row = {"check": check, "outcome": outcome, "says": says}
        plain = f"{outcome:<12} {check}: {''.join(sign if sign.isprintable() else '?' for sign in says)}"
        print(json.dumps(row) if given.json else plain)
    return int(any(outcome == "failed" for _, outcome, _ in found))


if __name__ == "__main__":
    sys.exit(main())
