"""Four formats of one paper: they say the same, take no text for markup, and are the same bytes each time."""

from __future__ import annotations

import re
import subprocess
import unicodedata
from itertools import takewhile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kholo.model import EnvironmentFault, UsageError
from kholo.papers import FORMATS, Document, kinds, languages, paper, render, spoken
from kholo.papers import pdf as pdf_module
from kholo.papers.document import Grid, Picture, plain, rows_of
from kholo.papers.pdf import LONG, pdf
from kholo.record.law import load_law

from .papers import (
    hostile,
    parsed,
    view,
    words_of,
    words_of_html,
    words_of_markdown,
    words_of_pdf,
    words_of_txt,
)

ALL = [(kind, code) for kind in kinds() for code in languages()]
HOSTILE = (
    "<script>alert(1)</script> <img src=x onerror=alert(2)> \u202eevil\u0007 [x](javascript:alert(3)) ![y](http://z)"
    ' # h * b * _i_ `c` | cell | \\ $x$ ~~s~~ &lt; #import "x" #{panic()} @label *a* <label> //c /*d*/ [[1]] "q" -- +'
)


@pytest.mark.parametrize(("kind", "code"), ALL)
def test_html_text_and_markdown_say_the_same_words_in_the_same_order(kind: str, code: str) -> None:
    for made in (paper(view(), kind, code), paper(view(simulated=True), kind, code)):
        wanted = words_of(made)
        assert len(wanted) > 100
        assert words_of_html(render(made, "html")) == spoken(made)
        assert words_of_txt(render(made, "txt")) == wanted
        assert words_of_markdown(render(made, "md")) == _moved(made)


def _moved(made: Document) -> list[str]:
    """Footnotes of Markdown are shown after all else: the closing notice then stands before them."""
    words, notes = spoken(made), [word for note in made.notes for word in plain(note.text).split()]
    last = made.notice.split()
    body = words[: len(words) - len(notes) - len(last)]
    return [*body, *last, *notes]


@pytest.mark.parametrize(("kind", "code"), ALL)
def test_the_pdf_says_the_same(kind: str, code: str, tmp_path: Path) -> None:
    made = paper(view(simulated=True), kind, code)
    found = words_of_pdf(render(made, "pdf"), tmp_path)
    # Nastaliq is not read back from a PDF as letters in order; what is in Latin script and in digits is.
    cells = [
        part
        for block in made.blocks
        for row in (block.rows if isinstance(block, Grid) else [(part,) for part in rows_of(block)])
        for part in row
    ]
    rows = [plain(cell) for cell in cells]
    texts = [made.title, *made.marks, *rows, *(plain(note.text) for note in made.notes)]
    tokens = [token for text in texts for token in re.findall(r"[A-Za-z0-9][\w./:-]*[A-Za-z0-9]", text)]
    assert tokens
    for token in tokens:
        assert "".join(char for char in token if ord(char) < 0x600) in found, token
    if code == "en":
        place = 0
        for cell in cells:
            start = plain(tuple(takewhile(lambda run: not run.note, cell)))
            if len(start) > 40:
                place = found.find("".join(start.split())[:30], place)
                assert place >= 0, start


def test_every_page_of_a_simulated_pdf_says_so(tmp_path: Path) -> None:
    for code in languages():
        path = tmp_path / "paper.pdf"
        path.write_bytes(render(paper(view(simulated=True), "annexure", code), "pdf"))
        said = subprocess.run(["pdftotext", str(path), "-"], capture_output=True, check=True).stdout.decode()
        pages = said.split("\f")[:-1]
        assert len(pages) > 1
        assert all("SIMULATED" in page for page in pages)


@pytest.mark.parametrize("form", FORMATS)
def test_the_same_paper_is_the_same_bytes(form: str) -> None:
    for code in languages():
        assert render(paper(view(), "annexure", code), form) == render(paper(view(), "annexure", code), form)


def test_hostile_text_is_text_in_every_format(tmp_path: Path) -> None:
    for kind, code in ALL:
        made = paper(hostile(HOSTILE), kind, code)
        page = parsed(render(made, "html"))
        assert not {"script", "iframe", "object"} & set(page.tags)
        # Drawings of our own, inside of the page: an image can neither load nor run anything.
        assert all(image.startswith("data:image/svg+xml;base64,") for image in page.images)
        assert page.tags.count("img") == len(page.images) == sum(isinstance(block, Picture) for block in made.blocks)
        laws = {one.address for law in load_law().values() for one in law.statute if one.address}
        assert all(link in laws or link.startswith(("#n", "https://example.org/story")) for link in page.links)
        assert words_of_html(render(made, "html")) == spoken(made)
        assert words_of_markdown(render(made, "md")) == _moved(made)
        for form in ("html", "txt", "md"):
            text = render(made, form).decode()
            assert "\u202e" not in text
            assert "\u0007" not in text
    made = paper(hostile(HOSTILE), "letter", "en")
    said = words_of_pdf(render(made, "pdf"), tmp_path)
    assert '#import"x"' in said
    assert "panic()" in said


_TEXT = st.text(min_size=1, max_size=60) | st.text("#*_`[]()<>|\\!$~&@:-+=.1 \n\"'{}/^", min_size=1, max_size=60)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(_TEXT)
def test_no_text_is_ever_markup(text: str) -> None:
    made = paper(hostile(text), "bulletin", "en")
    assert words_of_html(render(made, "html")) == spoken(made)
    assert words_of_markdown(render(made, "md")) == _moved(made)
    shown = render(made, "txt").decode()
    assert all(unicodedata.category(char) not in ("Cc", "Cs", "Co", "Cn") or char == "\n" for char in shown)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(_TEXT)
def test_no_text_is_ever_typst(text: str) -> None:
    assert pdf(paper(hostile(text), "letter", "en")).startswith(b"%PDF")


def test_long_words_come_in_pieces_that_lose_nothing() -> None:
    address = "https://example.org/" + "a" * 200 + "?q=" + "b" * 50
    pieces = pdf_module._pieces(f"see {address} and \u0627\u0628")
    assert "".join(pieces) == f"see {address} and \u0627\u0628"
    assert max(len(piece) for piece in pieces[1:]) <= LONG
    assert pdf_module._pieces("kholo explain f14 --store STORE") == ["kholo explain f14 --store STORE"]


def test_without_a_font_for_urdu_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pdf_module, "URDU_FONTS", ("No Such Font",))
    with pytest.raises(EnvironmentFault, match="fonts-noto-core"):
        pdf(paper(view(), "letter", "ur"))
    with pytest.raises(UsageError, match="html, pdf, txt, md"):
        render(paper(view(), "letter", "en"), "docx")
