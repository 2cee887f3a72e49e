"""One object onto the disk: resumed where it was cut, checked against size and ETag, there whole or not at all."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import IO

import msgspec
import urllib3

from kholo.model import NetworkFault
from kholo.model.text import clean

from .ledger import Receipt, bare
from .plan import Remote
from .web import PIECE, Passing, Web, pieces

#: Bytes of one object; the largest of OONI's have some hundred MB.
MAX_OBJECT = 8 << 30
_MD5 = re.compile(r"[0-9a-f]{32}")
_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+|\*)")
_PART = re.compile(r"[A-Za-z0-9_=,+@.-]{1,200}")

Got = Callable[[int], None]


def path_of(folder: Path, name: str) -> Path:
    """Where an object is kept. Raises `NetworkFault` on a name that could lead out of the folder."""
    parts = PurePosixPath(name).parts
    if not parts or any(not _PART.fullmatch(part) or part.startswith(".") for part in parts):
        raise NetworkFault(f"an object is called {clean(name, 200)}: not a path of plain names, so not kept")
    return folder.joinpath(*parts)


def download(web: Web, remote: Remote, folder: Path, now: datetime, got: Got) -> Receipt:
    """Fetch one object. `got` is called with bytes received (negative: they have to come again).

    Raises `NotThere`, `NetworkFault`, `OSError`.
    """
    target = path_of(folder, remote.name)
    target.parent.mkdir(parents=True, exist_ok=True)
    # A part belongs to one version: another ETag begins anew.
    version = hashlib.sha256(remote.etag.encode()).hexdigest()[:12]
    part = target.with_name(f".{target.name}.{version}.part")
    if not remote.etag:
        part.unlink(missing_ok=True)
    try:
        receipt = web.persist(remote.name, remote.address, lambda: _once(web, remote, part, now, got))
    except NetworkFault:
        if part.exists() and not part.stat().st_size:
            part.unlink()
        raise
    part.rename(target)
    return receipt


def _once(web: Web, remote: Remote, part: Path, now: datetime, got: Got) -> Receipt:
    with part.open("r+b" if part.exists() else "w+b") as stream:
        have = stream.seek(0, os.SEEK_END)
        if remote.size is not None and have > remote.size:
            have = _again(stream, have, got)
        if remote.size is None or have < remote.size or have == 0:
            _receive(web, remote, stream, have, got)
        stream.flush()
        os.fsync(stream.fileno())
        try:
            return _checked(remote, stream, now)
        except Passing:
            _again(stream, stream.seek(0, os.SEEK_END), got)
            raise


def _receive(web: Web, remote: Remote, stream: IO[bytes], have: int, got: Got) -> None:
    headers = {"Range": f"bytes={have}-", "If-Range": _quoted(remote.etag)} if have else {}
    with web.answer(remote.address, headers) as response:
        _same_version(remote, response)
        if have and not _goes_on(response, have):
            have = _again(stream, have, got)
        most = remote.size - have if remote.size is not None else MAX_OBJECT
        stream.seek(have)
        try:
            for piece in pieces(response, most):
                stream.write(piece)
                got(len(piece))
        except NetworkFault:
            # More than there should be: another object, or another version of it.
            _again(stream, stream.tell(), got)
            raise Passing("the object is longer than its listing says") from None


def _again(stream: IO[bytes], have: int, got: Got) -> int:
    """Drop what there is; it has to come again."""
    got(-have)
    stream.truncate(0)
    stream.seek(0)
    return 0


def _same_version(remote: Remote, response: urllib3.BaseHTTPResponse) -> None:
    etag = response.headers.get("ETag", "").strip()
    if remote.etag and etag and bare(etag) != bare(remote.etag):
        raise Passing("the object has another ETag than its listing says")


def _goes_on(response: urllib3.BaseHTTPResponse, have: int) -> bool:
    """Whether the answer is the rest that was asked for. Raises `Passing` where it is some other part."""
    if response.status != 206:
        return False
    match = _RANGE.fullmatch(response.headers.get("Content-Range", ""))
    if match is None or int(match[1]) != have:
        raise Passing("another range came than was asked for")
    return True


def _checked(remote: Remote, stream: IO[bytes], now: datetime) -> Receipt:
    stream.seek(0)
    sha, md5, size = hashlib.sha256(), hashlib.md5(usedforsecurity=False), 0
    while piece := stream.read(PIECE * 16):
        sha.update(piece)
        md5.update(piece)
        size += len(piece)
    if remote.size is not None and size != remote.size:
        raise Passing(f"{size} bytes came, its listing says {remote.size}")
    etag = bare(remote.etag)
    # An ETag of one piece is the MD5 of the object (S3 API, "Object"); of several it is not.
    if _MD5.fullmatch(etag) and etag != md5.hexdigest():
        raise Passing("the bytes are not those that its ETag stands for")
    if not etag and remote.name.endswith(".json"):
        _parses(stream, size)
    return Receipt(remote.name, remote.address, size, sha.hexdigest(), etag, now)


def _parses(stream: IO[bytes], size: int) -> None:
    """Nothing but its form shows whether an answer without an ETag is whole."""
    stream.seek(0)
    try:
        msgspec.json.decode(stream.read(size))
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        raise Passing("the answer is no JSON, or was cut") from None


def _quoted(etag: str) -> str:
    return f'"{bare(etag)}"'
