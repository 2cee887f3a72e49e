"""The description of a dossier for archives and programs: RO-Crate 1.1 (https://w3id.org/ro/crate/1.1)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from .bag import Head

NAME = "data/ro-crate-metadata.json"
LICENCE = "https://creativecommons.org/licenses/by/4.0/"

#: What each part of the payload is, in the order in which a reader wants them.
PARTS = {
    "README.txt": "What this is, and how to check it",
    "dossier.json": "What the dossier is of and made by",
    "raw/": "The raw measurements used, byte for byte as received, and where each came from",
    "reference/": "The rules and the reference data that judged them",
    "case/": "The record: statements, orders and findings with their sources",
    "declared.json": "What the figures rest on besides, taken as stated and not recomputed here",
    "tables/": "Measurements, observations, verdicts and signals as Parquet tables",
    "results/": "Incidents, assessments, clocks, days and hourly cells as JSON",
    "pages/": "The pages of the case",
    "papers/": "The report for a court, in English and Urdu",
    "custody.jsonl": "Who did what with the case and its store, and when",
    "software/": "The software that made this, with everything it ran with",
}


def parts_of(names: list[str]) -> dict[str, str]:
    """The parts that are there (`names` are paths inside of the payload), with what they are."""
    heads = {name.split("/")[0] + ("/" if "/" in name else "") for name in names}
    return {part: says for part, says in PARTS.items() if part in heads}


def crate(head: Head, parts: Mapping[str, str]) -> bytes:
    """`ro-crate-metadata.json`, the same bytes for the same dossier."""
    graph = [
        {
            "@id": "ro-crate-metadata.json",
            "@type": "CreativeWork",
            "conformsTo": {"@id": "https://w3id.org/ro/crate/1.1"},
            "about": {"@id": "./"},
        },
        _root(head, parts),
        *(_part(part, says) for part, says in parts.items()),
        {
            "@id": LICENCE,
            "@type": "CreativeWork",
            "name": "CC BY 4.0",
            "description": "Licence of the record and pages",
        },
        {"@id": "#kholo", "@type": "SoftwareApplication", "name": "kholo", "softwareVersion": head.software},
        {
            "@id": "#made",
            "@type": "CreateAction",
            "name": "Everything computed from the raw measurements and the record",
            "instrument": {"@id": "#kholo"},
            "object": [{"@id": part} for part in ("raw/", "reference/", "case/", "declared.json") if part in parts],
            "result": [{"@id": part} for part in ("tables/", "results/", "pages/", "papers/") if part in parts],
        },
    ]
    content = {"@context": "https://w3id.org/ro/crate/1.1/context", "@graph": graph}
    return msgspec.json.format(msgspec.json.encode(content), indent=1) + b"\n"


def _root(head: Head, parts: Mapping[str, str]) -> dict[str, Any]:
    notice = "SIMULATED, nothing of this happened. " if head.simulated else ""
    return {
        "@id": "./",
        "@type": "Dataset",
        "name": f"{notice}{head.title}",
        "description": f"{notice}Evidence on the case {head.case}: raw measurements, what follows from them, and what"
        " was said and ordered. `kholo verify` computes every figure anew.",
        "datePublished": f"{head.as_of:%Y-%m-%d}",
        "license": {"@id": LICENCE},
        "identifier": head.case,
        "hasPart": [{"@id": part} for part in parts],
        "mentions": [{"@id": "#made"}],
    }


_FORMATS = {".json": "application/json", ".jsonl": "application/jsonl", ".txt": "text/plain"}


def _part(part: str, says: str) -> dict[str, Any]:
    if part.endswith("/"):
        return {"@id": part, "@type": "Dataset", "name": part.rstrip("/"), "description": says}
    suffix = part[part.rindex(".") :]
    return {"@id": part, "@type": "File", "name": part, "description": says, "encodingFormat": _FORMATS[suffix]}
