"""The bag: the tag files of BagIt 1.0 (RFC 8493), all of them made from what is in it and nothing else."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import datetime

import msgspec

from kholo.model import DossierError

BAGIT, INFO, MANIFEST, TAGS = "bagit.txt", "bag-info.txt", "manifest-sha256.txt", "tagmanifest-sha256.txt"
PAYLOAD = "data/"
HEAD = "data/dossier.json"
#: The name of a set of rules and reference data: a folder is called so.
_SET = re.compile(r"[0-9a-f]{1,64}-[0-9a-f]{1,64}")
_LINE = re.compile(r"([0-9a-f]{64})  (\S+)")


class Head(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`data/dossier.json`: what the dossier is of and made by. `as_of` is UTC.

    `set`: the name of the rules and reference data. `salts`: "secret" where they were made from a key, "public" where
    anybody can make them. `counts`: what is inside. `not_inside`: what a reader might look for in vain, and why.
    """

    format: str
    case: str
    title: str
    as_of: datetime
    simulated: bool
    software: str
    set: str
    salts: str
    counts: dict[str, int]
    not_inside: tuple[str, ...] = ()

    def encode(self) -> bytes:
        """As it stands in the dossier."""
        return msgspec.json.format(msgspec.json.encode(self), indent=1) + b"\n"


def decode_head(data: bytes) -> Head:
    """Raises `DossierError`."""
    try:
        head = msgspec.json.decode(data, type=Head)
    except (msgspec.DecodeError, UnicodeError) as error:
        raise DossierError(f"{HEAD}: is not the head of a dossier ({error})") from None
    if not _SET.fullmatch(head.set) or not head.software.isprintable():
        raise DossierError(f"{HEAD}: is not the head of a dossier (set or software)")
    return head


def declaration() -> bytes:
    """`bagit.txt`."""
    return b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"


def info(head: Head, sizes: Iterable[int]) -> bytes:
    """`bag-info.txt`. Its date is the moment up to which everything was counted, and no clock's."""
    octets, streams = 0, 0
    for size in sizes:
        octets, streams = octets + size, streams + 1
    notice = "SIMULATED: nothing of this happened. " if head.simulated else ""
    return (
        f"Bag-Software-Agent: {head.software}\n"
        f"Bagging-Date: {head.as_of:%Y-%m-%d}\n"
        f"External-Description: {notice}Dossier of the case {head.case}\n"
        f"External-Identifier: {head.case}\n"
        f"Payload-Oxum: {octets}.{streams}\n"
    ).encode()


def manifest(digests: Mapping[str, str]) -> bytes:
    """A manifest: paths to SHA-256 (hex), in the order of the paths."""
    return "".join(f"{digests[path]}  {path}\n" for path in sorted(digests)).encode()


def decode_manifest(name: str, data: bytes) -> dict[str, str]:
    """Paths to digests. Raises `DossierError` for anything that `manifest` would not have written."""
    digests: dict[str, str] = {}
    for number, line in enumerate(data.decode("ascii", "replace").split("\n")[:-1], 1):
        found = _LINE.fullmatch(line)
        if found is None:
            raise DossierError(f"{name}:{number}: is no line of a manifest")
        digests[found[2]] = found[1]
    if manifest(digests) != data:
        raise DossierError(f"{name}: is not in order, or names a file twice")
    return digests
