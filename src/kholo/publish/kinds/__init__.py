"""Every kind of page. To add one: a module with a `KIND`, a template, and its name here."""

from __future__ import annotations

from . import (
    actor,
    bulletin,
    case,
    claim,
    country,
    dossier,
    embed,
    front,
    incident,
    measurement,
    network,
    order,
    search,
    service,
    texts,
)
from .kind import Kind

KINDS: tuple[Kind, ...] = (
    front.KIND,
    front.CASES,
    case.KIND,
    claim.KIND,
    order.KIND,
    order.LIST,
    bulletin.KIND,
    embed.KIND,
    incident.KIND,
    incident.LIST,
    service.KIND,
    service.LIST,
    country.KIND,
    country.LIST,
    network.KIND,
    network.LIST,
    actor.KIND,
    actor.LIST,
    measurement.KIND,
    dossier.KIND,
    search.KIND,
    *texts.KINDS,
)
