"""Pages taken apart: whether they are well made, and which words on them are of no language that they name."""

from __future__ import annotations

import re
from html.parser import HTMLParser

#: What stands around every text of the pseudo-language.
OPEN, CLOSE = "⟦", "⟧"
#: Elements whose words are no text of ours: names, commands, ids, styles, and what says that it is of another language.
_PLAIN = {"bdi", "code", "pre", "style", "script"}
#: Names that stand in the text of pages as they are.
NAMES = {"kholo"}
_VOID = {"meta", "link", "br", "input", "img", "hr"}
_SENTENCE = re.compile(r"[A-Za-z]+(?:[ ,;:]+[A-Za-z]+){2,}")
_ISOLATED = re.compile("\u2068[^\u2069]*\u2069")
_LATIN = re.compile(r"[A-Za-z0-9,;%]+(?:[^\u0600-\u06ff\n]*[A-Za-z0-9]+)?")


class Page(HTMLParser):
    """Collects what a page is made of; `left` are words outside of marks, names, commands and other languages."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[tuple[str, bool]] = []
        self.wrong: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.loads: list[str] = []
        self.root: dict[str, str | None] = {}
        self.headings = 0
        self.left: list[str] = []
        self._depth = 0
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        if tag == "html":
            self.root = found
        self.headings += tag == "h1"
        self.ids += [found["id"] or ""] if "id" in found else []
        self.links += [found["href"] or ""] if tag == "a" else []
        self.loads += [str(found[name]) for name in ("src", "srcset", "action") if name in found]
        for name in ("aria-label", "title", "alt"):
            if name in found and not {"lang", "translate"} & found.keys():
                self._text(found[name] or "")
        if tag not in _VOID:
            other = tag in _PLAIN or (tag != "html" and "lang" in found and tag != "svg") or "translate" in found
            self.open.append((tag, other))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in _VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop()[0] != tag:
            self.wrong.append(f"</{tag}> at {self.getpos()}")

    def handle_data(self, data: str) -> None:
        if not any(other for _, other in self.open):
            self._text(data)

    def _text(self, data: str) -> None:
        for part in re.split(f"([{OPEN}{CLOSE}])", data):
            if part in (OPEN, CLOSE):
                self._depth += 1 if part == OPEN else -1
            elif self._depth == 0 and re.search("[A-Za-z]{2}", part.replace("kholo", "")):
                self.left.append(part.strip())


class _Apart(HTMLParser):
    """Collects the Latin letters, figures and marks on a page in another script that nothing keeps apart from it.

    Where no element can (in titles, pictures and attributes), what is left is English in sentences.
    """

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[tuple[str, bool]] = []
        self.left: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        is_apart = tag in _PLAIN or found.get("translate") == "no" or (tag not in ("html", "svg") and "lang" in found)
        for name in ("aria-label", "title", "alt", "data-head"):
            if name in found and not is_apart:
                self.left += _SENTENCE.findall(found[name] or "")
        if tag not in _VOID:
            self.open.append((tag, is_apart))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in _VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        self.open.pop()

    def handle_data(self, data: str) -> None:
        if any(is_apart for _, is_apart in self.open):
            return
        if {"svg", "title"} & {tag for tag, _ in self.open}:
            self.left += _SENTENCE.findall(_ISOLATED.sub("", data))
        else:
            self.left += _LATIN.findall(data)


def latin_left(text: str) -> list[str]:
    """The Latin letters of a page that stand bare in its text, and English sentences where nothing can mark them."""
    return [run for run in _Apart(text).left if run not in NAMES]
