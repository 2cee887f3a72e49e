"""Pages beside the API: by path, with what a browser needs to know of each."""

from __future__ import annotations

import hashlib
import mimetypes
import threading
from collections import OrderedDict
from pathlib import Path
from typing import Protocol

import msgspec

from .pack import packed

#: Bytes of pages that are kept in memory, and the largest that is.
_KEPT, _LARGEST = 64 << 20, 8 << 20
#: Larger files are none of a site's.
_MOST = 256 << 20
_TYPES = {
    ".html": "text/html; charset=utf-8", ".json": "application/json", ".svg": "image/svg+xml", ".csv": "text/csv",
    ".atom": "application/atom+xml", ".xml": "application/xml", ".css": "text/css; charset=utf-8", ".js":
    "text/javascript; charset=utf-8", ".txt": "text/plain; charset=utf-8", ".woff2": "font/woff2", ".geojson":
    "application/geo+json", ".zip": "application/zip", ".jsonl": "application/jsonl", ".webp": "image/webp",
}  # fmt: skip
_PACKABLE = ("text/", "application/json", "application/xml", "application/atom+xml", "image/svg+xml", "application/geo")


class Page(msgspec.Struct, frozen=True):
    """What stands at a path. `packed` is the body in gzip, where that is shorter; `etag` is without quotes."""

    body: bytes
    content_type: str
    etag: str
    packed: bytes | None = None


class Moved(msgspec.Struct, frozen=True):
    """The page is at this path."""

    path: str


class Pages(Protocol):
    """Where pages come from: a folder, or whatever makes them when they are asked for."""

    def page(self, path: str) -> Page | Moved | None:
        """What stands at a path that begins with a slash; None where nothing does."""


class AllPages(Pages, Protocol):
    """Pages, and one for where there is none."""

    def missing(self, path: str) -> Page:
        """What a reader is told at a path where nothing stands."""


class FolderPages:
    """The files of a folder, such as `kholo build` writes. A changed file is seen at the next request."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._known: OrderedDict[str, tuple[tuple[int, int, int], Page]] = OrderedDict()
        self._size = 0
        self._lock = threading.Lock()

    def page(self, path: str) -> Page | Moved | None:
        """The file at a path, or the `index.html` of a folder."""
        names = path.split("/")[1:]
        is_folder = names[-1] == ""
        names = names[:-1] if is_folder else names
        if not all(map(_is_plain, names)):
            return None
        try:
            file = self.root.joinpath(*names).resolve()
            if not file.is_relative_to(self.root.resolve()):
                return None
            if file.is_dir():
                return self._file(path, file / "index.html") if is_folder else self._moved(path, file)
            return None if is_folder else self._file(path, file)
        except (OSError, ValueError):
            return None

    def _moved(self, path: str, folder: Path) -> Moved | None:
        return Moved(f"{path}/") if (folder / "index.html").is_file() else None

    def _file(self, path: str, file: Path) -> Page | None:
        if not file.is_file():
            return None
        status = file.stat()
        stamp = status.st_ino, status.st_mtime_ns, status.st_size
        if status.st_size > _MOST:
            return None
        with self._lock:
            known = self._known.get(path)
            if known is not None and known[0] == stamp:
                self._known.move_to_end(path)
                return known[1]
        page = page_of(file.name, file.read_bytes())
        if status.st_size <= _LARGEST:
            self._keep(path, stamp, page)
        return page

    def _keep(self, path: str, stamp: tuple[int, int, int], page: Page) -> None:
        with self._lock:
            _, old = self._known.pop(path, (stamp, None))
            self._size += _weight(page) - (_weight(old) if old else 0)
            self._known[path] = stamp, page
            while self._size > _KEPT:
                _, (_, gone) = self._known.popitem(last=False)
                self._size -= _weight(gone)


def page_of(name: str, body: bytes) -> Page:
    """A page from the name of its file and its bytes."""
    kind = _TYPES.get(Path(name).suffix) or mimetypes.guess_type(name)[0] or "application/octet-stream"
    smaller = packed(body, 3) if kind.startswith(_PACKABLE) else body
    etag = hashlib.blake2b(body, digest_size=12).hexdigest()
    return Page(body, kind, etag, smaller if len(smaller) < len(body) else None)


def _weight(page: Page) -> int:
    return len(page.body) + len(page.packed or b"")


def _is_plain(name: str) -> bool:
    return bool(name) and not name.startswith(".") and name.isprintable() and "\\" not in name and len(name) < 256
