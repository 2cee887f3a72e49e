"""The report for a court: its parts, its PDF's structure, and what nobody filled in stays empty."""

from __future__ import annotations

import re
import subprocess
from io import BytesIO
from pathlib import Path
from typing import Any

import msgspec
import pikepdf
import pytest
from click.testing import CliRunner

from kholo.cli import cli
from kholo.detect import fares as fares_module
from kholo.detect.fares import fares
from kholo.model import CaseError, EnvironmentFault, ReferenceDataError, UsageError
from kholo.papers import Document, languages, paper, render
from kholo.papers.certificate import BLANK, SIGNATURE, fields, read_answers
from kholo.papers.document import Block, Grid, Heading, Items, Picture, plain, rows_of
from kholo.papers.language import language
from kholo.papers.pdf import pdf
from kholo.papers.report import STEPS
from kholo.record.law import load_law
from kholo.record.text import BIDI

from .papers import hostile, view

ROOT = "ab" * 32


def report(code: str = "en", **others: Any) -> Document:
    return paper(view(), "report", code, **others)


def under(made: Document, key: str) -> list[Block]:
    """The blocks below the heading of this key."""
    wanted = language(made.language).texts[key]
    place = next(n for n, block in enumerate(made.blocks) if isinstance(block, Heading) and plain(block.text) == wanted)
    rest = made.blocks[place + 1 :]
    end = next((n for n, block in enumerate(rest) if isinstance(block, Heading)), len(rest))
    return list(rest[:end])


def said(blocks: list[Block]) -> str:
    return " ".join(plain(row) for block in blocks for row in rows_of(block))


@pytest.mark.parametrize("code", languages())
def test_it_has_all_its_parts_in_order(code: str) -> None:
    made = report(code)
    texts = language(code).texts
    wanted = ["answer", "known", "chart", "chronology", "claims", "orders", "clocks", "measured"]
    wanted += ["corrected", "method", "limits", "glossary", "verify", "certificate", "provisions"]
    found = [plain(block.text) for block in made.blocks if isinstance(block, Heading)]
    assert [head for head in found if head != texts["heading.test"]] == [texts[f"heading.{key}"] for key in wanted]
    for key in wanted:
        assert under(made, f"heading.{key}"), key


def test_every_entry_stands_in_the_chronology_under_the_number_of_the_drawing() -> None:
    made = report()
    (table,) = under(made, "heading.chronology")
    assert isinstance(table, Grid)
    numbers = [plain(row[0]) for row in table.rows]
    assert numbers == [str(number) for number in range(1, len(view().case.entries) + 1)]
    (drawn,) = under(made, "heading.chart")
    assert isinstance(drawn, Picture)
    shown = {int(number) for number in re.findall(r'class="mt [a-z]+"[^>]*>[←]?(\d+)', drawn.svg)}
    assert shown - {12} == {int(number) for number in numbers} - {12}


def test_incidents_have_brackets_networks_and_mechanisms_in_words() -> None:
    text = said(under(report(), "heading.measured"))
    assert "Began between 9 March 2025, 03:00 UTC" in text
    assert "AS64500" in text
    assert "encrypted handshake (TLS): cut off by a reset" in text
    assert "tls.reset" not in text


def test_the_root_stands_in_it_where_it_is_given_and_else_it_says_where_to_look() -> None:
    assert ROOT in said(list(report(root=ROOT).blocks))
    without = said(list(report().blocks))
    assert ROOT not in without
    assert "seal/statement.txt" in without


def test_the_error_rates_are_those_of_the_detectors_own_report() -> None:
    found = fares()
    text = said(under(report(), "heading.limits"))
    for value in (found.false, found.recall, found.onset, found.end):
        assert f"{value:g}" in text
    row = f"| {found.false:.2f} | {found.recall:.1f} % | {found.onset:.1f} % | {found.end:.1f} % |"
    assert f"| kholo {row}" in Path(fares_module.__file__).with_name("report.md").read_text()


@pytest.mark.parametrize("text", ["", "## Three results a day\n\n| | recall |\n|---|---|\n| kholo | many |\n"])
def test_a_report_of_the_detector_that_lacks_its_table_is_refused(text: str) -> None:
    with pytest.raises(ReferenceDataError, match="detector's report"):
        fares_module.read(text)


