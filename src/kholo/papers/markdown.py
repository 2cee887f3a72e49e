"""A paper as Markdown (CommonMark with the tables and footnotes of GitHub and Pandoc)."""

from __future__ import annotations

import re

from kholo.publish.safe import web_address

from .document import Block, Document, Grid, Heading, Items, Picture, Run, Style, Text

#: Every character that could be markup inside of a line.
_MARKUP = re.compile(r"[\\`*_{}\[\]<>&|#~$^!@]|:(?=\S)")
#: What would make a line a list, a heading or a rule.
_START = re.compile(r"^(\d+)([.)])|^([-+=])")


def markdown(document: Document) -> bytes:
    """UTF-8. Text is escaped, so that it reads as it stands; only our own structure is markup."""
    parts = [f"**{_escaped(document.notice)}**"] if document.notice else []
    if document.direction == "rtl":
        parts.insert(0, f'<div dir="rtl" lang="{document.language}">')
    parts.append(f"# {_escaped(document.title)}")
    parts += [f"*{_escaped(mark)}*" for mark in document.marks]
    parts += [_block(block) for block in document.blocks]
    if document.notes:
        parts.append(f"## {_escaped(document.words['notes'])}")
    if document.notice:
        parts.append(f"**{_escaped(document.notice)}**")
    parts += [f"[^{note.number}]: {_line(note.text)}" for note in document.notes]
    if document.direction == "rtl":
        parts.append("</div>")
    return ("\n\n".join(parts) + "\n").encode()


def _block(block: Block) -> str:
    if isinstance(block, Heading):
        return f"## {_line(block.text)}"
    if isinstance(block, Items):
        marks = (f"{place}. " if block.is_numbered else "- " for place in range(1, len(block.rows) + 1))
        return "\n".join(f"{mark}{_line(row)}" for mark, row in zip(marks, block.rows, strict=True))
    if isinstance(block, Grid):
        rows = [block.heads, *block.rows]
        lines = [f"| {' | '.join(_line(cell) for cell in row)} |" for row in rows]
        return "\n".join([lines[0], f"|{' --- |' * len(block.heads)}", *lines[1:]])
    if isinstance(block, Picture):
        return _line(block.caption)
    return _line(block.text)


def _line(text: Text) -> str:
    whole = "".join(_run(run) for run in text)
    return _START.sub(lambda found: f"{found[1]}\\{found[2]}" if found[1] else f"\\{found[3]}", whole)


def _run(run: Run) -> str:
    if run.note:
        return f"[^{run.note}]"
    if run.style is Style.CODE and run.text.isascii() and "`" not in run.text and "|" not in run.text:
        return f"`{run.text}`"
    if run.style is Style.ADDRESS and web_address(run.text) and run.text.isascii():
        return f"<{run.text}>"
    if run.style is Style.STRONG:
        return f"**{_escaped(run.text)}**"
    return _escaped(run.text)


def _escaped(text: str) -> str:
    return _MARKUP.sub(lambda found: f"\\{found[0]}", text)
