"""What the tests of papers share: views, and each format read back into words."""

from __future__ import annotations

import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import msgspec
from markdown_it import MarkdownIt
from mdit_py_plugins.footnote import footnote_plugin

from kholo.model import Actor, Effect, EffectInput, Estimate, Grade, Range
from kholo.papers import Document, spoken
from kholo.publish import CaseView
from kholo.record.text import BIDI

from . import material

#: What only gives a format its shape: marks of lists, columns, footnotes.
_SHAPE = re.compile(r"\[\d+\]")
_LIST = re.compile(r"^(?:[-|]|\d+\.)$")


def view(*, simulated: bool = False) -> CaseView:
    """A view with everything in it, and estimates."""
    users = EffectInput(
        "users", Range(1e6, 2e6, 3.5e6), "people", 2024, "Users, by <b>the company</b>.", (material.source(),), True
    )
    estimates = (
        Estimate("users_affected", Range(1e6, 2e6, 3.5e6), "people", (), ("users",), ("chirp-pk-20250310",), Grade.A),
        Estimate("cost", None, "money", ("gdp", "AS64500"), (), ("chirp-pk-20250310",), Grade.A),
    )
    effect = Effect(estimates, (users,), ("vpn", "assumptions"))
    return msgspec.structs.replace(material.full_view(simulated=simulated), effect=effect)


def hostile(text: str) -> CaseView:
    """A view in which every text from outside is this one."""
    entries = tuple(
        msgspec.structs.replace(
            entry,
            title=text,
            summary=text,
            sources=(msgspec.structs.replace(material.source(), publisher=text, address=text, quote=text),),
        )
        for entry in material.record()
    )
    actors = tuple(Actor(actor.id, text, actor.role) for actor in material.case().actors)
    case = material.case(entries, title=text, limits=(text,), actors=actors)
    assessments = tuple(msgspec.structs.replace(item, because=text) for item in material.assessments())
    made = msgspec.structs.replace(view(), case=case, assessments=assessments, service_name=text)
    assert made.effect is not None
    inputs = tuple(msgspec.structs.replace(item, says=text) for item in made.effect.inputs)
    return msgspec.structs.replace(made, effect=msgspec.structs.replace(made.effect, inputs=inputs))


class _Words(HTMLParser):
    """The text of a page's body without the marks of footnotes; scripts and loaded things are counted."""

    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []
        self.tags: list[str] = []
        self.links: list[str] = []
        self.images: list[str] = []
        self._skip = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self._skip += tag in ("sup", "head")
        self.links += [value or "" for name, value in attrs if name == "href"]
        self.images += [value or "" for name, value in attrs if name == "src"]
        if tag in ("p", "li", "td", "th", "h1", "h2", "figcaption"):
            self.words.append(" ")

    def handle_endtag(self, tag: str) -> None:
        self._skip -= tag in ("sup", "head")

    def handle_data(self, data: str) -> None:
        if not self._skip:
            self.words.append(data)


def parsed(page: bytes) -> _Words:
    """A page as a browser's parser reads it."""
    found = _Words()
    found.feed(page.decode())
    return found


def words_of_html(page: bytes) -> list[str]:
    return "".join(parsed(page).words).split()


def words_of_txt(text: bytes) -> list[str]:
    """The words of a plain text: without list marks, rules and marks of notes."""
    lines = [line for line in text.decode().splitlines() if not line or set(line) not in ({"="}, {"-"})]
    return _without_shape(" ".join(lines).split())


def _without_shape(words: list[str]) -> list[str]:
    stripped = (_SHAPE.sub("", word) for word in words)
    return [word for word in stripped if word and not _LIST.match(word)]


def words_of_markdown(text: bytes) -> list[str]:
    """The words of Markdown as a CommonMark parser with footnotes and tables reads it."""
    reader = MarkdownIt("commonmark", {"html": True}).enable("table").use(footnote_plugin)
    page = reader.render(text.decode())
    page = re.sub(r'<sup class="footnote-ref">.*?</sup>', "", page)
    page = re.sub(r'<a href="#fnref[^>]*>.*?</a>', "", page)
    return words_of_html(page.encode())


def words_of(document: Document) -> list[str]:
    """What a paper says, as the formats are compared: list marks and marks of notes aside."""
    return _without_shape(spoken(document))


def words_of_pdf(data: bytes, folder: Path) -> str:
    """The text of a PDF as `pdftotext` finds it, without white space."""
    path = folder / "paper.pdf"
    path.write_bytes(data)
    tool = shutil.which("pdftotext")
    assert tool, "the tests of PDF need poppler-utils; tests/papers.sh installs it"
    found = subprocess.run([tool, "-raw", str(path), "-"], capture_output=True, check=True)
    # It adds marks of direction of its own.
    return "".join(char for char in found.stdout.decode() if char not in BIDI and not char.isspace())
