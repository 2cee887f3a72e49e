"""The campaign's papers: every figure leads to its evidence, in each language, and nothing is claimed for it."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner

from kholo.cli import cli
from kholo.model import UsageError
from kholo.papers import Document, kinds, languages, paper, statement_digest
from kholo.papers.compose import template
from kholo.papers.document import Grid, Heading, Items, Paragraph, Text, plain
from kholo.papers.language import language
from kholo.publish import CaseView

from .papers import view

ALL = [(kind, code) for kind in kinds() for code in languages()]


def rows(document: Document) -> list[Text]:
    """Paragraphs, items and rows of tables that say something of the world."""
    out: list[Text] = []
    for block in document.blocks:
        if isinstance(block, Paragraph) and not block.is_meta:
            out.append(block.text)
        elif isinstance(block, Items):
            out += block.rows
        elif isinstance(block, Grid):
            out += [tuple(run for cell in row for run in cell) for row in block.rows]
    return out


@pytest.mark.parametrize(("kind", "code"), ALL)
def test_every_figure_has_a_note_that_leads_to_what_is_there(kind: str, code: str) -> None:
    seen = view()
    made = paper(seen, kind, code)
    notes = {note.number: note for note in made.notes}
    used: set[int] = set()
    for row in rows(made):
        marks = {run.note for run in row if run.note}
        used |= marks
        if re.search(r"\d", plain(row).replace("(2)", "")):
            assert marks, plain(row)
    # No note stands alone, and they are numbered in the order in which a reader meets them.
    assert used == set(notes) == set(range(1, len(notes) + 1))
    entries = {entry.id for entry in seen.case.entries}
    incidents = {item.incident_id for item in (*seen.incidents, *seen.others.taken_back)}
    inputs = set(seen.effect.by_name) if seen.effect else set()
    for note in made.notes:
        assert set(note.entries) <= entries
        assert set(note.incidents) <= incidents
        assert set(note.inputs) <= inputs
        assert note.command.startswith("kholo ") or note.laws or note.pages
        for name in (*note.entries, *note.incidents, *note.inputs, *note.laws, *note.pages):
            assert name in plain(note.text)


def _commands(seen: CaseView) -> set[str]:
    return {note.command for kind, code in ALL for note in paper(seen, kind, code).notes if note.command}


def test_every_command_of_a_note_runs_and_shows_what_the_note_names(tmp_path: Path) -> None:
    store = str(tmp_path / "store")
    runner = CliRunner()
    simulated = tmp_path / "m.jsonl.gz"
    assert runner.invoke(cli, ["simulate", "demo", "--out", str(simulated)]).exit_code == 0
    assert runner.invoke(cli, ["ingest", str(simulated), "--store", store]).exit_code == 0
    from datetime import UTC, datetime

    from kholo.pipeline.cases import view as view_of
    from kholo.pipeline.sets import judge_for
    from kholo.store import Store

    opened = Store(Path(store))
    for folder, where in (("cases/zz-simulated", opened), ("cases/x-pakistan-2024", None)):
        seen = view_of(Path(folder), where, judge_for(where), datetime(2025, 6, 1, tzinfo=UTC))
        for command in sorted(_commands(seen)):
            if "SIGNATORIES" in command:
                continue
            words = [store if word == "STORE" else word for word in command.split()[1:]]
            found = runner.invoke(cli, words)
            assert found.exit_code == 0, (command, found.output)
            if words[0] == "explain":
                assert words[1] in found.output


def test_simulated_says_so_first_and_last_and_real_nowhere() -> None:
    for kind, code in ALL:
        assert "SIMULATED" in paper(view(simulated=True), kind, code).notice
        assert paper(view(), kind, code).notice == ""


def test_a_text_that_no_person_has_read_says_so() -> None:
    assert paper(view(), "letter", "en").marks == ()
    (mark,) = paper(view(), "letter", "ur").marks
    assert "machine text, not yet reviewed by a person" in mark


def test_urdu_has_its_own_digits_and_dates() -> None:
    made = paper(view(), "statement", "ur")
    assert made.direction == "rtl"
    said = " ".join(plain(row) for row in rows(made))
    assert "۱۰ مارچ ۲۰۲۵" in said
    assert "۱۲۰ آزاد رپورٹیں" in said
    own = "".join(run.text for row in rows(made) for run in row if not run.language and run.style == "plain")
    assert not re.search(r"[0-9]", re.sub(r"AS\d+|SHA-256", "", own))
    assert language("ur").number(1234567.5) == "۱٬۲۳۴٬۵۶۷٫۵"


def test_no_sentence_is_there_that_no_paper_needs() -> None:
    source = "".join(path.read_text() for path in Path("src/kholo/papers").rglob("*.py"))
    source += "".join(path.read_text() for path in Path("src/kholo/papers/kinds").glob("*.toml"))
    for key in language("en").texts:
        computed = key.startswith(("clock.", "effect.unknown."))
        assert computed or f'"{key}"' in source or f' {key}"' in source, key


def test_what_is_known_comes_with_its_grade_and_contradiction_is_no_accusation() -> None:
    said = " ".join(plain(row) for row in rows(paper(view(), "statement", "en")))
    assert "Grade A: recomputed from raw measurements" in said
    assert "need not have been made in bad faith" in said
    for word in ("lied", "lying", "liar", "illegal", "censor", "cover-up", "false"):
        assert word not in said.lower()


def test_what_was_taken_back_and_what_is_missing_is_said() -> None:
    said = " ".join(plain(row) for row in rows(paper(view(), "bulletin", "en")))
    assert "This takes back: Title of 2025-03-12-denial" in said
    assert "What looked like a block of Chirp" in said
    annexure = " ".join(plain(row) for row in rows(paper(view(), "annexure", "en")))
    assert (
        "Cost to the economy: not estimated. Missing: gross domestic product in a year, share of the users on AS64500"
        in annexure
    )
    notes = " ".join(plain(note.text) for note in paper(view(), "annexure", "en").notes)
    assert "1,000,000 to 3,500,000, most likely 2,000,000 (people). An assumption, to be reviewed." in notes
    assert "Users affected: 1,000,000 to 3,500,000, most likely 2,000,000 (people)" in annexure


def test_the_law_on_information_stands_where_it_is_known_only() -> None:
    known = " ".join(plain(row) for row in rows(paper(view(), "information-request", "en")))
    assert "Under section 11 of the Right of Access to Information Act, 2017" in known
    seen = view()
    elsewhere = msgspec.structs.replace(seen, case=msgspec.structs.replace(seen.case, place="UG"))
    other = " ".join(plain(row) for row in rows(paper(elsewhere, "information-request", "en")))
    assert "section" not in other
    assert "Under the law on access to information that applies to you" in other


def test_the_order_of_rows_changes_nothing() -> None:
    seen = view()
    turned = msgspec.structs.replace(
        seen, incidents=seen.incidents[::-1], case=msgspec.structs.replace(seen.case, actors=seen.case.actors[::-1])
    )
    for kind, code in ALL:
        assert paper(turned, kind, code) == paper(seen, kind, code)


def test_an_empty_record_makes_papers_that_claim_nothing() -> None:
    seen = view()
    case = msgspec.structs.replace(seen.case, entries=(), limits=())
    bare = msgspec.structs.replace(seen, case=case, incidents=(), assessments=(), clocks=(), effect=None)
    bare = msgspec.structs.replace(bare, others=type(seen.others)())
    for kind, code in ALL:
        assert rows(paper(bare, kind, code))
    said = " ".join(plain(row) for row in rows(paper(bare, "statement", "en")))
    assert "Neither a measurement nor a published finding" in said


def test_templates_hold_what_there_is_and_unknown_ones_are_refused() -> None:
    for kind in kinds():
        assert template(kind).body
        assert any(isinstance(block, Heading) for block in paper(view(), kind, "en").blocks)
    for kind, code in (("poem", "en"), ("letter", "xx"), ("../kinds/letter", "en"), ("letter", "../languages/en")):
        with pytest.raises(UsageError):
            paper(view(), kind, code)


def test_the_digest_is_of_the_words_without_the_list_and_changes_with_them() -> None:
    seen = view()
    first = statement_digest(seen, "statement", "en")
    assert first == statement_digest(seen, "statement", "en")
    assert first != statement_digest(seen, "statement", "ur")
    changed = msgspec.structs.replace(seen, case=msgspec.structs.replace(seen.case, title="Another"))
    assert first != statement_digest(changed, "statement", "en")
    (digest,) = [row for row in rows(paper(seen, "statement", "en")) if "SHA-256" in plain(row)]
    assert first in plain(digest)
