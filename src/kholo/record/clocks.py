"""The clocks: days since an order was due, days without a reason or an answer, days until words were taken back."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from kholo.model import Case, Clock, DayState, Incident

from .compliance import compliance
from .evidence import Evidence
from .silence import questions, retractions, silence


def clocks(case: Case, incidents: Iterable[Incident], days: Iterable[DayState], as_of: datetime) -> tuple[Clock, ...]:
    """Compliance for each order with an obligation (for the place, and each network measured), silence, retractions.

    Sorted by kind, start, entry and network. A running clock counts to `as_of` (UTC). Entries that are later than that
    did not happen yet; findings are what is known today of the time before it.
    """
    incidents = list(incidents)
    evidence = Evidence(case, incidents, days)
    found = [
        clock
        for entry in case.entries
        if entry.obligation and entry.obligation.due <= as_of
        for clock in compliance(evidence, entry, entry.obligation, as_of)
    ]
    found += silence(evidence, incidents, as_of)
    found += questions(case, as_of)
    found += retractions(case, as_of)
    return tuple(sorted(found, key=lambda clock: (clock.clock, clock.started, clock.entry_id, clock.network or "")))
