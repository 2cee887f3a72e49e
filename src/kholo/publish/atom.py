"""Atom (RFC 4287) for everything that tells news. The same items give the same bytes."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime
from html import escape

import msgspec

from .dates import stamp
from .safe import visible

#: Names made of content: the same news has the same id on every machine.
_NAMESPACE = uuid.UUID("6b686f6c-6f00-5000-8000-616c65727473")


class Item(msgspec.Struct, frozen=True):
    """One entry of a feed. `identifier` is a UUID, `at` is UTC, `link` a web address or None."""

    identifier: str
    title: str
    at: datetime
    tags: tuple[str, ...]
    text: str
    link: str | None = None


class Head(msgspec.Struct, frozen=True):
    """Title and id (a UUID) of a feed, the address of its own file, if it has one, its language (BCP 47), and what its
    readers have to know of it."""

    title: str
    identifier: str
    address: str | None = None
    language: str = "en"
    about: str = ""


def name_of(*parts: object) -> str:
    """A UUID (RFC 9562, version 5) made of the content of `parts`."""
    return str(uuid.uuid5(_NAMESPACE, msgspec.json.encode(parts, order="deterministic").decode()))


def atom(head: Head, begun: datetime, items: Sequence[Item]) -> bytes:
    """The feed, with the items in the order given; `begun` is its time while there are none."""
    lines = [
        '<?xml version="1.0" encoding="utf-8"?>',
        f'<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="{escape(head.language)}">',
        f"  <title>{_text(head.title)}</title>",
        *([f"  <subtitle>{_text(head.about)}</subtitle>"] if head.about else []),
        f"  <id>urn:uuid:{escape(head.identifier)}</id>",
        f"  <updated>{stamp(max((item.at for item in items), default=begun))}</updated>",
        "  <author><name>kholo</name></author>",
        "  <generator>kholo</generator>",
    ]
    if head.address:
        lines.append(f'  <link rel="self" type="application/atom+xml" href="{escape(head.address)}"/>')
    for item in items:
        lines += [
            "  <entry>",
            f"    <title>{_text(item.title)}</title>",
            f"    <id>urn:uuid:{escape(item.identifier)}</id>",
            f"    <published>{stamp(item.at)}</published>",
            f"    <updated>{stamp(item.at)}</updated>",
            *([f'    <link href="{escape(visible(item.link))}"/>'] if item.link else []),
            *(f'    <category term="{escape(tag)}"/>' for tag in item.tags),
            f'    <content type="text">{_text(item.text)}</content>',
            "  </entry>",
        ]
    return ("\n".join([*lines, "</feed>"]) + "\n").encode()


def _text(text: str) -> str:
    return escape(visible(text))
