"""The site as a WSGI application (PEP 3333): any server of that kind can run it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any

from .respond import Request, Site
from .streams import Stream

_REASONS = {status.value: f"{status.value} {status.phrase}" for status in HTTPStatus}
_WANTED = {
    "HTTP_ACCEPT": "accept",
    "HTTP_ACCEPT_LANGUAGE": "accept-language",
    "HTTP_ACCEPT_ENCODING": "accept-encoding",
    "HTTP_IF_NONE_MATCH": "if-none-match",
    "HTTP_IF_MODIFIED_SINCE": "if-modified-since",
    "HTTP_RANGE": "range",
    "HTTP_IF_RANGE": "if-range",
}
Start = Callable[[str, list[tuple[str, str]]], Any]


def application(site: Site, *, is_behind_proxy: bool) -> Callable[[dict[str, Any], Start], Iterable[bytes]]:
    """The application. Behind a proxy the client is the last address that it put into `X-Forwarded-For`."""

    def answer(environ: dict[str, Any], start: Start) -> Iterable[bytes]:
        client = str(environ.get("REMOTE_ADDR", ""))
        if is_behind_proxy and (forwarded := environ.get("HTTP_X_FORWARDED_FOR")):
            client = str(forwarded).rpartition(",")[2].strip()[:64]
        request = Request(
            method=environ["REQUEST_METHOD"],
            path=environ["PATH_INFO"],
            query=environ.get("QUERY_STRING", ""),
            headers={name: str(environ[key]) for key, name in _WANTED.items() if key in environ},
            client=client,
        )
        made = site.answer(request)
        is_empty = made.status in (204, 304)
        length = [] if is_empty else [("Content-Length", str(len(made.body)))]
        start(_REASONS[made.status], [*made.headers, *length])
        if request.method == "HEAD" or is_empty:
            return []
        return made.body if isinstance(made.body, Stream) else [made.body]

    return answer
