"""A dossier verified: every check in its order, and what they come to in plain words."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import msgspec

from kholo.evidence import checks
from kholo.evidence.bundle import Dossier, opened
from kholo.evidence.checks import Check, Outcome, failed, not_checked
from kholo.evidence.seal import Statement
from kholo.model import DossierError

from .replay import replay

Tell = Callable[[str, int, int], None]
Seals = Callable[[Dossier], Iterator[Check]]

#: What no dossier can show by itself.
LIMITS = (
    "That the probes told the truth, and that whoever gave the raw measurements to this dossier gave all of them: look"
    " measurements up by their ids in the archive they came from (data/raw/objects.jsonl says which).",
    "That what the record says of the world is so: each entry names its sources, some with an archived copy inside.",
)


class Verified(msgspec.Struct, frozen=True):
    """What verifying a dossier came to. `statement` is None where nothing in it could be read."""

    statement: Statement | None
    checks: tuple[Check, ...]

    @property
    def holds(self) -> bool:
        """Whether nothing failed."""
        return all(check.outcome is not Outcome.FAILED for check in self.checks)

    def of(self, outcome: Outcome) -> list[Check]:
        """The checks that came to this."""
        return [check for check in self.checks if check.outcome is outcome]


def verify(path: Path, seals: Seals, workers: int, tell: Tell, rerun: bool = True) -> Verified:
    """Check a dossier: form and hashes, then what `seals` checks (signatures, times, log), then compute it all anew.

    Raises `UsageError` where there is no such file; whatever is wrong inside of it is a check that failed.
    """
    try:
        with opened(path) as dossier:
            done = list(_checked(dossier, seals, workers, tell, rerun))
            return Verified(dossier.statement, tuple(done))
    except DossierError as error:
        return Verified(None, (failed("files", str(error)),))


def _checked(dossier: Dossier, seals: Seals, workers: int, tell: Tell, rerun: bool) -> Iterator[Check]:
    form = list(checks.form(dossier, partial(tell, "hashing")))
    yield from form
    yield from seals(dossier)
    if any(check.outcome is Outcome.FAILED for check in form):
        yield not_checked("re-run", "nothing was computed anew, since it is not what was sealed")
    elif not rerun:
        yield not_checked("re-run", "nothing was computed anew, as asked (--no-rerun)")
    else:
        yield from replay(dossier, workers, tell)
