"""The interface as an OpenAPI 3.1 document, made from the table of resources."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import msgspec

from kholo import __version__

from .params import Param
from .problems import KINDS, TYPE
from .resources import FORMATS, RESOURCES, Resource

_REFS = "#/components/schemas/{name}"
_HEADERS = {
    "ETag": "The state of what is answered; goes into `If-None-Match`.",
    "RateLimit": "What is left, and in how many seconds all is there again (IETF draft).",
}


@lru_cache(maxsize=1)
def document() -> dict[str, Any]:
    """The whole document."""
    rows = [one.row for one in RESOURCES if one.row is not None]
    _, schemas = msgspec.json.schema_components(rows, ref_template=_REFS)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "kholo",
            "version": __version__,
            "summary": "Internet blocking, checkable: read-only.",
            "license": {"name": "CC BY 4.0", "identifier": "CC-BY-4.0"},
        },
        "servers": [{"url": "/"}],
        "paths": {one.path: _path(one) for one in RESOURCES},
        "components": {"schemas": {**schemas, "Problem": _problem()}},
    }


def _problem() -> dict[str, Any]:
    return {
        "type": "object",
        "description": "RFC 9457.",
        "properties": {
            "type": {"type": "string", "format": "uri-reference"},
            "title": {"type": "string"},
            "status": {"type": "integer"},
            "detail": {"type": "string"},
        },
        "required": ["type", "title", "status", "detail"],
    }


def _path(one: Resource) -> dict[str, Any]:
    fails = {kind.status: kind.title for kind in KINDS.values() if kind.status not in (405, 416, 500)}
    if not one.is_list and "{" not in one.path:
        fails.pop(404, None)
    get = {
        "operationId": one.name,
        "summary": one.about,
        "parameters": [_param(param) for param in one.params],
        "responses": {"200": _success(one)} | {str(status): _failure(title) for status, title in sorted(fails.items())},
    }
    return {"get": get}


def _param(param: Param) -> dict[str, Any]:
    return {
        "name": param.name,
        "in": param.where,
        "required": param.where == "path",
        "description": param.about,
        "schema": param.schema,
        "example": _plain(param.example) if param.schema["type"] in ("integer", "boolean") else param.example,
    }


def _plain(text: str) -> Any:
    return msgspec.json.decode(text)


def _success(one: Resource) -> dict[str, Any]:
    item = {"$ref": _REFS.format(name=one.row.__name__)} if one.row else {"type": "object"}
    content: dict[str, Any] = {FORMATS["json"]: {"schema": _envelope(one, item) if one.is_list else item}}
    if one.is_list:
        content[FORMATS["jsonl"]] = {"schema": {"type": "string", "description": "One item a line."}}
        content[FORMATS["csv"]] = {"schema": {"type": "string", "description": "The fields of an item as columns."}}
    headers = {name: {"description": about, "schema": {"type": "string"}} for name, about in _HEADERS.items()}
    return {"description": one.about, "headers": headers, "content": content}


def _envelope(one: Resource, item: dict[str, Any]) -> dict[str, Any]:
    known: dict[str, Any] = {
        "data": {"type": "array", "items": item},
        "next": {"type": ["string", "null"], "description": "Address of the next page."},
    }
    needed = ["data", "next"]
    if one.kind != "rule":
        known["simulated"] = {"type": "boolean", "description": "Whether the rows are invented: all or none."}
        needed.append("simulated")
    return {"type": "object", "properties": known, "required": needed}


def _failure(title: str) -> dict[str, Any]:
    return {"description": title, "content": {TYPE: {"schema": {"$ref": _REFS.format(name="Problem")}}}}
