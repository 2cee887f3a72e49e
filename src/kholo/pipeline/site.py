"""The public site of cases set against a store."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from kholo.judge import Judge
from kholo.judge.story import Telling, tell
from kholo.publish import CaseView, Site, build_site
from kholo.publish.font import font_maker
from kholo.store import Store

from .attach import Extra, attached
from .verdicts import stored


def write_site(
    views: Sequence[CaseView],
    store: Store | None,
    judge: Judge,
    extra: Extra,
    out: Path,
    work: Path,
    pictures: Path | None = None,
) -> list[Path]:
    """Write the site of cases, with all that it is to carry, and give its files.

    `work` is an empty folder for files in the making, `pictures` one for those that need not be drawn again.
    Raises as `build_site` and `attached`, and `EnvironmentFault` where the font is wanted and missing.
    """
    standing, beside = attached(extra, views, store, judge, work)
    site = of_views(
        views,
        store,
        judge,
        dossiers=standing,
        attached=beside,
        address=extra.address,
        fonts=font_maker(extra.font_folders) if extra.has_font else None,
        has_cards=extra.has_cards,
    )
    return build_site(site, out, pictures)


def of_views(views: Sequence[CaseView], store: Store | None, judge: Judge, **more: Any) -> Site:
    """Everything that the pages are made from; `more` as `Site` has it. Raises `CaseError`, `UsageError`."""
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
