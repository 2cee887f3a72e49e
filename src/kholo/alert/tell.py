"""From what is found to what is sent: plan on disk first, then send, then mark."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime
from pathlib import Path

import msgspec

from kholo.model import EnvironmentFault, Incident

from .channel import Channel, Undelivered
from .ledger import Book, Ledger
from .news import news
from .told import Message, News, Past, message

#: Seconds before the second and the third attempt.
BACKOFF = (1.0, 4.0)
#: Nobody waits longer than this within one run; the next run tries again.
LONGEST_WAIT = 60.0

#: Waits so many seconds; True when the run shall end instead.
Wait = Callable[[float], bool]


class Limits(msgspec.Struct, frozen=True):
    """`digest` is `daily`, `weekly` or None; `max_alerts` messages at most in one run, beyond that one list."""

    digest: str | None = None
    max_alerts: int = 20


class Outcome(msgspec.Struct, frozen=True):
    """What became of one channel: news delivered, held for a digest, and not delivered, with the reason.

    `is_ours`: the reason lies in the store, not with the receiver.
    """

    channel: str
    sent: tuple[News, ...] = ()
    waiting: tuple[News, ...] = ()
    unsent: tuple[News, ...] = ()
    failure: str | None = None
    is_ours: bool = False


class Teller(msgspec.Struct, frozen=True):
    """How a run waits, and what it may not be cut off from. The clock is the caller's."""

    wait: Wait
    held: Callable[[], AbstractContextManager[None]] = nullcontext


def plan(ledger: Ledger, now: Sequence[Incident], at: datetime, limits: Limits) -> Ledger:
    """The ledger with what is new put into messages that are to be sent."""
    found, told = news(ledger.told, now, at)
    moment = told.at or at
    waiting, period = (*ledger.waiting, *found), _period(moment, limits.digest)
    is_due = limits.digest is None or period != ledger.period
    made = _messages(waiting, moment, limits) if is_due else ()
    pending = (*ledger.pending, *made)
    if len(pending) > limits.max_alerts:
        # After a long time out of reach, too, one list is enough.
        pending = (message(tuple(item for one in pending for item in one.news), moment),)
    return msgspec.structs.replace(
        ledger,
        begun=ledger.begun or moment,
        told=told,
        waiting=() if is_due else waiting,
        period=period if is_due else ledger.period,
        pending=pending,
    )


def _messages(found: tuple[News, ...], at: datetime, limits: Limits) -> tuple[Message, ...]:
    if not found:
        return ()
    if limits.digest or len(found) > limits.max_alerts:
        return (message(found, at),)
    return tuple(message((item,), at) for item in found)


def _period(at: datetime, digest: str | None) -> str:
    """The day, or the week from Monday on (UTC). The first look in it sends the digest."""
    if digest is None:
        return ""
    year, week, _ = at.isocalendar()
    return f"{at:%Y-%m-%d}" if digest == "daily" else f"{year}-W{week:02}"


def tell(
    folder: Path, channels: Sequence[Channel], now: Sequence[Incident], at: datetime, limits: Limits, teller: Teller
) -> list[Outcome]:
    """Tell every channel what is new to it. One that fails is tried again at the next run; the others go on."""
    outcomes = []
    for channel in channels:
        book = Book(folder / f"{channel.key}.json")
        try:
            with book.held():
                outcomes.append(_tell(book, channel, now, at, limits, teller))
        except EnvironmentFault as error:
            outcomes.append(Outcome(channel.name, failure=str(error), is_ours=True))
    return outcomes


def would_tell(
    folder: Path, channels: Sequence[Channel], now: Sequence[Incident], at: datetime, limits: Limits
) -> list[Outcome]:
    """The same without sending or writing anything: `unsent` is what would be sent."""
    outcomes = []
    for channel in channels:
        ledger = plan(Book(folder / f"{channel.key}.json").read(), now, at, limits)
        outcomes.append(Outcome(channel.name, waiting=ledger.waiting, unsent=_news(ledger.pending)))
    return outcomes


def last_look(folder: Path, channels: Sequence[Channel]) -> datetime | None:
    """The latest moment up to which any of the channels was told."""
    looks = [Book(folder / f"{channel.key}.json").read().told.at for channel in channels]
    return max((at for at in looks if at), default=None)


def _tell(
    book: Book, channel: Channel, now: Sequence[Incident], at: datetime, limits: Limits, teller: Teller
) -> Outcome:
    ledger = plan(book.read(), now, at, limits)
    book.write(ledger)
    sent: list[News] = []
    begun = ledger.begun or at
    failure = None
    for item in ledger.pending:
        try:
            with teller.held():
                _attempts(channel, item, Past(begun, ledger.log), teller.wait)
                ledger = ledger.sent(item, channel.has_log)
                book.write(ledger)
            sent += item.news
        except Undelivered as error:
            failure = str(error)
            if not error.is_refused:
                break
    if not failure and not sent:
        try:
            channel.refresh(Past(begun, ledger.log))
        except Undelivered as error:
            failure = str(error)
    return Outcome(channel.name, tuple(sent), ledger.waiting, _news(ledger.pending), failure)


def _attempts(channel: Channel, item: Message, past: Past, wait: Wait) -> None:
    for pause in (*BACKOFF, None):
        try:
            channel.send(item, past)
        except Undelivered as error:
            asked = max(error.wait or 0.0, pause or 0.0)
            if error.is_refused or pause is None or asked > LONGEST_WAIT or wait(asked):
                raise
        else:
            return


def _news(messages: Sequence[Message]) -> tuple[News, ...]:
    return tuple(item for one in messages for item in one.news)
