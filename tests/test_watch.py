"""`kholo watch` as a user meets it: real processes on a simulated country."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from kholo.alert import NewsKind, Told, news, news_json
from kholo.alert.scope import Scope

from .alerts import Hook, Post, day, incident
from .commands import kholo
from .test_cli import ROOT

COMMAND = [sys.executable, "-c", "from kholo.cli import main; main()"]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("watch")
    assert kholo("simulate", "demo", "--out", folder / "demo.jsonl.gz").returncode == 0
    assert kholo("ingest", folder / "demo.jsonl.gz", "--store", folder / "store").returncode == 0
    assert kholo("incidents", "--store", folder / "store").returncode == 0
    return folder / "store"


@pytest.fixture
def store(made: Path, tmp_path: Path) -> Iterator[Path]:
    shutil.copytree(made, tmp_path / "store")
    yield tmp_path / "store"
    texts = [path.read_text() for path in (tmp_path / "store" / "told").rglob("*.json")]
    assert not [text for text in texts if "127.0.0.1" in text or "_n1_" in text], "no probe, no report, no receiver"


def test_the_past_day_by_day(store: Path) -> None:
    """What would have been told, in the order in which it would have been."""
    told = []
    for date in ("03-05", "03-11", "03-12", "03-20", "04-03", "04-04", "04-12", "04-12", "05-01"):
        done = kholo("watch", "--store", store, "--json", "--as-of", f"2025-{date}")
        assert done.returncode == 0, done.stderr
        told += [msgspec.json.decode(line) for line in done.stdout.splitlines()]
    kinds = [(row["state"], row["kind"]) for row in told if row["kind"] not in ("corrected", "spread")]
    assert kinds == [("blocked", "opened"), ("blocked", "ended"), ("throttled", "opened"), ("throttled", "ended")]
    assert {row["simulated"] for row in told} == {True}
    assert all(row["text"].startswith("Simulated: Chirp") for row in told)
    assert {row["channels"]["screen"] for row in told} == {"sent"}
    assert len({row["thread"] for row in told}) == 2
    back = kholo("watch", "--store", store, "--as-of", "2025-03-01")
    assert back.returncode == 2
    assert b"was told already" in back.stderr


def test_once_on_the_screen_then_silence(store: Path) -> None:
    options = ("watch", "--store", store, "--as-of", "2025-04-10")
    dry = kholo(*options, "--dry-run")
    assert b"would be sent" in dry.stdout
    assert not (store / "told").exists()
    first, second = kholo(*options), kholo(*options)
    assert first.stdout.count(b"Simulated: Chirp") >= 1
    assert second.stdout == b""
    assert (first.returncode, second.returncode) == (0, 0)
    # Another choice of service, place or network has a memory of its own.
    assert b"AS64500" in kholo(*options, "--network", "as64500").stdout
    assert kholo(*options, "--place", "pk").stdout == b""
    assert len(list((store / "told").iterdir())) == 3


def test_feed_mail_and_webhook_together(store: Path, tmp_path: Path, web: Hook, mails: Post) -> None:
    feed = tmp_path / "feed"
    options = (
        *("watch", "--store", store, "--feed-dir", feed, "--webhook", web.url, "--as-of", "2025-05-01"),
        *("--mail-to", "a@example.org", "--mail-to", "b@example.org", "--smtp", f"127.0.0.1:{mails.port}"),
    )
    web.answers = [(404, {})]
    done = kholo(*options)
    assert done.returncode == 1
    assert "webhook at 127.0.0.1: failed: answers 404; 1 news for the next run" in done.stderr.decode()
    assert web.url.rpartition(":")[2].encode() not in done.stderr + done.stdout
    entries = ET.parse(feed / "alerts.atom").getroot().findall("{http://www.w3.org/2005/Atom}entry")
    assert len(mails.letters) == 2 * len(entries) > 0
    before = {path: path.read_bytes() for path in feed.rglob("*") if path.is_file()}
    assert {path.name for path in before if path.parent == feed} == {"alerts.atom", "alerts.json"}
    assert kholo(*options).returncode == 0
    assert len(web.bodies) == len(entries) + 1
    assert {path: path.read_bytes() for path in feed.rglob("*") if path.is_file()} == before
    assert len(mails.letters) == 2 * len(entries)


def test_user_and_password_come_from_the_environment_and_go_nowhere_else(store: Path, mails: Post) -> None:
    env = {"KHOLO_SMTP_USER": "desk", "KHOLO_SMTP_PASSWORD": "hunter2"}
    mails.extensions, mails.replies = ("AUTH LOGIN PLAIN",), {"AUTH": "535 no: hunter2"}
    options = ("watch", "--store", store, "--mail-to", "a@example.org", "--smtp", f"127.0.0.1:{mails.port}")
    done = kholo(*options, "--as-of", "2025-04-10", env=env)
    assert done.returncode == 1
    assert b"does not take the user name" in done.stderr
    assert b"hunter2" not in done.stderr + done.stdout
    assert not [path for path in (store / "told").rglob("*.json") if "hunter2" in path.read_text()]
    assert kholo(*options, env={"KHOLO_SMTP_USER": "desk"}).returncode == 2


def test_exit_codes(store: Path, tmp_path: Path) -> None:
    for wrong in (
        ("--mail-to", "nobody"),
        ("--mail-to", "a@example.org", "--smtp", "x"),
        ("--webhook", "ftp://example.org/"),
        ("--every", "60", "--dry-run"),
        ("--every", "60", "--as-of", "2025-01-01"),
        ("--digest", "hourly"),
        ("--max-alerts", "0"),
    ):
        assert kholo("watch", "--store", store, *wrong).returncode == 2, wrong
    assert kholo("watch", "--store", tmp_path / "none").returncode == 3
    (store / "told").write_text("in the way")
    done = kholo("watch", "--store", store, "--as-of", "2025-04-10")
    assert done.returncode == 3
    assert b"Traceback" not in done.stderr
    (store / "told").unlink()


def test_a_killed_run_goes_on_where_it_was(store: Path, web: Hook) -> None:
    options = ("watch", "--store", str(store), "--webhook", web.url, "--as-of", "2025-05-01")
    web.hang = threading.Event()
    with subprocess.Popen([*COMMAND, *options], env={**os.environ, "no_proxy": "127.0.0.1"}) as run:
        _until(lambda: bool(web.bodies))
        busy = kholo(*options)
        assert busy.returncode == 3
        assert b"another `kholo watch`" in busy.stderr
        run.kill()
    web.hang.set()
    web.hang = None
    sent = len(web.bodies)
    assert kholo(*options).returncode == 0
    assert web.bodies[sent] == web.bodies[0], "what had not been marked comes again, the same to the byte"
    sent = len(web.bodies)
    assert kholo(*options).returncode == 0
    assert len(web.bodies) == sent


def test_every_looks_again_and_sigterm_ends_it(store: Path, tmp_path: Path) -> None:
    command = [*COMMAND, "watch", "--store", str(store), "--feed-dir", str(tmp_path / "feed"), "--every", "1"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as run:
        feed = tmp_path / "feed" / "alerts.atom"
        _until(feed.exists)
        feed.unlink()
        _until(feed.exists)
        run.send_signal(signal.SIGTERM)
        out, err = run.communicate(timeout=20)
    assert run.returncode == 0
    assert out.count(b"sent") <= 1
    assert err == b""


def _until(holds: object) -> None:
    assert callable(holds)
    end = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_the_page_names_every_kind_and_every_name() -> None:
    page = (ROOT / "docs" / "watch.md").read_text()
    assert re.findall(r"^\| `(\w+)` \|", page.split("## Channels")[0], re.MULTILINE) == [
        kind.value
        for kind in (
            NewsKind.OPENED,
            NewsKind.SPREAD,
            NewsKind.ENDED,
            NewsKind.RESUMED,
            NewsKind.CORRECTED,
            NewsKind.WITHDRAWN,
        )
    ]
    table = page.split("## JSON")[1].split("## What")[0]
    names = {name for row in re.findall(r"^\| (`.*?) \|", table, re.MULTILINE) for name in re.findall(r"`(\w+)`", row)}
    (found,), _ = news(Told(), [incident(20)], day(30))
    assert names == set(news_json(found)) | {"text", "channels"}


def test_scopes_are_told_apart_whatever_they_hold() -> None:
    folders = [
        Scope(*parts).folder for parts in (("x",), (None, "X"), ("x", "PK"), (None, None, "../../etc"), ("a/b",))
    ]
    assert len(set(folders)) == 5
    assert all(re.fullmatch("[0-9a-f]{16}", name) for name in folders)
    assert json.dumps(Scope().folder) == '"all"'
