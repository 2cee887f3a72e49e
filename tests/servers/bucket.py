"""An anonymous S3 bucket with path-style addresses: listing (ListObjectsV2), whole and ranged reads.

Written after the S3 API reference (ListObjectsV2, GetObject, HeadObject, error responses). Signatures, versions, writes
and the first version of the listing are left out.
"""

from __future__ import annotations

import base64
import hashlib
import re
import threading
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import NamedTuple
from urllib.parse import quote_plus
from xml.sax.saxutils import escape

from .base import Answer, Request

MOST = 1000
"""Entries S3 puts on one page at most."""
MODIFIED = datetime(2024, 3, 1, 2, 15, tzinfo=UTC)
PROLOG = '<?xml version="1.0" encoding="UTF-8"?>\n'
XML = {"Content-Type": "application/xml", "X-Amz-Request-Id": "0A49CE4060975EAC", "X-Amz-Id-2": "bG9vcGJhY2s="}
SIGNS = {'"': "&quot;", "\r": "&#13;"}
LAST = "\U0010ffff"


@dataclass(frozen=True)
class Stored:
    """An object. The ETag has its quotes."""

    body: bytes
    etag: str
    modified: datetime = MODIFIED


class Entry(NamedTuple):
    """One line of a listing: an object, or without one, a prefix that many share."""

    name: str
    stored: Stored | None


class Bucket:
    """An app for `serve`. Objects may be put in while it runs."""

    def __init__(self, objects: Mapping[str, bytes], name: str = "ooni-data-eu-fra", page: int = MOST) -> None:
        self.name = name
        self.page = page
        self._lock = threading.Lock()
        self._objects = {key: store(body) for key, body in sorted(objects.items())}

    def put(self, key: str, body: bytes, modified: datetime = MODIFIED, parts: int = 0) -> None:
        """Add or replace an object; with `parts` its ETag is that of an upload in so many parts, no MD5 of it all."""
        with self._lock:
            # Never changed in place: a listing goes on with what it began with.
            self._objects = dict(sorted({**self._objects, key: store(body, modified, parts)}.items()))

    def __call__(self, request: Request) -> Answer:
        bucket, _, key = request.path.removeprefix("/").partition("/")
        if request.method not in ("GET", "HEAD"):
            return error(405, "MethodNotAllowed", "The specified method is not allowed against this resource.")
        if bucket != self.name:
            return error(404, "NoSuchBucket", "The specified bucket does not exist", BucketName=bucket)
        if not key:
            return self._list(request.query)
        stored = self._objects.get(key)
        if stored is None:
            return error(404, "NoSuchKey", "The specified key does not exist.", Key=key)
        return read(stored, request)

    def _list(self, asked: Mapping[str, str]) -> Answer:
        if asked.get("list-type") != "2":
            return error(501, "NotImplemented", "A header you provided implies functionality that is not implemented")
        if not re.fullmatch("[0-9]{1,9}", asked.get("max-keys", "0")):
            return error(400, "InvalidArgument", "Provided max-keys not an integer or within integer range")
        token = asked.get("continuation-token")
        try:
            after = asked.get("start-after", "") if token is None else open_token(token)
        except ValueError:
            return error(400, "InvalidArgument", "The continuation token provided is incorrect")
        most = min(int(asked.get("max-keys", MOST)), self.page, MOST)
        found = list(entries(self._objects, asked.get("prefix", ""), asked.get("delimiter", ""), after, most + 1))
        if not len(found) > most > 0:
            return self._page(asked, found[:most], None)
        last = found[most - 1]
        page = self._page(asked, found[:most], make_token(last.name if last.stored else last.name + LAST))
        return replace(page, again=lambda: self._page(asked, found[:most], token or make_token(after)))

    def _page(self, asked: Mapping[str, str], found: list[Entry], token: str | None) -> Answer:
        is_url = asked.get("encoding-type") == "url"

        def tag(name: str, text: str, is_name: bool = False) -> str:
            text = quote_plus(text, safe="/") if is_name and is_url else text
            return f"<{name}>{escape(text, SIGNS)}</{name}>"

        parts = [tag("Name", self.name), tag("Prefix", asked.get("prefix", ""), True)]
        if "continuation-token" in asked:
            parts.append(tag("ContinuationToken", asked["continuation-token"]))
        if "start-after" in asked:
            parts.append(tag("StartAfter", asked["start-after"], True))
        if token is not None:
            parts.append(tag("NextContinuationToken", token))
        parts += [tag("KeyCount", str(len(found))), tag("MaxKeys", asked.get("max-keys", str(MOST)))]
        if asked.get("delimiter"):
            parts.append(tag("Delimiter", asked["delimiter"], True))
        if is_url:
            parts.append(tag("EncodingType", "url"))
        parts.append(tag("IsTruncated", "false" if token is None else "true"))
        for name, stored in found:
            if stored is None:
                parts.append(f"<CommonPrefixes>{tag('Prefix', name, True)}</CommonPrefixes>")
                continue
            inner = tag("Key", name, True) + tag("LastModified", f"{stored.modified:%Y-%m-%dT%H:%M:%S.000Z}")
            inner += tag("ETag", stored.etag) + tag("Size", str(len(stored.body)))
            parts.append(f"<Contents>{inner}<StorageClass>STANDARD</StorageClass></Contents>")
        root = '<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
        return Answer(200, XML, f"{PROLOG}{root}{''.join(parts)}</ListBucketResult>".encode())


