"""A second opinion on a dossier: checks it by docs/dossier-format.md, with nothing of kholo's own code.

python contrib/verify_dossier.py FILE          (exit code: 0 nothing is wrong, 1 something is, 2 usage)
"""

import base64
import json
import re
import struct
import sys
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime
from hashlib import sha256, sha512
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

Files = dict[str, bytes]
TAGS, LIST, SAID, LEAVES = "tagmanifest-sha256.txt", "manifest-sha256.txt", "seal/statement.txt", "seal/leaves.jsonl"
NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*(/[A-Za-z0-9_][A-Za-z0-9._-]*)*")
PLACE = re.compile(
    r"data/.+|bagit\.txt|bag-info\.txt|(tag)?manifest-sha256\.txt|seal/(statement\.txt|leaves\.jsonl"
    r"|signatures/[0-9a-f]{16}\.(sig|pub)|timestamps/[0-9]{4}/(covers\.txt|response\.tsr)"
    r"|log/[a-z0-9.-]{1,60}\.proof|opentimestamps/[a-z0-9.-]{1,60}\.ots)"
)
STATEMENT = re.compile(
    r"kholo-dossier/1\ncase: ([a-z0-9-]{1,100})\nas-of: ((?:199\d|20\d\d|2100)-\d\d-\d\dT\d\d:\d\d:\d\dZ)\n"
    r"simulated: (yes|no)\nleaves: (0|[1-9]\d{0,7})\nroot: sha256:([0-9a-f]{64})\n"
)
LEAF = re.compile(
    r'{(?:"path":"([^"\\]+)","sha256":"([0-9a-f]{64})",)?'
    r'(?:"salt":"([0-9a-f]{64})"|"leaf":"([0-9a-f]{64})","withheld":(".+"))}'
)


def need(holds: object, says: str) -> None:
    if not holds:
        raise ValueError(says)


def unpacked(data: bytes) -> Files:
    """The files in the container: each header from the front, then the one directory that these files can have."""
    files: Files = {}
    directory, at, before, far = bytearray(), 0, "", 0xFFFFFFFF
    while data[at : at + 4] == b"PK\3\4":
        size, _, length = struct.unpack("<2LH", data[at + 18 : at + 28])
        start = at + 30 + length
        name, content = data[at + 30 : start], data[start : start + size]
        path, crc, size = name.decode("ascii"), zlib.crc32(content), len(content)
        need(NAME.fullmatch(path) and length <= 200 and path > before, f"{path[:200]!a}: a bad name, or out of order")
        head = struct.pack("<4s5H3L2H", b"PK\3\4", 20, 0, 0, 0, 0x21, crc, size, size, length, 0) + name
        need(data[at:start] == head, f"{path}: was changed, or its header, or it is cut off")
        extra, version = (struct.pack("<2HQ", 1, 8, at), 45) if at >= far else (b"", 20)
        fields = (0x300 | version, version, 0, 0, 0, 0x21, crc, size, size, length, len(extra), 0, 0, 0)
        directory += struct.pack("<4s6H3L5H2L", b"PK\1\2", *fields, 0x81A40000, min(at, far)) + name + extra
        files[path], before, at = content, path, start + size
    many, size = len(files), len(directory)
    if many >= 0xFFFF or at >= far or size >= far:
        directory += struct.pack("<4sQ2H2L4Q", b"PK\6\6", 44, 0x32D, 45, 0, 0, many, many, size, at)
        directory += struct.pack("<4sLQL", b"PK\6\7", 0, at + size, 1)
    few = min(many, 0xFFFF)
    directory += struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, few, few, min(size, far), min(at, far), 0)
    need(data[at:] == directory, "the directory is not that of these files, or something stands beside them")
    folder = before.partition("/")[0] + "/"
    need(all(path.startswith(folder) for path in files), "it holds not one folder")
    files = {path.removeprefix(folder): content for path, content in files.items()}
    above = {path.rsplit("/", depth)[0] for path in files for depth in range(1, path.count("/") + 1)}
    need(above.isdisjoint(files), "a path is that of a file and of a folder")
    need(all(map(PLACE.fullmatch, files)), "there is a file that does not belong in a dossier")
    need(folder == f"{statement(files)[0]}-dossier/", "its folder is not called after its case")
    return files


