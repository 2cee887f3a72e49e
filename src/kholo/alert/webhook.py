"""A webhook: each message is one POST of JSON."""

from __future__ import annotations

import http.client
import urllib.error
import urllib.request
from typing import IO, Any
from urllib.parse import urlsplit

import msgspec

from kholo.fetch.wait import retry_after
from kholo.model import UsageError
from kholo.publish.dates import stamp
from kholo.publish.safe import web_address

from .channel import DEADLINE, TIMEOUT, Undelivered, key_of, within
from .told import Message, Past, news_json
from .wording import body, sentence, title

_PASSING = frozenset({408, 425, 429})


class Webhook:
    """Posts to one address. The address may hold a secret: only its host is ever shown."""

    has_log = False

    def __init__(self, address: str, timeout: float = TIMEOUT, deadline: float = DEADLINE) -> None:
        if web_address(address) is None or not address.isascii():
            raise UsageError("--webhook: no plain http:// or https:// address")
        self._address = address
        self._timeout = timeout
        self._deadline = deadline
        self.name = f"webhook at {urlsplit(address).hostname}"
        self.key = key_of("webhook", address)

    def refresh(self, past: Past) -> None:
        """Nothing to do."""

    def send(self, message: Message, past: Past) -> None:  # noqa: ARG002
        """Post once. Any 2xx is a receipt; redirects are not followed. Raises `Undelivered`."""
        within(self._deadline, lambda: self._post(message))

    def _post(self, message: Message) -> None:
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "User-Agent": "kholo",
            # The same message again, after a cut, has the same key: a receiver can drop it.
            "Idempotency-Key": message.message_id,
        }
        request = urllib.request.Request(self._address, payload(message), headers, method="POST")  # noqa: S310
        try:
            urllib.request.build_opener(_Stay).open(request, timeout=self._timeout).close()
        except urllib.error.HTTPError as error:
            with error:
                raise _failure(error) from None
        except urllib.error.URLError as error:
            raise Undelivered(f"can't be reached: {error.reason}") from None
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise Undelivered(f"can't be reached: {type(error).__name__}") from None


class _Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: Any, newurl: str
    ) -> None:
        """Never: the news goes to the address that was given and to no other."""


def payload(message: Message) -> bytes:
    """The body of the POST: `text` for chats, `news` for programs."""
    return msgspec.json.encode(
        {
            "id": f"urn:uuid:{message.message_id}",
            "at": stamp(message.at),
            "title": title(message),
            "text": body(message),
            "news": [news_json(news) | {"text": sentence(news)} for news in message.news],
        }
    )


def _failure(error: urllib.error.HTTPError) -> Undelivered:
    if 300 <= error.code < 400:
        return Undelivered(f"answers {error.code}, a redirect; redirects are not followed", is_refused=True)
    return Undelivered(
        f"answers {error.code}",
        is_refused=error.code < 500 and error.code not in _PASSING,
        wait=retry_after(error.headers.get("Retry-After"), error.headers.get("Date")),
    )
