"""A log as static files: C2SP tlog-tiles (hashes and entries in tiles) and tlog-checkpoint (the signed head).

checkpoint                   origin, size, root; signed; the only file that changes
tile/<level>/<index>         256 hashes; of level 0 of entries, else each the root of a full tile of the level below
tile/<level>/<index>.p/<n>   the same with its first `n` hashes only: what there was when a checkpoint was signed
tile/entries/<index>[.p/<n>] the entries themselves, each after its length in two bytes
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol

import msgspec

from kholo.model.text import clean

from . import note, tree
from .faults import BadSignature, Malformed, Truncated, WrongRoot, WrongSize

WIDTH = 256
#: Bytes of an entry. The format would allow 65,535; those of our log have some hundred.
MAX_ENTRY = 1_024
#: Entries of a log that is read whole; as many are held in memory.
MAX_SIZE = 250_000
CHECKPOINT, ENTRIES = "checkpoint", "entries"

_NUMBER = re.compile(r"(?:0|[1-9][0-9]{0,18})")
_TILE = re.compile(
    r"tile/(?P<level>entries|[1-5]?[0-9]|6[0-3])/(?P<index>(?:x[0-9]{3}/){0,5}[0-9]{3})(?:\.p/(?P<width>[1-9][0-9]{0,2}))?"
)


class Reader(Protocol):
    """Where the files of a log are. `where` names the place for a person."""

    where: str

    def read(self, path: str, most: int) -> bytes | None:
        """A file of at most `most` bytes; None where there is none. Raises `WrongSize`, `EnvironmentFault`."""


class Checkpoint(msgspec.Struct, frozen=True):
    """The head of a log: its name, how many entries it has, and the root over them."""

    origin: str
    size: int
    root: bytes

    def text(self) -> bytes:
        """The text that is signed."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n".encode()


class Opened(msgspec.Struct, frozen=True):
    """A checkpoint whose signatures were checked.

    `signed` are the right ones of keys that are trusted: at least one of the log, and those of witnesses. `others` are
    the names under signatures that nobody checked.
    """

    data: bytes
    head: Checkpoint
    signed: tuple[note.Signed, ...]
    others: tuple[str, ...]


def open_checkpoint(data: bytes, keys: Sequence[note.Key]) -> Opened:
    """Read and check a checkpoint. Raises `Malformed`, `BadSignature`.

    A log signs under its origin: a key that is trusted for another log is none of this one.
    """
    read = note.parse(data)
    head = _head(read.text)
    signed = note.check(read, keys)
    if not any(one.key.kind == note.ED25519 and one.key.name == head.origin for one in signed):
        raise BadSignature("no key that is trusted for this log signed the checkpoint; witnesses alone are not enough")
    known = {(one.key.name, one.key.mark) for one in signed}
    others = tuple(one.name for one in read.signatures if (one.name, one.mark) not in known)
    return Opened(data, head, signed, others)


def _head(text: bytes) -> Checkpoint:
    # Further lines may follow; they are signed, and mean nothing here.
    lines = text.decode().split("\n")[:-1]
    if len(lines) < 3 or not all(lines) or not _NUMBER.fullmatch(lines[1]):
        raise Malformed("a checkpoint must have an origin, a size and a root, a line each, and no line that is empty")
    try:
        root = base64.b64decode(lines[2], validate=True)
    except (binascii.Error, ValueError):
        root = b""
    head = Checkpoint(lines[0], int(lines[1]), root)
    if len(root) != tree.SIZE or not text.startswith(head.text()):
        raise Malformed("the root of a checkpoint is no SHA-256 in Base64")
    return head


def tile_path(level: int | str, index: int, width: int = WIDTH) -> str:
    """The path of a tile of a level, or of a bundle of `ENTRIES`."""
    last = f"{index % 1000:03d}"
    while index := index // 1000:
        last = f"x{index % 1000:03d}/{last}"
    return f"tile/{level}/{last}" + ("" if width == WIDTH else f".p/{width}")


