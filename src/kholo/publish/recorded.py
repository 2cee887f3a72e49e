"""The record in the language of a page: what a case has a translation for, and the rest as it was written."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from kholo.model import Actor, Case, Effect, Entry, TestAnswer
from kholo.record import checklist

from .language import Language
from .view import CaseView


def in_language(view: CaseView, language: Language) -> CaseView:
    """The view with every text that the case has in this language; quotes and names of sources stay as they are.

    The answers of the three-part test name entries by their titles, so they are put together anew.
    """
    if language.code not in view.case.languages:
        return view
    spoken = _Spoken(view.case, language.code)
    case = spoken.case()
    return msgspec.structs.replace(
        view,
        case=case,
        checklist=checklist(case, view.incidents, view.clocks, view.as_of),
        effect=view.effect and spoken.effect(view.effect),
    )


def translated(views: Iterable[CaseView], language: Language) -> frozenset[str]:
    """Every text that cases have in this language: what of the record is not in it is in English."""
    found = (view.case.languages.get(language.code) for view in views)
    return frozenset().union(*(one.texts.values() for one in found if one))


def is_read(views: Iterable[CaseView], language: Language) -> bool:
    """Whether a person has read all that a page over these cases says in this language."""
    found = (view.case.languages.get(language.code) for view in views)
    return language.is_reviewed and all(one.is_reviewed for one in found if one)


class _Spoken:
    """One case in one language."""

    def __init__(self, case: Case, code: str) -> None:
        self._case, self._texts = case, case.languages[code].texts

    def _say(self, text: str) -> str:
        return self._texts.get(text, text)

    def case(self) -> Case:
        """The case with its texts."""
        case = self._case
        return msgspec.structs.replace(
            case,
            title=self._say(case.title),
            summary=self._say(case.summary),
            limits=tuple(map(self._say, case.limits)),
            actors=tuple(map(self._actor, case.actors)),
            entries=tuple(map(self._entry, case.entries)),
            answers=tuple(map(self._answer, case.answers)),
        )

    def effect(self, effect: Effect) -> Effect:
        """The estimates with what their inputs say."""
        inputs = tuple(msgspec.structs.replace(item, says=self._say(item.says)) for item in effect.inputs)
        return msgspec.structs.replace(effect, inputs=inputs)

    def _actor(self, actor: Actor) -> Actor:
        return msgspec.structs.replace(actor, name=self._say(actor.name))

    def _entry(self, entry: Entry) -> Entry:
        return msgspec.structs.replace(
            entry, title=self._say(entry.title), summary=self._say(entry.summary), notes=self._say(entry.notes)
        )

    def _answer(self, answer: TestAnswer) -> TestAnswer:
        return msgspec.structs.replace(answer, says=self._say(answer.says))
