"""`kholo case new | add | edit | fmt | log | schema` as a person and as a script meet them, on a real terminal too."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import select
import subprocess
import sys
import termios
import time
from pathlib import Path

import msgspec
import pytest

from kholo.model import Entry
from kholo.record import load_case
from kholo.reference import load_reference

from .broken_case import FILES, write
from .commands import kholo

SERVICES = load_reference().services.ids


def said(*arguments: str | Path, code: int = 0) -> str:
    """What a command says on standard output, or where it fails on the other."""
    done = kholo("case", *arguments)
    assert done.returncode == code, done.stderr.decode()
    return (done.stderr if code else done.stdout).decode()


def on_a_terminal(answers: list[str], *arguments: str | Path) -> tuple[int, str]:
    """Run a command on a pseudo-terminal, typing one answer whenever it waits after a question. Code and screen."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-c", "from kholo.cli import main; main()", "case", *map(str, arguments)]
    process = subprocess.Popen(
        command,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # noqa: PLW1509
    )
    os.close(theirs)
    screen, waiting, left, is_interrupted = b"", b"", list(answers), False
    end = time.monotonic() + 60
    while time.monotonic() < end:
        if not select.select([ours], [], [], 0.2)[0]:
            if process.poll() is not None:
                break
            # Between two looks a reader of lines does not notice the first one; once it stops, one more would kill it.
            if is_interrupted and b"stopped" not in screen:
                os.write(ours, b"\x03")
            continue
        try:
            piece = os.read(ours, 4096)
        except OSError:
            break
        screen += piece
        waiting += piece
        if left and waiting.endswith((b": ", b"]: ")):
            is_interrupted = left[0] == "\x03"
            os.write(ours, left.pop(0).encode() + (b"" if is_interrupted else b"\n"))
            waiting = b""
    code = process.wait(10)
    os.close(ours)
    assert not left, f"never asked for {left}:\n{screen.decode()}"
    return code, screen.decode()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write(tmp_path / "case")


def entry(folder: Path, identity: str) -> Entry:
    (found,) = [item for item in load_case(folder, SERVICES).entries if item.id == identity]
    return found


NEW = [
    *("--title", "X in Brazil, 2024", "--service", "x", "--place", "BR", "--start", "2024-08-30"),
    *("--summary", "A court orders X to be blocked.", "--actor", "stf; Supreme Federal Court; court"),
]


def test_a_case_made_by_options_lacks_only_entries(tmp_path: Path) -> None:
    assert "kholo case add" in said("new", tmp_path / "x-brazil-2024", *NEW)
    assert said("check", tmp_path / "x-brazil-2024", code=2).splitlines()[0].endswith("kholo case add FOLDER")
    added = [
        "--kind",
        "order",
        "--date",
        "2024-08-30",
        "--actor",
        "stf",
        "--title",
        "Block X",
        "--summary",
        "Orders.",
    ]
    source = ["--source", "https://example.org/a", "--publisher", "A", "--read", "2026-01-01"]
    said("add", tmp_path / "x-brazil-2024", *added, *source, "--orders", "x BR blocked 2024-08-31..2024-10-08")
    assert "1 order with a deadline" in said("check", tmp_path / "x-brazil-2024")
    assert (
        (tmp_path / "x-brazil-2024/entries/e1-block-x.toml").read_text()
        == """\
id = "e1"
kind = "order"
date = 2024-08-30
actor = "stf"
title = "Block X"
summary = "Orders."

[[source]]
address = "https://example.org/a"
publisher = "A"
read = 2026-01-01

[obligation]
service = "x"
place = "BR"
state = "blocked"
due = 2024-08-31
until = 2024-10-08
"""
    )
    assert said("fmt", tmp_path / "x-brazil-2024", "--check") == ""


def test_what_is_missing_is_named_in_a_script(tmp_path: Path) -> None:
    assert "missing: --id, --title" not in said("new", tmp_path / "a", code=2)
    assert "missing: --title, --service, --place, --summary, --start, --actor" in said("new", tmp_path / "a", code=2)
    assert not (tmp_path / "a").exists()


