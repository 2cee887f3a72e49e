"""The log of dossiers: it grows only, it goes on after every stop, and whatever is altered is found."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from kholo.evidence import append, log, note, tlog, tree
from kholo.evidence.audit import audit
from kholo.evidence.faults import (
    BadSignature,
    LogError,
    Malformed,
    NotInLog,
    SplitView,
    Truncated,
    WrongRoot,
    WrongSize,
    WrongTile,
)
from kholo.evidence.shelf import Folder
from kholo.model import DossierError, EnvironmentFault, UsageError

from .tlogs import KEYS, ORIGIN, SIGNER, content, inclusion, made, new, signer, statement


@pytest.fixture
def folder() -> Iterator[Path]:
    with TemporaryDirectory() as name:
        yield Path(name) / "log"


def test_tiles_have_the_paths_of_the_specification() -> None:
    assert tlog.tile_path(0, 1234067) == "tile/0/x001/x234/067"
    assert tlog.tile_path(2, 0, 1) == "tile/2/000.p/1"
    assert tlog.tile_path(tlog.ENTRIES, 5, 255) == "tile/entries/005.p/255"
    for path in ("tile/0/x001/x234/067", "tile/63/000.p/1", "tile/entries/999.p/255"):
        place = tlog.tile_of(path)
        assert place is not None
        assert tlog.tile_path(*place) == path
    for path in (
        "tile/64/000", "tile/00/000", "tile/0/0", "tile/0/000.p/0", "tile/0/000.p/01", "tile/0/000.p/256",
        "tile/0/000.p/999", "tile/0/x000/001", "tile/0/1000", "tile/0/x001", "tile/data/000", "tile/0/000/001",
        "tile/0/000.p", "tile/0/000 ", "tile/0/../0/000", "tile/0/000.p/1/1", "tile/0/٠٠٠",
    ):  # fmt: skip
        assert tlog.tile_of(path) is None, path


def test_a_log_of_70_000_has_the_files_of_the_specification(folder: Path) -> None:
    """The example of C2SP tlog-tiles; and one dossier more costs a few files, however long the log is."""
    shelf = made(folder, range(70_000))
    files = set(content(folder))
    assert len([path for path in files if path.startswith("tile/0/")]) == 274
    assert len([path for path in files if path.startswith("tile/entries/")]) == 274
    assert {path for path in files if path.startswith(("tile/1/", "tile/2/"))} == {
        "tile/1/000", "tile/1/001.p/17", "tile/2/000.p/1",
    }  # fmt: skip
    assert {"tile/0/273.p/112", "tile/entries/273.p/112"} < files
    append.append(shelf, [SIGNER], [new(70_000)])
    assert set(content(folder)) - files == {"tile/0/273.p/113", "tile/entries/273.p/113"}
    assert audit(shelf, KEYS).log.size == 70_001
    proof = log.proof(shelf, 69_999)
    assert log.check_proof(proof, statement(69_999), KEYS).index == 69_999


@settings(max_examples=25)
@given(st.lists(st.integers(0, 300), min_size=1, max_size=4))
@example([256, 0, 1, 255])
@example([1, 1, 254, 256])
def test_batches_give_the_files_that_all_at_once_gives(batches: list[int]) -> None:
    with TemporaryDirectory() as name:
        at_once = made(Path(name) / "a", range(sum(batches)))
        by_batch = made(Path(name) / "b")
        start = 0
        for count in batches:
            append.append(by_batch, [SIGNER], map(new, range(start, start + count)))
            start += count
        first, second = content(at_once.path), content(by_batch.path)
        assert {path: second[path] for path in first} == first
        assert all(".p/" in path for path in second.keys() - first.keys())
        assert audit(by_batch, KEYS).tiles == len(second) - 2


@settings(max_examples=40)
@given(st.data(), st.integers(1, 700))
@example(None, 256)
@example(None, 512)
def test_proofs_from_tiles_are_those_of_the_whole_tree(data: st.DataObject | None, size: int) -> None:
    hashes = [tree.leaf_hash(place.to_bytes(4)) for place in range(size)]
    files = {
        tlog.tile_path(level, index, width): b"".join(row[index * 256 : index * 256 + width])
        for level, row in enumerate(tlog.rows(hashes))
        for index, width in tlog.tiles(row)
    }

    class Shelf:
        where = "here"

        def read(self, path: str, most: int) -> bytes | None:
            return files.get(path)

    read = tlog.Tree(Shelf(), size)
    assert read.hash(0, size) == tree.root(hashes)
    place = data.draw(st.integers(0, size - 1)) if data else size - 1
    assert read.inclusion(place) == inclusion(hashes, place)


def grown(folder: Path) -> Folder:
    """A small log with the files of an earlier checkpoint."""
    shelf = made(folder, range(1))
    append.append(shelf, [SIGNER], [new(7), new(1)])
    return shelf


def test_every_flipped_byte_of_a_log_is_found(folder: Path) -> None:
    shelf = grown(folder)
    assert audit(shelf, log.own_keys(shelf)).tiles == 4
    for path, data in content(folder).items():
        for place in range(len(data)):
            other = bytearray(data)
            other[place] ^= 1 << place % 8
            (folder / path).write_bytes(other)
            with pytest.raises(LogError):
                audit(shelf, log.own_keys(shelf))
        (folder / path).write_bytes(data)
    audit(shelf, log.own_keys(shelf))
    # Also in the list of keys, where others are trusted.
    (folder / log.KEYS).write_bytes(b"x" + (folder / log.KEYS).read_bytes())
    with pytest.raises(Malformed):
        audit(shelf, KEYS)


def test_every_file_removed_cut_lengthened_swapped_or_added_is_found(folder: Path) -> None:
    shelf = grown(folder)
    files = content(folder)
    earlier = {"tile/0/000.p/1", "tile/entries/000.p/1"}
    for path, data in files.items():
        place = folder / path
        swapped = next(other for other in files.values() if other != data)
        for altered in (data[:-1], data[:1], b"", data + b"\0", data + data, swapped):
            place.write_bytes(altered)
            with pytest.raises(LogError):
                audit(shelf, log.own_keys(shelf))
        place.unlink()
        # A host may remove the files of earlier checkpoints; nothing needs them.
        if path in earlier:
            audit(shelf, log.own_keys(shelf))
        else:
            with pytest.raises(LogError):
                audit(shelf, log.own_keys(shelf))
        place.write_bytes(data)
    for path in ("tile/x", "tile/0/000.p/01", "tile/entries/000.txt", "tile/entries/\x1b[2J"):
        (folder / path).write_bytes(b"")
        with pytest.raises(Malformed, match="no file of a log") as caught:
            audit(shelf, KEYS)
        assert str(caught.value).isprintable()
        (folder / path).unlink()


def test_a_pipe_or_a_folder_in_the_place_of_a_file_holds_nobody_up(folder: Path) -> None:
    shelf = grown(folder)
    tile = folder / "tile/0/000.p/3"
    tile.unlink()
    os.mkfifo(tile)
    with pytest.raises(EnvironmentFault, match="no file"):
        audit(shelf, KEYS)
    tile.unlink()
    tile.mkdir()
    with pytest.raises(EnvironmentFault):
        audit(shelf, KEYS)


class Cut(Exception):
    """The machine stopped."""


class Stopping(Folder):
    """A folder on a machine that stops at a write: `left` go well."""

    def __init__(self, path: Path, left: int) -> None:
        super().__init__(path)
        self.left = left

    def replace(self, path: str, data: bytes) -> None:
        if not self.left:
            (self.path / ".part").write_bytes(data[: len(data) // 2])
            raise Cut
        self.left -= 1
        super().replace(path, data)


def stopped(folder: Path, start: dict[str, bytes], left: int, numbers: range) -> bool:
    """A run that adds dossiers to a log and stops; whether it did before its end."""
    shutil.rmtree(folder, ignore_errors=True)
    for path, data in start.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)
    try:
        append.append(Stopping(folder, left), [SIGNER], map(new, numbers))
    except Cut:
        return True
    return False


@pytest.mark.parametrize(("before", "upto"), [(250, 262), (0, 3), (3, 600), (256, 512)])
def test_a_log_goes_on_after_a_stop_at_every_write(folder: Path, before: int, upto: int) -> None:
    shelf = made(folder, range(before))
    start, seen = content(folder), tlog.read_checkpoint(shelf)
    added = range(before, upto)
    append.append(shelf, [SIGNER], map(new, added))
    whole = content(folder)

    left = 0
    while stopped(folder, start, left, added):
        after = content(folder)
        # Readers see the log as it was.
        assert audit(shelf, KEYS, seen).log.size == before
        # The same again gives what would be there without the stop.
        append.append(shelf, [SIGNER], map(new, added))
        assert content(folder) == whole

        # Others take over what was written, and change nothing of it.
        assert stopped(folder, start, left, added)
        other = append.append(shelf, [SIGNER], map(new, range(9_000, 9_005)))
        now = content(folder)
        assert all(now[path] == data for path, data in after.items() if path not in ("checkpoint", ".part"))
        found = audit(shelf, KEYS, seen)
        assert found.unsigned == 0
        assert [found.log.entries[one.index] for one in other] == [one.entry for one in other]
        left += 1
    assert left == len(whole) - len(start) + 1


def test_a_stop_while_a_log_is_begun(folder: Path) -> None:
    for left in range(2):
        with pytest.raises(Cut):
            append.create(Stopping(folder, left), ORIGIN, [SIGNER])
        append.create(Folder(folder), ORIGIN, [SIGNER])
        assert audit(Folder(folder), KEYS).log.size == 0
        shutil.rmtree(folder)


def test_an_older_checkpoint_put_back_makes_no_second_log(folder: Path) -> None:
    shelf = made(folder, range(3))
    old = tlog.read_checkpoint(shelf)
    append.append(shelf, [SIGNER], map(new, range(3, 9)))
    newer = tlog.read_checkpoint(shelf)
    (folder / "checkpoint").write_bytes(old)
    assert audit(shelf, KEYS).unsigned == 2
    append.append(shelf, [SIGNER], [new(100)])
    assert audit(shelf, KEYS, newer).seen == 9


def test_what_was_written_is_never_written_over(folder: Path) -> None:
    shelf = made(folder, range(2))
    (folder / "tile/0/000.p").mkdir(exist_ok=True)
    (folder / "tile/0/000.p/3").write_bytes(b"\0" * 96)
    with pytest.raises(WrongTile, match="nothing was changed"):
        append.append(shelf, [SIGNER], [new(2)])
    assert (folder / "tile/0/000.p/3").read_bytes() == b"\0" * 96
    assert audit(shelf, KEYS).log.size == 2


def test_entries_that_do_not_go_on_from_what_is_signed_are_not_taken_over(folder: Path) -> None:
    shelf = made(folder, range(2))
    other = made(folder.with_name("other"), range(5, 8))
    (folder / "tile/entries/000.p/3").write_bytes((other.path / "tile/entries/000.p/3").read_bytes())
    with pytest.raises(WrongTile, match="does not go on"):
        append.append(shelf, [SIGNER], [new(2)])
    # A bundle after one that is not full is none of ours.
    (folder / "tile/entries/000.p/3").unlink()
    (folder / "tile/entries/001.p").mkdir()
    shutil.copy(other.path / "tile/entries/000.p/3", folder / "tile/entries/001.p/3")
    append.append(shelf, [SIGNER], [new(2)])
    found = audit(shelf, KEYS)
    assert (found.log.size, found.unsigned) == (3, 1)


def test_a_log_that_was_tampered_with_is_not_signed_again(folder: Path) -> None:
    shelf = made(folder, range(3))
    bundle = folder / "tile/entries/000.p/3"
    bundle.write_bytes(bundle.read_bytes().replace(b'"simulated":true', b'"simulated":false', 1)[:-1])
    before = content(folder)
    with pytest.raises(LogError):
        append.append(shelf, [SIGNER], [new(3)])
    assert content(folder) == before


def test_one_writer_at_a_time_and_only_with_the_key_of_the_log(folder: Path) -> None:
    shelf = made(folder, range(1))
    with shelf.writing(), pytest.raises(EnvironmentFault, match="another process"):
        append.append(Folder(folder), [SIGNER], [new(1)])
    with pytest.raises(UsageError, match=r"none of this log's"):
        append.append(shelf, [signer(2)], [new(1)])
    with pytest.raises(UsageError, match="not empty"):
        append.create(shelf, ORIGIN, [SIGNER])
    for origin in ("", "https://example.org/x", "a b", "a+b", "a\n", "x" * 201, "a//b", "بی.example"):
        with pytest.raises(UsageError, match="origin"):
            append.create(Folder(folder / "other"), origin, [SIGNER])


def test_a_dossier_is_logged_once_and_supersedes_the_one_before(folder: Path) -> None:
    shelf = made(folder)
    first = append.append(shelf, [SIGNER], [new(1, "x"), new(2, "y"), new(3, "x")])
    again = append.append(shelf, [SIGNER], [append.New(statement(1, "x"), log.digest(b"with a signature more"))])
    assert [(one.index, one.entry.supersedes, one.is_new) for one in first] == [
        (0, None, True), (1, None, True), (2, 0, True),
    ]  # fmt: skip
    assert again == [append.Added(0, first[0].entry, False)]
    assert audit(shelf, KEYS).log.size == 3


def test_several_keys_and_a_witness_sign(folder: Path) -> None:
    shelf, both = Folder(folder), [SIGNER, signer(2)]
    append.create(shelf, ORIGIN, both)
    append.append(shelf, both, [new(0)])
    mine = signer(9)
    witness = note.Key("witness.example/w1", note.COSIGNATURE, mine.public)
    read = note.parse(tlog.read_checkpoint(shelf))
    stamped = (1_700_000_000).to_bytes(8) + mine.sign(b"cosignature/v1\ntime 1700000000\n" + read.text)
    lines = (*read.signatures, note.Signature(witness.name, witness.mark, stamped))
    (folder / "checkpoint").write_bytes(note.Note(read.text, lines).encode())

    found = log.check(shelf, statement(0), [*log.own_keys(shelf), witness])
    assert [(one.key.name, one.at is None) for one in found.signed_by] == [
        (ORIGIN, True), (ORIGIN, True), (witness.name, False),
    ]  # fmt: skip
    assert log.check(shelf, statement(0), KEYS).unchecked == (ORIGIN, witness.name)
    with pytest.raises(BadSignature, match="witnesses alone"):
        log.check(shelf, statement(0), [witness])
    # What is there already is not signed again: that would lose the witness.
    before = content(folder)
    append.append(shelf, both, [new(0)])
    assert content(folder) == before
    # A key of another log is none of this one, even where the bytes are the same.
    with pytest.raises(BadSignature, match="nobody"):
        log.check(shelf, statement(0), [SIGNER.key("example.org/other")])


def test_only_a_key_of_the_log_signs_its_checkpoint() -> None:
    text = tlog.Checkpoint(ORIGIN, 0, tree.EMPTY).text()
    other = SIGNER.key("example.org/other")
    signed = note.Note(text, (SIGNER.signature(other.name, text),)).encode()
    with pytest.raises(BadSignature, match="trusted for this log"):
        tlog.open_checkpoint(signed, [other, *KEYS])
    # A witness that bears the name of the log.
    witness = note.Key(ORIGIN, note.COSIGNATURE, SIGNER.public)
    stamped = bytes(8) + SIGNER.sign(b"cosignature/v1\ntime 0\n" + text)
    signed = note.Note(text, (note.Signature(ORIGIN, witness.mark, stamped),)).encode()
    with pytest.raises(BadSignature, match="witnesses alone"):
        tlog.open_checkpoint(signed, [witness, *KEYS])


def test_a_log_says_where_a_dossier_is_and_what_came_later(folder: Path) -> None:
    shelf = made(folder, range(20))
    seen = tlog.read_checkpoint(shelf)
    append.append(shelf, [SIGNER], [new(20)])
    found = log.check(shelf, statement(6), KEYS, seen)
    assert (found.index, found.size, found.origin, found.seen) == (6, 21, ORIGIN, 20)
    assert found.entry.statement == log.digest(statement(6))
    assert found.entry.simulated
    assert [one.index for one in found.later or ()] == [13, 20]
    assert found.signed_by == (note.Signed(KEYS[0]),)
    with pytest.raises(NotInLog, match=r"others of its case: 1, 8, 15"):
        log.check(shelf, statement(99, "case-1"), KEYS)
    with pytest.raises(NotInLog, match=r"no entry for this statement$"):
        log.check(shelf, b"anything", KEYS)


def rewritten(folder: Path, numbers: list[int]) -> Folder:
    """A log by the same key with other dossiers, as somebody would make it who wants one to vanish."""
    shutil.rmtree(folder)
    return made(folder, numbers)


def test_a_replaced_entry_is_found_by_who_kept_a_checkpoint(folder: Path) -> None:
    shelf = made(folder, range(5))
    seen = tlog.read_checkpoint(shelf)
    for numbers in ([0, 1, 99, 3, 4], [0, 1, 99, 3, 4, 5], [0, 1, 3, 4, 2], [0, 1, 2, 3], []):
        shelf = rewritten(folder, numbers)
        assert audit(shelf, KEYS).log.size == len(numbers)
        with pytest.raises(SplitView):
            audit(shelf, KEYS, seen)
        if 1 in numbers:
            with pytest.raises(SplitView):
                log.check(shelf, statement(1), KEYS, seen)
    shelf = rewritten(folder, [0, 1, 2, 3])
    with pytest.raises(SplitView, match="had 5 entries when it was seen, and has 4 now"):
        audit(shelf, KEYS, seen)
    shelf = rewritten(folder, [0, 1, 2, 3, 4, 5])
    assert audit(shelf, KEYS, seen).seen == 5


def test_a_checkpoint_that_was_seen_must_be_one_of_the_log(folder: Path) -> None:
    shelf = made(folder, range(2))
    other = Folder(folder.with_name("other"))
    append.create(other, "example.org/other", [SIGNER])
    keys = (*KEYS, SIGNER.key("example.org/other"))
    with pytest.raises(LogError, match="another log"):
        audit(shelf, keys, tlog.read_checkpoint(other))
    with pytest.raises(BadSignature):
        audit(shelf, KEYS, tlog.read_checkpoint(shelf).replace(b"\n2\n", b"\n1\n"))
    with pytest.raises(Malformed):
        audit(shelf, KEYS, b"")


def raw(shelf: Folder, entries: list[bytes], size: int | None = None) -> None:
    """Entries of any form, written and signed by the log's own key."""
    head = tlog.Checkpoint(
        ORIGIN, len(entries) if size is None else size, tree.root(list(map(tree.leaf_hash, entries)))
    )
    signed = note.Note(head.text(), (SIGNER.signature(ORIGIN, head.text()),))
    shelf.replace("checkpoint", signed.encode())
    if entries:
        shelf.replace(tlog.tile_path(tlog.ENTRIES, 0, len(entries)), tlog.bundle(entries))


