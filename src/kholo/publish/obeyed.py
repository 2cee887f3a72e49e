"""Whether an order was obeyed, as a headline that says no more than its clock."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from kholo.model import Clock, Entry, Standing

from .language import Language
from .view import CaseView


class Obeyed(msgspec.Struct, frozen=True):
    """The headline, the days that were counted (None: no clock), and whether they still are."""

    text: str
    days: int | None
    runs: bool


def obeyed(clocks: Sequence[Clock], language: Language) -> Obeyed:
    """The headline of an order's clocks over the whole place. Where several tell of relapses, the last one decides."""
    if not clocks:
        return Obeyed(language.say("Not known: nothing shows how it was when the order fell due."), None, False)
    last = max(clocks, key=lambda clock: clock.started)
    days, runs = sum(clock.days for clock in clocks), last.stopped is None
    return Obeyed(_headline(last, days, runs, language), days, runs)


def _headline(last: Clock, days: int, runs: bool, language: Language) -> str:
    if last.standing is Standing.MET_THROUGHOUT:
        return language.say("Obeyed when it fell due, as far as the evidence goes.")
    if last.standing is Standing.MET:
        return _met(last, days, language)
    if last.standing is Standing.RELAPSED:
        return language.many(
            "Obeyed at first or later, and then not any more: {n} day not obeyed.",
            "Obeyed at first or later, and then not any more: {n} days not obeyed.",
            days,
        )
    if runs:
        return language.many(
            "Not obeyed for {n} day so far, as far as the evidence goes.",
            "Not obeyed for {n} days so far, as far as the evidence goes.",
            days,
        )
    return language.many(
        "Not obeyed in the {n} day that was counted.", "Not obeyed in the {n} days that were counted.", days
    )


def _met(last: Clock, days: int, language: Language) -> str:
    if days:
        return language.many(
            "Met {n} day late, as far as the evidence goes.", "Met {n} days late, as far as the evidence goes.", days
        )
    if last.first_met is not None and last.first_met > last.started:
        return language.say("Met less than a day late, as far as the evidence goes.")
    return language.say("Obeyed when it fell due, as far as the evidence goes. What came after is told with the order.")


def replies(view: CaseView, order: Entry) -> list[Entry]:
    """What authorities (regulators, governments) said from the day of an order on, as long as it held, oldest first."""
    until = order.obligation.until if order.obligation else None
    roles = {actor.id: actor.role for actor in view.case.actors}
    return [
        entry
        for entry in sorted(view.case.entries, key=lambda entry: (entry.earliest, entry.id))
        if roles.get(entry.actor) in {"regulator", "government"}
        and entry.id != order.id
        and entry.latest >= order.earliest
        and (until is None or entry.earliest <= until.date())
    ]
