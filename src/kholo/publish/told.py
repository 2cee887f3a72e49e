"""Sentences of the record's table in the language of a page, with ids as the page names them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime

from kholo.model import Said, State
from kholo.record.wording import WORDING
from kholo.reference.places import place_code

from .language import Language
from .words import STATE

_ID = re.compile(r"[A-Za-z0-9]+(?:-[A-Za-z0-9]+)*")
_MOMENT = re.compile(r"(\d{4}-\d\d-\d\d)(?: (\d\d:\d\d) UTC)?")


def told(said: Sequence[Said], text: str, names: Mapping[str, str], language: Language) -> str:
    """A text of the record; `names` maps ids to what the page calls them ("entry 5").

    English stays as it was written. What was not made of the table's sentences (`said` is empty) stays as it is.
    """
    if language.is_source or not said:
        return _ID.sub(lambda found: names.get(found[0], found[0]), text)
    return _sentences(said, names, language).strip()


def _sentences(said: Sequence[Said], names: Mapping[str, str], language: Language) -> str:
    return "".join(_sentence(one, names, language) for one in said)


def _sentence(one: Said, names: Mapping[str, str], language: Language) -> str:
    source = _TABLE[one.id]
    parts = {name: _part(name, value, names, language) for name, value in one.parts}
    # The table parts sentences by a space at one end; a translation can't lose it.
    before, after = source[: len(source) - len(source.lstrip())], source[len(source.rstrip()) :]
    return f"{before}{language.about(one.id, source).strip().format(**parts)}{after}"


def _part(name: str, value: str | int | tuple[Said, ...], names: Mapping[str, str], language: Language) -> str:
    if isinstance(value, int):
        return language.number(value)
    if isinstance(value, tuple):
        texts = [_sentence(one, names, language) for one in value]
        return language.row(texts) if name in _ROWS else "".join(texts)
    return _SHOWN[name](value, names, language) if name in _SHOWN else value


def _ids(value: str, names: Mapping[str, str], language: Language) -> str:
    return language.row([names.get(item, item) for item in value.split(", ")])


def _states(value: str, _names: Mapping[str, str], language: Language) -> str:
    return language.listed([language.say(STATE[State(item)]) for item in value.split(" and ")])


def _when(value: str, _names: Mapping[str, str], language: Language) -> str:
    found = _MOMENT.fullmatch(value)
    if found is None:
        return value
    if found[2] is None:
        return language.day(date.fromisoformat(found[1]))
    return language.moment(datetime.fromisoformat(f"{found[1]}T{found[2]}").replace(tzinfo=UTC))


def _place(value: str, _names: Mapping[str, str], language: Language) -> str:
    return language.place(place_code(value) or value)


_TABLE = {sentence.id: sentence.text for sentence in WORDING.table.sentence}
#: Parts that are lists of sentences.
_ROWS = frozenset({"why"})
_SHOWN: dict[str, Callable[[str, Mapping[str, str], Language], str]] = {
    **dict.fromkeys(("networks", "incidents", "entries", "entry", "evidence", "keys"), _ids),
    **dict.fromkeys(("state", "claimed"), _states),
    **dict.fromkeys(("earliest", "latest", "due", "until"), _when),
    "start": lambda value, names, language: _when(_ids(value, names, language), names, language),
    "place": _place,
}