def tile_of(path: str) -> tuple[int | str, int, int] | None:
    """The level, index and width that a path stands for; None where it is not the path of a tile."""
    match = _TILE.fullmatch(path)
    if match is None:
        return None
    level = match["level"] if match["level"] == ENTRIES else int(match["level"])
    index, width = int(match["index"].replace("x", "").replace("/", "")), int(match["width"] or WIDTH)
    # Each tile has one path: no zeros more, and what is full is not partial.
    return (level, index, width) if width <= WIDTH and tile_path(level, index, width) == path else None


def bundle(entries: Iterable[bytes]) -> bytes:
    """Entries as they stand in a file. Each has at most `MAX_ENTRY` bytes."""
    return b"".join(len(entry).to_bytes(2) + entry for entry in entries)


def unbundle(data: bytes, count: int, what: str) -> list[bytes]:
    """The `count` entries of a file, which must hold these alone. Raises `Truncated`, `WrongSize`."""
    out, at = [], 0
    for _ in range(count):
        size = int.from_bytes(data[at : at + 2])
        if size > MAX_ENTRY:
            raise WrongSize(f"{what}: an entry has {size} bytes; they may have {MAX_ENTRY}")
        if at + 2 + size > len(data):
            raise Truncated(f"{what}: ends before its {count} entries do")
        out.append(data[at + 2 : at + 2 + size])
        at += 2 + size
    if at != len(data):
        raise WrongSize(f"{what}: goes on after its {count} entries")
    return out


def rows(leaf_hashes: Sequence[bytes]) -> list[Sequence[bytes]]:
    """All hashes that stand in tiles, level by level: those of the entries, then the roots of full tiles."""
    out: list[Sequence[bytes]] = [leaf_hashes]
    while len(out[-1]) >= WIDTH:
        below = out[-1]
        full = range(0, len(below) - len(below) % WIDTH, WIDTH)
        out.append([tree.root(below[start : start + WIDTH]) for start in full])
    return out