def test_a_folder_that_is_in_use_is_left_alone(folder: Path) -> None:
    assert "is there already" in said("new", folder, *NEW, code=2)
    assert (folder / "case.toml").read_text() == FILES["case.toml"]


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (["--place", "Brazil"], "did you mean 'BR'"),
        (["--service", "twiter"], "service: 'twiter' is not"),
        (["--start", "August"], "start: must be a date"),
        (["--actor", "stf"], "write 'ID; NAME; ROLE'"),
        (["--actor", "stf; Court; curt"], "did you mean 'court'"),
        (["--end", "2023-01-01"], "before the start"),
        (["--title", "X \u202e"], "U+202E"),
    ],
)
def test_a_wrong_option_makes_no_case(tmp_path: Path, wrong: list[str], told: str) -> None:
    assert told in said("new", tmp_path / "a", *NEW, *wrong, code=2)
    assert list(tmp_path.iterdir()) == []


ADD = [
    *("--kind", "denial", "--date", "2025-04-25", "--actor", "regulator", "--title", "چیرپ is not blocked"),
    *(
        "--summary",
        "The authority says so again.",
        "--source",
        "https://news.example/z",
        "--publisher",
        "The Zed Times",
    ),
    *("--read", "2025-06-01", "--language", "ur", "--quote", "سروس بند نہیں ہے", "--translation", "It is not shut."),
]


def test_everything_that_an_entry_may_hold_can_be_given_as_options(folder: Path) -> None:
    links = ["--contradicts", "order", "--contradicts", "letter", "--retracts", "back"]
    more = ["--law", "Order Act; 7; May order.", "--gives-reason", "--notes", "N.", "--id", "again"]
    said("add", folder, *ADD, *links, *more, "--claims", "chirp ZZ ok 2025-04-25..2025-04-26 AS64501 AS64502")
    found = entry(folder, "again")
    assert (found.contradicts, found.retracts, found.gives_reason) == (("letter", "order"), ("back",), True)
    assert found.proposition is not None
    assert found.proposition.networks == ("AS64501", "AS64502")
    assert (found.legal_basis[0].section, found.sources[0].quote) == ("7", "سروس بند نہیں ہے")
    common = [
        "--actor",
        "court",
        "--title",
        "T",
        "--summary",
        "S",
        "--source",
        "https://a.example/",
        "--publisher",
        "A",
    ]
    day = ["--read", "2025-06-01", "--earliest", "2025-05-01", "--latest", "2025-05-03"]
    said("add", folder, *common, *day, "--id", "s2", "--kind", "stay", "--stays", "order", "--stay", "..2025-06-01")
    said("add", folder, *common, *day, "--id", "q2", "--kind", "question", "--reply-due", "2025-05-21")
    said(
        "add", folder, *common, *day, "--id", "j2", "--kind", "civil-society", "--signatory", "A", "--signatory", "B, C"
    )
    stay, question, joint = (entry(folder, name) for name in ("s2", "q2", "j2"))
    assert stay.stay is not None
    assert question.reply is not None
    assert (str(stay.earliest), str(stay.latest), str(stay.stay.end)[:10]) == ("2025-05-01", "2025-05-03", "2025-06-01")
    assert (str(question.reply.due)[:10], joint.signatories) == ("2025-05-21", ("A", "B, C"))


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (["--kind", "denail"], "did you mean 'denial'"),
        (["--actor", "regulater"], "did you mean 'regulator'"),
        (["--claims", "chirp ZZ fine 2025-04-25..2025-04-26"], "proposition.state: 'fine' is not a state"),
        (["--claims", "chirp blocked"], "write it like: x PK blocked"),
        (["--claims", "chirp ZZ ok 2025-04-25"], "an end (not included)"),
        (["--claims", "chirp ZZ ok 2025-04-26..2025-04-25"], "must be after from"),
        (["--orders", "chirp ZZ ok 2025-04-26"], "stands only in an order"),
        (["--stays", "order"], "stands only in a stay"),
        (["--retracts", "nothing"], "there is no entry 'nothing'"),
        (["--date", "2025-02-30"], "date: must be a date"),
        (["--id", "order"], "there is an entry 'order' already"),
        (["--source", "https://b.example/"], "each source has its own"),
        (["--summary", "<script>alert(1)</script>"], "plain text"),
    ],
)
def test_a_wrong_option_adds_nothing(folder: Path, wrong: list[str], told: str) -> None:
    before = sorted((folder / "entries").iterdir())
    assert told in said("add", folder, *ADD, *wrong, code=2)
    assert sorted((folder / "entries").iterdir()) == before