@pytest.mark.parametrize(
    "alter",
    [
        lambda data: data + b"\n", lambda data: b" " + data, lambda data: data.replace(b":", b": ", 1),
        lambda data: b"", lambda data: b"[" * 500, lambda data: b"\xff" + data, lambda data: b"null",
        lambda data: data.replace(b'"form"', b'"more":1,"form"'),
        lambda data: data.replace(b"kholo-log/1", b"kholo-log/2"),
        lambda data: data.replace(b"case-0", b"../case"), lambda data: data.replace(b"case-0", "\u202e".encode()),
        lambda data: data.replace(b"2026-11-25", b"2026-02-30"), lambda data: data.replace(b"sha256:", b"SHA256:", 1),
        lambda data: data.replace(b"null", b"0"), lambda data: data.replace(b"null", b"1" * 400),
        lambda data: data.replace(b"true", b"1"), lambda data: data.replace(b"case-0", b"case-\\u0030"),
    ],
)  # fmt: skip
def test_an_entry_in_any_other_form_is_refused_even_if_signed(folder: Path, alter: Callable[[bytes], bytes]) -> None:
    shelf = made(folder)
    right = log.entry_of(statement(0), log.digest(b"x"), None).encode()
    raw(shelf, [right])
    assert log.read(shelf, KEYS).size == 1
    raw(shelf, [alter(right)])
    with pytest.raises(Malformed):
        log.read(shelf, KEYS)


