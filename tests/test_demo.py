"""The store of `kholo demo` is made anew in a new layout, and never where somebody else's data are in it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kholo.model import StoreError
from kholo.pipeline.demo import MARK, demo_store
from kholo.pipeline.ingest import ingest
from kholo.store import LAYOUT, Store
from kholo.store.custody import Custody, Thing

from . import raw
from .conftest import NOW


def take_in(store: Store, folder: Path, number: int) -> None:
    path = folder / f"{number}.json"
    path.write_bytes(
        raw.encode(raw.measurement(measurement_uid=f"202402{number:012}_PK_webconnectivity_{number:016x}"))
    )
    ingest(store, [path], None, NOW, 1)


def of_older_layout(folder: Path) -> None:
    mark = folder / "kholo-store.json"
    mark.write_text(json.dumps(json.loads(mark.read_text()) | {"layout": LAYOUT - 1}))


def test_its_own_store_of_another_layout_is_made_anew(tmp_path: Path) -> None:
    folder = tmp_path / "store"
    for _ in range(2):
        with demo_store(folder, "one") as store:
            take_in(store, tmp_path, 1)
    made = store.part_ids()
    (folder / "served").mkdir()
    of_older_layout(folder)
    with demo_store(folder, "one") as store:
        assert store.part_ids() == []
        take_in(store, tmp_path, 1)
    assert store.part_ids() == made
    assert json.loads((folder / MARK).read_text()) == {"parts": made, "made_of": "one"}


def test_its_own_store_of_another_simulated_country_is_made_anew(tmp_path: Path) -> None:
    folder = tmp_path / "store"
    with demo_store(folder, "one") as store:
        take_in(store, tmp_path, 1)
    with demo_store(folder, "two") as store:
        assert store.part_ids() == []
        take_in(store, tmp_path, 2)
    take_in(store, tmp_path, 3)
    with pytest.raises(StoreError, match=r"another simulated country, and more; .* move it away"):
        demo_store(folder, "three").__enter__()
    assert len(Store(folder).part_ids()) == 2, "one part is not the demo's: nothing is removed"


def test_a_custody_log_of_what_somebody_did_is_never_removed(tmp_path: Path) -> None:
    folder = tmp_path / "store"
    with demo_store(folder, "one") as store:
        take_in(store, tmp_path, 1)
    Custody(folder).add("dossier", NOW, [Thing("dossier.zip", "a" * 64)], case="small")
    before = (folder / "custody.jsonl").read_bytes()
    with pytest.raises(StoreError, match="move it away"):
        demo_store(folder, "two").__enter__()
    with demo_store(folder, "one") as store:
        assert len(store.part_ids()) == 1
    assert (folder / "custody.jsonl").read_bytes() == before


@pytest.mark.parametrize("what", ["part", "file", "mark", "damage", "link"])
def test_what_the_demo_did_not_make_is_never_removed(tmp_path: Path, what: str) -> None:
    folder = tmp_path / "store"
    with demo_store(folder, "one") as store:
        take_in(store, tmp_path, 1)
    if what == "part":
        take_in(store, tmp_path, 2)
        with demo_store(folder, "one") as store:
            take_in(store, tmp_path, 1)
    elif what == "file":
        (folder / "fetched").mkdir()
    elif what == "mark":
        (folder / MARK).unlink()
    elif what == "damage":
        (folder / MARK).write_bytes(b"\xff")
    of_older_layout(folder)
    if what == "link":
        folder = folder.rename(tmp_path / "elsewhere")
        (tmp_path / "store").symlink_to(folder)
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    told = f"layout {LAYOUT - 1}; this kholo reads layout {LAYOUT}; .* move it away, or give another --out"
    with pytest.raises(StoreError, match=told), demo_store(tmp_path / "store", "one"):
        pass
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == before


def test_a_store_of_somebody_that_the_demo_added_to_is_not_its_own(tmp_path: Path) -> None:
    take_in(Store(tmp_path / "store", create=True), tmp_path, 1)
    with demo_store(tmp_path / "store", "one") as store:
        take_in(store, tmp_path, 2)
    assert not (tmp_path / "store" / MARK).exists()
