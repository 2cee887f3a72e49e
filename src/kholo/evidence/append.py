"""Writing to a log of dossiers: a new one, and entries at its end. What was cut off goes on where it was."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

import msgspec

from kholo.model import UsageError

from . import log, note, tlog, tree
from .faults import Malformed, WrongTile
from .shelf import Folder

_ORIGIN = re.compile(r"(?=.{1,200}$)[a-z0-9.-]+(?:/[A-Za-z0-9._~-]+)*")


class New(msgspec.Struct, frozen=True):
    """A dossier to be added: the bytes of its statement, the digest of its file (`log.digest`)."""

    statement: bytes
    dossier: str


class Added(msgspec.Struct, frozen=True):
    """Where a dossier stands in the log. `is_new`: it was not there before."""

    index: int
    entry: log.Entry
    is_new: bool


def create(folder: Folder, origin: str, signers: Sequence[note.Signer]) -> None:
    """Begin a log without entries. Raises `UsageError`, `EnvironmentFault`."""
    if not _ORIGIN.fullmatch(origin):
        raise UsageError("the origin must be the log's address without https://, such as example.org/kholo")
    keys = sorted({str(signer.key(origin)) for signer in signers})
    content = "".join(f"{key}\n" for key in keys).encode()
    with folder.writing():
        # A run that was cut off between the two files left the first.
        rest = [path for path in folder.files("") if path != log.KEYS or folder.read(path, log.MAX_KEYS) != content]
        if rest:
            raise UsageError(f"{folder.where}: is not empty; a log needs a folder of its own")
        folder.put(log.KEYS, content)
        folder.replace(tlog.CHECKPOINT, _signed(tlog.Checkpoint(origin, 0, tree.EMPTY), signers))


def append(folder: Folder, signers: Sequence[note.Signer], new: Iterable[New]) -> list[Added]:
    """Add dossiers; those whose statement is in the log already are not added again.

    The log is read and checked first. Files are written entries first, then tiles, then the checkpoint: after a stop
    at any moment the next call takes over what was written. Raises `UsageError`, `DossierError`,
    `LogError`, `EnvironmentFault`.
    """
    with folder.writing():
        keys = log.own_keys(folder)
        known = log.read(folder, keys)
        head = known.opened.head
        if any(signer.key(head.origin) not in keys for signer in signers):
            raise UsageError(f"{folder.where}: the key is none of this log's; {log.KEYS} names them")
        raw = [entry.encode() for entry in known.entries] + _pending(folder, known)
        added = _extend(raw, new)
        if len(raw) > tlog.MAX_SIZE:
            raise UsageError(f"a log can have {tlog.MAX_SIZE} entries; begin another one")
        if len(raw) > head.size:
            _write(folder, raw, head, signers)
        return added


def _extend(raw: list[bytes], new: Iterable[New]) -> list[Added]:
    """Put what is new at the end of the entries."""
    entries = list(log.entries(raw))
    places = {entry.statement: index for index, entry in reversed(list(enumerate(entries)))}
    last = {entry.case: index for index, entry in enumerate(entries)}
    added = []
    for one in new:
        index = places.get(log.digest(one.statement))
        is_new = index is None
        if index is None:
            index = len(entries)
            first = log.entry_of(one.statement, one.dossier, None)
            entry = msgspec.structs.replace(first, supersedes=last.get(first.case))
            places[entry.statement] = last[entry.case] = index
            entries.append(entry)
            raw.append(entry.encode())
        added.append(Added(index, entries[index], is_new))
    return added


def _pending(folder: Folder, known: log.Log) -> list[bytes]:
    """Entries that were written, and not yet signed when a run was cut off. They can't be unwritten, so they stay.

    The same is found where somebody put an older checkpoint back; to sign past it would make two logs of one.
    """
    widths: dict[int, int] = {}
    for path in folder.files(f"tile/{tlog.ENTRIES}"):
        found = tlog.tile_of(path)
        if found is None:
            raise Malformed(f"{folder.where}: {path!a} is no file of a log")
        widths[found[1]] = max(widths.get(found[1], 0), found[2])
    index, out = known.size // tlog.WIDTH, list[bytes]()
    before = [entry.encode() for entry in known.entries[index * tlog.WIDTH :]]
    while widths.get(index):
        bundle = tlog.read_bundle(folder, index, widths[index])
        if bundle[: len(before)] != before:
            raise WrongTile(f"{folder.where}: {tlog.tile_path(tlog.ENTRIES, index)} does not go on from what is signed")
        out += bundle[len(before) :]
        # After a bundle that is not full nothing can follow.
        before, index = [], index + 1 if widths[index] == tlog.WIDTH else -1
    return out


def _write(folder: Folder, raw: Sequence[bytes], old: tlog.Checkpoint, signers: Sequence[note.Signer]) -> None:
    for index, width in tlog.tiles(raw, old.size):
        start = index * tlog.WIDTH
        folder.put(tlog.tile_path(tlog.ENTRIES, index, width), tlog.bundle(raw[start : start + width]))
    hashes = [tree.leaf_hash(entry) for entry in raw]
    for level, row in enumerate(tlog.rows(hashes)):
        for index, width in tlog.tiles(row, old.size >> 8 * level):
            start = index * tlog.WIDTH
            folder.put(tlog.tile_path(level, index, width), b"".join(row[start : start + width]))
    head = tlog.Checkpoint(old.origin, len(raw), tree.root(hashes))
    folder.replace(tlog.CHECKPOINT, _signed(head, signers))


def _signed(head: tlog.Checkpoint, signers: Sequence[note.Signer]) -> bytes:
    text = head.text()
    return note.Note(text, tuple(signer.signature(head.origin, text) for signer in signers)).encode()