def test_the_glossary_explains_words_of_our_own_list() -> None:
    known = Path("docs/words.md").read_text().lower()
    for code in languages():
        assert set(language(code).glossary) == set(language("en").glossary)
    for term, meaning in language("en").glossary.values():
        assert re.search(rf"\b{re.escape(term.split(' (')[0].lower())}\b", known), term
        assert meaning.endswith(".")


def test_steps_to_check_name_the_files_and_namespace_of_a_dossier() -> None:
    text = said(under(report(), "heading.verify"))
    for _, command in STEPS:
        assert command in text
    for tool in ("sha256sum", "ssh-keygen -Y verify", "openssl ts -verify", "-n kholo-dossier"):
        assert tool in text


def test_every_field_of_the_certificate_rests_on_law_that_is_there_and_names_no_lawyer() -> None:
    known = {one.id: one for law in load_law().values() for one in law.statute}
    for name, field in fields().items():
        assert field.rests_on, name
        for law, one in field.provisions():
            assert known[law.id] == law
            assert one.topic == "evidence"
    countries = {law.id[:2] for field in fields().values() for law, _ in field.provisions()}
    assert countries == {"us", "pk"}
    assert "not yet reviewed by a lawyer" in said(under(report(), "heading.provisions"))


def _answers_in(made: Document) -> dict[str, str]:
    (form,) = [block for block in made.blocks if isinstance(block, Grid) and block.is_form]
    return dict(zip(fields(), (plain(row[1]) for row in form.rows), strict=True))


def test_what_nobody_filled_in_stays_empty() -> None:
    assert set(_answers_in(report()).values()) == {BLANK}
    filled = _answers_in(report(answers={"name": "A. B.", "date": "2 January 2026"}))
    assert filled["name"] == "A. B."
    assert filled["date"] == "2 January 2026"
    assert {value for key, value in filled.items() if key not in ("name", "date")} == {BLANK}


def test_answers_are_read_from_toml_and_mistakes_explained(tmp_path: Path) -> None:
    path = tmp_path / "certificate.toml"
    path.write_text('name = "A. B."\nqualification = "Ten years of this."\n')
    assert read_answers(path) == {"name": "A. B.", "qualification": "Ten years of this."}
    for text, message in (
        ('nom = "A"', "is no field"),
        (f'{SIGNATURE} = "A"', "by hand"),
        ("name = 3", "must be a text"),
        ('name = "\u202eA"', "direction of reading"),
        (f'name = "{"x" * 5000}"', "4000 are allowed"),
        ("name", "no TOML"),
        ("a = " + "[" * 100_000, "no TOML"),
    ):
        path.write_text(text)
        with pytest.raises(CaseError) as caught:
            read_answers(path)
        assert message in str(caught.value)
    with pytest.raises(EnvironmentFault):
        read_answers(tmp_path / "none.toml")


def test_the_command_writes_a_report_with_root_and_answers(tmp_path: Path) -> None:
    answers, out = tmp_path / "certificate.toml", tmp_path / "report.txt"
    answers.write_text('name = "A. B."\n')
    words = ["papers", "cases/x-pakistan-2024", "--kind", "report", "--format", "txt", "--out", str(out)]
    given = ["--root", ROOT, "--certificate", str(answers), "--as-of", "2026-11-25"]
    assert CliRunner().invoke(cli, [*words, *given]).exit_code == 0
    assert ROOT in out.read_text()
    assert "A. B." in out.read_text()
    assert isinstance(CliRunner().invoke(cli, [*words, "--root", "xyz"]).exception, UsageError)


def _elements(data: bytes) -> list[pikepdf.Dictionary]:
    """Every element of a PDF's structure tree, in reading order."""
    out: list[pikepdf.Dictionary] = []
    with pikepdf.open(BytesIO(data)) as found:
        todo: list[Any] = [found.Root.StructTreeRoot]
        while todo:
            one = todo.pop()
            if isinstance(one, pikepdf.Array):
                todo += reversed(list(one))
            elif isinstance(one, pikepdf.Dictionary):
                if "/S" in one:
                    out.append(pikepdf.Dictionary({key: one[key] for key in ("/S", "/Alt", "/A") if key in one}))
                todo += [one["/K"]] if "/K" in one else []
    return out


