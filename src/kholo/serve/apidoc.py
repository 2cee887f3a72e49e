"""docs/api.md, made from the table of resources."""

from __future__ import annotations

from typing import Any

import msgspec

from .params import Param
from .problems import KINDS
from .resources import FORMATS, RESOURCES, Resource

_HEAD = """# The API

<!-- Made from the table of resources: python -m kholo.serve.apidoc > docs/api.md -->

`kholo serve` answers under `/api/v1/`, read-only, without a key: GET, HEAD and OPTIONS. The same in OpenAPI 3.1
stands at `/api/v1/openapi.json`. From Python, the library itself is the client: whatever an address here says, `kholo`
and its modules say from a store.

    curl 'http://127.0.0.1:8000/api/v1/verdicts?service=x&place=PK&state=blocked&limit=1000'
    curl -H 'Accept: text/csv' 'http://127.0.0.1:8000/api/v1/incidents?place=PK'

- **Names** are those of `kholo … --json`. Times are RFC 3339 in UTC, absent is null.
- **Real and simulated** rows never stand in one answer. Without `simulated=true` there are real ones only; each answer
  and each row says which it is.
- **Lists** are `{"simulated": …, "data": […], "next": …}`. `next` is the address of the next page, or null; it also
  stands in the header `Link`. All pages of a walk over verdicts show the store as it was at the first page: nothing is
  lost or comes twice while data are added. A cursor goes with the filters it was given for.
- **Formats**: JSON, JSON Lines (`application/jsonl`) and CSV, by `Accept` or by `?format=`. In JSON, `<`, `>`, `&` and
  characters that can't be seen are written as escapes, which are the same text. In CSV no cell is a formula, and hidden
  characters are written out as `[U+202E]`.
- **Caching**: each answer has an `ETag` that follows from the state of the store and the question; with `If-None-Match`
  an unchanged answer is 304. Bodies come in gzip for who takes it.
- **Limits**: 20 requests a second and client, 200 after a pause, and eight that are being answered at the same time,
  unless whoever serves chose otherwise. `RateLimit` and `X-RateLimit-…` say what is left, 429 and `Retry-After` how
  long to wait. A page has 1,000 rows at most, an address
  2,048 characters, and each query a bounded amount of work.
- **Other sites** may ask from their pages (CORS, any origin, no credentials).

## Resources
"""
_PROBLEMS = """
## Problems

What can't be answered is `application/problem+json` (RFC 9457). `type` is one of these, under `/api/v1/problems/`:

| type | status | title | meaning |
|---|---|---|---|
"""


def page() -> str:
    """The page."""
    parts = [_HEAD, *map(_resource, RESOURCES), _PROBLEMS]
    parts += [f"| `{one.name}` | {one.status} | {one.title} | {one.meaning} |\n" for one in KINDS.values()]
    return "".join(parts)


def _resource(one: Resource) -> str:
    lines = [f"\n### GET {one.path}", "", one.about, ""]
    lines.append(f"Formats: {', '.join(f'`{FORMATS[name]}`' for name in one.formats)}.")
    if one.row is not None:
        names = [field.encode_name for field in msgspec.structs.fields(one.row)]
        lines += ["", f"An item has: {', '.join(f'`{name}`' for name in names)}."]
    if one.params:
        lines += ["", "| parameter | in | what | allowed |", "|---|---|---|---|"]
        lines += [f"| `{param.name}` | {param.where} | {param.about} | {_allowed(param)} |" for param in one.params]
    return "\n".join(lines) + "\n"


def _allowed(param: Param) -> str:
    schema: dict[str, Any] = param.schema
    if "enum" in schema:
        said = ", ".join(f"`{value}`" for value in schema["enum"])
    elif "maximum" in schema:
        said = f"{schema['minimum']} to {schema['maximum']:,}"
    elif schema["type"] == "boolean":
        said = "`true`, `false`"
    else:
        said = f"as in `{param.example}`"
    return f"{said}; without it {_written(schema['default'])}" if "default" in schema else said


def _written(value: Any) -> str:
    return f"`{str(value).lower()}`"


if __name__ == "__main__":
    import sys

    sys.stdout.write(page())
