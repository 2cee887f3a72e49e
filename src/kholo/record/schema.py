"""The case format as JSON Schema, for editors: generated from the same tables that reading goes by."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from .format import CASE, ENTRY, Among, Key, Shape, What
from .text import IDENTITY, MAX_IDENTITY
from .values import DIGEST, LANGUAGE, MAX_ITEMS, NETWORK

#: Editors' checkers of TOML (Taplo) know this draft; they take dates as texts with a format.
DRAFT = "http://json-schema.org/draft-07/schema#"
_DAY = {"type": "string", "format": "date"}
_PLAIN: dict[What, dict[str, Any]] = {
    What.FLAG: {"type": "boolean"},
    What.DAY: _DAY,
    What.MOMENT: {"anyOf": [_DAY, {"type": "string", "format": "date-time"}]},
}
_TEXTS: dict[What, dict[str, Any]] = {
    What.IDENTITY: {"pattern": f"^{IDENTITY.pattern}$", "maxLength": MAX_IDENTITY},
    What.PLACE: {"pattern": "^[A-Z]{2}$"},
    What.LANGUAGE: {"pattern": f"^{LANGUAGE.pattern}$"},
    What.ADDRESS: {"pattern": "^https?://"},
    What.PATH: {"pattern": r"^[^/~\\:][^\\:]*$"},
    What.DIGEST: {"pattern": f"^{DIGEST.pattern}$"},
}
_ITEMS: dict[What, dict[str, Any]] = {
    What.ENTRIES: _TEXTS[What.IDENTITY],
    What.NETWORKS: {"pattern": f"^{NETWORK.pattern}$"},
    What.LINES: {"minLength": 1},
}


def schemas(services: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Both schemas by the name of their file. `services` are the ids that exist."""
    known = sorted(services)
    return {
        "case.schema.json": _root("A case of kholo: case.toml", CASE, known),
        "entry.schema.json": {**_root("An entry of a case of kholo: entries/*.toml", ENTRY, known), "allOf": _rules()},
    }


def _root(title: str, shape: Shape, services: list[str]) -> dict[str, Any]:
    return {"$schema": DRAFT, "title": title, **_table(shape, services)}


def _table(shape: Shape, services: list[str]) -> dict[str, Any]:
    names = shape.names
    pairs = (("archived", "sha256"), ("sha256", "archived"), ("translation", "quote"))
    together = {key: [other] for key, other in pairs if key in names}
    return {
        "type": "object",
        "additionalProperties": False,
        "required": [key.name for key in shape.keys if key.is_needed],
        **({"dependencies": together} if together else {}),
        "properties": {key.name: {"description": _says(key), **_value(key, services)} for key in shape.keys},
    }


def _says(key: Key) -> str:
    only = f" Only in: {', '.join(sorted(key.only))}." if key.only else ""
    return f"{key.says[:1].upper()}{key.says[1:].replace('`', '')}.{only}"


def _value(key: Key, services: list[str]) -> dict[str, Any]:
    if key.shape is not None:
        inner = _table(key.shape, services)
        return inner if key.what is What.TABLE else {"type": "array", "minItems": 1, "items": inner}
    if key.what in _ITEMS:
        item = {"type": "string", "maxLength": key.longest, **_ITEMS[key.what]}
        return {"type": "array", "uniqueItems": True, "maxItems": MAX_ITEMS, "items": item}
    if key.what in _PLAIN:
        return _PLAIN[key.what]
    if key.what is What.CHOICE and key.among is not Among.ACTORS:
        return {"enum": services if key.among is Among.SERVICES else [str(word) for word in key.among]}
    return {"type": "string", "minLength": 1, "maxLength": key.longest, **_TEXTS.get(key.what, {})}


def _rules() -> list[dict[str, Any]]:
    """What holds between the keys of an entry: one date or both bounds; what stands only in some kinds."""
    none_of = {"not": {"anyOf": [{"required": ["earliest"]}, {"required": ["latest"]}]}}
    bounds = {"required": ["earliest", "latest"], "not": {"required": ["date"]}}
    rules: list[dict[str, Any]] = [{"oneOf": [{"required": ["date"], **none_of}, bounds]}]
    for key in ENTRY.keys:
        if key.only:
            rules.append({"if": {"required": [key.name]}, "then": {"properties": {"kind": {"enum": sorted(key.only)}}}})
        if key.must:
            kinds = {"properties": {"kind": {"enum": sorted(key.must)}}, "required": ["kind"]}
            rules.append({"if": kinds, "then": {"required": [key.name]}})
    return rules
