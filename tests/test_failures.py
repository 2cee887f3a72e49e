"""Failure codes in words: of OONI's list each has some, and a code that nobody knows is text and no more."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kholo.judge.failures import failed
from kholo.publish.language import ENGLISH, language
from kholo.publish.told import line

from .sentences import spoken

UR = language("ur")
JUDGE = Path(__file__).parents[1] / "src/kholo/judge"

#: Errors of ooni/spec df-007, with those of its older form.
DF_007 = {
    "address_family_not_supported_error",
    "connect_error",
    "connection_done",
    "connection_lost_error",
    "connection_refused",
    "connection_refused_error",
    "connection_reset",
    "deferred_timeout_error",
    "dns_bogon_error",
    "dns_lookup_error",
    "dns_name_error",
    "dns_name_failure",
    "dns_nxdomain_error",
    "eof_error",
    "generic_timeout_error",
    "http_request_failed",
    "http_unexpected_redirect_url",
    "http_unexpected_status_code",
    "interrupted",
    "json_parse_error",
    "response_never_received",
    "socks_address_not_supported",
    "socks_command_not_supported",
    "socks_connection_not_allowed",
    "socks_connection_refused",
    "socks_error",
    "socks_host_unreachable",
    "socks_network_unreachable",
    "socks_server_failure",
    "socks_ttl_expired",
    "ssl_invalid_certificate",
    "ssl_invalid_hostname",
    "ssl_unknown_autority",
    "task_timed_out",
    "tcp_timed_out_error",
}


def of_rules() -> set[str]:
    """The failures that the rules tell apart, as they stand in the code."""
    ends = ("_error", "_reset", "_refused", "_unreachable", "_failure")
    kinds = {
        node.value
        for name in ("dns", "gather")
        for node in ast.walk(ast.parse((JUDGE / f"{name}.py").read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.endswith(ends)
    } - {"http.server_error"}
    assert {"connection_reset", "generic_timeout_error", "eof_error", "archive_failure"} <= kinds
    return kinds


@pytest.mark.parametrize("code", sorted({*DF_007, *of_rules()}))
def test_a_failure_is_said_in_words_with_its_code_beside_them(code: str) -> None:
    text = failed(code)
    assert text.endswith(f" ({code})")
    assert "_" not in text.removesuffix(f" ({code})")
    shown = line(text, UR)
    assert shown.endswith(f' (<code dir="ltr">{code}</code>)')
    assert "_" not in shown.partition("<code")[0]


def test_english_and_urdu_say_how_a_connection_ended() -> None:
    assert line(failed("connection_reset"), ENGLISH) == "the connection was reset (connection_reset)"
    assert line(failed("connection_reset"), UR) == ('رابطہ ری سیٹ کر دیا گیا (<code dir="ltr">connection_reset</code>)')
    unnamed = failed("unknown_failure: dial tcp [scrubbed]: too many open files")
    assert unnamed.startswith("it failed in a way that has no name of its own (unknown_failure: dial tcp")


@given(st.text(min_size=1, max_size=300))
def test_a_code_that_nobody_knows_is_shown_as_it_is_and_cut(code: str) -> None:
    text = failed(f"x{code}")
    assert len(text) <= 81
    assert text.isprintable()
    assert text == spoken(text.said)
    for one in (ENGLISH, UR):
        shown = line(text, one).removeprefix('<code dir="ltr">').removesuffix("</code>")
        assert not {"<", ">", '"'} & set(shown)
