"""Links between entries: they lead somewhere, not to themselves, and retractions not in a circle."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from kholo.model import Entry

from .read import Table, nearest


def check_links(entries: Sequence[Entry], tables: Mapping[str, Table]) -> None:
    """Note, in the table of its file, every link that leads nowhere, and every circle of retractions."""
    by_id = {entry.id: entry for entry in entries}
    for entry in entries:
        table = tables[entry.file]
        for key, links in (("contradicts", entry.contradicts), ("retracts", entry.retracts)):
            for link in links:
                if link == entry.id:
                    table.problem(key, f"{link!r} is this entry itself")
                elif link not in by_id:
                    table.problem(key, f"there is no entry {link!r}; {nearest(link, sorted(by_id))}")
        if _is_circular(entry, by_id):
            table.problem("retracts", "retractions go in a circle: an entry can't in the end retract itself")


def _is_circular(entry: Entry, by_id: Mapping[str, Entry]) -> bool:
    """Whether following retractions from an entry leads back to it by way of others."""
    seen: set[str] = set()
    ahead = [link for link in entry.retracts if link != entry.id]
    while ahead:
        step = ahead.pop()
        if step == entry.id:
            return True
        if step in by_id and step not in seen:
            seen.add(step)
            ahead += by_id[step].retracts
    return False
