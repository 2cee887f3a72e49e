"""The words of one language: the English of `texts.toml`, and a catalogue for each further language."""

from __future__ import annotations

import string
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from functools import cache
from importlib import resources

import msgspec

from kholo.model import UsageError
from kholo.publish import language as pages
from kholo.publish.catalogue import Catalogue, Domain, english
from kholo.publish.safe import visible

from . import files
from .document import Run, Text

#: Their catalogues are apart from those of the pages: who reviews papers need not review a site.
PAPERS = Domain(resources.files(__package__) / "languages", "papers")
#: What a gap in a sentence is filled with; a footnote comes to be only where a sentence has a gap for it.
Gap = Text | str | Callable[[], Text]


class Source(msgspec.Struct, frozen=True):
    """The English. `texts` are sentences with names in braces, `counts` a word for one and for more.

    `words` are closed lists, `glossary` has words and their meaning.
    """

    texts: Mapping[str, str]
    counts: Mapping[str, tuple[str, str]]
    words: Mapping[str, Mapping[str, str]]
    glossary: Mapping[str, tuple[str, str]]


class Language:
    """One language. `spoken` writes its numbers and dates. `is_reviewed`: a person who speaks it has read all texts.

    A translation is found by the English and its context: the key of a sentence, the name of a list.
    """

    def __init__(self, spoken: pages.Language, source: Source, found: Catalogue) -> None:
        told = found.texts.pgettext
        self.spoken, self.is_reviewed = spoken, found.is_reviewed
        self.language, self.direction = spoken.code, spoken.direction
        self.texts = {key: told(key, text) for key, text in source.texts.items()}
        self.words = {
            name: {key: told(name, word) for key, word in table.items()} for name, table in source.words.items()
        }
        self.glossary = {
            key: (told("glossary", term), told("glossary", meaning)) for key, (term, meaning) in source.glossary.items()
        }
        self.comma, self.semicolon = spoken.row(("", "")), self.texts["semicolon"]
        self.digits = self.numerals(string.digits)
        self._counts, self._plural = source.counts, found.texts.npgettext

    def say(self, key: str, /, **parts: Gap) -> Text:
        """A sentence with its gaps filled. Raises `KeyError` for what is not there: a test reads every file."""
        out: list[Run] = []
        for literal, name, _, _ in string.Formatter().parse(self.texts[key]):
            if literal:
                out.append(Run(literal))
            if name:
                part = parts[name]
                given = part() if callable(part) else part
                out.extend((Run(visible(given)),) if isinstance(given, str) else given)
        return tuple(out)

    def word(self, table: str, key: str) -> str:
        """A word of one of the closed lists: `kind`, `outcome`, `grade`, `state`, `clock`, `measure`, `input`."""
        return self.words[table][key]

    def mechanism(self, code: str) -> str:
        """`tls.reset` in words; a code that has none is shown as it is."""
        layer, _, how = code.partition(".")
        layers, hows = self.words["layer"], self.words["how"]
        return f"{layers[layer]}: {hows[how]}" if layer in layers and how in hows else code

    def unit(self, unit: str) -> str:
        """A unit of an estimate or an input; of money, the currency as it is."""
        known = self.words["unit"]
        currency, _, rest = unit.partition(" ")
        return known.get(unit) or (f"{currency} {known[rest]}" if rest in known else unit)

    def number(self, value: float) -> str:
        """A number in the digits of the language, at most six places behind the point."""
        return self.spoken.number(value)

    def count(self, value: int, word: str) -> str:
        """`1 day`, `1,234 days`."""
        return self._plural("count", *self._counts[word], value).replace("{n}", self.number(value))

    def day(self, value: date) -> str:
        """`17 February 2024`."""
        return self.spoken.day(value)

    def moment(self, value: datetime) -> str:
        """`17 February 2024, 14:05 UTC`."""
        return self.texts["moment"].format(day=self.day(value), clock=self.spoken.clock(value))

    def listed(self, parts: Sequence[Text]) -> Text:
        """Texts, with commas between them."""
        out: list[Run] = []
        for part in parts:
            out += [Run(self.comma)] if out else []
            out += part
        return tuple(out)

    def numerals(self, text: str) -> str:
        """A text with its digits as those of the language."""
        return self.spoken.digits(text)


@cache
def source() -> Source:
    """The English texts."""
    return files.read("texts", Source)


def languages() -> list[str]:
    """English, then every language there are catalogues for: of papers, and of the pages, which have its numbers."""
    return [code for code in pages.language_codes() if code == "en" or code in PAPERS.codes()]


@cache
def language(code: str) -> Language:
    """One language. Raises `UsageError` where there is no catalogue for it."""
    if code not in languages():
        raise UsageError(f"{code!a}: no papers in this language; there are: {', '.join(languages())}")
    return Language(pages.language(code), source(), english() if code == "en" else PAPERS.catalogue(code))
