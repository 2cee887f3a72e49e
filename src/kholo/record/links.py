"""Links between entries: they lead somewhere, to what they may lead to, back in time, and never in a circle."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

from kholo.model import Entry

from .files import Problems
from .format import LINKS, Key
from .read import Table
from .text import nearest, shown


def check_links(entries: Sequence[Entry], tables: Mapping[str, Table], problems: Problems, is_whole: bool) -> None:
    """Note, in the table of its file, every link that can't be. `is_whole`: every file of the record could be read."""
    by_id = {entry.id: entry for entry in entries if entry.id}
    for key in LINKS:
        graph = {entry.id: links_of(entry, key) for entry in entries}
        circular = _in_circles(graph) if key.is_acyclic else frozenset[str]()
        for entry in () if problems.is_full else entries:
            table = tables[entry.file]
            written = table.values.get(key.name, ())
            for link in () if problems.is_full else graph[entry.id]:
                fault = _fault(entry, key, link, by_id)
                if fault and (is_whole or link in by_id):
                    table.problem(key.name, fault, *([written.index(link)] if link in written else []))
            if entry.id in circular:
                table.problem(key.name, f"{key.gloss} go in a circle: by way of others the entry leads back to itself")


def links_of(entry: Entry, key: Key) -> tuple[str, ...]:
    """The entries that an entry leads to under one key."""
    found: tuple[str, ...] = getattr(entry, key.name)
    return found


def _fault(entry: Entry, key: Key, link: str, by_id: Mapping[str, Entry]) -> str:
    if link == entry.id:
        return f"{link!r} is this entry itself"
    other = by_id.get(link)
    if other is None:
        return f"there is no entry {shown(link)}; {nearest(link, sorted(by_id))}"
    if key.targets and other.kind not in key.targets:
        kinds = " or ".join(sorted(key.targets))
        return f"{link!r} is of the kind {other.kind}; this leads to: {kinds}"
    if key.name != "contradicts" and date.min < entry.latest < other.earliest:
        return f"{link!r} is of {other.earliest}, after this entry ({entry.latest}); is a date wrong?"
    return ""


def _in_circles(graph: Mapping[str, Sequence[str]]) -> frozenset[str]:
    """The ids that following the links leads back to, by way of others. Linear in ids and links (Tarjan)."""
    order: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    held: set[str] = set()
    found: set[str] = set()
    for root in graph:
        if root in order:
            continue
        work = [(root, iter(graph[root]))]
        order[root] = low[root] = len(order)
        stack.append(root)
        held.add(root)
        while work:
            here, ahead = work[-1]
            step = next((link for link in ahead if link in graph and (link not in order or link in held)), None)
            if step is None:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[here])
                if low[here] == order[here]:
                    cut = stack.index(here)
                    part, stack[cut:] = stack[cut:], []
                    held.difference_update(part)
                    found.update(part if len(part) > 1 else ())
            elif step in order:
                low[here] = min(low[here], order[step])
            else:
                order[step] = low[step] = len(order)
                stack.append(step)
                held.add(step)
                work.append((step, iter(graph[step])))
    return frozenset(found)
