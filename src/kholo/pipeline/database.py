"""Cases with their verdicts as one SQLite file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from kholo.judge import Judge
from kholo.publish import CaseView
from kholo.publish.exports.sqlite import write_sqlite
from kholo.publish.rows import CasePage, case_page
from kholo.store import Store

from .verdicts import Filter, judged, select


def database(views: Sequence[CaseView], store: Store | None, judge: Judge, out: Path) -> list[Path]:
    """Write it, and the metadata beside it. Verdicts are those on users' lines that the cases' states count.

    Raises `EnvironmentFault`.
    """
    pages = [case_page(view) for view in views]
    if store is None:
        return write_sqlite(pages, lambda _page: (), out)
    with judged(store, judge) as db:

        def verdicts(page: CasePage) -> Iterator[dict[str, Any]]:
            case = page.view.case
            wanted = Filter(service=case.service, place=case.place, until=page.view.as_of)
            rows: Iterable[dict[str, Any]] = select(db, wanted, "counted")
            yield from (row for row in rows if row["simulated"] == case.simulated)

        return write_sqlite(pages, verdicts, out)