@pytest.mark.parametrize("code", languages())
def test_the_pdf_is_tagged_by_pdf_ua(code: str) -> None:
    made = report(code)
    data = render(made, "pdf")
    with pikepdf.open(BytesIO(data)) as found:
        assert bool(found.Root.MarkInfo.Marked)
        assert str(found.Root.Lang) == code
        assert bool(found.Root.ViewerPreferences.DisplayDocTitle)
        with found.open_metadata() as about:
            assert about["pdfuaid:part"] == "1"
            assert made.title in str(about["dc:title"])
        with found.open_outline() as outline:
            heads = [block for block in made.blocks if isinstance(block, Heading)]
            assert [item.title for item in outline.root] == [plain(block.text) for block in heads]
    elements = _elements(data)
    kinds = [str(one["/S"]) for one in elements]
    tables = [block for block in made.blocks if isinstance(block, Grid)]
    assert kinds.count("/Table") == len(tables)
    assert kinds.count("/TH") == sum(len(table.heads) for table in tables)
    assert kinds.count("/TR") == sum(1 + len(table.rows) for table in tables)
    assert kinds.count("/H1") == len([block for block in made.blocks if isinstance(block, Heading)])
    assert kinds.count("/LI") == sum(len(block.rows) for block in made.blocks if isinstance(block, Items))
    (drawn,) = [block for block in made.blocks if isinstance(block, Picture)]
    assert [str(one["/Alt"]) for one in elements if "/Alt" in one] == [drawn.alt]


def test_the_drawing_is_one_of_lines_and_letters_and_loads_nothing() -> None:
    for code in languages():
        with pikepdf.open(BytesIO(render(report(code), "pdf"))) as found:
            names = [str(one.get("/Subtype")) for one in found.objects if isinstance(one, pikepdf.Stream)]
            assert "/Image" not in names
        (drawn,) = [block for block in report(code).blocks if isinstance(block, Picture)]
        assert "var(" not in drawn.svg
        assert not re.search(r"(?:href|src)=\"(?!#)|url\((?!#)|@import|<script", drawn.svg)


def test_every_drawing_in_urdu_has_urdu_labels_and_digits() -> None:
    (drawn,) = [block for block in report("ur").blocks if isinstance(block, Picture)]
    labels = re.findall(r"<text[^>]*>([^<]*)</text>", drawn.svg)
    assert labels
    for text in labels:
        assert not re.search(r"[A-Za-z0-9]", text) or text.startswith("AS") or "SIMULATED" in text, text


def test_hostile_text_in_a_report_is_text() -> None:
    attack = '#import "x" #{panic()} $x$ *b* _i_ @label <svg onload=x> </style> ]]> \u202eevil ' + "w" * 300
    for code in languages():
        made = paper(hostile(attack), "report", code)
        data = pdf(made)
        assert data.startswith(b"%PDF")
        shown = subprocess.run(["pdftotext", "-raw", "-", "-"], input=data, capture_output=True, check=True)
        text = "".join(char for char in shown.stdout.decode() if char not in BIDI and not char.isspace())
        assert "panic()" in text
        assert "wwww" in text
        page = render(made, "html").decode()
        assert "<svg" not in page
        assert "\u202e" not in page
        (drawn,) = [block for block in made.blocks if isinstance(block, Picture)]
        assert "onload=x>" not in drawn.svg


def test_no_word_runs_over_the_edge_of_the_page() -> None:
    data = pdf(paper(hostile("w" * 10_000), "report", "en"))
    boxes = subprocess.run(["pdftotext", "-bbox", "-", "-"], input=data, capture_output=True, check=True)
    edges = [float(edge) for edge in re.findall(r'xMax="([0-9.]+)"', boxes.stdout.decode())]
    assert edges
    assert max(edges) < 596 - 50


def test_a_character_that_no_font_has_costs_the_standard_and_not_the_paper() -> None:
    seen = view()
    strange = msgspec.structs.replace(seen, case=msgspec.structs.replace(seen.case, title="A \U0002b820 case"))
    data = pdf(paper(strange, "report", "en"))
    with pikepdf.open(BytesIO(data)) as found:
        assert "/StructTreeRoot" in found.Root
        with found.open_metadata() as about:
            assert "pdfuaid:part" not in about


def test_the_same_report_is_the_same_bytes() -> None:
    for code in languages():
        assert render(report(code, root=ROOT), "pdf") == render(report(code, root=ROOT), "pdf")


def test_the_certificate_has_a_word_for_each_field() -> None:
    assert set(language("en").words["certificate"]) == set(fields())