def entries(objects: Mapping[str, Stored], prefix: str, delimiter: str, after: str, most: int) -> Iterator[Entry]:
    """The first entries after a name, in the order of their names."""
    names = list(objects)
    place = max(bisect_right(names, after), bisect_right(names, prefix) - (prefix in objects))
    while place < len(names) and names[place].startswith(prefix) and most > 0:
        name, most = names[place], most - 1
        end = name.find(delimiter, len(prefix)) if delimiter else -1
        if end < 0:
            yield Entry(name, objects[name])
            place += 1
        else:
            shared = name[: end + len(delimiter)]
            yield Entry(shared, None)
            place = bisect_right(names, shared + LAST)


def make_token(name: str) -> str:
    """A continuation token: opaque, and of signs that have a meaning in addresses, as those of S3."""
    return "1+/" + base64.b64encode(name.encode()).decode()


def open_token(token: str) -> str:
    """The name in a token; ValueError where it is none of ours."""
    if not token.startswith("1+/"):
        raise ValueError(token)
    return base64.b64decode(token[3:], validate=True).decode()


def store(body: bytes, modified: datetime = MODIFIED, parts: int = 0) -> Stored:
    """An object with the ETag of one upload, or of an upload in parts: the MD5 of their MD5s, and how many."""
    digest = hashlib.md5(body)
    if parts:
        size = max(1, -(-len(body) // parts))
        pieces = [body[start * size : (start + 1) * size] for start in range(parts)]
        digest = hashlib.md5(b"".join(hashlib.md5(piece).digest() for piece in pieces))
    return Stored(body, f'"{digest.hexdigest()}{f"-{parts}" if parts else ""}"', modified)


def read(stored: Stored, request: Request) -> Answer:
    """The object or the part asked for, under the conditions asked for."""
    size, modified = len(stored.body), format_datetime(stored.modified, usegmt=True)
    headers = {"ETag": stored.etag, "Last-Modified": modified, "Accept-Ranges": "bytes"}
    asked = request.headers
    if asked.get("if-match", stored.etag) not in (stored.etag, "*"):
        return error(412, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold")
    if asked.get("if-none-match") in (stored.etag, "*"):
        return Answer(304, headers)
    part = part_asked(asked.get("range", ""), size)
    if part is None or asked.get("if-range", stored.etag) not in (stored.etag, modified):
        return Answer(200, {**headers, "Content-Type": "binary/octet-stream"}, stored.body)
    if not part:
        refusal = error(416, "InvalidRange", "The requested range is not satisfiable", ActualObjectSize=str(size))
        return replace(refusal, headers={**refusal.headers, "Content-Range": f"bytes */{size}"})
    headers |= {"Content-Range": f"bytes {part[0]}-{part[-1]}/{size}", "Content-Type": "binary/octet-stream"}
    return Answer(206, headers, stored.body[part.start : part.stop])


def part_asked(header: str, size: int) -> range | None:
    """The bytes that a Range header asks for, maybe none; None where all are sent, as S3 does for several ranges."""
    match = re.fullmatch(r"bytes=(\d*)-(\d*)", header)
    if match is None or not any(match.groups()):
        return None
    first, last = match.groups()
    if not first:
        return range(max(0, size - int(last)), size)
    if last and int(last) < int(first):
        return None
    return range(int(first), min(size, int(last) + 1) if last else size)


def error(status: int, code: str, message: str, **more: str) -> Answer:
    """An error as S3 words it."""
    fields = {"Code": code, "Message": message, **more, "RequestId": XML["X-Amz-Request-Id"]}
    inner = "".join(f"<{name}>{escape(text)}</{name}>" for name, text in fields.items())
    return Answer(status, XML, f"{PROLOG}<Error>{inner}</Error>".encode())
