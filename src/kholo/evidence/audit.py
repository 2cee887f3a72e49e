"""Every file of a log against what follows from its entries."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from . import log, note, tlog
from .faults import Malformed, WrongTile
from .shelf import Folder


class Audit(msgspec.Struct, frozen=True):
    """A log that is as it should be. `tiles` counts the files that were compared, `unsigned` those beyond the
    checkpoint, which a run that was cut off left. `seen` as in `log.LogFinding`."""

    log: log.Log
    tiles: int
    unsigned: int
    seen: int | None


def audit(reader: tlog.Reader, keys: Sequence[note.Key], seen: bytes | None = None) -> Audit:
    """Check all of a log: signature, root, entries, tiles; in a folder also the partial tiles of earlier sizes.

    Raises `LogError` at the first thing that is wrong, `EnvironmentFault` where the log can't be read.
    """
    log.own_keys(reader)
    found = log.read(reader, keys)
    size_seen = None if seen is None else log.goes_on(found, seen, keys)
    rows = tlog.rows(found.hashes)
    count = 0
    for level, row in enumerate(rows):
        for index, width in tlog.tiles(row):
            _same(tlog.read_tile(reader, level, index, width), row, index, tlog.tile_path(level, index, width))
            count += 1
    count += len(list(tlog.tiles(found.hashes)))
    if not isinstance(reader, Folder):
        return Audit(found, count, 0, size_seen)
    earlier, unsigned = _others(reader, found, rows)
    return Audit(found, earlier, unsigned, size_seen)


def _others(folder: Folder, found: log.Log, rows: Sequence[Sequence[bytes]]) -> tuple[int, int]:
    """Compare all files below `tile`; gives how many there are, and how many lie beyond the checkpoint."""
    raw = [entry.encode() for entry in found.entries]
    count = unsigned = 0
    for path in folder.files("tile"):
        place = tlog.tile_of(path)
        if place is None:
            raise Malformed(f"{folder.where}: {path!a} is no file of a log")
        level, index, width = place
        end = index * tlog.WIDTH + width
        if end > found.opened.head.size >> (8 * level if isinstance(level, int) else 0):
            unsigned += 1
        elif isinstance(level, str):
            if tlog.read_bundle(folder, index, width) != raw[end - width : end]:
                raise WrongTile(f"{path}: holds other entries than the log")
            count += 1
        else:
            _same(tlog.read_tile(folder, level, index, width), rows[level], index, path)
            count += 1
    return count, unsigned


def _same(tile: bytes, row: Sequence[bytes], index: int, path: str) -> None:
    start = index * tlog.WIDTH
    hashes = b"".join(row[start : start + tlog.WIDTH])
    if not hashes.startswith(tile):
        raise WrongTile(f"{path}: holds other hashes than follow from the entries")
