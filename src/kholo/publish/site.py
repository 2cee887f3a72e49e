"""The whole site as files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from kholo.model import UsageError

from .data import case_data
from .files import write_if_changed
from .pages import case_html, index_html
from .picture import picture_svg
from .rows import case_page
from .safe import folder_name
from .view import CaseView


def build_site(views: Sequence[CaseView], out: Path) -> list[Path]:
    """Write `index.html`, and `<case-id>/index.html`, `data.json` and `timeline.svg` beside it for every case.

    Returns the paths of all of them, sorted. A file that holds the right bytes already is left alone; the
    same views in any order give the same bytes. Raises `CaseError` for an id that can't name a folder,
    `UsageError` for two cases of one id, `EnvironmentFault` when a file can't be written.
    """
    ordered = sorted(views, key=lambda view: view.case.id)
    names = [folder_name(view.case.id) for view in ordered]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise UsageError(f"{twice[0]}: two cases have this id; ids of one site must differ")
    pages = [case_page(view) for view in ordered]
    files = {out / "index.html": index_html(pages)}
    for name, page in zip(names, pages, strict=True):
        files[out / name / "index.html"] = case_html(page)
        files[out / name / "data.json"] = case_data(page)
        files[out / name / "timeline.svg"] = picture_svg(page)
    for path, content in sorted(files.items()):
        write_if_changed(path, content)
    return sorted(files)
