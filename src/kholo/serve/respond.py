"""From a request to an answer: limits, conditions, formats, caching. Knows nothing of sockets."""

from __future__ import annotations

import hashlib
import sqlite3
import traceback
from collections.abc import Mapping
from datetime import datetime
from email.utils import format_datetime, parsedate_to_datetime
from typing import Any
from urllib.parse import quote, urlencode

import duckdb
import msgspec

from kholo.model import KholoError
from kholo.publish.language import language_codes

from . import formats, params
from .crowd import Turns
from .index import Current
from .kept import Kept
from .limits import Left, Limits, known_as
from .live import preferred
from .openapi import document
from .pack import packed, wanted
from .pages import AllPages, Moved, Page
from .problems import TYPE, Problem
from .query import Reader, Rows
from .ranges import Part, asked_for
from .read import TooSlow
from .resources import FORMATS, ROOT, Resource, find
from .streams import Stream, Streams, unread

METHODS = "GET, HEAD, OPTIONS"
MAX_ADDRESS = 2_048
#: Answers that are made at the same time. Two are best (docs/decisions/0023-serving.md): that is what one client has,
#: and the third is there for another.
TURNS = 3
#: Bodies that are worth packing, in bytes.
_PACKED_FROM = 600
_KEPT = 64 << 20
_MAX_AGE = 60
_EXPOSED = "ETag, Last-Modified, Link, Retry-After, RateLimit, RateLimit-Policy"
_ALWAYS = [
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "no-referrer"),
    ("Cross-Origin-Resource-Policy", "cross-origin"),
    ("Permissions-Policy", "interest-cohort=()"),
]
_API = [
    *_ALWAYS,
    ("Access-Control-Allow-Origin", "*"),
    ("Access-Control-Expose-Headers", _EXPOSED),
    ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'; sandbox"),
    ("Vary", "Accept, Accept-Encoding"),
]
#: An API answer is packed each time it is made, in what takes least time.
_API_CODINGS = ("gzip",)
_PAGE = [
    *_ALWAYS,
    (
        "Content-Security-Policy",
        "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; object-src 'none';"
        " base-uri 'none'; form-action 'self'",
    ),
]
_PREFLIGHT = [
    ("Access-Control-Allow-Methods", METHODS),
    ("Access-Control-Allow-Headers", "Accept, If-None-Match, If-Modified-Since"),
    ("Access-Control-Max-Age", "86400"),
]


class Request(msgspec.Struct, frozen=True):
    """What was asked. `path` is decoded, its bytes as Latin-1; names of `headers` in small letters."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    client: str


class Answer(msgspec.Struct, frozen=True):
    """What is sent. Of a HEAD the body is left out later."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes | Stream = b""


