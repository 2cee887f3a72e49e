"""A dossier taken apart and put together otherwise: found by kholo and by the verifier of `contrib/` alike."""

from __future__ import annotations

import io
import stat
import struct
import sys
import zipfile
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from kholo.evidence import bag, seal
from kholo.evidence.checks import Outcome
from kholo.pipeline.verify import verify

from . import dossiers
from .dossiers import FOLDER, Files, files_of, other_finds, ours_finds, packed, relisted, resealed, verifier


@pytest.fixture(scope="session")
def files(small_dossier: Path) -> Files:
    """What is in a whole dossier, signed."""
    return files_of(small_dossier)


@pytest.fixture
def without_typst(monkeypatch: pytest.MonkeyPatch) -> None:
    """Printing takes long, and is looked at in tests of whole dossiers."""
    monkeypatch.setitem(sys.modules, "typst", None)


def both_find(data: bytes) -> bool:
    """What both say, who have to agree."""
    ours, other = ours_finds(data), other_finds(data)
    assert ours is other
    return ours


def payload(files: Files) -> list[str]:
    return [name for name in files if name.startswith("data/")]


def without(files: Files, *names: str) -> Files:
    return {name: data for name, data in files.items() if name not in names}


def test_packed_anew_it_is_the_same(small_dossier: Path, files: Files) -> None:
    assert packed(files) == small_dossier.read_bytes()
    assert relisted(files) == files
    assert not both_find(packed(resealed(files)))


def test_every_file_removed_renamed_added_to_or_emptied(files: Files) -> None:
    for name, data in files.items():
        for changed in (
            without(files, name),
            {**without(files, name), f"{name}x": data},
            {**files, f"{name}.more": data},
            {**files, name: b""},
            {**files, name: data + b"\n"},
        ):
            assert both_find(packed(changed)), name


def test_every_file_swapped_with_the_next(files: Files) -> None:
    names = sorted(files)
    for one, other in pairwise(names):
        assert both_find(packed({**files, one: files[other], other: files[one]})), (one, other)


def test_with_manifests_made_anew_the_tree_finds_it(files: Files) -> None:
    names = [name for name in payload(files) if name != bag.HEAD]
    for name, other in zip(names, [*names[1:], names[0]], strict=True):
        for changed in (
            {**files, name: files[name] + b" "},
            {**files, f"{name}.more": b"{}"},
            {**files, name: files[other], other: files[name]},
            without(files, name),
            {**without(files, name), f"{name}x": files[name]},
        ):
            assert both_find(packed(relisted(changed))), name


def test_with_the_tree_made_anew_the_signature_finds_it(files: Files) -> None:
    forged = resealed({**files, "data/results/case.json": files["data/results/case.json"].replace(b"ok", b"ko")})
    assert not both_find(packed(relisted(without(forged, *_signatures(files)))))
    data = packed(relisted(forged))
    assert [name for name, outcome, _ in verifier.checks(data) if outcome == "failed"] == ["signature"]


@pytest.mark.usefixtures("without_typst")
@pytest.mark.parametrize("name", ["data/results/case.json", "data/pages/index.html", "data/tables/verdicts.parquet"])
def test_who_seals_other_figures_himself_is_found_by_the_re_run(files: Files, tmp_path: Path, name: str) -> None:
    forged = without(files, *_signatures(files)) | {name: files[name][:-9] + b"x" + files[name][-8:]}
    (path := tmp_path / "forged.zip").write_bytes(packed(resealed(forged)))
    found = verify(path, lambda _: iter(()), 1, dossiers.silent)
    assert [check.check for check in found.of(Outcome.FAILED)] == [name.split("/")[1]]


def _signatures(files: Files) -> list[str]:
    return [name for name in files if name.startswith("seal/signatures/")]


@pytest.mark.usefixtures("without_typst")
def test_who_seals_it_without_a_measurement_is_found_by_both(files: Files, tmp_path: Path) -> None:
    gone = next(name for name in files if name.startswith("data/raw/") and name.endswith(".gz"))
    lines = files["data/raw/index.jsonl"].splitlines(keepends=True)
    index = b"".join(line for line in lines if gone.encode() not in line)
    head = files[bag.HEAD].replace(b'"raw": 4', b'"raw": 3')
    forged = {**without(files, gone, *_signatures(files)), "data/raw/index.jsonl": index, bag.HEAD: head}
    (path := tmp_path / "forged.zip").write_bytes(packed(resealed(forged)))
    found = verify(path, lambda _: iter(()), 1, dossiers.silent)
    assert {check.check for check in found.of(Outcome.FAILED)} >= {"results", "tables", "pages"}
    with zipfile.ZipFile(path) as archive, pytest.raises(ValueError, match="1 days differ"):
        dossiers.script("recount_dossier").recount(archive)


