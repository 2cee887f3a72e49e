"""The parsers of a dossier: whatever they take is written again to the byte, and both verifiers take the same."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from hypothesis import assume, given
from hypothesis import strategies as st

from kholo.evidence import bag, mirror, seal
from kholo.evidence.container import Container
from kholo.model import DossierError

from .dossiers import packed, verifier

SEGMENT = st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,8}", fullmatch=True)
PATH = st.lists(SEGMENT, min_size=1, max_size=3).map("/".join)
HEX = st.text("0123456789abcdef", min_size=64, max_size=64)
TEXT = st.text(min_size=1, max_size=20)
LEAF = st.one_of(
    st.builds(seal.Leaf, path=PATH, sha256=HEX, salt=HEX),
    st.builds(seal.Leaf, leaf=HEX, withheld=TEXT),
    st.builds(seal.Leaf, path=PATH, sha256=HEX, leaf=HEX, withheld=TEXT),
)
MOMENT = st.integers(631_152_000, 4_133_894_400).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))
STATEMENT = st.builds(
    seal.Statement,
    case=st.from_regex(r"[a-z0-9-]{1,30}", fullmatch=True),
    as_of=MOMENT,
    simulated=st.booleans(),
    leaves=st.integers(0, 99_999_999),
    root=HEX,
)
MIRROR = st.builds(
    mirror.Statement,
    site=st.just("") | st.from_regex(r"https?://[\x21-\x7e]{1,50}", fullmatch=True),
    made_at=MOMENT,
    simulated=st.sampled_from(("yes", "no", "in part")),
    files=st.integers(1, 99_999_999),
    root=HEX,
    keys=st.sets(st.text("0123456789abcdef", min_size=16, max_size=16), min_size=1, max_size=3).map(
        lambda keys: tuple(sorted(keys))
    ),
)
_MIRROR = mirror.Statement("", datetime(2026, 1, 1, tzinfo=UTC), "no", 1, "0" * 64, ("0" * 16,)).encode()


@given(STATEMENT)
def test_statements(said: seal.Statement) -> None:
    data = said.encode()
    assert seal.Statement.decode(data) == said
    assert verifier.statement({"seal/statement.txt": data}) == (
        said.case, said.as_of, said.simulated, said.leaves, said.root,
    )  # fmt: skip


@given(MIRROR)
def test_statements_of_mirrors(said: mirror.Statement) -> None:
    assert mirror.Statement.decode(said.encode()) == said


@given(st.lists(LEAF, max_size=5))
def test_leaves(leaves: list[seal.Leaf]) -> None:
    assert seal.decode_leaves(seal.encode_leaves(leaves)) == leaves


@given(st.dictionaries(PATH, HEX, max_size=5))
def test_manifests(digests: dict[str, str]) -> None:
    data = bag.manifest(digests)
    assert bag.decode_manifest("m", data) == digests
    assert verifier.manifest({"m": data}, "m") == digests


@given(st.dictionaries(PATH, st.binary(max_size=20), min_size=1, max_size=5))
def test_containers(files: dict[str, bytes]) -> None:
    assume(not any(other.startswith(f"{path}/") for path in files for other in files))
    data = packed(files, "f/")
    opened = Container(io.BytesIO(data))
    assert {path[2:]: opened.read(path, 100) for path in opened.files} == files


@given(st.binary(max_size=300), st.integers(0, 300))
def test_anything_else_is_refused_in_words(noise: bytes, at: int) -> None:
    """Noise alone, and noise in the place of a part of something right."""
    right = seal.Leaf("data/a", "0" * 64, "1" * 64)
    whole = packed({"bagit.txt": b"x", "data/a": b"y"})
    for data in (noise, whole[:at] + noise, whole[:at] + noise + whole[at + len(noise) :]):
        try:
            opened = Container(io.BytesIO(data))
            read = {path: opened.read(path, 1_000) for path in opened.files}
        except DossierError:
            continue
        assert packed(read, "") == data
    forms: tuple[tuple[Callable[[bytes], Any], Callable[[Any], bytes], bytes], ...] = (
        (seal.decode_leaves, seal.encode_leaves, seal.encode_leaves([right])),
        (lambda data: bag.decode_manifest("m", data), bag.manifest, bag.manifest({"a": "0" * 64})),
        (seal.Statement.decode, seal.Statement.encode, b"kholo-dossier/1\n"),
        (mirror.Statement.decode, mirror.Statement.encode, _MIRROR),
    )
    for parse, write, good in forms:
        for data in (noise, good[:at] + noise + good[at + len(noise) :]):
            try:
                taken = parse(data)
            except DossierError:
                continue
            assert write(taken) == data
