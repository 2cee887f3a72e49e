"""What an unencrypted page looks like: a denial, a CDN's challenge, or what the control saw."""

from __future__ import annotations

from kholo.model import Observation

#: Words in the title of a page that denies access. Used only with status 200 and a control that saw another title.
_DENIALS = (
    "access denied",
    "access restricted",
    "access to this site is denied",
    "blocked",
    "forbidden",
    "prohibited",
    "restricted website",
    "unavailable for legal reasons",
)
_CHALLENGERS = ("cloudflare", "akamaighost", "ddos-guard", "sucuri")
_CHALLENGE_STATUS = frozenset({403, 429, 503})

#: Header names that nearly every server sends: sharing them proves nothing (after ooni/spec ts-017, headers_match).
_COMMON_HEADERS = frozenset(
    {
        "accept-ranges",
        "age",
        "alt-svc",
        "cache-control",
        "connection",
        "content-encoding",
        "content-language",
        "content-length",
        "content-type",
        "date",
        "etag",
        "expires",
        "keep-alive",
        "last-modified",
        "location",
        "pragma",
        "server",
        "set-cookie",
        "transfer-encoding",
        "vary",
        "via",
        "x-frame-options",
        "x-powered-by",
    }
)
#: Lengths within this ratio count as alike (ooni/spec ts-017, body_proportion).
ALIKE = 0.7


def is_denial(page: Observation, control: Observation | None) -> bool:
    """Status 200, a title that denies access, and a control that saw another title."""
    if page.status != 200 or control is None or page.title == control.title:
        return False
    title = page.title.lower()
    return any(words in title for words in _DENIALS)


def is_challenge(page: Observation) -> bool:
    """A CDN that refuses or asks for a proof of humanity."""
    return page.status in _CHALLENGE_STATUS and page.server.lower().startswith(_CHALLENGERS)


def is_like(page: Observation, control: Observation) -> bool:
    """Same status, and the same title, a similar length, or an unusual header in common."""
    if page.status != control.status:
        return False
    if page.title and page.title == control.title:
        return True
    if page.truncated:
        return not page.title and not control.title
    longer = max(page.length, control.length)
    if longer and min(page.length, control.length) / longer >= ALIKE:
        return not (page.title and control.title)
    unusual = set(page.header_names) - _COMMON_HEADERS
    return bool(unusual & set(control.header_names))
