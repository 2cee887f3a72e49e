"""Feeds, lists and digests; runs that are cut off; the loop."""

from __future__ import annotations

import contextlib
import email
import email.policy
import json
import os
import threading
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path

import pytest

from kholo.alert import (
    Channel,
    Feed,
    Limits,
    Message,
    News,
    Outcome,
    Screen,
    Stop,
    Stopped,
    Teller,
    Told,
    Webhook,
    last_look,
    news,
    repeat,
    tell,
    would_tell,
)
from kholo.alert.channel import Undelivered
from kholo.alert.ledger import Book
from kholo.alert.told import Past
from kholo.alert.wording import body, title
from kholo.model import StoreError, UsageError

from .alerts import DAY, MANY, Hook, Post, Run, day, incident, mail, said

ATOM = "{http://www.w3.org/2005/Atom}"


# --- feeds ------------------------------------------------------------------------------------------------------


def entries(folder: Path) -> list[ET.Element]:
    return ET.parse(folder / "alerts.atom").getroot().findall(f"{ATOM}entry")


def content(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_both_feeds_hold_the_same_and_stay_the_same(tmp_path: Path) -> None:
    feed = tmp_path / "feed"
    run = Run(tmp_path / "told", Feed(feed, "X in Pakistan", "https://example.org/alerts"))
    run.look()
    assert entries(feed) == []
    run.look(incident(20))
    run.look(incident(20, 28))
    root = ET.parse(feed / "alerts.atom").getroot()
    for name in ("id", "title", "updated"):
        assert all(item.findtext(f"{ATOM}{name}") for item in (root, *entries(feed)))
    assert root.find(f"{ATOM}author/{ATOM}name") is not None
    made = json.loads((feed / "alerts.json").read_text())
    assert made["version"] == "https://jsonfeed.org/version/1.1"
    assert [item["id"] for item in made["items"]] == [item.findtext(f"{ATOM}id") for item in entries(feed)]
    assert made["items"][0]["title"].startswith("X no longer blocked")
    assert made["feed_url"] == "https://example.org/alerts/alerts.json"
    before = content(feed)
    run.look(incident(20, 28))
    (feed / "alerts.json").unlink()
    run.look(incident(20, 28))
    assert content(feed) == before
    again = Run(tmp_path / "told2", Feed(tmp_path / "feed2", "X in Pakistan", "https://example.org/alerts"))
    for now in ([], [incident(20)], [incident(20, 28)]):
        again.look(*now)
    assert content(tmp_path / "feed2") == before


def test_a_feed_takes_plain_web_addresses_only() -> None:
    for address in ("ftp://example.org", "http://u:p@example.org/", "javascript:alert(1)", 'http://a/"'):
        with pytest.raises(UsageError):
            Feed(Path("f"), "all", address)


def test_a_feed_keeps_the_latest(tmp_path: Path) -> None:
    run = Run(tmp_path / "told", Feed(tmp_path / "feed", "all"))
    for number in range(60):
        run.look(incident(20))
        run.look(incident(20, 28 + 2 * number))
    assert len(entries(tmp_path / "feed")) == 100


def test_two_watches_can_not_take_turns_in_one_folder(tmp_path: Path) -> None:
    Run(tmp_path / "a", Feed(tmp_path / "feed", "X")).look(incident(20))
    (outcome,) = Run(tmp_path / "b", Feed(tmp_path / "feed", "all")).look(incident(20))
    assert "another feed stands here" in str(outcome.failure)


def test_hostile_text_does_nothing_anywhere(mails: Post, web: Hook, tmp_path: Path) -> None:
    bad = 'x\r\nBcc: all@example.org\r\n\r\n<script>alert("1")</script>\x00\x1b[2J\u202e\ufffe&]]>'
    row = incident(20, service=bad, place=bad, networks=(bad,), mechanisms=(bad,), incident_id="x" + bad[:20])
    (found,), _ = news(Told(), [row], day(30))
    for text in (title(one := Message("i", day(30), (found,))), body(one)):
        assert "\r" not in text
        assert "\x00" not in text
        assert "\x1b" not in text
        assert "\u202e" not in text
    assert "\n" not in title(one)
    feed = Feed(tmp_path, "all")
    feed.send(one, Past(day(30)))
    assert ET.parse(tmp_path / "alerts.atom").getroot().find(f".//{ATOM}script") is None
    assert b"<script" not in (tmp_path / "alerts.atom").read_bytes()
    json.loads((tmp_path / "alerts.json").read_bytes())
    mail(mails).send(one, Past(day(30)))
    (letter,) = mails.letters
    assert [line for line in mails.commands if line.upper().startswith("RCPT")] == ["rcpt TO:<desk@example.org>"]
    assert email.message_from_string(letter)["Bcc"] is None
    Webhook(web.url).send(one, Past(day(30)))


# --- how it is told ---------------------------------------------------------------------------------------------


def test_more_than_the_most_become_one_list(web: Hook, tmp_path: Path) -> None:
    run = Run(tmp_path, Webhook(web.url), limits=Limits(max_alerts=2))
    mixed = [*MANY, incident(20, place="UG", simulated=True)]
    run.look(*mixed)
    (only,) = (json.loads(sent) for sent in web.bodies)
    assert only["title"] == "Partly simulated: 4 news of incidents: 4 opened"
    assert only["text"].count("\n- ") == 4
    assert "\n- Simulated: X blocked in Uganda" in only["text"]
    run.look(*mixed, incident(20, place="IR"))
    assert len(web.bodies) == 2


def test_a_long_list_is_cut_for_people_and_whole_for_programs(web: Hook, tmp_path: Path) -> None:
    Run(tmp_path, Webhook(web.url)).look(*[incident(20, service=f"s{number}") for number in range(150)])
    (only,) = (json.loads(sent) for sent in web.bodies)
    assert only["text"].count("\n- ") == 100
    assert "… and 50 more" in only["text"]
    assert len(only["news"]) == 150


def test_what_piles_up_while_a_channel_is_away_becomes_one_list(web: Hook, tmp_path: Path) -> None:
    run = Run(tmp_path, Webhook(web.url), limits=Limits(max_alerts=2))
    web.answers = [(500, {})] * 9
    for number in range(3):
        assert run.look(*MANY[: number + 1])[0].failure
    web.answers = []
    web.bodies.clear()
    (outcome,) = run.look(*MANY)
    assert len(outcome.sent) == 3
    assert len(web.bodies) == 1


@pytest.mark.parametrize(("digest", "days"), [("daily", 1), ("weekly", 7)])
def test_a_digest_is_sent_at_the_first_look_of_its_period(web: Hook, tmp_path: Path, digest: str, days: int) -> None:
    run = Run(tmp_path, Webhook(web.url), limits=Limits(digest=digest))
    monday = 4.0  # 5 February 2024
    run.look(incident(-3), at=monday)
    run.look(incident(-3), incident(-3, place="UG"), at=monday + 0.3)
    run.look(incident(-3, 4), incident(-3, place="UG"), at=monday + 0.9)
    assert [len(json.loads(sent)["news"]) for sent in web.bodies] == [1]
    (outcome,) = run.look(incident(-3, 4), incident(-3, place="UG"), incident(-3, place="IN"), at=monday + days)
    assert sorted(said(outcome.sent)) == ["ended", "opened", "opened"]
    run.look(at=monday + days + 0.5)
    assert len(web.bodies) == 2
    # Without a digest from here on: nothing that waited is lost.
    run.limits = Limits()
    assert len(run.look(at=monday + days + 0.6)[0].sent) == 3


def test_a_channel_that_fails_doubles_nothing_on_the_others(web: Hook, mails: Post, tmp_path: Path) -> None:
    run = Run(tmp_path / "told", Feed(tmp_path / "feed", "all"), mail(mails), Webhook(web.url))
    web.answers = [(500, {})] * 3
    assert [bool(outcome.failure) for outcome in run.look(incident(20))] == [False, False, True]
    assert [len(outcome.sent) for outcome in run.look(incident(20))] == [0, 0, 1]
    assert len(mails.letters) == len(entries(tmp_path / "feed")) == 1


def test_a_channel_that_is_added_later_begins_like_a_first_look(web: Hook, mails: Post, tmp_path: Path) -> None:
    Run(tmp_path, mail(mails)).look(incident(20), incident(-300, -290))
    (outcome,) = Run(tmp_path, Webhook(web.url)).look(incident(20), incident(-300, -290))
    assert len(outcome.sent) == 1
    assert len(mails.letters) == 1


def test_a_dry_run_leaves_nothing_behind(web: Hook, tmp_path: Path) -> None:
    channels: list[Channel] = [Webhook(web.url), Feed(tmp_path / "feed", "all")]
    for _ in range(2):
        outcomes = would_tell(tmp_path / "told", channels, MANY, day(30), Limits())
        assert [len(outcome.unsent) for outcome in outcomes] == [3, 3]
    assert list(tmp_path.iterdir()) == []
    assert web.bodies == []
    assert last_look(tmp_path / "told", channels) is None


class Cut(BaseException):
    """The power goes."""


class Cutting:
    """A channel on which a run is cut off at one of its steps, before or after the message went out."""

    key, name, has_log = "cutting", "cutting", True

    def __init__(self) -> None:
        self.arrived: list[str] = []
        self.cut: Callable[[int], bool] = lambda _: False

    def send(self, message: Message, past: Past) -> None:
        if self.cut(len(self.arrived)):
            raise Cut
        self.arrived.append(message.message_id)

    def refresh(self, past: Past) -> None:
        pass


@pytest.mark.parametrize("step", range(8))
def test_a_run_that_is_cut_off_anywhere_loses_and_doubles_nothing(
    tmp_path: Path, step: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Cut at each write of the ledger, before it is done; only a message that was just sent may come twice."""
    channel = Cutting()
    run = Run(tmp_path, channel)
    writes, write = [0], Book.write

    def cut_write(book: Book, ledger: object) -> None:
        writes[0] += 1
        if writes[0] == step:
            raise Cut
        write(book, ledger)  # type: ignore[arg-type]

    monkeypatch.setattr(Book, "write", cut_write)
    for _ in range(4):
        with contextlib.suppress(Cut):
            run.look(*MANY)
    assert len(set(channel.arrived)) == 3
    # Between the receiver's yes and the mark there is one moment that nobody can close: the same id comes again.
    assert len(channel.arrived) == 3 + (2 <= step <= 4)


@pytest.mark.parametrize("after", range(4))
def test_a_run_that_is_cut_off_while_sending_goes_on_where_it_was(tmp_path: Path, after: int) -> None:
    channel = Cutting()
    run = Run(tmp_path, channel)
    channel.cut = lambda arrived: arrived == after
    with contextlib.suppress(Cut):
        run.look(*MANY)
    channel.cut = lambda _: False
    run.look(*MANY)
    run.look(*MANY)
    assert len(channel.arrived) == len(set(channel.arrived)) == 3


def test_a_ledger_that_can_not_be_used_says_so_and_is_left_alone(tmp_path: Path) -> None:
    run = Run(tmp_path, Screen(lambda _: None))
    run.look(incident(20))
    book = tmp_path / "screen.json"
    for content in ("{", '{"version": 9}', "[]", '{"told": {"known": [{}]}}'):
        book.write_text(content)
        (outcome,) = run.look(incident(20))
        assert outcome.is_ours
        assert "screen.json" in str(outcome.failure)
        assert book.read_text() == content
        with pytest.raises(StoreError):
            would_tell(tmp_path, run.channels, [], day(40), Limits())


def test_a_ledger_that_can_not_be_written_stops_no_other_channel(web: Hook, tmp_path: Path) -> None:
    # Where the draft of the ledger would be is a folder.
    (tmp_path / f".screen.json.{os.getpid()}.{threading.get_ident()}.tmp" / "a").mkdir(parents=True)
    first, second = Run(tmp_path, Screen(lambda _: None), Webhook(web.url)).look(incident(20))
    assert (first.is_ours, "screen.json" in str(first.failure)) == (True, True)
    assert second.failure is None


def test_two_runs_at_once_tell_once(tmp_path: Path) -> None:
    inner: list[Outcome] = []
    heard: list[News] = []

    def say(found: News) -> None:
        heard.append(found)
        inner.extend(Run(tmp_path, Screen(heard.append)).look(incident(20)))

    (outer,) = Run(tmp_path, Screen(say)).look(incident(20))
    assert len(outer.sent) == 1
    assert inner[0].is_ours
    assert "another `kholo watch`" in str(inner[0].failure)
    assert len(heard) == 1


# --- the loop ---------------------------------------------------------------------------------------------------


def test_the_loop_looks_each_period_and_ends_when_asked() -> None:
    looks: list[float] = []
    waits: list[float] = []
    now = [0.0]

    class Clocked(Stop):
        def wait(self, seconds: float) -> bool:
            waits.append(seconds)
            now[0] += seconds
            return len(looks) == 4

    def look(at: object) -> None:
        looks.append(now[0])
        now[0] += [10, 0, 700, 30][len(looks) - 1]

    repeat(look, 600, lambda: day(0) + DAY * now[0] / 86_400, Clocked())
    assert looks == [0, 600, 1_200, 1_901]
    assert waits == [590, 600, 1, 570]


def test_a_signal_ends_a_run_but_not_between_sending_and_marking(tmp_path: Path) -> None:
    stop, heard = Stop(), []

    def say(found: News) -> None:
        heard.append(found)
        stop.ask()

    screen = Screen(say)
    with pytest.raises(Stopped):
        tell(tmp_path, [screen], MANY, day(30), Limits(), Teller(stop.wait, stop.held))
    assert len(heard) == 1
    assert stop.wait(60)
    with pytest.raises(Stopped):
        stop.ask()
    later = Run(tmp_path, Screen(heard.append))
    assert len(later.look(*MANY)[0].sent) == 2
    assert len({item.news_id for item in heard}) == len(heard) == 3


def test_waiting_for_another_attempt_ends_when_asked(tmp_path: Path) -> None:
    class Failing(Cutting):
        def send(self, message: Message, past: Past) -> None:
            self.arrived.append(message.message_id)
            raise Undelivered("no")

    channel = Failing()
    (outcome,) = tell(tmp_path, [channel], MANY, day(30), Limits(), Teller(lambda _: True))
    assert len(channel.arrived) == 1
    assert len(outcome.unsent) == 3
