"""A paper as plain text, in lines of at most 78 characters where words allow it."""

from __future__ import annotations

import textwrap

from .document import Block, Document, Grid, Heading, Items, Picture, Text

WIDTH = 78


def txt(document: Document) -> bytes:
    """UTF-8, a footnote's mark as `[1]`. No marks of direction: programs that show Urdu lay it out by themselves."""
    lines = [*_wrapped(document.notice), *_wrapped(document.title)[:-1], "=" * min(WIDTH, len(document.title)), ""]
    for mark in document.marks:
        lines += _wrapped(mark)
    for block in document.blocks:
        lines += _block(block)
    if document.notes:
        lines += _heading(document.words["notes"])
    for note in document.notes:
        lines += _wrapped(_said(note.text), first=f"[{note.number}] ", rest="    ")
    lines += _wrapped(document.notice)
    return ("\n".join(lines).rstrip("\n") + "\n").encode()


def _block(block: Block) -> list[str]:
    if isinstance(block, Heading):
        return _heading(_said(block.text))
    if isinstance(block, Items):
        return [line for place, row in enumerate(block.rows, 1) for line in _item(row, place, block.is_numbered)] + [""]
    if isinstance(block, Grid):
        return _grid(block)
    if isinstance(block, Picture):
        return _wrapped(_said(block.caption))
    return _wrapped(_said(block.text))


def _item(row: Text, place: int, is_numbered: bool) -> list[str]:
    first = f"{place}. " if is_numbered else "- "
    return _wrapped(_said(row), first, " " * len(first))[:-1]


def _grid(block: Grid) -> list[str]:
    """A row of a table is a line a cell: columns side by side would not fit."""
    lines = _wrapped(" | ".join(_said(head) for head in block.heads))
    for row in block.rows:
        for place, cell in enumerate(row):
            lines += _wrapped(_said(cell), "" if place == 0 else "  | ", "" if place == 0 else "  | ")[:-1]
        lines.append("")
    return lines


def _heading(text: str) -> list[str]:
    return ["", text, "-" * min(WIDTH, len(text)), ""]


def _said(text: Text) -> str:
    return "".join(f"[{run.note}]" if run.note else run.text for run in text)


def _wrapped(text: str, first: str = "", rest: str = "") -> list[str]:
    """Lines of a text, and an empty one after them; nothing for no text. Long addresses are left whole."""
    if not text:
        return []
    wrapped = textwrap.wrap(
        text, WIDTH, initial_indent=first, subsequent_indent=rest, break_long_words=False, break_on_hyphens=False
    )
    return [*wrapped, ""]
