"""The files of a site that are no pages: what is in them, how large they are, and their digests."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator

from .alerts import cap_files
from .atom import atom
from .cap import SENDER
from .data import LICENCE, case_data
from .dates import stamp
from .exports.tables import csv_files
from .jsonfeed import json_feed
from .jsontext import json_bytes
from .language import ENGLISH
from .news import News, feed_name
from .pictures import picture_svg
from .safe import web_address
from .site import Listed, Site

#: What the site is, and all its data files, for programs and for `kholo mirror`.
INDEX = "data/index.json"
LOG, DOSSIERS = "log/", "dossiers/"
KEY = "data/key.pub"


def data_files(site: Site) -> Iterator[tuple[str, bytes]]:
    """The data of every case, one file after another, and the publisher's key."""
    for name in site.cases:
        for file, content in _case_files(site, name).items():
            yield f"data/{name}/{file}", content
    if site.attached.key:
        yield KEY, f"{site.attached.key.line}\n".encode()


def _case_files(site: Site, name: str) -> dict[str, bytes]:
    page = site.case(name, ENGLISH)
    files = {"data.json": case_data(page), "timeline.svg": picture_svg(page, ENGLISH), **csv_files(page)}
    for language in site.languages:
        if not language.is_source:
            files[f"timeline.{language.code}.svg"] = picture_svg(site.case(name, language), language)
    return files | _feeds(site, name)


def _feeds(site: Site, name: str) -> dict[str, bytes]:
    view, base = site.cases[name], address_of(site)
    made = {}
    for language in site.languages:
        news = News(site.case(name, language), language, base)
        items = news.items()
        for ending in ("atom", "json"):
            file = feed_name(ending, language)
            head = news.head(f"{base}/data/{name}/{file}" if base else None)
            made[file] = atom(head, view.as_of, items) if ending == "atom" else json_feed(head, items)
    alerts = cap_files(view, site.languages, f"{base}/en/incidents/" if base else None, base or SENDER)
    return made | {f"cap/{file}": content for file, content in alerts.items()}


def address_of(site: Site) -> str:
    """Where the site stands, without a slash at its end; "" where that is not known, or is no plain address."""
    return (web_address(site.address) or "").rstrip("/")


def described(path: str, content: bytes) -> Listed:
    """A file by its content."""
    return Listed(path, len(content), hashlib.sha256(content).hexdigest())


def listing(site: Site) -> tuple[Listed, ...]:
    """Every file that is no page, by path; made once for a site."""
    if site.inventory is None:
        site.inventory = arranged(site, (described(*file) for file in data_files(site)))
    return site.inventory


def arranged(site: Site, made: Iterable[Listed]) -> tuple[Listed, ...]:
    """What was made, and what is copied, by path."""
    return tuple(sorted((*made, *site.attached.copies), key=lambda one: one.path))


def index_json(site: Site) -> bytes:
    """`data/index.json`."""
    key = site.attached.key
    invented = {view.simulated for view in site.views}
    return json_bytes(
        {
            "form": "kholo-site/1",
            "address": address_of(site),
            "as_of": stamp(site.as_of),
            "simulated": "in part" if len(invented) > 1 else "yes" if True in invented else "no",
            "key": {"name": key.name, "fingerprint": key.fingerprint} if key else None,
            "licence": LICENCE,
            "cases": [
                {
                    "case": view.case.id,
                    "title": view.case.title,
                    "as_of": stamp(view.as_of),
                    "simulated": view.simulated,
                    "dossiers": [
                        {"file": one.file, "root": one.root, "sha256": one.sha256, "entry": one.index}
                        for one in site.dossiers_of(view.case.id)
                    ],
                }
                for view in site.views
            ],
            "files": [{"path": one.path, "bytes": one.size, "sha256": one.sha256} for one in listing(site)],
        }
    )
