"""Other rules and fingerprints on what is stored: what changed, and why."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from kholo.cli import cli
from kholo.judge.ruleset import SHIPPED

from . import raw
from .raw import connect, exchange, handshake, query

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


def _ingested(tmp_path: Path, *measurements: dict[str, Any]) -> Path:
    (tmp_path / "in.jsonl").write_bytes(b"\n".join(raw.encode(one) for one in measurements))
    # 1 where the archive holds two contents under one id, which is the point of one of the tests.
    assert kholo("ingest", tmp_path / "in.jsonl", "--store", tmp_path / "store").exit_code in (0, 1)
    return tmp_path / "store"


def _edited(rule: str, old: str = "", new: str = "") -> str:
    """The shipped rules with one rule changed; without `old`, taken out."""
    head, mark, rest = SHIPPED.read_text().partition(f'[[rule]]\nid = "{rule}"\n')
    body, following, tail = rest.partition("[[rule]]")
    assert mark
    assert old in body
    return head + (mark + body.replace(old, new) if old else "") + following + tail


def _rejudged(store: Path, *options: object) -> str:
    (made,) = rows(kholo("rejudge", "--store", store, *options, "--json"))
    return str(made["set"])


def _changes(store: Path, after: str) -> list[dict[str, Any]]:
    return rows(kholo("diff", "--store", store, "--from", _shipped(store), "--to", after, "--json"))


def test_weaker_evidence_is_a_change_and_words_about_a_rule_are_none(store: Path, tmp_path: Path) -> None:
    (tmp_path / "weak.toml").write_text(_edited("tls.reset", '"strong"', '"moderate"'))
    (changed,) = _changes(store, _rejudged(store, "--rules", tmp_path / "weak.toml"))
    assert changed["why"] == "the rule tls.reset changed: evidence strong → moderate"
    assert (changed["before"]["evidence"], changed["after"]["evidence"]) == ("strong", "moderate")
    (tmp_path / "words.toml").write_text(_edited("tls.reset", "The connection opens", "It opens"))
    assert _changes(store, _rejudged(store, "--rules", tmp_path / "words.toml")) == []


def test_other_conditions_of_a_rule_are_named(store: Path, tmp_path: Path) -> None:
    (tmp_path / "rules.toml").write_text(_edited("tls.reset", '"control.tls.ok"', '"control.http.failed"'))
    (changed,) = _changes(store, _rejudged(store, "--rules", tmp_path / "rules.toml"))
    assert changed["why"] == "the rule tls.reset changed: when +control.http.failed -control.tls.ok"


def test_a_measurement_with_two_contents_counts_for_neither_set(tmp_path: Path) -> None:
    reset: dict[str, Any] = {"tls_handshakes": [handshake("connection_reset")], "requests": []}
    store = _ingested(tmp_path, raw.measurement(**reset), raw.measurement(**reset, probe_asn="AS64497"))
    (tmp_path / "rules.toml").write_text(_edited("tls.reset"))
    assert _changes(store, _rejudged(store, "--rules", tmp_path / "rules.toml")) == []


def test_where_rules_and_facts_both_changed_the_verdict_both_are_named(tmp_path: Path) -> None:
    lied = raw.measurement(
        HTTP, queries=[query("dns_nxdomain_error")], tcp_connect=[connect(port=80)], tls_handshakes=[],
        requests=[exchange(HTTP, body=PAGE)],
    )  # fmt: skip
    store = _ingested(tmp_path, lied)
    (tmp_path / "more.csv").write_text(HEAD + "notice,nat,body,contains,not available in the republic,PK\n")
    (tmp_path / "rules.toml").write_text(_edited("dns.nxdomain", '"moderate"', '"strong"'))
    options = ("--rules", tmp_path / "rules.toml", "--fingerprints", tmp_path / "more.csv")
    (changed,) = _changes(store, _rejudged(store, *options))
    assert changed["gained"] == ["http.blockpage"]
    assert "http.blockpage" in changed["after"]["also"]
    assert changed["why"] == "now seen: http.blockpage; the rule dns.nxdomain changed: evidence moderate → strong"


def test_each_change_has_its_own_reason(store: Path, tmp_path: Path) -> None:
    """The plain page is `blocked` by its new fingerprint with either ruleset: the other rule is not to blame."""
    (tmp_path / "more.csv").write_text(HEAD + "notice,nat,body,contains,not available in the republic,PK\n")
    (tmp_path / "rules.toml").write_text(_edited("tls.reset"))
    options = ("--rules", tmp_path / "rules.toml", "--fingerprints", tmp_path / "more.csv")
    page, reset = _changes(store, _rejudged(store, *options))
    assert page["why"] == "now seen: http.blockpage"
    assert (reset["gained"], reset["why"]) == ([], "the rule tls.reset is gone")


def test_a_rule_that_only_stood_beside_is_named(tmp_path: Path) -> None:
    lookups = [query("dns_nxdomain_error"), query(None, raw.IP, engine="doh")]
    store = _ingested(
        tmp_path, raw.measurement(queries=lookups, tls_handshakes=[handshake("connection_reset")], requests=[])
    )
    (tmp_path / "rules.toml").write_text(_edited("tls.reset"))
    (changed,) = _changes(store, _rejudged(store, "--rules", tmp_path / "rules.toml"))
    assert (changed["before"]["also"], changed["after"]["also"]) == (["tls.reset"], [])
    assert changed["why"].endswith("itself did not change, but others did: the rule tls.reset is gone")


def test_a_copy_that_was_edited_is_refused(store: Path, tmp_path: Path) -> None:
    (tmp_path / "rules.toml").write_text(_edited("tls.reset"))
    name = _rejudged(store, "--rules", tmp_path / "rules.toml")
    with (store / "sets" / name / "rules.toml").open("a") as stream:
        stream.write("# edited\n")
    assert "not what the name says" in str(kholo("diff", "--store", store, "--from", name).exception)


def test_the_verdicts_of_a_set_can_be_listed(store: Path, tmp_path: Path) -> None:
    (tmp_path / "rules.toml").write_text(_edited("tls.reset"))
    name = _rejudged(store, "--rules", tmp_path / "rules.toml")
    listed = rows(kholo("verdicts", "--store", store, "--set", name[:8], "--json"))
    assert {f"{row['ruleset']}-{row['reference']}" for row in listed} == {name}
    assert "tls.unclear" in {row["rule_id"] for row in listed}
    (tmp_path / "more.csv").write_text(HEAD)
    both = kholo("verdicts", "--store", store, "--set", name, "--fingerprints", tmp_path / "more.csv")
    assert "not both" in str(both.exception)


def test_rules_with_control_characters_do_not_reach_the_terminal(store: Path, tmp_path: Path) -> None:
    (tmp_path / "rules.toml").write_text(
        _edited("tls.reset", 'mechanism = "tls.reset"', 'mechanism = "\\u001b[31mred"')
    )
    name = _rejudged(store, "--rules", tmp_path / "rules.toml")
    shown = kholo("diff", "--store", store, "--from", name)
    assert "red" in shown.output
    assert "\x1b" not in shown.output


def test_fingerprints_of_the_same_name_are_both_kept(store: Path, tmp_path: Path) -> None:
    paths = []
    for place, words in enumerate(("not available in the republic", "something else")):
        path = tmp_path / str(place) / "fingerprints" / "list.csv"
        path.parent.mkdir(parents=True)
        path.write_text(HEAD + f"notice{place},nat,body,contains,{words},PK\n")
        paths += ["--fingerprints", path]
    (made,) = rows(kholo("rejudge", "--store", store, *paths, "--json"))
    (changed,) = rows(kholo("diff", "--store", store, "--from", _shipped(store), "--to", made["set"], "--json"))
    assert changed["gained"] == ["http.blockpage"]


def test_a_damaged_file_of_the_store_is_one_message(store: Path) -> None:
    name = _shipped(store)
    for path in (store / "verdicts" / name).iterdir():
        path.write_bytes(b"PAR1 and nothing more")
    command = [sys.executable, "-c", "from kholo.cli import main; main()", "verdicts", "--store", str(store)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 3
    assert "can't be read" in done.stderr
    assert "Traceback" not in done.stderr
