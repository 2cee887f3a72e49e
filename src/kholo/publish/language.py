"""A language of the pages: its texts, and how it writes numbers, dates and lists.

Texts are marked where they stand, for `make catalogues` to find: `words.say("…")`, `words.many("…", "…", n)`,
`words.about("what it is", "…")`, `marked("…")` for a table that is said later, and `{% trans %}` in a template.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from functools import cache
from gettext import NullTranslations

from kholo.model import Bracket
from kholo.reference.places import names

from . import catalogue, dates

#: Every part that can stand in the braces of a text.
Part = str | int | float | date | datetime


def marked(text: str) -> str:
    """The text itself: it is said later, by `say`."""
    return text


class Language:
    """One language. English needs no catalogue; what a catalogue lacks is said in English."""

    def __init__(self, code: str, found: catalogue.Catalogue) -> None:
        self.code, self.is_reviewed = code, found.is_reviewed
        self.texts: NullTranslations = found.texts
        self.name = self.about("name of this language", "English")
        self.direction = "rtl" if self.about("direction of writing", "ltr") == "rtl" else "ltr"
        own_marks = {",": self.about("between thousands", ","), ".": self.about("before decimals", ".")}
        self._marks = str.maketrans(own_marks)
        alphabet = self.about("letters in order", "abcdefghijklmnopqrstuvwxyz")
        self._letters = {letter: place for place, letter in enumerate(alphabet)}
        own = self.about("digits", "0123456789")
        self._digits = {ord(plain): own for plain, own in zip("0123456789", own, strict=False)}

    @property
    def is_source(self) -> bool:
        """Whether texts are shown as they were written."""
        return self.code == "en"

    def say(self, text: str, /, **parts: Part) -> str:
        """A text with its braces filled in; numbers and dates are written as the language writes them."""
        return self._filled(self.texts.gettext(text), parts)

    def about(self, context: str, text: str, /, **parts: Part) -> str:
        """The same, for a text that means more than one thing."""
        return self._filled(self.texts.pgettext(context, text), parts)

    def many(self, one: str, more: str, number: int, /, **parts: Part) -> str:
        """The right plural of a text; `{n}` is the number."""
        return self._filled(self.texts.ngettext(one, more, number), {"n": number, **parts})

    def _filled(self, text: str, parts: dict[str, Part]) -> str:
        return text.format(**{name: self.written(part) for name, part in parts.items()}) if parts else text

    def written(self, part: Part) -> str:
        """A part of a text as the language writes it."""
        if isinstance(part, str):
            return part
        if isinstance(part, datetime):
            return self.moment(part)
        return self.day(part) if isinstance(part, date) else self.number(part)

    def digits(self, text: str) -> str:
        """The text with the digits of the language."""
        return text.translate(self._digits)

    def number(self, value: float) -> str:
        """`1,234`, at most six places behind the point."""
        shown = f"{round(value, 6):,}"
        return self.figure(shown.removesuffix(".0") if "e" not in shown else f"{value:,.0f}")

    def figure(self, text: str) -> str:
        """A number that is written out already, such as `1,234.5`."""
        return self.digits(text.translate(self._marks))

    def month_name(self, number: int) -> str:
        """`January`; months are numbered from 1."""
        return self.about("month", dates.MONTHS[number - 1])

    def day(self, value: date) -> str:
        """`17 February 2024`."""
        return self.digits(f"{value.day} {self.month_name(value.month)} {value.year}")

    def short_day(self, value: date) -> str:
        """`17 Feb 2024`, with spaces that don't break over lines."""
        return self.digits(f"{value.day} {self.short_month(value.month)} {value.year}").replace(
            " ", "\N{NO-BREAK SPACE}"
        )

    def short_month(self, number: int) -> str:
        """`Feb`."""
        return self.about("short month", dates.SHORT[number - 1])

    def month(self, value: date) -> str:
        """`February 2024`."""
        return self.digits(f"{self.month_name(value.month)} {value.year}")

    def clock(self, value: datetime) -> str:
        """`14:05`."""
        return self.digits(f"{value.hour:02}:{value.minute:02}")

    def moment(self, value: datetime) -> str:
        """`17 February 2024, 14:05 UTC`."""
        return self.say("{day}, {clock} UTC", day=self.day(value), clock=self.clock(value))

    def stretch(self, first: date, last: date) -> str:
        """`3 May 2024`, or `3 May 2024 to 5 May 2024`."""
        if first == last:
            return self.day(first)
        return self.say("{first} to {last}", first=self.day(first), last=self.day(last))

    def either(self, earliest: date, latest: date) -> str:
        """A day that may be uncertain: `17 February 2024`, or `between 17 and 19 February 2024`."""
        if earliest == latest:
            return self.day(earliest)
        return self.between(self._shortened(earliest, latest), self.day(latest))

    def between(self, first: str, last: str) -> str:
        """`between this and that`."""
        return self.say("between {first} and {last}", first=first, last=last)

    def _shortened(self, first: date, second: date) -> str:
        if first.year != second.year:
            return self.day(first)
        month = f" {self.month_name(first.month)}" if first.month != second.month else ""
        return self.digits(f"{first.day}{month}")

    def bracket(self, value: Bracket) -> str:
        """An uncertain moment: both times, or one when they are the same minute."""
        first, last = value.earliest, value.latest
        if first == last:
            return self.moment(first)
        if first.date() != last.date():
            return self.between(self.moment(first), self.moment(last))
        return self.say(
            "{day}, between {first} and {last} UTC",
            day=self.day(first),
            first=self.clock(first),
            last=self.clock(last),
        )

    def listed(self, parts: Sequence[str]) -> str:
        """`a`, `a and b`, `a, b and c`."""
        if len(parts) < 2:
            return "".join(parts)
        return self.say("{first} and {last}", first=self.row(parts[:-1]), last=parts[-1])

    def row(self, parts: Sequence[str]) -> str:
        """`a, b, c`."""
        return self.about("between items", ", ").join(parts)

    def order(self, text: str) -> list[tuple[int, int]]:
        """What texts are sorted by: figures, then the letters of the language in their order, then those of others."""
        return [
            (1, self._letters[char]) if char in self._letters else (2 if char.isalpha() else 0, ord(char))
            for char in text.casefold()
        ]

    def place(self, code: str) -> str:
        """The name of a country; a code that names none stays a code."""
        name = names().get(code)
        return self.about("place", name) if name else code


@cache
def language(code: str) -> Language:
    """One language. Raises `KeyError` where there is no catalogue for it."""
    return Language(code, catalogue.english() if code == "en" else catalogue.PAGES.catalogue(code))


def language_codes() -> list[str]:
    """English, then every language there is a catalogue for."""
    return ["en", *(code for code in catalogue.PAGES.codes() if code != "en")]


ENGLISH = language("en")
