"""The raw items of a dossier: written down as received, and read again as they were when they came in."""

from __future__ import annotations

import gzip
import hashlib
import zlib
from collections.abc import Iterable, Iterator

import msgspec

from kholo.evidence.bundle import MAX_LIST, Dossier
from kholo.evidence.spool import Spool
from kholo.evidence.traces import BLACK
from kholo.model import DossierError
from kholo.sources.items import MAX_ITEM, Item
from kholo.sources.scrub import scrubbed

from .gather import Gathered, Object

INDEX, OBJECTS = "data/raw/index.jsonl", "data/raw/objects.jsonl"
#: Fast, and hardly larger than the best for texts of this size.
_LEVEL = 4


class Raw(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """One line of `raw/index.jsonl`: a file of the dossier with one item as received, packed with gzip.

    `sha256` is of the bytes unpacked. `object` and `line` say where it was read. `uid` is the id that the archive keeps
    it under. `decoded`: a file with another form, in which it is read. `received`: the SHA-256 of the bytes as they
    came in, where a probe's address or city had to be taken out.
    """

    file: str
    sha256: str
    object: int
    line: int
    uid: str = ""
    decoded: str = ""
    received: str = ""


def keep(spool: Spool, found: Gathered) -> tuple[Raw, Item]:
    """Put an item into a dossier without what points at a person; gives it as it will be read from there."""
    item = found.item
    whole = item.received or item.data
    clean, *decoded = scrubbed(whole, *([item.data] if item.received else []))
    digest = hashlib.sha256(clean).hexdigest()
    name = f"data/raw/{digest[:2]}/{digest}"
    raw = Raw(
        file=f"{name}.gz",
        sha256=digest,
        object=found.object,
        line=item.line,
        # An id that was made of the bytes would be another one once they are changed.
        uid=item.uid or ("" if clean == whole else found.uid),
        decoded=f"{name}.decoded.gz" if decoded else "",
        received="" if clean == whole else hashlib.sha256(whole).hexdigest(),
    )
    if raw.file not in spool.files:
        spool.add(raw.file, _packed(clean))
        if decoded:
            spool.add(raw.decoded, _packed(decoded[0]))
    return raw, _item(raw, clean, decoded[0] if decoded else b"")


def _packed(data: bytes) -> bytes:
    return gzip.compress(data, _LEVEL, mtime=0)


def _item(raw: Raw, received: bytes, decoded: bytes) -> Item:
    name = raw.file.removeprefix("data/")
    return Item(name, 1, decoded, received, raw.uid) if raw.decoded else Item(name, 1, received, uid=raw.uid)


def index(rows: list[Raw]) -> bytes:
    """`raw/index.jsonl`, in the order of files."""
    ordered = sorted(rows, key=lambda raw: (raw.file, raw.object, raw.line))
    return msgspec.json.Encoder().encode_lines(ordered)


def objects(found: list[Object]) -> bytes:
    """`raw/objects.jsonl`."""
    return msgspec.json.Encoder().encode_lines(sorted(found, key=lambda one: one.object))


def decode_index(dossier: Dossier) -> tuple[list[Raw], int]:
    """The lines of the index, and how many were blacked out. Raises `DossierError`."""
    decoder = msgspec.json.Decoder(Raw)
    rows, blacked = [], 0
    for number, line in enumerate(dossier.read(INDEX, MAX_LIST).splitlines(), 1):
        if line == BLACK:
            blacked += 1
            continue
        try:
            rows.append(decoder.decode(line))
        except (msgspec.DecodeError, UnicodeError) as error:
            raise DossierError(f"{INDEX}:{number}: {error}") from None
    return rows, blacked


def items(dossier: Dossier, rows: Iterable[Raw]) -> Iterator[Item]:
    """All items that are there, as they were when they came in. Raises `DossierError`."""
    there = set(dossier.names)
    for raw in rows:
        # What is withheld was said before.
        if raw.file in there:
            received = _unpacked(dossier, raw.file)
            if hashlib.sha256(received).hexdigest() != raw.sha256:
                raise DossierError(f"{raw.file}: is not what {INDEX} says of it")
            yield _item(raw, received, _unpacked(dossier, raw.decoded) if raw.decoded else b"")


def _unpacked(dossier: Dossier, name: str) -> bytes:
    """A file unpacked, of at most the size of an item: what grows beyond it is not unpacked to its end."""
    inflater = zlib.decompressobj(16 + zlib.MAX_WBITS)
    try:
        data = inflater.decompress(dossier.read(name, MAX_ITEM), MAX_ITEM + 1)
    except zlib.error as error:
        raise DossierError(f"{name}: can't be unpacked ({error})") from None
    if len(data) > MAX_ITEM or not inflater.eof or inflater.unused_data:
        raise DossierError(f"{name}: is larger than any item, or cut off, or has something behind it")
    return data
