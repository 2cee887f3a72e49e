"""The `test_keys` of OONI's tests, typed by test. Items of a wrong type are left out and counted.

Sources: ooni/spec `nettests/`: ts-006, ts-007, ts-015 to ts-020, ts-023, ts-025, ts-027 to ts-029, ts-036, ts-039.
"""

from __future__ import annotations

from typing import Any, get_args, get_origin, get_type_hints

import msgspec
from msgspec import Raw

from .formats import Handshake, Query, Steps, Text

Flag = str | bool | None


class ControlDns(msgspec.Struct, gc=False):
    failure: str | bool | None = None
    addrs: list[str] | None = None


class ControlEndpoint(msgspec.Struct, gc=False):
    status: bool | None = None
    failure: str | bool | None = None
    server_name: Text = None


class ControlHttp(msgspec.Struct, gc=False):
    failure: str | bool | None = None
    status_code: int | None = None
    body_length: int | None = None
    title: Text = None
    headers: Raw = Raw(b"null")


class AddressInfo(msgspec.Struct, gc=False):
    asn: int | None = None


class Control(msgspec.Struct, gc=False):
    dns: ControlDns | None = None
    tcp_connect: dict[str, ControlEndpoint] | None = None
    tls_handshake: dict[str, ControlEndpoint] | None = None
    quic_handshake: dict[str, ControlEndpoint] | None = None
    http_request: ControlHttp | None = None
    ip_info: dict[str, AddressInfo | None] | None = None


class WebConnectivity(Steps, gc=False):
    """web_connectivity, of all ages."""

    control: Control | None = None
    control_failure: Flag = None
    x_dns_duplicate_responses: list[Query] | None = None
    x_dns_late_replies: list[Query] | None = None


class Plain(Steps, gc=False):
    """Tests that write their steps and one failure: messengers, urlgetter, stunreachability, psiphon."""

    failure: Flag = None


class Bootstrap(msgspec.Struct, gc=False):
    """vanilla_tor: whether Tor came up, and how far it got (0 to 100)."""

    success: bool | None = None
    failure: Flag = None
    tor_progress: int | None = None
    damaged: int = 0


class Target(Steps, gc=False):
    """One relay, authority or bridge of the tor test."""

    failure: Flag = None
    target_address: Text = None
    target_protocol: Text = None


class Tor(msgspec.Struct, gc=False):
    """The tor test: targets by their id."""

    targets: dict[str, Target] | None = None
    damaged: int = 0


class DnsCheck(msgspec.Struct, gc=False):
    """dnscheck: the lookup of the resolver's own name, then a lookup by each of its addresses."""

    bootstrap: Steps | None = None
    bootstrap_failure: Flag = None
    lookups: dict[str, Plain] | None = None
    damaged: int = 0


class EchCheck(Steps, gc=False):
    """echcheck: handshakes with and without the extension; before 0.2.0 one each, under a name of its own."""

    control: Handshake | None = None
    target: Handshake | None = None


class Middlebox(msgspec.Struct, gc=False):
    """Tests that send odd requests to an echo server: whether what came back differed."""

    tampering: bool | dict[str, Any] | None = None
    damaged: int = 0


class Browser(msgspec.Struct, gc=False):
    """browser_web: what a page in a browser may know."""

    result: Text = None
    damaged: int = 0


TestKeys = WebConnectivity | Plain | Bootstrap | Tor | DnsCheck | EchCheck | Middlebox | Browser

#: The tests that are judged. Others are stored and counted.
KINDS: dict[str, type[TestKeys]] = {
    "web_connectivity": WebConnectivity,
    "whatsapp": Plain,
    "telegram": Plain,
    "signal": Plain,
    "facebook_messenger": Plain,
    "urlgetter": Plain,
    "stunreachability": Plain,
    "stun_reachability": Plain,
    "psiphon": Plain,
    "tor": Tor,
    "vanilla_tor": Bootstrap,
    "dnscheck": DnsCheck,
    "echcheck": EchCheck,
    "http_invalid_request_line": Middlebox,
    "http_header_field_manipulation": Middlebox,
    "browser_web": Browser,
}
_DECODERS: dict[str, msgspec.json.Decoder[TestKeys]] = {
    name: msgspec.json.Decoder(kind) for name, kind in KINDS.items()
}


def decode(test_name: str, test_keys: Raw) -> TestKeys | None:
    """The typed test keys; None where they are null, or the test is one that is not judged.

    Raises `msgspec.DecodeError` when the bytes are no JSON, `RecursionError` when nested too deep.
    """
    decoder = _DECODERS.get(test_name)
    if decoder is None or bytes(test_keys) == b"null":
        return None
    try:
        return decoder.decode(test_keys)
    except msgspec.ValidationError:
        kept: TestKeys = _salvage(msgspec.json.decode(test_keys), KINDS[test_name])
        return kept


def _salvage(raw: Any, kind: Any) -> Any:
    """Keep everything that has the right shape; count the rest."""
    kept = kind()
    if not isinstance(raw, dict):
        kept.damaged = 1
        return kept
    for name, wanted in get_type_hints(kind).items():
        if name == "damaged" or raw.get(name) is None:
            continue
        value, lost = _fit(raw[name], wanted)
        kept.damaged += lost
        if value is not None:
            setattr(kept, name, value)
    return kept


def _fit(value: Any, wanted: Any) -> tuple[Any, int]:
    """The value as `wanted`, as far as it goes, and how many items of it were lost."""
    if wanted is Raw:
        return Raw(msgspec.json.encode(value)), 0
    for option in get_args(wanted):
        origin, inner = get_origin(option), get_args(option)
        if origin is list and isinstance(value, list):
            found = [_convert(item, inner[0]) for item in value]
            good = [item for item in found if item is not None]
            return good, len(value) - len(good)
        if origin is dict and isinstance(value, dict):
            named = {key: _convert(item, inner[1]) for key, item in value.items() if item is not None}
            kept = {key: item for key, item in named.items() if item is not None}
            return kept, len(named) - len(kept)
        if _is_steps(option):
            return _salvage(value, option), 0
    whole = _convert(value, wanted)
    return whole, int(whole is None)


def _is_steps(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, Steps)


def _convert(item: Any, kind: Any) -> Any:
    if _is_steps(kind):
        return _salvage(item, kind)
    try:
        return msgspec.json.decode(msgspec.json.encode(item), type=kind)
    except msgspec.ValidationError:
        return None


def total_damage(keys: TestKeys) -> int:
    """Items left out anywhere in the keys."""
    if isinstance(keys, Tor):
        return keys.damaged + sum(target.damaged for target in (keys.targets or {}).values())
    if isinstance(keys, DnsCheck):
        inner = [*(keys.lookups or {}).values(), keys.bootstrap or Steps()]
        return keys.damaged + sum(steps.damaged for steps in inner)
    return keys.damaged
