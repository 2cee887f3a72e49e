"""The wording of every assessment and clock: one table, `wording.toml`, that lawyers can review."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from functools import cache
from pathlib import Path
from string import Formatter

import msgspec

from kholo.model import ReferenceDataError, Said

SHIPPED = Path(__file__).with_name("wording.toml")


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


def load_wording(path: Path = SHIPPED) -> Table:
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


@cache
def _sentences() -> Mapping[str, Sentence]:
    return {sentence.id: sentence for sentence in load_wording().sentence}


class Told(str):
    """Sentences of the table, one after another, as the text that they make; `said` is what they are made of.

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


def said(text: str) -> tuple[Said, ...]:
    """The sentences of a text; none of a text that is not of the table."""
    return text.said if isinstance(text, Told) else ()


def say(key: str, **parts: object) -> Told:
    """One sentence of the table, filled in. A part too few or too many is a mistake of ours and raises `KeyError`."""
    sentence = _sentences()[key]
    if sentence.parts != parts.keys():
        raise KeyError(f"{key}: filled in {sorted(parts)}, wanted {sorted(sentence.parts)}")
    filled = tuple((name, _part(value)) for name, value in sorted(parts.items()))
    return Told(sentence.text.format(**parts), (Said(key, filled),))


def _part(value: object) -> str | int | tuple[Said, ...]:
    if isinstance(value, Told):
        return value.said
    return value if isinstance(value, int) else str(value)


def listed(names: Iterable[str]) -> str:
    """Names, one after another."""
    names = list(names)
    text, sentences = ", ".join(names), tuple(one for name in names for one in said(name))
    return Told(text, sentences) if sentences else text


def joined(texts: Iterable[Told]) -> Told:
    """Sentences one after another."""
    texts = list(texts)
    return Told("".join(texts), tuple(one for text in texts for one in text.said))


def span(start: datetime, end: datetime) -> Told:
    """A span whose end is not included, as days."""
    last = max(start, end - timedelta(microseconds=1)).date()
    if last == start.date():
        return say("span.day", earliest=start.date())
    return say("span", earliest=start.date(), latest=last)


def day(moment: datetime | date) -> str:
    """A moment as a person reads it, in UTC."""
    return f"{moment:%Y-%m-%d %H:%M} UTC" if isinstance(moment, datetime) else str(moment)


def page() -> str:
    """The page of the documentation, made from the table itself."""
    table = load_wording()
    lines = [
        "# The wording of assessments and clocks",
        "",
        "<!-- Made from src/kholo/record/wording.toml: kholo case wording --markdown > docs/assessment-wording.md -->",
        "",
        "Every sentence that says how a claim or an order stands. Nothing is said of them that is not in this table.",
        "A lawyer can review it here. To change a sentence, change `src/kholo/record/wording.toml`; it stands nowhere",
        "else. What is said of one claim is put together of several sentences. Words in braces are filled in:",
        "",
        "| in braces | stands for |",
        "|---|---|",
        *(f"| `{{{name}}}` | {text} |" for name, text in sorted(table.parts.items())),
        "",
        "| id | said when | sentence |",
        "|---|---|---|",
        *(f"| `{one.id}` | {one.when} | {one.text.strip()} |" for one in table.sentence),
    ]
    return "\n".join(lines) + "\n"
