"""Feeds of the same messages: Atom (RFC 4287), JSON Feed 1.1, and a file of CAP 1.2 for each news.

The same messages give the same bytes.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from kholo.disk import write_if_changed
from kholo.model import EnvironmentFault, UsageError
from kholo.publish.atom import Head as AtomHead
from kholo.publish.atom import Item, name_of
from kholo.publish.atom import atom as write_atom
from kholo.publish.cap import SENDER
from kholo.publish.jsonfeed import json_feed as write_json
from kholo.publish.safe import web_address

from .cap import cap_files
from .channel import Undelivered, key_of
from .ledger import KEPT
from .told import Message, Past, news_json
from .wording import FEED_TITLE, body, sentence, title

ATOM, JSON, CAP = "alerts.atom", "alerts.json", "cap"


class Feed:
    """Writes its files into a folder. `url` is where the folder stands on the web, if it does."""

    has_log = True

    def __init__(self, folder: Path, scope: str, url: str | None = None) -> None:
        if url is not None and web_address(url) is None:
            raise UsageError("--feed-url: no plain http:// or https:// address")
        self._folder = folder
        self._scope = scope
        self._url = url.rstrip("/") if url else None
        self.name = f"feed in {folder}"
        self.key = key_of("feed", str(folder.resolve()))

    def send(self, message: Message, past: Past) -> None:
        """Write the files anew, with `message` as the latest. Raises `Undelivered`."""
        self.refresh(Past(past.begun, (*past.log, message)[-KEPT:]))

    def refresh(self, past: Past) -> None:
        """Write the files unless they hold the right bytes. Raises `Undelivered`."""
        # No address in the id: a feed stays the same one when its folder moves.
        head = Head(FEED_TITLE.format(scope=self._scope), name_of("feed", self._scope, past.begun), self._url)
        try:
            _check_is_ours(self._folder / ATOM, head)
            write_if_changed(self._folder / ATOM, atom(head, past))
            write_if_changed(self._folder / JSON, json_feed(head, past))
            self._write_cap(past)
        except EnvironmentFault as error:
            raise Undelivered(str(error), is_refused=True) from error

    def _write_cap(self, past: Past) -> None:
        """A message never changes: what is there stays as it was, also when older ones are no longer kept."""
        for name, content in cap_files(past, self._url or SENDER):
            path = self._folder / CAP / name
            if not path.exists():
                write_if_changed(path, content)


def _check_is_ours(path: Path, head: Head) -> None:
    """Two watches that write into one folder would take turns; the second one is told so."""
    try:
        standing = path.read_bytes()
    except FileNotFoundError:
        return
    except OSError as error:
        raise Undelivered(f"{path}: can't be read: {error.strerror or error}", is_refused=True) from error
    if f"<id>urn:uuid:{head.identifier}</id>".encode() not in standing:
        raise Undelivered(f"{path}: another feed stands here; name another folder, or remove it", is_refused=True)


class Head(msgspec.Struct, frozen=True):
    """Title, id and address of a feed."""

    title: str
    identifier: str
    url: str | None


def atom(head: Head, past: Past) -> bytes:
    """The Atom feed, the latest message first."""
    return write_atom(_head(head, ATOM), past.begun, _items(past))


def json_feed(head: Head, past: Past) -> bytes:
    """The JSON feed, the latest message first. `_kholo` holds the news in plain values."""
    more = {
        message.message_id: {"news": [news_json(news) | {"text": sentence(news)} for news in message.news]}
        for message in past.log
    }
    return write_json(_head(head, JSON), _items(past), more)


def _head(head: Head, file: str) -> AtomHead:
    return AtomHead(head.title, head.identifier, f"{head.url}/{file}" if head.url else None)


def _items(past: Past) -> list[Item]:
    return [
        Item(message.message_id, title(message), message.at, tuple(_tags(message)), body(message))
        for message in reversed(past.log)
    ]


def _tags(message: Message) -> list[str]:
    """Kinds of news, and `simulated` where any of it is."""
    tags = {news.kind.value for news in message.news}
    return sorted(tags | ({"simulated"} if any(news.incident.simulated for news in message.news) else set()))
