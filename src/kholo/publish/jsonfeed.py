"""JSON Feed 1.1 (jsonfeed.org) of the same items as Atom. The same items give the same bytes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .atom import Head, Item
from .dates import stamp
from .jsontext import json_bytes


def json_feed(head: Head, items: Sequence[Item], more: Mapping[str, Any] | None = None) -> bytes:
    """The feed, with the items in the order given. `more` holds further facts of an item by its identifier."""
    made: dict[str, Any] = {"version": "https://jsonfeed.org/version/1.1", "title": head.title}
    made["language"] = head.language
    if head.about:
        made["description"] = head.about
    if head.address:
        made["feed_url"] = head.address
    made["authors"] = [{"name": "kholo"}]
    made["items"] = [_item(item, (more or {}).get(item.identifier)) for item in items]
    return json_bytes(made)


def _item(item: Item, more: Any) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "id": f"urn:uuid:{item.identifier}",
        "title": item.title,
        "content_text": item.text,
        "date_published": stamp(item.at),
        "tags": list(item.tags),
    }
    if item.link:
        shown["url"] = item.link
    return shown if more is None else shown | {"_kholo": more}