def test_the_statement_says_something_else(files: Files) -> None:
    said = files[seal.STATEMENT].decode()
    for one, other in (
        ("small", "other"),
        ("2026-11-24", "2026-11-25"),
        ("2026-11-24", "2026-13-24"),
        ("simulated: no", "simulated: yes"),
        ("leaves: ", "leaves: 0"),
        ("leaves: ", "leaves: 1"),
        ("dossier/1", "dossier/2"),
        ("\n", "\r\n"),
        ("sha256", "SHA256"),
        ("T00:00:00Z", "T24:00:00Z"),
        ("2026", "٢٠٢٦"),
        ("2026", "0000"),
        ("root: ", "root:  "),
    ):
        assert one in said
        assert both_find(packed(relisted({**files, seal.STATEMENT: said.replace(one, other, 1).encode()}))), other


def test_a_leaf_in_another_form_with_the_same_hash(files: Files) -> None:
    leaves = files[seal.LEAVES]
    first, rest = leaves.split(b"\n", 1)
    for changed in (
        leaves.replace(b'","', b'", "'),
        leaves + b"\n",
        leaves[:-1],
        leaves.replace(b"\n", b"\r\n"),
        rest + first + b"\n",
        leaves.replace(b'"}', b'","leaf":""}', 1),
        leaves.replace(b'{"path"', b'{"path":"","path"', 1),
        leaves + first + b"\n",
        leaves.replace(b'"sha256"', b'"more":1,"sha256"', 1),
        leaves.replace(b"data/", b"data\\/", 1),
        b"[]\n",
        b"\xff\n",
        leaves.replace(b'"salt":"', b'"salt":"' + b"0" * 64, 1),
        b"[" * 100_000 + b"\n",
        b'{"path":"\\ud800"}\n',
        b"",
        leaves.replace(b'"salt"', b'"withheld":"why","salt"', 1),
        rest,
    ):
        assert changed != leaves
        assert both_find(packed(relisted({**files, seal.LEAVES: changed}))), changed[:200]


def zipped(files: Files, change: Callable[[zipfile.ZipInfo], None] = lambda _: None) -> bytes:
    """As another program would pack it."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name in sorted(files):
            entry = zipfile.ZipInfo(FOLDER + name)
            entry.create_system, entry.external_attr, entry.create_version = 3, 0o100644 << 16, 20
            change(entry)
            archive.writestr(entry, files[name])
    return out.getvalue()


def test_another_program_can_write_the_one_form(small_dossier: Path, files: Files) -> None:
    assert zipped(files) == small_dossier.read_bytes()


def _named(name: str) -> Callable[[zipfile.ZipInfo], None]:
    def change(entry: zipfile.ZipInfo) -> None:
        if entry.filename.endswith("data/README.txt"):
            entry.filename = name

    return change


def _compressed(entry: zipfile.ZipInfo) -> None:
    entry.compress_type = zipfile.ZIP_DEFLATED


def _linked(entry: zipfile.ZipInfo) -> None:
    entry.external_attr = (stat.S_IFLNK | 0o777) << 16


def _executable(entry: zipfile.ZipInfo) -> None:
    entry.external_attr = 0o100755 << 16


def _dated(entry: zipfile.ZipInfo) -> None:
    entry.date_time = (2026, 1, 1, 0, 0, 0)


def _extra(entry: zipfile.ZipInfo) -> None:
    entry.extra = b"\x55\x54\x05\x00\x03\0\0\0\0"


def _commented(entry: zipfile.ZipInfo) -> None:
    entry.comment = b"see also"


NAMES = (
    "/etc/passwd",
    "../evil",
    FOLDER + "../../evil",
    "C:\\evil",
    FOLDER + "data\\evil",
    FOLDER + "data/evil\0.txt",
    FOLDER + "data/évil",
    FOLDER + "data/\u202egnp.exe",
    FOLDER + "data//evil",
    FOLDER + "data/./evil",
    FOLDER + "data/evil/",
    FOLDER + "data/.evil",
    FOLDER + "data/" + "e" * 300,
    FOLDER + "data/a b",
    FOLDER + "data/-rf",
    "other/evil",
    "",
    FOLDER,
    FOLDER + "data/dossier.json",
    FOLDER + "data/dossier.json/evil",
    FOLDER + "data/a:b",
    FOLDER + "data/a\nb",
)


@pytest.mark.parametrize("name", NAMES, ids=ascii)
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_file_under_a_bad_name(files: Files, name: str) -> None:
    assert both_find(zipped(files, _named(name)))


@pytest.mark.parametrize(
    "change", [_compressed, _linked, _executable, _dated, _extra, _commented], ids=lambda one: one.__name__
)
def test_a_zip_in_another_form(files: Files, change: Callable[[zipfile.ZipInfo], None]) -> None:
    assert both_find(zipped(files, change))


class _Pipe:
    """Takes bytes and can't go back."""

    def __init__(self) -> None:
        self.data = bytearray()

    def write(self, data: bytes) -> int:
        self.data += data
        return len(data)

    def flush(self) -> None:
        """There is nothing to do."""


