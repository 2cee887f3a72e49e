"""What is new: what was told before against what is found now. No clock, no disk, no network."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

import msgspec

from kholo.model import Bracket, Incident

from .match import gap, group_of, matched, overlap
from .told import Facts, Gone, Known, News, NewsKind, Told, facts, identified

#: Dates that move by no more than this are not worth a correction.
TOLERANCE = timedelta(days=1)
#: What began longer ago than this and is over is not told at a first look.
RECENT = timedelta(days=30)
_RANK = {kind: rank for rank, kind in enumerate(NewsKind)}


def news(before: Told, now: Sequence[Incident], at: datetime) -> tuple[list[News], Told]:
    """What is new at the moment `at`, and what is told once that was.

    The order of `now` makes no difference; told once, the same incidents give no news again. A moment before that of
    the last look counts as the last look's.
    """
    moment = max(at, before.at) if before.at else at
    look = _Look(moment, before)
    found = sorted((facts(incident) for incident in now), key=_order)
    groups: dict[tuple[str, str, str, bool], tuple[list[Known], list[Facts]]] = {}
    for known in before.known:
        groups.setdefault(group_of(known.seen), ([], []))[0].append(known)
    for item in found:
        groups.setdefault(group_of(item), ([], []))[1].append(item)
    for _, (then, today) in sorted(groups.items(), key=lambda group: group[0]):
        look.compare(then, today)
    told = sorted(look.news, key=lambda item: (item.incident.onset, item.thread, _RANK[item.kind], item.news_id))
    return told, Told(moment, tuple(sorted(look.known, key=lambda known: known.thread)))


def _order(item: Facts) -> tuple[Bracket, bytes]:
    return item.onset, msgspec.json.encode(item)


class _Look:
    """One comparison; gathers `news` and what is `known` afterwards."""

    def __init__(self, at: datetime, before: Told) -> None:
        self.at = at
        self.is_first = before.at is None
        self.news: list[News] = []
        self.known: list[Known] = []
        self._threads = {known.thread for known in before.known}

    def compare(self, known: Sequence[Known], now: Sequence[Facts]) -> None:
        """Everything new in one group (service, place, state, simulated or not)."""
        match = matched(known, now)
        hosts = {old.thread: host for old in match.lost if (host := self._host(old, match.pairs))}
        for old, new in match.pairs:
            joined = [lost for lost in match.lost if lost.thread in hosts and hosts[lost.thread][0] is old]
            self._still_there(old, new, {name for lost in joined if lost.news for name in lost.networks})
        for old in match.lost:
            self._lost(old, hosts.get(old.thread))
        for new in match.fresh:
            self._fresh(new, [old for old in known if not old.gone and gap(old.seen, new) == timedelta(0)])

    @staticmethod
    def _host(lost: Known, pairs: Iterable[tuple[Known, Facts]]) -> tuple[Known, Facts] | None:
        """The incident that holds now what was told as one of its own."""
        if lost.gone:
            return None
        over = [pair for pair in pairs if gap(lost.seen, pair[1]) == timedelta(0)]
        return max(over, key=lambda pair: (overlap(lost.seen, pair[1]), pair[0].thread), default=None)

    def _still_there(self, old: Known, new: Facts, told_elsewhere: set[str]) -> None:
        found = [] if old.gone else [*_corrections(old, new), *_progress(old, new, told_elsewhere)]
        if old.gone and old.news:
            found = [_news(NewsKind.CORRECTED, old, new, is_found_again=True)]
        elif not old.news:
            # Nobody was told of it: only that it goes on is news.
            found = [item for item in found if item.kind is NewsKind.RESUMED]
        if found or not old.news:
            self._tell(found)
            self.known.append(_known(old.thread, new, old.news + len(found)))
        else:
            # What readers have stays beside what is seen, so that small steps add up to a correction.
            self.known.append(msgspec.structs.replace(old, seen=new, networks=new.networks))

    def _lost(self, old: Known, host: tuple[Known, Facts] | None) -> None:
        if old.gone:
            self.known.append(old)
            return
        if host:
            thread, incident = host[0].thread, host[1]
            item = _news(NewsKind.CORRECTED, old, incident, told_onset=old.onset, told_end=old.end, part_of=thread)
        else:
            incident = msgspec.structs.replace(old.seen, onset=old.onset, end=old.end)
            item = _news(NewsKind.WITHDRAWN, old, incident)
        told = [item] if old.news else []
        self._tell(told)
        gone = Gone.JOINED if host else Gone.WITHDRAWN
        self.known.append(msgspec.structs.replace(old, gone=gone, news=old.news + len(told)))

    def _fresh(self, new: Facts, over: Sequence[Known]) -> None:
        known = _known(self._thread(new), new, 1)
        was = next((old for old in over if old.news), None)
        if was:
            self._tell([_news(NewsKind.CORRECTED, known, new, apart_from=was.thread)])
        elif (over or self.is_first) and not self._is_worth_telling(new):
            known = msgspec.structs.replace(known, news=0)
        else:
            self._tell([_news(NewsKind.OPENED, known, new)])
        self.known.append(known)

    def _is_worth_telling(self, new: Facts) -> bool:
        return new.end is None or new.onset.latest >= self.at - RECENT

    def _thread(self, new: Facts) -> str:
        """The incident's id; with a number where another incident had it first."""
        name, number = new.incident_id, 1
        while name in self._threads:
            number += 1
            name = f"{new.incident_id}-{number}"
        self._threads.add(name)
        return name

    def _tell(self, found: Iterable[News]) -> None:
        self.news += [identified(msgspec.structs.replace(item, at=self.at)) for item in found]


def _known(thread: str, new: Facts, told: int) -> Known:
    return Known(thread, new, new.onset, new.end, new.networks, told)


def _news(kind: NewsKind, old: Known, incident: Facts, **more: object) -> News:
    fields = {"news_id": "", "kind": kind, "thread": old.thread, "at": incident.last_seen, "incident": incident}
    return News(**(fields | more))  # type: ignore[arg-type]


def _corrections(old: Known, new: Facts) -> list[News]:
    """What was told and no longer holds, in one news. A bracket that only got narrower still holds."""
    onset = old.onset if _has_moved(old.onset, new.onset) else None
    end = old.end if old.end and new.end and _has_moved(old.end, new.end) else None
    missing = tuple(sorted(set(old.networks) - set(new.networks)))
    if not (onset or end or missing):
        return []
    return [_news(NewsKind.CORRECTED, old, new, told_onset=onset, told_end=end, no_longer_on=missing)]


def _progress(old: Known, new: Facts, told_elsewhere: set[str]) -> list[News]:
    found = []
    if old.end and not new.end:
        found.append(_news(NewsKind.RESUMED, old, new, told_end=old.end))
    further = tuple(sorted(set(new.networks) - set(old.networks) - told_elsewhere))
    if further:
        found.append(_news(NewsKind.SPREAD, old, new, further=further))
    if new.end and not old.end:
        found.append(_news(NewsKind.ENDED, old, new))
    return found


def _has_moved(told: Bracket, new: Bracket) -> bool:
    return new.earliest < told.earliest - TOLERANCE or new.latest > told.latest + TOLERANCE
