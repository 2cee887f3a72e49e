"""The public site of cases set against a store."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from kholo.judge import Judge
from kholo.judge.story import Telling, tell
from kholo.publish import CaseView, Site
from kholo.publish.font import FontMaker
from kholo.store import Store

from .cases import view
from .verdicts import stored


def site(
    folders: Sequence[Path],
    store: Store | None,
    judge: Judge,
    as_of: datetime,
    fonts: FontMaker | None = None,
    *,
    has_cards: bool = False,
) -> Site:
    """Everything that the pages are made from. Raises `CaseError`, `UsageError`."""
    return of_views(
        [view(folder, store, judge, as_of) for folder in folders], store, judge, fonts=fonts, has_cards=has_cards
    )


def of_views(views: Sequence[CaseView], store: Store | None, judge: Judge, **more: Any) -> Site:
    """The same, of cases that were computed already; `more` as `Site` has it."""
    shown = {row.measurement_uid for one in views for rows in one.proofs.values() for row in rows}
    return Site(views, stories=stories(store, judge, shown) if store and shown else {}, **more)


def stories(store: Store, judge: Judge, uids: Iterable[str]) -> dict[str, Telling]:
    """The stories of measurements, by uid. Of one that the archive holds several times, the first that is stored."""
    wanted = sorted(uids)
    found: dict[str, Telling] = {}
    for part in store.part_ids():
        if (store.parts / part / "measurements.parquet").exists():
            for measurement, observations in stored(store, store.parts / part, *wanted):
                found.setdefault(measurement.measurement_uid, tell(judge, measurement, observations))
    return found