def test_sizes_behind_the_files(files: Files) -> None:
    pipe = _Pipe()
    with zipfile.ZipFile(pipe, "w") as archive:  # type: ignore[call-overload]
        for name in sorted(files):
            archive.writestr(zipfile.ZipInfo(FOLDER + name), files[name])
    assert pipe.data[6] & 8
    assert both_find(bytes(pipe.data))


def _lies(data: bytes) -> Iterator[tuple[str, bytes]]:
    """What headers can claim: the end of the file first, then the first entry of the directory, then a local header."""
    end, begins = len(data) - 22, struct.unpack("<L", data[-6:-2])[0]
    count = struct.unpack("<H", data[end + 10 : end + 12])[0]
    yield "before it", b"#!/bin/sh\n" + data
    yield "behind it", data + b"\n"
    yield "two of them", data + data
    yield "comment", data[:-2] + b"\x05\x00hello"
    yield "a gap before the directory", data[:begins] + bytes(7) + data[begins:end] + data[end:]
    for many in (0, 1, count - 1, count + 1, 0xFFFF):
        yield f"{many} files", data[: end + 8] + struct.pack("<2H", many, many) + data[end + 12 :]
    for at in (0, begins - 1, begins + 1, 0x7FFFFFFF, 0xFFFFFFFF):
        yield f"directory at {at}", data[: end + 16] + struct.pack("<L", at) + data[end + 20 :]
    far = struct.pack("<4sQ2H2L4Q", b"PK\6\6", 44, 45, 45, 0, 0, 1 << 40, 1 << 40, 1 << 60, begins)
    tail = far + struct.pack("<4sLQL", b"PK\6\7", 0, end, 1) + data[end : end + 8] + b"\xff" * 12 + b"\0\0"
    yield "10^12 files by ZIP64", data[:end] + tail
    yield "ZIP64 that nobody needs", data[:end] + tail[:24] + struct.pack("<2Q", count, count) + tail[40:]
    for where, what in ((begins + 20, "compressed"), (begins + 24, "size"), (18, "compressed here"), (22, "size here")):
        for size in (0, 10 << 30 & 0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFE):
            yield f"{what} {size}", data[:where] + struct.pack("<L", size) + data[where + 4 :]
    for where in (6, begins + 8):
        for bits in (1, 8, 1 << 6, 1 << 11, 1 << 13):
            yield f"flags {bits} at {where}", data[:where] + struct.pack("<H", bits) + data[where + 2 :]
    for where in (28, begins + 30, begins + 32):
        yield f"a field more at {where}", data[:where] + b"\xff\xff" + data[where + 2 :]
    second = data.index(b"PK\1\2", begins + 4)
    yield "all at one place", data[: second + 42] + bytes(4) + data[second + 46 :]
    yield "overlapping", data[: second + 42] + struct.pack("<L", 10) + data[second + 46 :]
    yield "twice in the directory", data[:second] + data[begins:second] + data[second:]


def test_headers_that_lie(small_dossier: Path) -> None:
    data = small_dossier.read_bytes()
    tried = list(_lies(data))
    assert len(tried) > 40
    for what, changed in tried:
        assert changed != data, what
        assert both_find(changed), what
