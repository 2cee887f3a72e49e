"""A paper of one kind in one language, put together from its template and a case."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache, partial
from types import MappingProxyType

import msgspec

from kholo.model import UsageError
from kholo.publish import CaseView
from kholo.publish.recorded import in_language, is_read

from . import certificate, files, more
from .document import Block, Document, Heading, Items, Paragraph, Run, Style, spoken
from .known import Parts
from .language import Gap, Language, language
from .notes import Notes, from_record
from .report import Report
from .signatories import Signatory

_FOLDER = "kinds"


class Step(msgspec.Struct, frozen=True):
    """One step of a template: `# key` a heading, `@name` a computed part, `+ key` an item, else a paragraph.

    `#! key` is a heading on a new page. `when`: only if this holds of the case (empty: always).
    """

    step: str
    when: str = ""


class Kind(msgspec.Struct, frozen=True):
    """A template. `signed`: people put their names to it."""

    title: str
    body: tuple[Step, ...]
    signed: bool = False


def kinds() -> list[str]:
    """The kinds of papers there are templates for."""
    return files.names(_FOLDER)


@cache
def template(kind: str) -> Kind:
    """One template. Raises `UsageError` for a kind that is none."""
    if kind not in kinds():
        raise UsageError(f"{kind!a}: no papers of this kind; there are: {', '.join(kinds())}")
    return files.read(f"{_FOLDER}/{kind}", Kind)


def paper(
    view: CaseView,
    kind: str,
    code: str,
    signatories: Sequence[Signatory] = (),
    *,
    root: str = "",
    answers: Mapping[str, str] = MappingProxyType({}),
) -> Document:
    """A paper. The same view, kind, language and what is given besides make the same document.

    `root`: of the dossier that a report belongs to (hex). `answers`: of who swears to it (`certificate.read_answers`).
    """
    return _composer(view, kind, code, root, answers).document(signatories)


def statement_digest(view: CaseView, kind: str, code: str) -> str:
    """SHA-256 (hex) over the words of a paper without its list of signatories: what people put their names to."""
    return _composer(view, kind, code).digest()


def _composer(
    view: CaseView, kind: str, code: str, root: str = "", answers: Mapping[str, str] = MappingProxyType({})
) -> _Composer:
    words = language(code)
    return _Composer(in_language(view, words.spoken), kind, words, root, answers)


class _Composer:
    def __init__(
        self,
        view: CaseView,
        kind: str,
        words: Language,
        root: str = "",
        answers: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self._view, self._kind, self._words, self._answers = view, kind, words, answers
        self._notes = Notes(view, words)
        self._parts = Parts(view, words, self._notes)
        self._report = Report(view, words, self._notes, self._parts, root)
        self._given = self._gaps()

    def document(self, signatories: Sequence[Signatory]) -> Document:
        made = _Composer(self._view, self._kind, self._words).digest() if template(self._kind).signed else ""
        return self._made(partial(more.signed, signatories, made, self._words, self._notes))

    def digest(self) -> str:
        return hashlib.sha256(" ".join(spoken(self._made(list))).encode()).hexdigest()

    def _made(self, signed: Callable[[], list[Block]]) -> Document:
        words, chosen = self._words, template(self._kind)
        blocks = _with_lists(self._steps(chosen.body, signed))
        return Document(
            kind=self._kind,
            language=words.language,
            direction=words.direction,
            heading=words.say(chosen.title, **self._given),
            notice=words.texts["simulated"] if self._view.simulated else "",
            marks=() if words.is_reviewed and is_read([self._view], words.spoken) else (words.texts["unreviewed"],),
            blocks=(*self._head(), *blocks),
            notes=self._notes.all,
            words={"notes": words.texts["notes"], "page": words.texts["page"], "digits": words.digits},
        )

    def _head(self) -> tuple[Block, ...]:
        text = self._words.say("meta", **self._given)
        return (Paragraph(text, is_meta=True),)

    def _steps(self, steps: Iterable[Step], signed: Callable[[], list[Block]]) -> Iterable[Block]:
        view, words, notes, parts, report = self._view, self._words, self._notes, self._parts, self._report
        computed: Mapping[str, Callable[[], list[Block]]] = {
            "known": parts.known,
            "orders": parts.orders,
            "clocks": parts.clocks,
            "contradicted": parts.contradicted,
            "claims": parts.claims,
            "chronology": parts.chronology,
            "corrections": parts.corrections,
            "undetermined": parts.undetermined,
            "questions": parts.questions,
            "effect": lambda: more.effect(view, words, notes),
            "method": lambda: more.method(view, words, notes),
            "signed": signed,
            "identity": report.identity,
            "answer": report.answer,
            "chart": report.chart,
            "numbered": lambda: parts.chronology(is_numbered=True),
            "incidents": report.incidents,
            "test": report.test,
            "limits": report.limits,
            "glossary": report.glossary,
            "verify": report.verify,
            "certificate": lambda: certificate.form(self._answers, words, notes),
            "provisions": lambda: certificate.provisions(words, notes),
        }
        for one in steps:
            if one.when and not self._holds(one.when):
                continue
            mark, _, key = one.step.partition(" ")
            if one.step.startswith("@"):
                name = one.step[1:]
                yield from computed[name]()
            elif mark in ("#", "#!"):
                yield Heading(words.say(key, **self._given), on_new_page=mark == "#!")
            elif mark == "+":
                yield Items((words.say(key, **self._given),), is_numbered=True)
            else:
                yield Paragraph(words.say(one.step, **self._given))

    def _holds(self, condition: str) -> bool:
        has_law = more.information_law(self._view.case.place) is not None
        held = {
            "open": self._parts.is_open,
            "ended": not self._parts.is_open,
            "tested": bool(self._view.checklist),
            "silent": self._parts.is_silent,
            "law": has_law,
            "no_law": not has_law,
        }
        return held[condition]

    def _gaps(self) -> dict[str, Gap]:
        view, words = self._view, self._words
        regulator = next((actor.name for actor in view.case.actors if actor.role == "regulator"), "")
        return {
            "case": from_record(view.case.title),
            "case_id": (Run(view.case.id, Style.CODE),),
            "service": from_record(view.service),
            "place": from_record(view.case.place),
            "regulator": from_record(regulator or "________"),
            "as_of": words.moment(view.as_of),
            "case_note": partial(self._notes.whole, "note.case", f"kholo case check cases/{view.case.id}"),
            **more.law_parts(view.case.place, words, self._notes),
        }


def _with_lists(blocks: Iterable[Block]) -> list[Block]:
    """Items of a template that follow on each other are one list."""
    out: list[Block] = []
    for block in blocks:
        last = out[-1] if out else None
        if isinstance(block, Items) and isinstance(last, Items) and block.is_numbered and last.is_numbered:
            out[-1] = Items((*last.rows, *block.rows), is_numbered=True)
        else:
            out.append(block)
    return out