class Site:
    """Everything that is served. `salt` is what clients are known by, `at_once` the requests that each may have here at
    the same time (0: any)."""

    def __init__(
        self, reader: Reader | None, pages: AllPages | None, limits: Limits | None, salt: bytes, at_once: int = 0
    ) -> None:
        self._reader, self._pages, self._limits, self._salt = reader, pages, limits, salt
        self._kept: Kept[Answer] = Kept(_KEPT, _weight)
        self._turns = Turns(TURNS, at_once)
        self._streams = Streams(is_any=not at_once)

    def answer(self, request: Request) -> Answer:
        """The answer. Never raises."""
        left: Left | None = None
        client = known_as(request.client, self._salt)
        is_api = request.path == "/api" or request.path.startswith("/api/")
        try:
            if self._limits is not None:
                is_fine, left = self._limits.take(client)
                if not is_fine:
                    wait = (("Retry-After", str(left.wait)),)
                    raise Problem("too-many-requests", f"ask again in {left.wait} s", wait)
            with self._turns.turn(client):
                made = self._answer(request, client, is_api=is_api)
        except Problem as problem:
            made = _problem(problem)
        except (TooSlow, KholoError, duckdb.Error, sqlite3.Error):
            made = _problem(Problem("busy", "could not be read just now", (("Retry-After", "5"),)))
        except Exception:
            # For whoever serves: where in our code, and nothing of who asked.
            traceback.print_exc()
            made = _problem(Problem("internal", "something went wrong here"))
        if left is not None:
            made = msgspec.structs.replace(made, headers=[*made.headers, *left.headers()])
        return made

    def _answer(self, request: Request, client: bytes, *, is_api: bool) -> Answer:
        if len(request.path) + len(request.query) > MAX_ADDRESS:
            raise Problem("uri-too-long", f"more than {MAX_ADDRESS:,} characters")
        if request.method == "OPTIONS":
            return Answer(204, [*(_API if is_api else _PAGE), ("Allow", METHODS), *(_PREFLIGHT if is_api else [])])
        if request.method not in ("GET", "HEAD"):
            raise Problem("method-not-allowed", f"there is: {METHODS}", (("Allow", METHODS),))
        return self._resource(request) if is_api else self._page(request, client)

    def _page(self, request: Request, client: bytes) -> Answer:
        path = _decoded(request.path)
        code = preferred(request.headers.get("accept-language", ""), language_codes())
        if path == "/" and code != "en":
            headers = [*_PAGE, ("Vary", "Accept-Language"), ("Location", f"{code}/"), ("Cache-Control", "no-store")]
            return Answer(302, headers)
        found = self._pages.page(path) if self._pages is not None else None
        if found is None:
            return self._missing(path, code, request)
        if isinstance(found, Moved):
            place = quote(found.path.rstrip("/").rpartition("/")[2])
            return Answer(301, [*_PAGE, ("Location", f"{place}/"), ("Cache-Control", f"public, max-age={_MAX_AGE}")])
        part = _part(found, request)
        coding = wanted(request.headers, tuple(found.codings)) if part is None else ""
        etag = _etag(found.etag, coding)
        headers = [*_PAGE, ("ETag", etag), ("Cache-Control", f"public, max-age={_MAX_AGE}")]
        vary = [*(["Accept-Encoding"] if found.codings else []), *(["Accept-Language"] if path == "/" else [])]
        if vary:
            headers.append(("Vary", ", ".join(vary)))
        if found.has_parts:
            headers.append(("Accept-Ranges", "bytes"))
        if found.changed is not None:
            headers.append(_modified(found.changed))
        if _is_fresh(request.headers, etag, found.changed):
            return Answer(304, headers)
        headers += [("Content-Type", found.content_type), *_packing(coding)]
        if part is not None:
            shown = ("Content-Range", part.content_range(found.size))
            if not part.size:
                raise Problem("range-not-satisfiable", f"it has {found.size:,} bytes", (shown,))
            return Answer(206, [*headers, shown], self._body(found, part, request, client))
        whole = self._body(found, Part(0, found.size), request, client) if not coding else found.codings[coding]
        return Answer(200, headers, whole)

    def _body(self, page: Page, part: Part, request: Request, client: bytes) -> bytes | Stream:
        if page.file is None:
            return page.body[part.first : part.first + part.size]
        return self._streams.opened(page.file, part, client) if request.method == "GET" else unread(part.size)

    def _missing(self, path: str, code: str, request: Request) -> Answer:
        """A page for people, a problem for programs."""
        if self._pages is None or "text/html" not in request.headers.get("accept", ""):
            raise Problem("not-found", "no page here; the front page is /, the API begins at /api/v1/")
        page = self._pages.missing(path, code)
        coding = wanted(request.headers, tuple(page.codings))
        vary = ("Vary", "Accept, Accept-Encoding, Accept-Language")
        headers = [*_PAGE, vary, ("Content-Type", page.content_type), ("Cache-Control", "no-store")]
        return Answer(404, [*headers, *_packing(coding)], page.codings.get(coding, page.body))

    def _resource(self, request: Request) -> Answer:
        found = find(_decoded(request.path))
        if found is None:
            raise Problem("not-found", f"no such resource; {ROOT}/ lists what there is")
        resource, ids = found
        values = params.read(request.query, resource.params)
        for param in resource.params:
            if param.where == "path":
                values[param.name] = _id(param, ids[param.name])
        name = formats.chosen(request.headers.get("accept", ""), values.get("format"), resource.formats)
        if self._reader is None:
            raise Problem("not-found", "only pages are served here")
        current = self._reader.index.current()
        coding = wanted(request.headers, _API_CODINGS)
        key = _key(resource, values, name, current, coding)
        headers = [*_API, ("ETag", key), ("Cache-Control", f"public, max-age={_MAX_AGE}"), _modified(current.changed)]
        if key in _tags(request.headers):
            return Answer(304, headers)
        kept = self._kept.get(key)
        if kept is None:
            kept = self._made(resource, values, name, current, headers, coding)
            self._kept.put(key, kept)
        return Answer(304, headers) if _is_fresh(request.headers, key, current.changed) else kept

    def _made(
        self, resource: Resource, values: dict[str, Any], name: str, current: Current, headers: list[tuple[str, str]],
        coding: str,
    ) -> Answer:  # fmt: skip
        reader = self._reader
        if reader is None:
            raise Problem("not-found", "only pages are served here")
        kind = FORMATS[name] if name != "csv" else "text/csv; charset=utf-8; header=present"
        headers = [*headers, ("Content-Type", kind)]
        if resource.kind == "openapi":
            body = formats.json_bytes(document())
        elif resource.is_list and resource.row is not None:
            found = reader.rows(resource, current, values)
            following = _following(resource, values, found)
            if following:
                headers.append(("Link", f'<{following}>; rel="next"'))
            body = _listed(found, following, name, resource.row)
        else:
            body = formats.json_bytes(reader.one(resource, current, values))
        if coding and len(body) >= _PACKED_FROM:
            return Answer(200, [*headers, *_packing(coding)], packed(body))
        return Answer(200, headers, body)


