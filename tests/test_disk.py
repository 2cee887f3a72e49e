"""Files are written whole or not at all, and what fails says which file."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from kholo.disk import TooLarge, copy_if_changed, file_digest, read, replaced, write_if_changed
from kholo.model import EnvironmentFault


def test_what_is_cut_off_leaves_the_old_file_and_nothing_beside(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "file"
    assert write_if_changed(path, b"old")
    with pytest.raises(KeyError), replaced(path) as draft:
        draft.write_bytes(b"half")
        raise KeyError
    assert [file.read_bytes() for file in path.parent.iterdir()] == [b"old"]


def test_a_file_that_holds_it_already_is_left_alone(tmp_path: Path) -> None:
    path, source = tmp_path / "file", tmp_path / "source"
    source.write_bytes(b"new")
    digest = hashlib.sha256(b"new").hexdigest()
    assert file_digest(source) == digest
    assert write_if_changed(path, b"old")
    before = path.stat().st_ino
    assert not write_if_changed(path, b"old")
    assert path.stat().st_ino == before
    assert copy_if_changed(source, path, digest)
    assert path.read_bytes() == b"new"
    assert not copy_if_changed(source, path, digest)


def test_what_is_not_what_it_was_is_not_copied(tmp_path: Path) -> None:
    path, source = tmp_path / "file", tmp_path / "source"
    source.write_bytes(b"another")
    with pytest.raises(EnvironmentFault, match="source: was changed"):
        copy_if_changed(source, path, hashlib.sha256(b"new").hexdigest())
    assert list(tmp_path.iterdir()) == [source]


def test_a_fault_names_the_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(EnvironmentFault, match="file/below: can't be written"):
        write_if_changed(tmp_path / "file" / "below", b"")
    with pytest.raises(EnvironmentFault, match="none: can't be read"):
        file_digest(tmp_path / "none")


def test_what_is_larger_or_never_ends_is_not_read_to_its_end(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"four")
    assert read(path, 4) == b"four"
    for endless in (path, Path("/dev/zero")):
        with pytest.raises(TooLarge):
            read(endless, 3)
