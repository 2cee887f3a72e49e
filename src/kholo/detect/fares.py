"""How often the detector was wrong where the truth was known: from the report that `make detector-report` writes."""

from __future__ import annotations

from functools import cache
from importlib import resources

import msgspec

from kholo.model import ReferenceDataError

_SECTION, _ROW = "## Three results a day", "kholo"
_COLUMNS = ("false per 1,000 quiet years", "recall", "onset held", "end held")


class Fares(msgspec.Struct, frozen=True):
    """Of series with three results a day. `false`: incidents that were none, per 1,000 quiet years.

    In per cent: `recall`, the events that were found, and of these those whose true onset and end lay in the bracket.
    """

    false: float
    recall: float
    onset: float
    end: float


@cache
def fares() -> Fares:
    """The figures of the report that is shipped."""
    return read(resources.files(__package__).joinpath("report.md").read_text(encoding="utf-8"))


def read(text: str) -> Fares:
    """The figures of a report. Raises `ReferenceDataError` where its table is not as expected."""
    section = text.partition(f"{_SECTION}\n")[2].partition("\n## ")[0]
    rows = [[cell.strip() for cell in line.split("|")] for line in section.splitlines() if line.startswith("|")]
    own = next((row for row in rows if row[1] == _ROW), None)
    try:
        if own is None:
            raise ValueError("it has no row of ours")
        values = [float(own[rows[0].index(name)].removesuffix("%")) for name in _COLUMNS]
    except (ValueError, IndexError) as error:
        raise ReferenceDataError(f"the detector's report can't be read: {error}") from error
    return Fares(*values)
