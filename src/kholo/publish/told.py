"""Sentences of the house's tables in the language of a page, with ids as the page names them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from string import Formatter
from typing import NamedTuple

from markupsafe import Markup, escape

from kholo.detect.rates import RateFinding, sentence
from kholo.detect.wording import WORDING as OF_INCIDENTS
from kholo.judge.wording import WORDING as OF_STORIES
from kholo.model import Incident, Said, State
from kholo.record.wording import WORDING as OF_RECORD
from kholo.reference.places import place_code
from kholo.wording import said as said_in

from .dates import MONTHS
from .language import Language
from .safe import visible
from .words import SIGNAL, STATE

_ID = re.compile(r"([A-Za-z0-9]+(?:-[A-Za-z0-9]+)*)((?: \d\d:\d\d(?: UTC)?)?)")
_MOMENT = re.compile(r"(\d{4}-\d\d-\d\d)(?: (\d\d:\d\d)(?: UTC)?)?")
_LONG = re.compile(rf"(\d{{1,2}}) ({'|'.join(MONTHS)}) (\d{{4}})")
_LETTER = r"A-Za-z\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u024f"
_BETWEEN = r" .,:/'’&_+–-"
_FROM_RIGHT = re.compile("[\u0590-\u08ff]")
_LATIN = re.compile(
    rf"(?:\[[{_LETTER}0-9 ]+\] )?[#@]?[{_LETTER}][{_LETTER}0-9]*"
    rf"(?:[{_BETWEEN}]+[{_LETTER}0-9]+| ?\([{_LETTER}0-9{_BETWEEN}]+\))*"
)
#: Around a text that keeps its own direction where no element can stand.
_APART, _END = "\N{FIRST STRONG ISOLATE}", "\N{POP DIRECTIONAL ISOLATE}"


class _Run(NamedTuple):
    """A piece of a sentence. What is `apart` is a name, an address or a title: written in its own direction. A `code`
    is one of the field's formats."""

    text: str
    apart: bool = False
    code: bool = False


def told(said: Sequence[Said], text: str, names: Mapping[str, str], language: Language) -> str:
    """A text of the house; `names` maps ids to what the page calls them ("entry 5").

    English stays as it was written, but for dates. What was not made of the tables' sentences (`said` is empty, or of
    another version) stays as it is.
    """
    if not _are_known(said):
        return _ID.sub(lambda found: names.get(found[1], found[1]) + found[2], text)
    if language.is_source:
        return _ID.sub(lambda found: names.get(found[1]) or _dated(found, language), text)
    return "".join(run.text for run in _sentences(said, names, language)).strip()


def told_html(said: Sequence[Said], text: str, language: Language) -> Markup:
    """The same for a page: names and addresses keep to themselves, and what stays English says so."""
    if language.is_source or not _are_known(said):
        return english(told(said, text, {}, language), language)
    return Markup("").join(_shown(run, language) for run in _sentences(said, {}, language)).strip()


def _shown(run: _Run, language: Language) -> Markup:
    if run.code:
        return Markup('<code dir="ltr">{}</code>').format(visible(run.text))
    return bdi(run.text) if run.apart else prose(run.text, language)


def reasons(incident: Incident, language: Language) -> list[Markup]:
    """What decided the kind of an incident, each reason apart."""
    behind = incident.said if len(incident.said) == len(incident.because) else ((),) * len(incident.because)
    return [told_html(said, text, language) for said, text in zip(behind, incident.because, strict=True)]


def line(text: str, language: Language) -> Markup:
    """A text that knows its sentences."""
    return told_html(said_in(text), text, language)


def slowness(finding: RateFinding, name: str, language: Language) -> Markup:
    """A slow stretch in one sentence; `name` is what a person calls the service."""
    return line(sentence(finding, name), language)


def ours(context: str, text: str, language: Language) -> Markup:
    """A text of our data, which catalogues have by its English words; where one lacks it, in English, which it says."""
    own = language.about(context, text)
    return english(text, language) if own == text else prose(own, language)


def english(text: str, language: Language) -> Markup:
    """A text in English, on a page in any language."""
    if language.is_source:
        return escape(visible(text))
    return Markup('<span lang="en" dir="auto">{}</span>').format(visible(text))


def bdi(text: str) -> Markup:
    """A name, address or title, in its own direction."""
    return Markup("<bdi>{}</bdi>").format(visible(text))


def prose(text: str, language: Language) -> Markup:
    """A sentence; in a language written from right to left each run of Latin letters keeps to itself."""
    return _with_runs(text, bdi, language)


def plain(text: str, language: Language) -> Markup:
    """The same for titles, and for words in pictures, where no element can stand."""
    return _with_runs(text, _isolated, language)


def recorded(text: str, language: Language) -> Markup:
    """A text of the record among such words."""
    return escape(visible(text)) if language.direction == "ltr" else _isolated(text)


def _isolated(text: str) -> Markup:
    return Markup("").join((_APART, escape(visible(text)), _END))


def _with_runs(text: str, apart: Callable[[str], Markup], language: Language) -> Markup:
    shown = visible(text)
    if language.direction == "ltr":
        return escape(shown)
    pieces, end = [], 0
    for run in _LATIN.finditer(shown):
        pieces += [escape(shown[end : run.start()]), apart(run[0])]
        end = run.end()
    return Markup("").join([*pieces, escape(shown[end:])])


def _are_known(said: Sequence[Said]) -> bool:
    """Whether there are sentences, and the tables have all of them with just these parts."""
    return bool(said) and all(_is_known(one) for one in said)


