"""A paper as PDF, set by Typst: an extra, `pip install 'kholo[pdf]'`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from importlib import resources
from pathlib import Path
from typing import Any, Literal

import msgspec

from kholo.model import EnvironmentFault

from .document import Document, is_arabic

#: Fonts that Urdu is set in, the best first. Typst brings those for Latin script along.
URDU_FONTS = ("Noto Nastaliq Urdu", "Noto Naskh Arabic")
#: Bytes of text: a paper is read by people.
MAX_TEXT = 20 << 20
#: Letters of a word that is left whole. Pieces of longer ones fit into the narrowest column of a table.
LONG = 20
_WORDS = re.compile(r"\s+|\S+")
_PIECES = re.compile(r"[^/?&=._:-]{0,9}[/?&=._:-]+|[^/?&=._:-]{1,10}")


def pdf(document: Document, fonts: Sequence[Path] = ()) -> bytes:
    """The same document and fonts give the same bytes: the file carries no clock and no random id.

    Tagged, by PDF/UA-1 wherever the fonts have every character of it.
    Raises `EnvironmentFault` where Typst or a font that the text needs is not there.
    """
    try:
        import typst  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise EnvironmentFault("PDF needs Typst: pip install 'kholo[pdf]'") from error
    text = msgspec.json.encode(_with_hints(document)).decode()
    if len(text) > MAX_TEXT:
        raise EnvironmentFault(f"the paper is larger than {MAX_TEXT >> 20} MiB, too large for a PDF")
    known = typst.Fonts(font_paths=[str(folder) for folder in fonts])
    if is_arabic(text):
        _need_urdu(known.families())
    template = resources.files(__package__).joinpath("templates/paper.typ").read_bytes()

    def made(standard: Literal["ua-1"] | None) -> bytes:
        inputs = {"paper": text}
        found = typst.compile(template, font_paths=known, sys_inputs=inputs, timestamp=0, pdf_standards=standard)
        return bytes(found)

    try:
        return made("ua-1")
    except typst.TypstError:
        # A character that no font here has breaks the standard. The file is tagged all the same; it claims less.
        return made(None)


def _need_urdu(families: Sequence[str]) -> None:
    if not set(URDU_FONTS) & set(families):
        raise EnvironmentFault(
            "no font for Urdu is here: apt-get install fonts-noto-core (Debian, Ubuntu), or give a folder that"
            f" holds {URDU_FONTS[0]} with --fonts"
        )


def _with_hints(document: Document) -> dict[str, Any]:
    """The document as data, with what the template can't see: which mark of a note is its first, and the scripts."""
    found: dict[str, Any] = msgspec.to_builtins(document)
    seen: set[int] = set()
    for block in found["blocks"]:
        for run in _runs(block):
            run["first"] = run.get("note", 0) not in seen
            seen.add(run.get("note", 0))
    for note in found["notes"]:
        for run in note["text"]:
            run["first"] = False
    found["title"] = document.title
    title = {"text": found["heading"]}
    for run in (run for part in (title, *found["blocks"], *found["notes"]) for run in _runs(part)):
        run["latin"] = not is_arabic(run["text"])
        run["pieces"] = _pieces(run["text"])
        run["words"] = [_pieces(word) for word in run["text"].split(" ")]
    return found


def _pieces(text: str) -> list[str]:
    """The text in pieces between which a line may break beside its spaces: long words, after signs."""
    out = [""]
    for word in _WORDS.findall(text):
        first, *rest = _PIECES.findall(word) if len(word) > LONG else [word]
        out[-1] += first
        out += rest
    return out


def _runs(part: dict[str, Any]) -> list[dict[str, Any]]:
    texts = [part[key] for key in ("text", "caption") if key in part] or part.get("heads", [])
    texts = [*texts, *(cell for row in part.get("rows", []) for cell in (row if part["type"] == "Grid" else [row]))]
    return [run for text in texts for run in text]