def test_sizes_that_can_not_be_are_named(folder: Path) -> None:
    shelf = made(folder, range(3))
    bundle = folder / "tile/entries/000.p/3"
    data = bundle.read_bytes()
    for altered, error in (
        (data[:-1], Truncated), (data[:1], Truncated), (data + b"\0", WrongSize), (data + data, WrongSize),
        (b"\xff\xff" + data, WrongSize), (data * 9, WrongSize),
    ):  # fmt: skip
        bundle.write_bytes(altered)
        with pytest.raises(error):
            log.check(shelf, statement(0), KEYS)
    bundle.unlink()
    with pytest.raises(Truncated, match="missing"):
        log.check(shelf, statement(0), KEYS)
    raw(shelf, [], tlog.MAX_SIZE + 1)
    with pytest.raises(WrongSize, match="more than"):
        log.check(shelf, statement(0), KEYS)
    with pytest.raises(Truncated, match="is it a log"):
        log.check(Folder(folder / "tile"), statement(0), KEYS)


def test_entries_that_do_not_give_the_root_are_found(folder: Path) -> None:
    shelf = made(folder, range(3))
    bundle = folder / "tile/entries/000.p/3"
    bundle.write_bytes(bundle.read_bytes().replace(b"2026-11-25", b"2026-11-26", 1))
    with pytest.raises(WrongRoot):
        log.check(shelf, statement(0), KEYS)