def _is_known(one: Said) -> bool:
    inside = [inner for _, value in one.parts if isinstance(value, tuple) for inner in value]
    return _PARTS.get(one.id) == frozenset(name for name, _ in one.parts) and all(map(_is_known, inside))


def _sentences(said: Iterable[Said], names: Mapping[str, str], language: Language) -> list[_Run]:
    return [run for one in said for run in _sentence(one, names, language)]


def _sentence(one: Said, names: Mapping[str, str], language: Language) -> list[_Run]:
    source, parts = _TABLE[one.id], dict(one.parts)
    # A table parts sentences by a space at one end; a translation can't lose it.
    before, after = source[: len(source) - len(source.lstrip())], source[len(source.rstrip()) :]
    runs = [_Run(before)]
    for literal, name, _, _ in Formatter().parse(language.about(one.id, source).strip()):
        runs += [_Run(literal)] if literal else []
        runs += _part(name, parts[name], names, language) if name else []
    return [*runs, _Run(after)]


def _part(name: str, value: str | int | tuple[Said, ...], names: Mapping[str, str], language: Language) -> list[_Run]:
    if isinstance(value, int):
        return [_Run(language.number(value))]
    if isinstance(value, tuple):
        if name in _ROWS:
            return _row([_sentence(one, names, language) for one in value], language, is_clause=name in _CLAUSES)
        return _sentences(value, names, language)
    return _SHOWN[name](value, names, language) if name in _SHOWN else [_Run(value, apart=True)]


def _row(items: Sequence[list[_Run]], language: Language, *, is_clause: bool = False) -> list[_Run]:
    comma = _Run(language.about("between clauses", "; ") if is_clause else language.about("between items", ", "))
    return [run for place, item in enumerate(items) for run in ([comma] if place else []) + item]


def _ids(value: str, names: Mapping[str, str], language: Language) -> list[_Run]:
    return _row([[_Run(names.get(item, item), item not in names)] for item in value.split(", ")], language)


def _states(value: str, _names: Mapping[str, str], language: Language) -> list[_Run]:
    return [_Run(language.listed([language.say(STATE[State(item)]) for item in value.split(" and ")]))]


def _when(value: str, _names: Mapping[str, str], language: Language) -> list[_Run]:
    shown = _moment(value, language)
    return [_Run(value, apart=True) if shown is None else _Run(shown)]


def _moment(value: str, language: Language) -> str | None:
    found, long = _MOMENT.fullmatch(value), _LONG.fullmatch(value)
    try:
        if long:
            return language.day(date(int(long[3]), MONTHS.index(long[2]) + 1, int(long[1])))
        if found is None:
            return None
        if found[2] is None:
            return language.day(date.fromisoformat(found[1]))
        return language.moment(datetime.fromisoformat(f"{found[1]}T{found[2]}").replace(tzinfo=UTC))
    except ValueError:
        return None


def _dated(found: re.Match[str], language: Language) -> str:
    return _moment(found[0], language) or found[0]


def _start(value: str, names: Mapping[str, str], language: Language) -> list[_Run]:
    return _ids(value, names, language) if value in names else _when(value, names, language)


def _place(value: str, _names: Mapping[str, str], language: Language) -> list[_Run]:
    return [_Run(language.place(place_code(value) or value))]


def _places(value: str, _names: Mapping[str, str], language: Language) -> list[_Run]:
    return _row([[_Run(language.place(code))] for code in value.split(", ")], language)


def _figure(value: str, _names: Mapping[str, str], language: Language) -> list[_Run]:
    return [_Run(language.figure(value))]


def _code(value: str, _names: Mapping[str, str], _language: Language) -> list[_Run]:
    return [_Run(value, code=True)]


def _signal(value: str, _names: Mapping[str, str], language: Language) -> list[_Run]:
    own = [_Run(language.say(SIGNAL[value])), _Run(" ")] if value in SIGNAL else []
    return [*own, _Run(value, code=True)]


def _law(value: str, _names: Mapping[str, str], language: Language) -> list[_Run]:
    own = language.about("law", value)
    return [_Run(own, apart=own == value)]


def _of_record(value: str, _names: Mapping[str, str], _language: Language) -> list[_Run]:
    """A title or a name: in the language of the page where the record has it, else apart."""
    return [_Run(value, apart=_FROM_RIGHT.search(value) is None)]


def _fact(value: str, _names: Mapping[str, str], language: Language) -> list[_Run]:
    return [_Run(language.about("fact", value))]


_TABLE = {one.id: one.text for table in (OF_RECORD, OF_INCIDENTS, OF_STORIES) for one in table.table.sentence}
_PARTS = {one.id: one.parts for table in (OF_RECORD, OF_INCIDENTS, OF_STORIES) for one in table.table.sentence}
#: Parts that are lists of sentences.
_ROWS = frozenset({"why", "laws", "aims"})
#: Of these, those with commas inside.
_CLAUSES = frozenset({"laws", "aims"})
#: How a text in the braces is shown. What is not here is a name, an address or a title, and stays as it is.
_SHOWN: dict[str, Callable[[str, Mapping[str, str], Language], list[_Run]]] = {
    **dict.fromkeys(("networks", "incidents", "entries", "entry", "evidence", "keys", "versions", "got"), _ids),
    **dict.fromkeys(("state", "claimed"), _states),
    **dict.fromkeys(("earliest", "latest", "due", "until", "since", "first", "last"), _when),
    **dict.fromkeys(("now", "before", "rate", "percent", "blocked", "down", "fine", "seconds"), _figure),
    "start": _start,
    "place": _place,
    **dict.fromkeys(("act", "section"), _law),
    **dict.fromkeys(("reason", "actor"), _of_record),
    "places": _places,
    "fact": _fact,
    "code": _code,
    "signal": _signal,
}