def _part(page: Page, request: Request) -> Part | None:
    """The part of a file that is asked for: of the file as it is, never of a coding. HEAD has no parts (14.2)."""
    if request.method != "GET" or not page.has_parts:
        return None
    return asked_for(request.headers, page.size, _etag(page.etag, ""))


def _weight(answer: Answer) -> int:
    # What a small answer takes besides its body.
    return len(answer.body) + 4_096


def _listed(found: Rows, following: str | None, name: str, kind: type[msgspec.Struct]) -> bytes:
    if name == "csv":
        return formats.table_bytes(found.rows, kind)
    if name == "jsonl":
        return formats.lines_bytes(found.rows)
    content: dict[str, Any] = {} if found.simulated is None else {"simulated": found.simulated}
    return formats.json_bytes({**content, "data": found.rows, "next": following})


def _following(resource: Resource, values: dict[str, Any], found: Rows) -> str | None:
    """The address of the next page."""
    if found.next is None:
        return None
    path = resource.path
    asked: dict[str, str] = {}
    for param in resource.params:
        if param.name not in values or param.name == "cursor":
            continue
        if param.where == "path":
            path = path.replace(f"{{{param.name}}}", values[param.name])
        else:
            asked[param.name] = _written(param.name, values[param.name])
    return f"{path}?{urlencode({**asked, 'cursor': found.next})}"


def _written(name: str, value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if name in ("since", "until"):
        return f"{params.moment_of(value)}"
    return str(value)


def _id(param: params.Param, text: str) -> str:
    try:
        return str(param.read(text))
    except ValueError:
        raise Problem("not-found", f"{param.name}: no such id can be") from None


def _key(resource: Resource, values: dict[str, Any], name: str, current: Current, coding: str) -> str:
    """The entity tag: what was asked for, and the state of what answers."""
    state = current.verdicts_digest if resource.kind == "verdict" else current.facts_digest
    said = [resource.name, sorted(values.items()), name, state, current.set_name]
    digest = hashlib.blake2b(msgspec.json.encode(said), digest_size=12).hexdigest()
    return _etag(digest, coding)


def _etag(digest: str, coding: str) -> str:
    """A coding is a representation of its own, and has a tag of its own (RFC 9110, 8.8.3.3)."""
    return f'"{digest}-{coding}"' if coding else f'"{digest}"'


def _tags(headers: Mapping[str, str]) -> list[str]:
    return [one.strip().removeprefix("W/") for one in headers.get("if-none-match", "").split(",")]


def _is_fresh(headers: Mapping[str, str], etag: str, changed: datetime | None) -> bool:
    """Whether the client has this already. `If-None-Match` goes before `If-Modified-Since` (RFC 9110, 13.2.2)."""
    if (match := headers.get("if-none-match")) is not None:
        return match.strip() == "*" or etag in _tags(headers)
    if changed is None or (since := headers.get("if-modified-since")) is None:
        return False
    try:
        return changed.replace(microsecond=0) <= parsedate_to_datetime(since)
    except (ValueError, TypeError, OverflowError):
        return False


def _modified(changed: datetime) -> tuple[str, str]:
    return "Last-Modified", format_datetime(changed.replace(microsecond=0), usegmt=True)


def _packing(coding: str) -> list[tuple[str, str]]:
    return [("Content-Encoding", coding)] if coding else []


def _decoded(path: str) -> str:
    """The path as text; servers of this kind give its bytes as Latin-1. Raises `Problem` where it is no UTF-8."""
    try:
        return path.encode("latin-1").decode()
    except UnicodeError:
        raise Problem("not-found", "the address is not in UTF-8") from None


def _problem(problem: Problem) -> Answer:
    headers = [*_API, ("Content-Type", TYPE), ("Cache-Control", "no-store"), *problem.headers]
    return Answer(problem.kind.status, headers, formats.json_bytes(problem.content()))
