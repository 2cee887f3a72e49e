"""A paper as data: what every format is made from, and nothing of how any of them looks."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum

import msgspec


class Style(StrEnum):
    """How a run of text stands out."""

    PLAIN = "plain"
    STRONG = "strong"
    CODE = "code"
    ADDRESS = "address"


class Run(msgspec.Struct, frozen=True):
    """A stretch of text of one kind, or (with `note` above 0, and no text) the mark of a footnote.

    `language` (BCP 47) is that of a run in another language than the paper's; empty: the paper's own.
    """

    text: str = ""
    style: Style = Style.PLAIN
    language: str = ""
    note: int = 0


Text = tuple[Run, ...]


class Heading(msgspec.Struct, frozen=True, tag=True):
    """A heading below the title. `on_new_page`: what follows is a sheet of its own, where there are pages."""

    text: Text
    on_new_page: bool = False


class Paragraph(msgspec.Struct, frozen=True, tag=True):
    """A paragraph. `is_meta`: says what the paper is (its day, who wrote it), not what happened."""

    text: Text
    is_meta: bool = False


class Items(msgspec.Struct, frozen=True, tag=True):
    """A list, numbered or not."""

    rows: tuple[Text, ...]
    is_numbered: bool = False


class Grid(msgspec.Struct, frozen=True, tag=True):
    """A table: the heads of its columns, and rows of as many cells. `widths`: of the columns, to each other.

    `is_form`: people write into it by hand, so that rows need room.
    """

    heads: tuple[Text, ...]
    rows: tuple[tuple[Text, ...], ...]
    widths: tuple[int, ...]
    is_form: bool = False


class Picture(msgspec.Struct, frozen=True, tag=True):
    """A drawing as SVG of `width` by `height` units that needs nothing else, with what it shows in words.

    `alt` is for who does not see it. Formats without drawings have the caption: all that is drawn stands elsewhere too.
    """

    svg: str
    width: float
    height: float
    alt: str
    caption: Text


#: Where the letters are that Urdu is written in.
_ARABIC = (("\u0600", "\u06ff"), ("\u0750", "\u077f"), ("\u08a0", "\u08ff"), ("\ufb50", "\ufdff"), ("\ufe70", "\ufeff"))

Block = Heading | Paragraph | Items | Grid | Picture


class Note(msgspec.Struct, frozen=True):
    """A footnote. `entries`, `incidents`, `inputs`, `laws` and `pages` (of our documentation) name what it rests on.

    `command` shows it. A note with none of the five is on the case or the store as a whole. Numbers are from 1.
    """

    number: int
    text: Text
    command: str
    entries: tuple[str, ...] = ()
    incidents: tuple[str, ...] = ()
    inputs: tuple[str, ...] = ()
    laws: tuple[str, ...] = ()
    pages: tuple[str, ...] = ()


class Document(msgspec.Struct, frozen=True):
    """A paper. `notice` stands on every page: that it is simulated, or empty. `marks` stand below the title.

    `heading` is the title in which what is in another language says so. `words` are the few that a renderer needs:
    `notes` (the heading of the footnotes) and `page`.
    """

    kind: str
    language: str
    direction: str
    heading: Text
    notice: str
    marks: tuple[str, ...]
    blocks: tuple[Block, ...]
    notes: tuple[Note, ...]
    words: dict[str, str]

    @property
    def title(self) -> str:
        """The words of the heading alone."""
        return plain(self.heading)


def rows_of(block: Block) -> Iterator[Text]:
    """The rows of a block that a reader takes for one: a paragraph, an item, a row of a table as a whole."""
    if isinstance(block, Grid):
        for row in (block.heads, *block.rows):
            yield tuple(run for cell in row for run in (*cell, Run(" ")))
    elif isinstance(block, Items):
        yield from block.rows
    elif isinstance(block, Picture):
        yield block.caption
    else:
        yield block.text


def spoken(document: Document) -> list[str]:
    """Every word of a paper in its order, without the marks of footnotes: what all formats say, and nothing else."""
    parts = [document.notice, document.title, *document.marks]
    parts += [plain(row) for block in document.blocks for row in rows_of(block)]
    parts += [document.words["notes"]] if document.notes else []
    parts += [plain(note.text) for note in document.notes]
    parts += [document.notice]
    return " ".join(parts).split()


def plain(text: Text) -> str:
    """The words of a text alone."""
    return "".join(run.text for run in text)


def is_arabic(text: str) -> bool:
    """Whether any letter is of the script that Urdu is written in."""
    return any(low <= char <= high for char in text for low, high in _ARABIC)


def is_latin(text: Text) -> bool:
    """Whether a text has no such letter, marks of notes aside: in a paper from right to left it reads from the left."""
    return not is_arabic(plain(text))