def statement(files: Files) -> tuple[str, datetime, bool, int, str]:
    found = STATEMENT.fullmatch(files[SAID].decode("ascii"))
    case, moment, simulated, leaves, root = found.groups() if found else ("", "no statement", "", "0", "")
    when = datetime.strptime(moment, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    return case, when, simulated == "yes", int(leaves), root


def manifest(files: Files, name: str) -> dict[str, str]:
    rows = {path: digest for digest, path in re.findall("([0-9a-f]{64})  (.+)\n", files[name].decode("ascii"))}
    need("".join(f"{rows[path]}  {path}\n" for path in sorted(rows)).encode() == files[name], f"{name}: no manifest")
    return rows


def whole(files: Files) -> str:
    payload = {path for path in files if path.startswith("data/")}
    named, tags = manifest(files, LIST), manifest(files, TAGS)
    need(named.keys() == payload and tags.keys() == files.keys() - payload - {TAGS}, "the manifests name other files")
    changed = [path for path, sha in (tags | named).items() if sha256(files[path]).hexdigest() != sha]
    need(not changed, f"changed: {', '.join(changed[:20])}")
    return "each file has the SHA-256 that the manifests say, none is missing and none stands beside them"


def tree(files: Files) -> str:
    row, placed, *_, many, root = [], [], *statement(files)
    for line in files[LEAVES].decode().split("\n")[:-1]:
        found = LEAF.fullmatch(line)
        path, sha, salt, leaf, why = found.groups("") if found else [""] * 5
        need(leaf or (path and salt), f"{LEAVES}: holds what is no leaf")
        need(not why or json.dumps(json.loads(why), ensure_ascii=False) == why, f"{LEAVES}: is not in its one form")
        placed += [(path, sha)] if path else []
        row.append(bytes.fromhex(leaf) or sha256(b"\0" + bytes.fromhex(salt + sha) + path.encode()).digest())
    withheld = files[LEAVES].count(b',"withheld":')
    is_whole = len(row) == many and sorted(placed) == sorted(manifest(files, LIST).items())
    while len(row) > 1:  # RFC 6962, 2.1: one that is left over goes up as it is
        pairs = [sha256(b"\1" + row[i] + row[i + 1]).digest() for i in range(0, len(row) - 1, 2)]
        row = pairs + row[len(pairs) * 2 :]
    need(is_whole and row[0].hex() == root, "the tree is not of these files, or has another root than the statement")
    return f"the {many} files were sealed together under the root {root}; withheld: {withheld}"


def bag(files: Files) -> str:
    head, (case, when, simulated, *_) = json.loads(files["data/dossier.json"]), statement(files)
    says = ("kholo-dossier/1", case, f"{when:%Y-%m-%dT%H:%M:%SZ}", simulated)
    need((head["format"], head["case"], head["as_of"], head["simulated"]) == says, "dossier.json: of another statement")
    need(re.fullmatch("[0-9a-f]{1,64}-[0-9a-f]{1,64}", head["set"]) and head["software"].isprintable(), "bad set")
    sizes = [len(content) for path, content in files.items() if path.startswith("data/")]
    notice = "SIMULATED: nothing of this happened. " if simulated else ""
    info = f"Bag-Software-Agent: {head['software']}\nBagging-Date: {when:%Y-%m-%d}\n"
    info += f"External-Description: {notice}Dossier of the case {case}\nExternal-Identifier: {case}\n"
    info += f"Payload-Oxum: {sum(sizes)}.{len(sizes)}\n"
    need(files["bag-info.txt"] == info.encode(), "bag-info.txt: was changed")
    need(files["bagit.txt"] == b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n", "bagit.txt: was changed")
    return f"{notice}it is a bag (RFC 8493) of the case {case} as of {when:%Y-%m-%d %H:%M} UTC"


def signature(files: Files, name: str) -> str:  # but for 64 bytes and the name of a hash, all follows from the key
    armour, line, kind = files[f"{name}.sig"], files[f"{name}.pub"], b"ssh-ed25519"
    if line.startswith((b"ssh-rsa ", b"ecdsa-sha2-nistp")):
        raise NotImplementedError(f"{name}: is by a key of another kind than Ed25519; ssh-keygen -Y verify checks it")
    public, value = base64.b64decode(line[12:])[-32:], base64.b64decode(b"".join(armour.split(b"\n")[1:-2]))[-64:]
    key, made = struct.pack(">L11sL32s", 11, kind, 32, public), struct.pack(">L11sL64s", 11, kind, 64, value)
    need(line == kind + b" " + base64.b64encode(key) + b"\n", f"{name}.pub: is no Ed25519 key in its one form")
    need(name == f"seal/signatures/{sha256(key).hexdigest()[:16]}", f"{name}: is not called after the key beside it")
    for hashing, hashed in (b"sha512", sha512(files[SAID])), (b"sha256", sha256(files[SAID])):
        use = struct.pack(">L13sLL6s", 13, b"kholo-dossier", 0, 6, hashing)  # namespace, reserved, name of the hash
        packed = b"SSHSIG" + struct.pack(">LL51s", 1, 51, key) + use + struct.pack(">L83s", 83, made)
        lines = re.sub(b"(.{1,70})", b"\\1\n", base64.b64encode(packed))
        if armour == b"-----BEGIN SSH SIGNATURE-----\n" + lines + b"-----END SSH SIGNATURE-----\n":
            covered = b"SSHSIG" + use + struct.pack(">L", hashed.digest_size) + hashed.digest()
            Ed25519PublicKey.from_public_bytes(public).verify(value, covered)
            return f"signed by {line.decode().strip()} (whose key that is, no file can say)"
    raise ValueError(f"{name}.sig: is no signature of this key for a dossier, as ssh-keygen writes it")


def inside(data: bytes, *way: int) -> bytes:  # nested values of DER (X.690): at each step, how many to pass over
    for passed in way:
        for left in range(passed, -1, -1):
            start = 2 + (data[1] & 0x7F if data[1] & 0x80 else 0)
            end = start + (int.from_bytes(data[2:start], "big") if start > 2 else data[1])
            data = data[end:] if left else data[start:end]
    return data


def covers(files: Files, folder: str) -> str:
    named, listed = manifest(files, f"{folder}/covers.txt"), files[f"{folder}/covers.txt"]
    earlier = {path for path in files if "seal/timestamps/" <= path < folder}
    need(len(earlier) == 2 * (int(folder[-4:]) - 1), f"{folder}: an earlier timestamp is missing or not complete")
    others = {path for path in named if not path.startswith("seal/signatures/")}
    need(others == {SAID, *earlier}, f"{folder}: covers not all that was there before, or more")
    need(all(sha256(files[path]).hexdigest() == named[path] for path in named), f"{folder}: covers other files")
    imprint = inside(files[f"{folder}/response.tsr"], 0, 1, 1, 0, 2, 1, 0, 0, 2, 1)  # RFC 3161, 2.4.2: of its TSTInfo
    need(imprint == sha256(listed).digest(), f"{folder}/response.tsr: is over something else")
    return f"{folder} is over the statement and {len(named) - 1} files as they are here (when: check_timestamps.py)"


def checks(data: bytes) -> Iterator[tuple[str, str, str]]:
    """Name, outcome (passed, failed, not_checked) and a sentence of each check."""
    files: Files = {}
    todo: list[tuple[Any, ...]] = [("container", lambda: files.update(unpacked(data)) or "a ZIP in its one form")]
    for name, check, *values in todo:
        try:
            yield name, "passed", check(*values)
        except NotImplementedError as error:
            yield name, "not_checked", str(error)
        except Exception as error:  # what is odd on purpose makes libraries raise a dozen kinds
            yield name, "failed", f"{type(error).__name__}: {error}"
        if name == "container" and files:  # what there is to look at is known now
            todo += [("files", whole, files), ("tree", tree, files), ("bag", bag, files)]
            signed = {path[:32] for path in files if path.startswith("seal/signatures/")}
            stamps = {path[:20] for path in files if path.startswith("seal/timestamps/")}
            todo += [("signature", signature, files, name) for name in sorted(signed)]
            todo += [("covers", covers, files, folder) for folder in sorted(stamps)]
            kinds = {path.split("/")[1] for path in files if path.startswith("seal/")}
            for kind in sorted(kinds ^ {"statement.txt", "leaves.jsonl", "signatures", "timestamps"}):
                yield kind, "not_checked", "is not looked at here" if kind in kinds else "there are none"


if __name__ == "__main__":
    if len(sys.argv) != 2 or not Path(sys.argv[1]).is_file():
        print(__doc__, file=sys.stderr)
        sys.exit(2)
    found = list(checks(Path(sys.argv[1]).read_bytes()))
    for name, outcome, says in found:
        print(f"{outcome:<12} {name}: {''.join(sign if sign.isprintable() else '?' for sign in says)}")
    sys.exit(any(outcome == "failed" for _, outcome, _ in found))
