"""What can go wrong with a request, as RFC 9457 has it. `type` is the address of a kind's own answer."""

from __future__ import annotations

from typing import Any

from .rows import ProblemKind

TYPE = "application/problem+json"
PATH = "/api/v1/problems/"

KINDS = {
    kind.name: kind
    for kind in (
        ProblemKind("bad-parameter", 400, "A parameter is wrong", "`detail` names it and says what is allowed."),
        ProblemKind(
            "bad-cursor", 400, "The cursor is not of this query",
            "A cursor goes with the filters and the order it was given for, and with the rules that judged; begin anew"
            " without it.",
        ),
        ProblemKind("not-found", 404, "There is nothing here", "No such address, or no item of that id."),
        ProblemKind(
            "method-not-allowed", 405, "This can only be read", "GET, HEAD and OPTIONS are answered; see `Allow`."
        ),
        ProblemKind(
            "not-acceptable", 406, "Not in that format",
            "`Accept` leaves out every format there is; `detail` lists them. `?format=` goes before it.",
        ),
        ProblemKind("uri-too-long", 414, "The address is too long", "More than 2,048 characters."),
        ProblemKind(
            "range-not-satisfiable", 416, "The file has no such bytes", "`Content-Range` says how many it has."
        ),
        ProblemKind(
            "too-many-requests", 429, "Too many requests",
            "Wait as many seconds as `Retry-After` says. Whoever needs much is better served with the store.",
        ),
        ProblemKind("internal", 500, "A fault of ours", "It should not happen: please report what was asked."),
        ProblemKind(
            "busy", 503, "Busy, or still preparing",
            "Ask again after `Retry-After`; narrower filters are answered sooner.",
        ),
    )
}  # fmt: skip


class Problem(Exception):
    """A request that can't be answered as asked."""

    def __init__(self, name: str, detail: str, headers: tuple[tuple[str, str], ...] = ()) -> None:
        super().__init__(detail)
        self.kind = KINDS[name]
        self.detail = detail
        self.headers = headers

    def content(self) -> dict[str, Any]:
        """The body."""
        kind = self.kind
        return {"type": PATH + kind.name, "title": kind.title, "status": kind.status, "detail": self.detail}
