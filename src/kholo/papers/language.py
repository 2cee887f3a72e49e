"""The words of one language, from a TOML file: a further language needs a file and nothing else."""

from __future__ import annotations

import string
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from functools import cache

import msgspec

from kholo.publish.safe import visible

from . import files
from .document import Run, Text

_FOLDER = "languages"
#: What a gap in a sentence is filled with; a footnote comes to be only where a sentence has a gap for it.
Gap = Text | str | Callable[[], Text]


class Language(msgspec.Struct, frozen=True):
    """One language. `texts` are sentences with names in braces, `counts` a word for one and for more.

    `is_reviewed`: a person who speaks it has read the sentences. `glossary` has words and their meaning.
    """

    language: str
    name: str
    direction: str
    is_reviewed: bool
    digits: str
    thousands: str
    comma: str
    semicolon: str
    months: tuple[str, ...]
    texts: Mapping[str, str]
    counts: Mapping[str, tuple[str, str]]
    words: Mapping[str, Mapping[str, str]]
    glossary: Mapping[str, tuple[str, str]]

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
        shown = f"{round(value, 6):,}".removesuffix(".0")
        return shown.replace(",", self.thousands).translate(self._digits())

    def count(self, value: int, word: str) -> str:
        """`1 day`, `1,234 days`."""
        one, more = self.counts[word]
        return (one if value == 1 else more).replace("{n}", self.number(value))

    def day(self, value: date) -> str:
        """`17 February 2024`."""
        plain = f"{value.day} {self.months[value.month - 1]} {value.year}"
        return plain.translate(self._digits())

    def moment(self, value: datetime) -> str:
        """`17 February 2024, 14:05 UTC`."""
        return f"{self.day(value)}{self.comma}{f'{value:%H:%M}'.translate(self._digits())} UTC"

    def listed(self, parts: Sequence[Text]) -> Text:
        """Texts, with commas between them."""
        out: list[Run] = []
        for part in parts:
            out += [Run(self.comma)] if out else []
            out += part
        return tuple(out)

    def numerals(self, text: str) -> str:
        """A text with its digits as those of the language."""
        return text.translate(self._digits())

    def _digits(self) -> dict[int, str]:
        return {ord("0") + place: digit for place, digit in enumerate(self.digits)}


def languages() -> list[str]:
    """The languages there are files for."""
    return files.names(_FOLDER)


@cache
def language(code: str) -> Language:
    """One language. Raises `UsageError` where there is no file for it."""
    return files.read(_FOLDER, code, Language)
