"""Every byte of a dossier changed, one at a time, and a dossier cut off at many places: both verifiers find it."""

from __future__ import annotations

from pathlib import Path

import pytest

from . import dossiers
from .dossiers import other_finds, ours_finds, verifier

#: Into how many parts the bytes are dealt, so that several processes share them.
PARTS = 16


@pytest.fixture(scope="session")
def content(small_dossier: Path, authority: Path, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A dossier with all that a seal can have: withheld files, a signature, two timestamps."""
    folder = tmp_path_factory.mktemp("bytes")
    path = dossiers.redacted(folder, small_dossier)
    for _ in range(2):
        path = dossiers.stamped(folder, path, authority)
    return path.read_bytes()


def test_as_it_is_nothing_is_wrong(content: bytes) -> None:
    assert not ours_finds(content)
    found = {(name, outcome) for name, outcome, _ in verifier.checks(content)}
    assert found == {
        ("container", "passed"), ("files", "passed"), ("tree", "passed"), ("bag", "passed"), ("signature", "passed"),
        ("covers", "passed"),
    }  # fmt: skip


@pytest.mark.parametrize("part", range(PARTS))
def test_every_byte_changed(content: bytes, part: int) -> None:
    changed = bytearray(content)
    for place in range(part, len(content), PARTS):
        for mask in (1 << place // PARTS % 8, 0xFF):
            changed[place] ^= mask
            assert ours_finds(changed), (place, mask)
            assert other_finds(changed), (place, mask)
            changed[place] ^= mask


@pytest.mark.parametrize("step", [1, -1])
def test_cut_off_anywhere(content: bytes, step: int) -> None:
    """At its end, or at its beginning."""
    for place in [1, 21, 22, 23, *range(512, len(content), 512), len(content) - 1]:
        left = content[:place] if step == 1 else content[place:]
        assert ours_finds(left), place
        assert other_finds(left), place
    assert ours_finds(b"")
    assert other_finds(b"")


def test_a_byte_put_in_or_taken_out(content: bytes) -> None:
    for place in range(0, len(content), 97):
        for changed in (content[:place] + b"\0" + content[place:], content[:place] + content[place + 1 :]):
            assert ours_finds(changed), place
            assert other_finds(changed), place
