"""Builds raw web_connectivity measurements for tests, in OONI's format, part by part."""

from __future__ import annotations

from typing import Any

import msgspec

HOST, IP = "www.example.com", "93.184.216.34"


def query(failure: str | None = None, *ips: str, engine: str = "getaddrinfo", **more: Any) -> dict[str, Any]:
    answers = [{"answer_type": "A", "ipv4": ip, "asn": more.get("asn", 15133)} for ip in ips]
    return {
        "engine": engine,
        "hostname": more.get("host", HOST),
        "query_type": more.get("type", "A"),
        "failure": failure,
        "answers": answers or None,
        "tags": [f"depth={more.get('depth', 0)}"],
    }


def connect(failure: str | None = None, ip: str = IP, port: int = 443, depth: int = 0) -> dict[str, Any]:
    status = {"failure": failure, "success": failure is None}
    return {"ip": ip, "port": port, "status": status, "tags": [f"depth={depth}"], "transaction_id": 7}


def handshake(failure: str | None = None, ip: str = IP, depth: int = 0, host: str = HOST) -> dict[str, Any]:
    return {
        "address": f"{ip}:443",
        "server_name": host,
        "failure": failure,
        "no_tls_verify": False,
        "tags": [f"depth={depth}"],
        "transaction_id": 7,
    }


def exchange(url: str, failure: str | None = None, status: int = 200, **more: Any) -> dict[str, Any]:
    response = {
        "code": status,
        "body": more.get("body", ""),
        "headers": more.get("headers", {}),
        "body_is_truncated": more.get("truncated", False),
    }
    port = 443 if url.startswith("https") else 80
    return {
        "address": f"{more.get('ip', IP)}:{port}",
        "failure": failure,
        "request": {"url": url},
        "response": response,
        "tags": [f"depth={more.get('depth', 0)}"],
        "transaction_id": 7,
    }


def control(**more: Any) -> dict[str, Any]:
    """A control to which everything was fine."""
    good = {"status": True, "failure": None}
    return {
        "dns": {"failure": None, "addrs": [IP]},
        "tcp_connect": {f"{IP}:443": good, f"{IP}:80": good},
        "tls_handshake": {f"{IP}:443": {**good, "server_name": HOST}},
        "http_request": {"failure": None, "status_code": 200, "body_length": 1_500, "title": "Home", "headers": {}},
        "ip_info": {IP: {"asn": 15133, "flags": 11}},
        **more,
    }


def measurement(url: str = f"https://{HOST}/", **keys: Any) -> dict[str, Any]:
    """A measurement from AS64496 in Pakistan in which everything worked, save for the test keys given."""
    envelope = {name: keys.pop(name) for name in list(keys) if name in _ENVELOPE}
    test_keys = {
        "queries": [query(None, IP), query(None, IP, engine="doh")],
        "tcp_connect": [connect()],
        "tls_handshakes": [handshake()],
        "requests": [exchange(url)],
        "control": control(),
        "control_failure": None,
        **keys,
    }
    return {**_ENVELOPE, "input": url, **envelope, "test_keys": test_keys}


def encode(raw: Any) -> bytes:
    return msgspec.json.encode(raw)


_ENVELOPE: dict[str, Any] = {
    "measurement_uid": "20240217180000.000000_PK_webconnectivity_0123456789abcdef",
    "report_id": "20240217T180000Z_webconnectivity_PK_64496_n1_abcdefgh",
    "test_name": "web_connectivity",
    "test_version": "0.5.28",
    "measurement_start_time": "2024-02-17 18:00:00",
    "probe_cc": "PK",
    "probe_asn": "AS64496",
    "probe_ip": "127.0.0.1",
    "resolver_asn": "AS64496",
    "software_name": "ooniprobe",
    "annotations": None,
}


def platform(test_name: str, url: str | None = None, **keys: Any) -> dict[str, Any]:
    """A measurement by a test that has no control, with the test keys given and nothing else."""
    envelope = {name: keys.pop(name) for name in list(keys) if name in _ENVELOPE or name == "options"}
    return {**_ENVELOPE, "test_name": test_name, "input": url, **envelope, "test_keys": keys}
