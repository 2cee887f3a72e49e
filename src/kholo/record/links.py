"""Links between entries: they lead somewhere, not to themselves, and retractions not in a circle."""

from __future__ import annotations

from collections.abc import Sequence

from kholo.model import Entry, Problem

from .read import Problems, nearest


def check_links(entries: Sequence[Entry], problems: Problems) -> None:
    """Note every link that leads nowhere, and every circle of retractions."""
    by_id = {entry.id: entry for entry in entries}
    for entry in entries:
        for key, links in (("contradicts", entry.contradicts), ("retracts", entry.retracts)):
            for link in links:
                if link == entry.id:
                    problems.found.append(Problem(entry.file, 0, key, f"{link!r} is this entry itself"))
                elif link not in by_id:
                    known = (
                        nearest(link, sorted(by_id)) if len(by_id) < 20 else nearest(link, by_id).split("?")[0] + "?"
                    )
                    problems.found.append(Problem(entry.file, 0, key, f"there is no entry {link!r}; {known}"))
    for entry in entries:
        if _reaches(entry.id, by_id):
            message = "retractions go in a circle: an entry can't in the end retract itself"
            problems.found.append(Problem(entry.file, 0, "retracts", message))


def _reaches(start: str, by_id: dict[str, Entry]) -> bool:
    """Whether following retractions from an entry leads back to it."""
    seen: set[str] = set()
    ahead = list(by_id[start].retracts)
    while ahead:
        step = ahead.pop()
        if step == start:
            return start not in by_id[start].retracts
        if step in by_id and step not in seen:
            seen.add(step)
            ahead += by_id[step].retracts
    return False