@pytest.mark.parametrize(
    "text",
    [
        b"a\n1\n", b"a\n01\n" + b"A" * 43 + b"=\n", b"a\n-1\n" + b"A" * 43 + b"=\n", b"a\n1\nAAAA\n",
        b"a\n1\n" + b"A" * 42 + b"B=\n", b"\n1\n" + b"A" * 43 + b"=\n", b"a\n1\n" + b"A" * 43 + b"=\n\nx\n",
        b"a\n" + b"9" * 30 + b"\n" + b"A" * 43 + b"=\n", "a\n١\n".encode() + b"A" * 43 + b"=\n",
    ],
)  # fmt: skip
def test_a_checkpoint_in_any_other_form_is_refused(text: bytes) -> None:
    signed = note.Note(text, (SIGNER.signature("a", text),)).encode()
    with pytest.raises(Malformed):
        tlog.open_checkpoint(signed, [SIGNER.key("a")])


def test_a_proof_travels_alone_and_no_altered_one_passes(folder: Path) -> None:
    shelf = made(folder, range(300))
    proof = log.proof(shelf, 299)
    assert proof.startswith(b"c2sp.org/tlog-proof@v1\nextra ")
    assert proof.endswith(tlog.read_checkpoint(shelf))
    found = log.check_proof(proof, statement(299), KEYS)
    assert (found.index, found.size, found.later, found.seen) == (299, 300, None, None)
    for place in range(len(proof)):
        other = bytearray(proof)
        other[place] ^= 1 << place % 8
        with pytest.raises(LogError):
            log.check_proof(bytes(other), statement(299), KEYS)
    lines = proof.split(b"\n")
    for altered in (lines[:3] + lines[4:], lines[:3] + lines[3:4] + lines[3:], [lines[0], *lines[2:]], lines[:3]):
        with pytest.raises(LogError):
            log.check_proof(b"\n".join(altered), statement(299), KEYS)
    with pytest.raises(NotInLog, match="another dossier"):
        log.check_proof(proof, statement(298), KEYS)
    with pytest.raises(BadSignature):
        log.check_proof(proof, statement(299), [signer(2).key(ORIGIN)])
    for index in (-1, 300):
        with pytest.raises(ValueError, match="no leaf"):
            log.proof(shelf, index)


@given(st.binary(max_size=200))
def test_nothing_read_breaks_the_parsers(data: bytes) -> None:
    head = b"c2sp.org/tlog-proof@v1\nextra QQ==\nindex 0\n"
    for whole in (data, head + data, head + b"\n" + data):
        with pytest.raises(LogError):
            log.check_proof(whole, statement(0), KEYS)
    with pytest.raises(Malformed):
        log.parse_entry(data, "entry 0")
    with pytest.raises(DossierError):
        log.entry_of(data, log.digest(b""), None)
    with suppress(LogError):
        assert tlog.bundle(tlog.unbundle(data, 3, "it")) == data