def tiles(row: Sequence[bytes], old: int = 0) -> Iterator[tuple[int, int]]:
    """The tiles (index and width) of a row that are new since it had `old` items."""
    for index in range(old // WIDTH, -(-len(row) // WIDTH)) if len(row) > old else ():
        yield index, min(WIDTH, len(row) - index * WIDTH)


def read_checkpoint(reader: Reader) -> bytes:
    """The bytes of the checkpoint. Raises `Truncated` where there is none."""
    data = reader.read(CHECKPOINT, note.MAX_NOTE)
    if data is None:
        raise Truncated(f"{reader.where}: there is no checkpoint; is it a log?")
    return data


def read_entries(reader: Reader, size: int) -> Iterator[bytes]:
    """The entries of a log of `size`, in order. Raises `Truncated`, `WrongSize`."""
    if size > MAX_SIZE:
        raise WrongSize(f"{reader.where}: says to have {size} entries; more than {MAX_SIZE} are not read")
    for index in range(-(-size // WIDTH)):
        yield from read_bundle(reader, index, min(WIDTH, size - index * WIDTH))


def read_bundle(reader: Reader, index: int, width: int) -> list[bytes]:
    """The first `width` entries of a bundle. Raises `Truncated`, `WrongSize`."""
    data, found = _read(reader, ENTRIES, index, width, MAX_ENTRY + 2)
    return unbundle(data, found, tile_path(ENTRIES, index, found))[:width]


def read_tile(reader: Reader, level: int, index: int, width: int) -> bytes:
    """The first `width` hashes of a tile, one after the other. Raises `Truncated`, `WrongSize`."""
    data, found = _read(reader, level, index, width, tree.SIZE)
    if len(data) < found * tree.SIZE:
        raise Truncated(f"{tile_path(level, index, found)}: ends before its {found} hashes do")
    return data[: width * tree.SIZE]


def _read(reader: Reader, level: int | str, index: int, width: int, each: int) -> tuple[bytes, int]:
    """A tile and its width. A host may have removed a partial one once the full one was there."""
    for found in dict.fromkeys((width, WIDTH)):
        path = tile_path(level, index, found)
        data = reader.read(path, found * each)
        if data is not None:
            return data, found
    raise Truncated(f"{reader.where}: {tile_path(level, index, width)} is missing, though the checkpoint covers it")


class Tree:
    """The tree of a log of some size, of which only the tiles that are needed are read."""

    def __init__(self, reader: Reader, size: int) -> None:
        self.reader = reader
        self.size = size
        self._tiles: dict[tuple[int, int], bytes] = {}

    def hash(self, start: int, end: int) -> bytes:
        """The root over the entries [start, end), which must be a node of the tree. Raises `Truncated`, `WrongSize`."""
        size = end - start
        if size & (size - 1):
            middle = start + tree.left(size)
            return tree.node_hash(self.hash(start, middle), self.hash(middle, end))
        level, within = divmod(size.bit_length() - 1, 8)
        index, place = divmod(start >> 8 * level, WIDTH)
        if (level, index) not in self._tiles:
            width = min(WIDTH, (self.size >> 8 * level) - index * WIDTH)
            self._tiles[level, index] = read_tile(self.reader, level, index, width)
        tile = self._tiles[level, index]
        hashes = [tile[at * tree.SIZE : (at + 1) * tree.SIZE] for at in range(place, place + (1 << within))]
        return tree.root(hashes)

    def inclusion(self, index: int) -> list[bytes]:
        """The proof that the entry is in the tree. Raises `ValueError` and as `hash`."""
        return [self.hash(start, end) for start, end in tree.inclusion_ranges(index, self.size)]


_PROOF = "c2sp.org/tlog-proof@v1"
#: A tree of 2^63 entries needs no more hashes than 63.
_PROOF_FORM = re.compile(
    rf"{re.escape(_PROOF)}\nextra (?P<entry>[A-Za-z0-9+/=]{{1,1368}})\nindex (?P<index>{_NUMBER.pattern})"
    r"(?P<path>(?:\n[A-Za-z0-9+/]{43}=){0,63})"
)


class Proof(msgspec.Struct, frozen=True):
    """An entry with the way from it up to a checkpoint (C2SP tlog-proof). The entry stands in it as `extra`."""

    entry: bytes
    index: int
    path: tuple[bytes, ...]
    checkpoint: bytes

    def encode(self) -> bytes:
        """The proof as a file."""
        hashes = "".join(base64.b64encode(one).decode() + "\n" for one in self.path)
        extra = base64.b64encode(self.entry).decode()
        return f"{_PROOF}\nextra {extra}\nindex {self.index}\n{hashes}\n".encode() + self.checkpoint

    @property
    def origin(self) -> str:
        """The log that it says to be of."""
        return clean(self.checkpoint.partition(b"\n")[0].decode("ascii", "replace"))

    def check(self, keys: Sequence[note.Key]) -> Opened:
        """Whether the entry is where it says. Raises `Malformed`, `BadSignature`, `WrongRoot`."""
        opened = open_checkpoint(self.checkpoint, keys)
        head = opened.head
        leaf = tree.leaf_hash(self.entry)
        if not tree.check_inclusion(leaf, self.index, head.size, self.path, head.root):
            raise WrongRoot(f"the proof does not lead from entry {self.index} to the root that was signed")
        return opened


def parse_proof(data: bytes) -> Proof:
    """A proof from its bytes, strictly. Raises `Malformed`."""
    text, _, checkpoint = data.partition(b"\n\n")
    match = _PROOF_FORM.fullmatch(text.decode("ascii", "replace"))
    if match is None:
        raise Malformed("a proof of the log is not in the form of C2SP tlog-proof, with the entry as extra")
    try:
        entry, *path = (base64.b64decode(line, validate=True) for line in (match["entry"], *match["path"].split()))
    except binascii.Error:
        raise Malformed("a proof of the log is not written in Base64") from None
    proof = Proof(entry, int(match["index"]), tuple(path), checkpoint)
    if proof.encode() != data:
        raise Malformed("a proof of the log is not written as it should be")
    return proof


def prove(reader: Reader, index: int, keys: Sequence[note.Key]) -> Proof:
    """The proof of an entry, made from the tiles and checked. Raises `ValueError` where there is none, `LogError`."""
    checkpoint = read_checkpoint(reader)
    head = open_checkpoint(checkpoint, keys).head
    tree.inclusion_ranges(index, head.size)
    entry = read_bundle(reader, index // WIDTH, min(WIDTH, head.size - index // WIDTH * WIDTH))[index % WIDTH]
    proof = Proof(entry, index, tuple(Tree(reader, head.size).inclusion(index)), checkpoint)
    proof.check(keys)
    return proof