def test_the_next_free_id_follows_the_commonest_form(folder: Path) -> None:
    for name in ("f08", "f09", "g77"):
        text = FILES["entries/vote.toml"].replace('"vote"', f'"{name}"')
        (folder / f"entries/{name}.toml").write_text(text)
    assert said("add", folder, *ADD).strip().endswith("entries/f10-is-not-blocked.toml: written")


def test_an_edit_leaves_every_other_byte_as_it_is(folder: Path) -> None:
    path = folder / "entries/denial.toml"
    text = path.read_text().replace('kind = "denial"', '# as the paper has it\nkind   =   "denial"   # sic')
    path.write_bytes(text.replace("\n", "\r\n").encode())
    said(
        "edit", folder, "denial", "title=نیا عنوان", "contradicts+=stay", "source.1.date=2025-03-13",
        "source.1.address=", "proposition.to=2025-03-14T12:00:00Z", "gives_reason=true",
    )  # fmt: skip
    expected = (
        text.replace('"The authority says that Chirp works"', '"نیا عنوان"')
        .replace('["order", "letter"]', '["order", "letter", "stay"]')
        .replace('address = "https://radio.example/1"\n', "")
        .replace("read = 2025-06-02\n", "read = 2025-06-02\ndate = 2025-03-13\n")
        .replace("to = 2025-03-13", "to = 2025-03-14T12:00:00Z")
        .replace('a day later."""\n', 'a day later."""\ngives_reason = true\n')
    )
    assert path.read_bytes() == expected.replace("\n", "\r\n").encode()


def test_tables_are_made_where_there_are_none(folder: Path) -> None:
    said("edit", folder, "letter", "reply.due=2025-04-30", "legal_basis.0.statute=Order Act", "legal_basis.0.section=7")
    assert (folder / "entries/letter.toml").read_text() == FILES["entries/letter.toml"] + (
        '\n[reply]\ndue = 2025-04-30\n\n[[legal_basis]]\nstatute = "Order Act"\nsection = "7"\n'
    )
    said("edit", folder, "case.toml", "end=2025-07-31", "limits+=More.")
    text = (folder / "case.toml").read_text()
    assert "end = 2025-07-31\n" in text
    assert '  "The letter itself was not seen.",\n  "More.",\n]' in text


@pytest.mark.parametrize(
    ("identity", "change", "told"),
    [
        ("denail", "title=x", "did you mean 'denial'"),
        ("denial", "titel=x", "did you mean 'title'"),
        ("denial", "source.0.adress=x", "did you mean 'address'"),
        ("denial", "title", "write key=value"),
        ("denial", "title+=x", "is no list"),
        ("denial", "source=x", "is a table; name a key of it, such as source.address"),
        ("denial", "source.7.date=2025-01-01", "there is no source.7; there are 2"),
        ("denial", "date=soon", "date: must be a date, such as 2024-02-17"),
        ("denial", "event=", "there is nothing to take out"),
        ("denial", "title=", "is missing"),
        ("denial", "kind=order", "needs it"),
        ("denial", "retracts=back", "go in a circle"),
        ("denial", "source.0.sha256=" + "0" * 64, "does not fit"),
        ("denial", "proposition.state=down", "is not a state"),
    ],
)
def test_an_edit_that_would_make_it_wrong_is_refused(folder: Path, identity: str, change: str, told: str) -> None:
    if change == "kind=order":
        change, told = "kind=stay", "a stay needs it"
    assert told in said("edit", folder, identity, change, code=2)
    assert {name: (folder / name).read_text() for name in FILES} == FILES


