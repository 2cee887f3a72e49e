"""A mistake is found at its place, with what would be right; and nothing that is no mistake is called one."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kholo.model import CaseError
from kholo.record import load_case

from .broken import BROKEN
from .broken_case import FILES, write

SERVICES = ("chirp", "x")


def line_with(path: Path, at: str) -> int:
    """The one line that holds the text; `text#2`: the second of several that do. 0 where no text is given."""
    if not at:
        return 0
    text, _, nth = at.partition("#")
    lines = path.read_bytes().decode("utf-8", "replace").split("\n")
    found = [number for number, line in enumerate(lines, 1) if text in line]
    assert nth or len(found) == 1, f"{at!r} stands on the lines {found}"
    return found[int(nth or 1) - 1]


def test_the_case_itself_is_right(tmp_path: Path) -> None:
    assert len(load_case(write(tmp_path), SERVICES).entries) == 12


def test_there_are_two_hundred_and_all_different() -> None:
    assert len(BROKEN) >= 200
    said = [(case.file, case.at, case.key, case.phrase) for case in BROKEN.values()]
    assert len(set(said)) >= 200


@pytest.mark.parametrize("name", BROKEN)
def test_the_place_is_found_and_what_to_do_is_said(name: str, tmp_path: Path) -> None:
    case = BROKEN[name]
    case.change(write(tmp_path))
    with pytest.raises(CaseError) as caught:
        load_case(tmp_path, SERVICES)
    problems, said = caught.value.problems, str(caught.value)
    mine = [problem for problem in problems if problem.file == case.file and problem.key == case.key]
    (found,) = [problem for problem in mine if case.phrase in problem.message] or pytest.fail(said)
    if case.at:
        assert found.line == line_with(tmp_path / case.file, case.at), said
    assert len(problems) == case.problems, said
    assert all(line.isprintable() for line in said.split("\n")), "nothing of a case acts on a terminal"


_M = 1 << 19
HARD = {
    "lines without end": b"\n" * _M + b"# c\nid = 1",
    "digits": b"a = " + (b"1" * 4_299 + b"_") * 100,
    "dots": b"a" + b".a" * _M + b" = 1",
    "brackets": b"a = " + b"[" * _M,
    "braces": b"a = " + b"{a=" * (_M // 3),
    "unknown keys": b"".join(b"k%d = 1\n" % number for number in range(50_000)),
    "tables": b"[[source]]\n" * (_M // 12),
    "links": b"retracts = [" + b"".join(b'"e%d",' % number for number in range(60_000)) + b"]",
    "links that are read": b"retracts = [" + b"".join(b'"e%d",' % number for number in range(4_999)) + b"]",
    "quotes": b"a = " + b'"' * _M,
    "comments": b"#\n" * (_M // 2),
    "long keys": b"".join(b"%d%s = 1\n" % (number, b"k" * 5_000) for number in range(100)),
    "open element": b'title = "' + b"<a " * (_M // 3) + b'"',
    "names": b"name\n" + b"x\n" * (_M // 2),
}


@pytest.mark.parametrize("name", HARD)
def test_files_made_to_take_for_ever_end(name: str, tmp_path: Path) -> None:
    folder = write(tmp_path)
    (folder / ("sources/names.csv" if name == "names" else "entries/denial.toml")).write_bytes(HARD[name])
    _checked(folder)


@given(st.binary(max_size=400), st.sampled_from(["case.toml", "entries/denial.toml", "sources/names.csv"]))
def test_no_bytes_crash_the_check(tmp_path_factory: pytest.TempPathFactory, data: bytes, name: str) -> None:
    folder = write(tmp_path_factory.mktemp("case"))
    (folder / name).write_bytes(data)
    _checked(folder)


@given(st.data())
def test_no_change_of_a_few_characters_crashes_the_check(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    folder = write(tmp_path_factory.mktemp("case"))
    name = data.draw(st.sampled_from([name for name in FILES if name != "sources/page.txt"]))
    text = FILES[name]
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, min(len(text), start + 30)))
    put = data.draw(st.text(st.sampled_from("[]{}=\"'.,#\\\n\r\t -:0123TZabcé\u202e\0\u200b"), max_size=8))
    (folder / name).write_bytes((text[:start] + put + text[end:]).encode("utf-8"))
    _checked(folder)


def _checked(folder: Path) -> None:
    """Right, or wrong at places that exist."""
    try:
        load_case(folder, SERVICES)
    except CaseError as error:
        assert error.problems
        for problem in error.problems:
            path = folder / problem.file
            if problem.line and path.is_file():
                data = path.read_bytes()  # A CSV may end its lines with CR alone.
                assert problem.line <= data.count(b"\n") + data.count(b"\r") + 1, str(problem)
            assert str(problem).isprintable(), repr(str(problem))
