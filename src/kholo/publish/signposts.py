"""robots.txt and sitemap.xml: where machines find the pages."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterable, Iterator, Sequence
from urllib.parse import quote

from .inventory import address_of
from .site import Site

_NAMESPACE = "http://www.sitemaps.org/schemas/sitemap/0.9"
#: Addresses in one file, by the protocol (sitemaps.org).
MOST = 50_000


def signposts(site: Site, addresses: Iterable[str]) -> Iterator[tuple[str, bytes]]:
    """The files with their paths. A sitemap needs whole addresses: without that of the site there is none."""
    base = address_of(site)
    lines = ["User-agent: *", "Allow: /"]
    if base:
        lines.append(f"Sitemap: {base}/sitemap.xml")
        yield from _sitemaps(base, sorted(addresses))
    yield "robots.txt", ("\n".join(lines) + "\n").encode()


def _sitemaps(base: str, addresses: Sequence[str]) -> Iterator[tuple[str, bytes]]:
    if len(addresses) <= MOST:
        yield "sitemap.xml", _list("urlset", "url", (f"{base}/{quote(one)}" for one in addresses))
        return
    parts = range(0, len(addresses), MOST)
    yield "sitemap.xml", _list("sitemapindex", "sitemap", (f"{base}/sitemap-{at // MOST}.xml" for at in parts))
    for at in parts:
        urls = (f"{base}/{quote(one)}" for one in addresses[at : at + MOST])
        yield f"sitemap-{at // MOST}.xml", _list("urlset", "url", urls)


def _list(name: str, each: str, addresses: Iterable[str]) -> bytes:
    root = ET.Element(name, {"xmlns": _NAMESPACE})
    for address in addresses:
        ET.SubElement(ET.SubElement(root, each), "loc").text = address
    ET.indent(root)
    return b'<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode").encode() + b"\n"
