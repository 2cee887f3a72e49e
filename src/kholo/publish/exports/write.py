"""An export as files."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

from kholo.disk import write_if_changed
from kholo.model import EnvironmentFault, UsageError

from ..rows import CasePage, case_page
from ..safe import folder_name, web_address
from ..view import CaseView
from .changes import changes, recall
from .claimreview import claimreview
from .everything import everything
from .stop import stop
from .tables import csv_files

#: A fixed day, so that the same content makes the same bytes.
_ZIP_DAY = (1980, 1, 1, 0, 0, 0)


def write_export(view: CaseView, kind: str, out: Path, url: str = "") -> list[Path]:
    """Write a case in one of `FORMATS` to `out` and return the files.

    `url` is the address of the case's page. Raises `UsageError` where a format needs what is missing, `CaseError` when
    the file beside a feed is none of ours, `EnvironmentFault` when a file can't be read or written.
    """
    if url and web_address(url) is None:
        raise UsageError("--url: no plain http:// or https:// address")
    folder_name(view.case.id)
    files = FORMATS[kind](case_page(view), out, url.partition("#")[0])
    for path, content in sorted(files.items()):
        write_if_changed(path, content)
    return sorted(files)


def _claimreview(page: CasePage, out: Path, url: str) -> dict[Path, bytes]:
    if not url:
        raise UsageError("--format claimreview needs --url, the address at which the page of the case stands")
    return {out: claimreview(page, url)}


def _csv(page: CasePage, out: Path, _url: str) -> dict[Path, bytes]:
    tables = csv_files(page)
    if out.suffix == ".zip":
        return {out: _zipped(tables, page.view.case.id)}
    return {out / name: content for name, content in tables.items()}


def _zipped(files: dict[str, bytes], folder: str) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, content in sorted(files.items()):
            member = zipfile.ZipInfo(f"{folder}/{name}", _ZIP_DAY)
            member.external_attr = 0o644 << 16
            member.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(member, content)
    return made.getvalue()


def _feed(page: CasePage, out: Path, url: str, *, as_json: bool) -> dict[Path, bytes]:
    beside = out.with_name(f"{out.name}.memory.json")
    before = recall(_stored(beside), str(beside), page.view.case.id)
    feed, memory = changes(page, before, url, as_json=as_json)
    return {out: feed, beside: memory}


def _stored(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise EnvironmentFault(f"{path}: can't be read: {error.strerror or error}") from error


FORMATS: dict[str, Callable[[CasePage, Path, str], dict[Path, bytes]]] = {
    "claimreview": _claimreview,
    "stop": lambda page, out, _url: {out: stop(page.view)},
    "csv": _csv,
    "json": lambda page, out, _url: {out: everything(page)},
    "atom": partial(_feed, as_json=False),
    "jsonfeed": partial(_feed, as_json=True),
}