def test_a_case_that_is_wrong_already_can_be_mended_step_by_step(folder: Path) -> None:
    for name in ("denial", "order"):
        path = folder / f"entries/{name}.toml"
        path.write_text(path.read_text().replace("service =", "servise ="))
    assert said("check", folder, code=2).count("servise") == 2
    said("edit", folder, "letter", "notes=Seen.")
    assert "Seen." in (folder / "entries/letter.toml").read_text()


def test_fmt_and_its_check(folder: Path) -> None:
    path = folder / "entries/order.toml"
    assert f"{folder}/case.toml" in said("fmt", folder)
    text = path.read_text()
    path.write_text(
        "# of the day\n" + "\n".join(reversed(text.split("\n\n")[0].splitlines())) + "\n\n" + text.split("\n\n", 1)[1]
    )
    before = load_case(folder, SERVICES)
    assert said("fmt", folder, "--check", code=2) == ""
    assert said("fmt", folder).split() == [str(path)]
    assert said("fmt", folder) == ""
    assert "# of the day\n" in path.read_text()
    assert load_case(folder, SERVICES).entries == before.entries
    path.write_text("id = ")
    assert "entries/order.toml: it is not TOML" in said("fmt", folder, code=2)


def test_the_log_is_a_chronology(folder: Path) -> None:
    rows = [json.loads(line) for line in said("log", folder, "--json").splitlines()]
    assert [row["entry_id"] for row in rows][:3] == ["vote", "denial", "order"]
    assert rows[1]["links"] == {"contradicts": ["letter", "order"]}
    assert (rows[1]["sources"], rows[1]["archived"], rows[1]["simulated"]) == (2, 1, True)
    shown = said("log", folder)
    assert shown.startswith("SIMULATED")
    assert "contempt of order" in shown


def test_the_schema_is_shown_and_written(tmp_path: Path) -> None:
    said("schema", "--out", tmp_path)
    written = [json.loads((tmp_path / name).read_text()) for name in ("case.schema.json", "entry.schema.json")]
    assert written[1]["properties"]["kind"]["enum"][0] == "statement"
    assert said("schema").count('"$schema"') == 2


def test_a_case_is_made_by_answering_questions(tmp_path: Path) -> None:
    answers = [
        "", "X in Uganda, 2026", "twiter", "x", "Uganda", "UG", "What was said.", "soon", "2026-01-13",
        "ucc", "Uganda Communications Commission", "regulater", "regulator", "y", "press", "Press reports", "press", "",
    ]  # fmt: skip
    code, screen = on_a_terminal(answers, "new", tmp_path / "x-uganda-2026")
    assert code == 0, screen
    assert "'twiter' is not a service of the registry" in screen
    assert "did you mean 'UG'" in screen
    text = (tmp_path / "x-uganda-2026/case.toml").read_text()
    assert 'id = "x-uganda-2026"\n' in text
    assert text.count("[[actor]]") == 2


def test_an_entry_is_added_by_answering_questions(folder: Path) -> None:
    answers = [
        "stay", "cort", "court", "اپیل", "A stay.", "", "2025-03-28", "2025-03-30", "ordre, order", "order",
        "", "https://news.example/stay", "The Zed Times", "2025-06-01", "urdu", "ur", "حکم معطل", "Suspended.", "n",
    ]  # fmt: skip
    code, screen = on_a_terminal(answers, "add", folder, "--id", "s9")
    assert code == 0, screen
    found = entry(folder, "s9")
    assert (found.kind, found.title, found.stays) == ("stay", "اپیل", ("order",))
    assert found.sources[0].translation == "Suspended."


def test_options_given_are_not_asked_for(folder: Path) -> None:
    code, screen = on_a_terminal([""], "add", folder, *ADD, "--id", "again")
    assert code == 0, screen
    assert msgspec.structs.asdict(entry(folder, "again"))["proposition"] is None


def test_interrupting_writes_nothing(folder: Path) -> None:
    before = sorted((folder / "entries").iterdir())
    code, screen = on_a_terminal(["stay", "court", "\x03"], "add", folder)
    assert code == 130, screen
    assert sorted((folder / "entries").iterdir()) == before
