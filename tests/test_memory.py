"""What is remembered of earlier detection saves time and changes nothing; a broken memory is as good as none."""

from __future__ import annotations

from pathlib import Path

import pytest

from kholo.detect.stretches import Stretch
from kholo.pipeline.memory import remembered
from kholo.store import Store

FOUND = [Stretch(1, 4, (0.5, 1.0), None, True, 1e4)]


def filled(tmp_path: Path) -> tuple[Store, Path]:
    store = Store(tmp_path / "store", create=True)
    with remembered(store) as memory:
        memory[b"a"] = FOUND
    return store, store.root / "detected" / "stretches"


def test_it_comes_back(tmp_path: Path) -> None:
    store, path = filled(tmp_path)
    with remembered(store) as memory:
        assert memory[b"a"] == FOUND
        memory[b"b"] = []
    with remembered(store) as memory:
        assert (memory[b"a"], memory[b"b"]) == (FOUND, [])
    assert [file.name for file in path.parent.iterdir()] == ["stretches"]


@pytest.mark.parametrize("place", [0, 15, 16, 20, -1])
def test_a_changed_byte_makes_it_forget(tmp_path: Path, place: int) -> None:
    store, path = filled(tmp_path)
    content = bytearray(path.read_bytes())
    content[place] ^= 1
    path.write_bytes(content)
    with remembered(store) as memory:
        assert not memory
        memory[b"c"] = FOUND
    with remembered(store) as memory:
        assert dict(memory) == {b"c": FOUND}


@pytest.mark.parametrize("size", [0, 7, 16, 17])
def test_a_file_cut_short_makes_it_forget(tmp_path: Path, size: int) -> None:
    store, path = filled(tmp_path)
    path.write_bytes(path.read_bytes()[:size])
    with remembered(store) as memory:
        assert not memory


def test_where_nothing_can_be_written_all_goes_on(tmp_path: Path) -> None:
    store = Store(tmp_path / "store", create=True)
    (store.root / "detected").write_text("in the way")
    with remembered(store) as memory:
        memory[b"a"] = FOUND
    assert (store.root / "detected").read_text() == "in the way"
