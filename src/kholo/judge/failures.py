"""Failure codes and names of layers in words.

Sources of the codes: OONI's list of errors (ooni/spec, df-007) in both of its forms, and the failures that its probe
writes (ooni/probe-cli, `internal/netxlite`). What only archives say (`kholo.observe`) stands beside them.
"""

from __future__ import annotations

from kholo.model import Layer
from kholo.model.text import clean
from kholo.wording import Told

from .wording import say

#: What a failure says, and the codes that say so.
_CODES: dict[str, frozenset[str]] = {
    "reset": frozenset({"connection_reset"}),
    "refused": frozenset({"connection_refused", "connection_refused_error"}),
    "timeout": frozenset(
        {
            "generic_timeout_error", "timed_out", "task_timed_out", "deferred_timeout_error", "tcp_timed_out_error",
            "connect_timeout",
        }
    ),
    "closed": frozenset(
        {"eof_error", "connection_done", "connection_already_closed", "response_never_received"}
    ),
    "lost": frozenset({"connection_lost_error", "connection_aborted", "network_reset", "not_connected"}),
    "unconnected": frozenset({"connect_error"}),
    "no_way": frozenset({"network_unreachable", "host_unreachable"}),
    "offline": frozenset({"network_down"}),
    "family": frozenset({"address_family_not_supported_error", "address_family_not_supported"}),
    "nxdomain": frozenset({"dns_nxdomain_error", "dns_name_error"}),
    "bogon": frozenset({"dns_bogon_error"}),
    "resolver_refused": frozenset({"dns_refused_error"}),
    "resolver_failed": frozenset(
        {
            "dns_server_failure", "dns_servfail_error", "dns_server_misbehaving", "dns_name_failure",
            "dns_non_recoverable_failure",
        }
    ),
    "no_address": frozenset({"dns_no_answer", "android_dns_cache_no_data"}),
    "for_now": frozenset({"dns_temporary_failure"}),
    "other_reply": frozenset({"dns_reply_with_wrong_query_id"}),
    "lookup": frozenset({"dns_lookup_error"}),
    "other_name": frozenset({"ssl_invalid_hostname"}),
    "unvouched": frozenset({"ssl_unknown_authority", "ssl_unknown_autority"}),
    "invalid": frozenset({"ssl_invalid_certificate"}),
    "handshake": frozenset({"ssl_failed_handshake"}),
    "quic_version": frozenset({"quic_incompatible_version"}),
    "status": frozenset({"http_request_failed", "http_unexpected_status_code"}),
    "elsewhere": frozenset({"http_unexpected_redirect_url"}),
    "nowhere": frozenset({"http_invalid_redirect_location_host"}),
    "unreadable": frozenset({"json_parse_error"}),
    "interrupted": frozenset({"interrupted"}),
    "forbidden": frozenset({"permission_denied"}),
    "proxy": frozenset(
        {
            "socks_error", "socks_address_not_supported", "socks_command_not_supported", "socks_connection_refused",
            "socks_connection_not_allowed", "socks_host_unreachable", "socks_network_unreachable",
            "socks_server_failure", "socks_ttl_expired",
        }
    ),
    "confirmed": frozenset({"archive_confirmed"}),
    "anomaly": frozenset({"archive_anomaly"}),
    "unfinished": frozenset({"archive_failure"}),
}  # fmt: skip
_SAYS = {code: key for key, codes in _CODES.items() for code in codes}
#: Every failure that has words.
FAILURES = frozenset(_CODES)
#: An unknown code may hold anything; so much of it is shown.
_SHOWN = 80


def failed(code: str) -> Told:
    """A failure in words, with its code; a code that is not known here is shown as it is, and cut."""
    if code in _SAYS:
        return say(f"failure.{_SAYS[code]}") + say("failure.code", code=code)
    if code.startswith("unknown_failure"):
        return say("failure.unnamed") + say("failure.code", code=clean(code, _SHOWN))
    return say("failure.unknown", code=clean(code, _SHOWN))


def layer_name(layer: Layer) -> Told:
    """The step at which something happened."""
    return say(f"layer.{layer.value}")
