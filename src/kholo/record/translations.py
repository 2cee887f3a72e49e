"""`languages/*.po` of a case folder: its texts in other languages, as gettext catalogues.

The record stays as it was written, in English; a translation stands beside it and decides nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from io import BytesIO, StringIO

import msgspec
from babel import Locale, UnknownLocaleError
from babel.messages.catalog import Catalog
from babel.messages.catalog import Message as PoMessage
from babel.messages.pofile import PoFileError, read_po, write_po

from kholo.model import Case, EffectInput, Translation, UsageError

from .files import Files, Problems
from .text import fault_of_text, shown

FOLDER = "languages"
#: What stands above a text of a catalogue that no person has read yet.
MACHINE = "machine text"
#: Characters of one text, and languages of one case.
LONGEST, MOST = 6_000, 50

_CODE = re.compile(r"[a-z]{2,3}(?:-[A-Za-z0-9]{2,8}){0,3}")
_LINE = re.compile(
    r'(?:#(?!~).*|(?:#~)?\s*(?:(msgid|msgid_plural|msgctxt|msgstr(?:\[\d+\])?)[ \t]+)?"((?:[^"\\]|\\.)*)"|#~)?',
    re.DOTALL,
)
_WHEN = re.compile(
    rb'"(?:Report-Msgid-Bugs-To|POT-Creation-Date|PO-Revision-Date|Generated-By|Last-Translator|Language-Team):'
    rb' [^"]*"\n'
)


class Standing(msgspec.Struct, frozen=True):
    """How far a translation is: texts of the case, those it has, those no person has read, and old ones put aside."""

    texts: int
    translated: int
    machine: int
    unused: int


def path_of(code: str) -> str:
    """Where the catalogue of a language is, inside the case. Raises `UsageError` for what is no code of a language."""
    try:
        if not _CODE.fullmatch(code) or code == "en":
            raise ValueError
        Locale.parse(code, sep="-")
    except (ValueError, UnknownLocaleError):
        why = "is no language that a case can be translated into; a code such as ur or pt-BR"
        raise UsageError(f"{shown(code)} {why}") from None
    return f"{FOLDER}/{code}.po"


def texts(case: Case, inputs: Iterable[EffectInput]) -> dict[str, str]:
    """Every text of a case that pages and papers show, in its order, with where it stands first.

    Of texts that are too long for a catalogue there is no translation.
    """
    found: dict[str, str] = {}
    for place, text in _places(case, inputs):
        if text and len(text) <= LONGEST:
            found.setdefault(text, place)
    return found


def _places(case: Case, inputs: Iterable[EffectInput]) -> Iterator[tuple[str, str]]:
    yield "case.toml: title", case.title
    yield "case.toml: summary", case.summary
    yield from (("case.toml: limits", limit) for limit in case.limits)
    yield from ((f"case.toml: actor {actor.id}", actor.name) for actor in case.actors)
    for entry in case.entries:
        yield f"{entry.file}: title", entry.title
        yield f"{entry.file}: summary", entry.summary
        yield f"{entry.file}: notes", entry.notes
    yield from ((f"three-part-test.toml: {answer.question}", answer.says) for answer in case.answers)
    yield from ((f"effect.toml: {item.name}", item.says) for item in inputs)


def read_translations(files: Files, problems: Problems) -> Mapping[str, Translation]:
    """The translations by their languages. None where there is no such folder; mistakes are noted."""
    found = files.catalogues(FOLDER, problems)
    if len(found) > MOST:
        problems.note(FOLDER, f"has more than {MOST} languages")
    made = {}
    for name in found[:MOST]:
        code = name.removeprefix(f"{FOLDER}/").removesuffix(".po")
        if not _CODE.fullmatch(code) or code == "en":
            problems.note(f"{FOLDER}/{shown(code)}.po", "is not named by a language, such as ur.po or pt-BR.po")
        elif (text := files.text(name, problems)) is not None:
            made[code] = _translation(name, code, text, problems)
    return made


def _translation(name: str, code: str, text: str, problems: Problems) -> Translation:
    if wrong := _misshapen(text):
        problems.note(name, wrong[1], line=wrong[0])
        return Translation({})
    try:
        catalogue = read_po(StringIO(text), abort_invalid=True)
    except PoFileError as error:
        # It counts lines from 0, and says so at the end of its message.
        what = str(error).rpartition(" on ")[0]
        problems.note(name, f"is no gettext catalogue: {shown(what)}", line=(error.lineno or 0) + 1)
        return Translation({})
    except (ValueError, LookupError) as error:
        problems.note(name, f"is no gettext catalogue: {shown(str(error))}")
        return Translation({})
    for line, fault in _odd(catalogue, code):
        problems.note(name, fault, line=line)
    every = [message for message in (*catalogue, *catalogue.obsolete.values()) if message.id]
    for message in every:
        if fault := _fault(str(message.id), str(message.string)):
            problems.note(name, fault, line=message.lineno or 0)
    used = list(filter(_is_shown, catalogue))
    found = {str(message.id): str(message.string) for message in used}
    return Translation(found, not any(map(is_machine, used)))


def _is_shown(message: PoMessage) -> bool:
    """Whether pages show the translation: that of a fuzzy one was of another text."""
    return bool(message.id and message.string and not message.fuzzy)


def is_machine(message: PoMessage) -> bool:
    """Whether no person has read the text of a catalogue yet."""
    return any(comment.casefold().startswith(MACHINE) for comment in message.user_comments)


def _misshapen(text: str) -> tuple[int, str] | None:
    """The first line that Babel would read in its own way, and what is wrong with it.

    It takes texts without quotes, drops a letter where a quote is missing, and of a text that stands twice loses one.
    """
    found = [_LINE.fullmatch(line.strip()) for line in text.split("\n")]
    for number, shape in enumerate(found, 1):
        if shape is None:
            return number, "is no line of a catalogue, such as msgstr and a text in straight quotes on both sides"
        if shape[1] and shape[1].startswith(("msgid_plural", "msgstr[")):
            # A header can ask for a plural of any number of forms, each of which takes memory.
            return number, "has a plural; a text of a case has none"
    known: dict[str, int] = {}
    for number, named in _named(filter(None, found)):
        if first := known.get(named):
            return number, f"is a text that stands in line {first} too; one of the two would be lost"
        known[named] = number
    return None


def _named(lines: Iterable[re.Match[str]]) -> Iterator[tuple[int, str]]:
    """The texts that are translated, as they are written, each with its first line."""
    begun, named = 0, ""
    for number, line in enumerate(lines, 1):
        word, quoted = line.groups()
        if begun and not word and quoted is not None:
            named += quoted
            continue
        if begun:
            yield begun, named
        is_next = word == "msgid" and not line[0].startswith("#")
        begun, named = (number, quoted) if is_next else (0, "")
    if begun:
        yield begun, named


def _odd(catalogue: Catalog, code: str) -> Iterator[tuple[int, str]]:
    """What a header says that is not so."""
    said = str(catalogue.locale_identifier or code).replace("_", "-")
    if said.lower() != code.lower():
        yield 0, f"says that its language is {shown(said)}, and is named {code}"
    if catalogue.charset.lower().replace("_", "-") not in ("utf-8", "utf8"):
        yield 0, f"says that its charset is {shown(catalogue.charset)}; it is read as UTF-8"


def _fault(text: str, translation: str) -> str:
    # Babel takes the square of the time for twice the text, when it looks for formats in it and breaks its lines.
    longest = max(len(text), len(translation))
    if longest > LONGEST:
        return f"has a text of {longest} characters; {LONGEST} are allowed"
    fault = fault_of_text(translation) if translation else ""
    return f"its translation {fault}" if fault else ""


def _empty(case: str, code: str) -> Catalog:
    says = "# kholo case translate brings this file up to date with the texts of the case."
    return Catalog(locale=Locale.parse(code, sep="-"), project=case, version="1", header_comment=says, fuzzy=False)


def updated(content: str | None, case: str, code: str, wanted: Mapping[str, str]) -> tuple[bytes, Standing]:
    """The catalogue of a case (its id) with every text of `texts` in its order, and how far it is.

    What is there stays, with its remarks; what is no text of the case any more is put aside at the end, and comes back
    with the text. The same case and catalogue give the same bytes. Raises `PoFileError`.
    """
    made = read_po(StringIO(content), abort_invalid=True) if content else _empty(case, code)
    for text in wanted:
        if text in made.obsolete and text not in made:
            made[text] = made.obsolete.pop(text)
    template = Catalog(fuzzy=False)
    for text, place in wanted.items():
        template.add(text, auto_comments=[place])
    made.update(template, no_fuzzy_matching=True)
    for key in [key for key, message in made.obsolete.items() if not message.string]:
        del made.obsolete[key]
    known = [message for message in made if message.id]
    done = list(filter(_is_shown, known))
    return written(made), Standing(len(known), len(done), sum(map(is_machine, done)), len(made.obsolete))


def written(catalogue: Catalog, *, is_sorted: bool = False) -> bytes:
    """A catalogue as a file, without when it was written and by whom: the same texts make the same bytes."""
    out = BytesIO()
    write_po(out, catalogue, width=116, sort_output=is_sorted, no_location=True)
    return _WHEN.sub(b"", out.getvalue())
