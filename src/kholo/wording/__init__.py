"""Sentences as data: a room has a table of them, and what it says keeps the sentences that it is made of.

So a page in another language says the same, and whoever reviews the words finds them in one place.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from functools import cached_property
from pathlib import Path
from string import Formatter

import msgspec

from kholo.model import ReferenceDataError, Said


class Sentence(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One sentence: when it is said, and its text, in which names in braces are filled in."""

    id: str
    when: str
    text: str

    @property
    def parts(self) -> frozenset[str]:
        """The names that are filled in."""
        return frozenset(name for _, name, _, _ in Formatter().parse(self.text) if name)


class Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Every sentence there is, and what each name in braces stands for."""

    parts: dict[str, str]
    sentence: tuple[Sentence, ...]


def load_table(path: Path) -> Table:
    """The table, checked: ids are unique, and every name in braces is explained. Raises `ReferenceDataError`."""
    try:
        table = msgspec.convert(tomllib.loads(path.read_text(encoding="utf-8")), Table)
        used = {name for sentence in table.sentence for name in sentence.parts}
    except (ValueError, msgspec.ValidationError) as error:
        raise ReferenceDataError(f"{path.name}: {error}") from error
    ids = [sentence.id for sentence in table.sentence]
    twice = sorted({name for name in ids if ids.count(name) > 1})
    odd = sorted(used ^ set(table.parts))
    if twice or odd:
        raise ReferenceDataError(f"{path.name}: ids that stand twice: {twice}; names not explained or not used: {odd}")
    return table


class Told(str):
    """Sentences of a table, one after another, as the text that they make; `said` is what they are made of.

    What is put together of such texts by `+`, `listed` or `say` is one again.
    """

    __slots__ = ("said",)
    said: tuple[Said, ...]

    def __new__(cls, text: str = "", said: tuple[Said, ...] = ()) -> Told:
        """The text, and the sentences behind it."""
        made = super().__new__(cls, text)
        made.said = said
        return made

    def __add__(self, other: str) -> Told:
        return Told(str(self) + str(other), self.said + said(other))

    def __radd__(self, other: str) -> Told:
        return Told(str(other) + str(self), said(other) + self.said)


class Wording:
    """The sentences of one room, read when the first of them is said."""

    def __init__(self, path: Path) -> None:
        """`path` is the table, as TOML."""
        self._path = path

    @cached_property
    def table(self) -> Table:
        """The whole table. Raises `ReferenceDataError`."""
        return load_table(self._path)

    @cached_property
    def _sentences(self) -> Mapping[str, Sentence]:
        return {sentence.id: sentence for sentence in self.table.sentence}

    def say(self, key: str, **parts: object) -> Told:
        """One sentence, filled in. A part too few or too many is a mistake of ours and raises `KeyError`."""
        sentence = self._sentences[key]
        if sentence.parts != parts.keys():
            raise KeyError(f"{key}: filled in {sorted(parts)}, wanted {sorted(sentence.parts)}")
        filled = tuple((name, _part(value)) for name, value in sorted(parts.items()))
        return Told(sentence.text.format(**parts), (Said(key, filled),))


def _part(value: object) -> str | int | tuple[Said, ...]:
    if isinstance(value, Told):
        return value.said
    return value if isinstance(value, int) else str(value)


def said(text: str) -> tuple[Said, ...]:
    """The sentences of a text; none of a text that is not of a table."""
    return text.said if isinstance(text, Told) else ()


def listed(names: Iterable[str], between: str = ", ") -> str:
    """Names, one after another."""
    names = list(names)
    text, sentences = between.join(names), tuple(one for name in names for one in said(name))
    return Told(text, sentences) if sentences else text


def joined(texts: Iterable[Told]) -> Told:
    """Sentences one after another."""
    texts = list(texts)
    return Told("".join(texts), tuple(one for text in texts for one in text.said))
