"""Other rules and fingerprints on what is stored: what changed, and why."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from kholo.cli import cli
from kholo.judge.ruleset import SHIPPED

from . import raw
from .raw import connect, exchange, handshake

HTTP = "http://www.example.com/"
PAGE = "<title>Notice</title><p>this address is not available in the republic</p>"
HEAD = "name,scope,location_found,pattern_type,pattern,expected_countries\n"


def kholo(*args: object) -> Result:
    return CliRunner().invoke(cli, [str(arg) for arg in args])


def rows(done: Result) -> list[dict[str, Any]]:
    assert done.exit_code == 0, done.output
    return [json.loads(line) for line in done.stdout.splitlines()]


def uid(number: int) -> str:
    return f"20240217180000.{number:06}_PK_webconnectivity_0123456789abcdef"


@pytest.fixture
def store(tmp_path: Path) -> Path:
    plain = raw.measurement(
        HTTP, measurement_uid=uid(1), tcp_connect=[connect(port=80)], tls_handshakes=[], requests=[
            exchange(HTTP, body=PAGE)])  # fmt: skip
    reset = raw.measurement(
        measurement_uid=uid(2), tls_handshakes=[handshake("connection_reset")], requests=[]
    )  # fmt: skip
    for number, line in enumerate((plain, reset, raw.measurement(measurement_uid=uid(3)))):
        (tmp_path / f"{number}.json").write_bytes(raw.encode(line))
        assert kholo("ingest", tmp_path / f"{number}.json", "--store", tmp_path / "store").exit_code == 0
    return tmp_path / "store"


def digests(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_a_new_fingerprint_changes_what_it_should_and_diff_names_the_fact(store: Path, tmp_path: Path) -> None:
    facts = digests(store / "parts")
    (tmp_path / "more.csv").write_text(HEAD + "notice,nat,body,contains,not available in the republic,PK\n")
    (made,) = rows(kholo("rejudge", "--store", store, "--fingerprints", tmp_path / "more.csv", "--json"))
    assert made["parts_judged"] == 3
    assert not made["is_shipped"]
    (changed,) = rows(kholo("diff", "--store", store, "--from", _shipped(store), "--to", made["set"], "--json"))
    assert changed["measurement_uid"] == uid(1)
    assert (changed["before"]["state"], changed["after"]["state"]) == ("insufficient", "blocked")
    assert (changed["gained"], changed["lost"]) == (["http.blockpage"], [])
    assert changed["why"] == "now seen: http.blockpage"
    assert digests(store / "parts") == facts
    (tmp_path / "more.csv").unlink()
    assert "1 from insufficient to blocked" in kholo("diff", "--store", store, "--to", made["set"]).output


def _shipped(store: Path) -> str:
    (made,) = rows(kholo("rejudge", "--store", store, "--json"))
    assert made["is_shipped"]
    return str(made["set"])


def test_a_rule_taken_away_is_named(store: Path, tmp_path: Path) -> None:
    head, _, rest = SHIPPED.read_text().partition('[[rule]]\nid = "tls.reset"')
    (tmp_path / "rules.toml").write_text(head + "[[rule]]" + rest.partition("[[rule]]")[2])
    (made,) = rows(kholo("rejudge", "--store", store, "--rules", tmp_path / "rules.toml", "--json"))
    (changed,) = rows(kholo("diff", "--store", store, "--from", _shipped(store), "--to", made["ruleset"], "--json"))
    assert (changed["before"]["rule_id"], changed["after"]["rule_id"]) == ("tls.reset", "tls.unclear")
    assert changed["why"] == "the rule tls.reset is gone"


def test_the_same_rules_again_change_nothing_and_any_number_of_workers_write_the_same(store: Path) -> None:
    name = _shipped(store)
    before = digests(store / "verdicts" / name)
    for workers in (1, 2):
        for path in (store / "verdicts" / name).iterdir():
            path.unlink()
        (made,) = rows(kholo("rejudge", "--store", store, "--workers", workers, "--json"))
        assert made["parts_judged"] == 3
        assert digests(store / "verdicts" / name) == before
    assert rows(kholo("rejudge", "--store", store, "--json"))[0]["parts_judged"] == 0


def test_an_unknown_set_and_a_choice_that_is_not_one_say_what_there_is(store: Path) -> None:
    done = kholo("diff", "--store", store, "--from", "ffff")
    assert done.exit_code != 0
    assert _shipped(store) in str(done.exception)
    assert "kholo rejudge" in str(kholo("diff", "--store", store).exception)


def test_a_broken_file_of_rules_is_named(store: Path, tmp_path: Path) -> None:
    (tmp_path / "rules.toml").write_text('[[rule]]\nid = "a"\nstate = "perhaps"\n')
    assert "rules.toml" in str(kholo("rejudge", "--store", store, "--rules", tmp_path / "rules.toml").exception)
