"""Pages beside the API: by path, with what a browser needs to know of each."""

from __future__ import annotations

import hashlib
import mimetypes
import os
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

import msgspec

from .kept import Kept
from .pack import in_codings
from .streams import Large, looked_at

#: Bytes of pages that are kept in memory, and the largest that is: a larger file is read piece by piece.
_KEPT, _LARGEST = 64 << 20, 2 << 20
_TYPES = {
    ".html": "text/html; charset=utf-8", ".json": "application/json", ".svg": "image/svg+xml", ".csv": "text/csv",
    ".atom": "application/atom+xml", ".xml": "application/xml", ".css": "text/css; charset=utf-8", ".js":
    "text/javascript; charset=utf-8", ".txt": "text/plain; charset=utf-8", ".woff2": "font/woff2", ".geojson":
    "application/geo+json", ".zip": "application/zip", ".jsonl": "application/jsonl", ".webp": "image/webp",
}  # fmt: skip
_PACKABLE = ("text/", "application/json", "application/xml", "application/atom+xml", "image/svg+xml", "application/geo")


class Page(msgspec.Struct, frozen=True):
    """What stands at a path. `codings` are the body packed, by name, where that is shorter; `etag` is without quotes.

    `changed` is when it last did (UTC). Of a large one there is the `file` instead of the body.
    """

    body: bytes
    content_type: str
    etag: str
    codings: Mapping[str, bytes] = msgspec.field(default_factory=dict)
    changed: datetime | None = None
    file: Large | None = None

    @property
    def size(self) -> int:
        """Bytes of it, as it is."""
        return self.file.size if self.file else len(self.body)

    @property
    def has_parts(self) -> bool:
        """Whether a part of it is of use to anybody. A page to look at is asked for whole, and comes packed."""
        return not self.content_type.startswith("text/html")


class Moved(msgspec.Struct, frozen=True):
    """The page is at this path."""

    path: str


class Pages(Protocol):
    """Where pages come from: a folder, or whatever makes them when they are asked for."""

    def page(self, path: str) -> Page | Moved | None:
        """What stands at a path that begins with a slash; None where nothing does."""


class AllPages(Pages, Protocol):
    """Pages, and one for where there is none."""

    def missing(self, path: str, code: str) -> Page:
        """What a reader is told at a path where nothing stands, in this language where the path names none."""


class FolderPages:
    """The files of a folder, such as `kholo build` writes. A changed file is seen at the next request."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._kept: Kept[tuple[Large, Page]] = Kept(_KEPT, lambda held: weight(held[1]))

    def page(self, path: str) -> Page | Moved | None:
        """The file at a path, or the `index.html` of a folder."""
        is_folder = path.endswith("/")
        file = self._found(path)
        if file is None:
            return None
        try:
            if file.is_dir():
                return _page(self._kept, path, file / "index.html") if is_folder else _moved(path, file)
            return None if is_folder else _page(self._kept, path, file)
        except OSError:
            return None

    def stands(self, path: str) -> bool:
        """Whether there is a file at a path."""
        file = self._found(path)
        return file is not None and file.is_file()

    def _found(self, path: str) -> Path | None:
        """The file or folder that a path means, within the root."""
        names = path.removesuffix("/").split("/")[1:]
        if not all(map(_is_plain, names)):
            return None
        try:
            file = self.root.joinpath(*names).resolve()
            return file if file.is_relative_to(self.root.resolve()) else None
        except (OSError, ValueError):
            return None


def _moved(path: str, folder: Path) -> Moved | None:
    return Moved(f"{path}/") if (folder / "index.html").is_file() else None


def _page(kept: Kept[tuple[Large, Page]], path: str, file: Path) -> Page | None:
    if not file.is_file():
        return None
    known = kept.get(path)
    if known is not None and known[0] == looked_at(file, file.stat()):
        return known[1]
    with file.open("rb") as opened:
        # Of what is read, and not of what stood there a moment before.
        status = os.fstat(opened.fileno())
        seen, changed = looked_at(file, status), datetime.fromtimestamp(status.st_mtime, UTC)
        if seen.size > _LARGEST:
            return Page(b"", type_of(file.name), seen.etag, changed=changed, file=seen)
        page = page_of(file.name, opened.read(), changed)
    kept.put(path, (seen, page))
    return page


def page_of(name: str, body: bytes, changed: datetime | None = None) -> Page:
    """A page from the name of its file and its bytes."""
    kind = type_of(name)
    etag = hashlib.blake2b(body, digest_size=12).hexdigest()
    return Page(body, kind, etag, in_codings(body) if kind.startswith(_PACKABLE) else {}, changed)


def type_of(name: str) -> str:
    """The media type of a file, by the end of its name."""
    return _TYPES.get(Path(name).suffix) or mimetypes.guess_type(name)[0] or "application/octet-stream"


def weight(page: Page) -> int:
    """Bytes that a page takes."""
    return len(page.body) + sum(map(len, page.codings.values())) + 1_024


def _is_plain(name: str) -> bool:
    return bool(name) and not name.startswith(".") and name.isprintable() and "\\" not in name and len(name) < 256
