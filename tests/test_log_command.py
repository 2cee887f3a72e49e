"""`kholo log` as people meet it: dossiers, keys, a folder, and the same folder served by an ordinary web server."""

from __future__ import annotations

import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner, Result
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from kholo.cli import cli
from kholo.evidence import append, log, note, tlog
from kholo.evidence.audit import audit
from kholo.evidence.faults import BadSignature, LogError, SplitView, Truncated, WrongSize
from kholo.evidence.shelf import Folder, Site
from kholo.fetch.wait import Patience, Timing
from kholo.fetch.web import Web
from kholo.model import DossierError, EnvironmentFault, KeyFileError, NetworkFault, UsageError

from .servers.base import Answer, Request, Wire, serve
from .tlogs import KEYS, ORIGIN, SIGNER, content, dossier, key_file, made, new, signer, statement

VKEY = str(KEYS[0])
KEYGEN = shutil.which("ssh-keygen")


class Quiet(SimpleHTTPRequestHandler):
    """The web server of the standard library, without its lines on standard error."""

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


@contextmanager
def served(folder: Path) -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder))) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "127.0.0.1")


def run(*arguments: object, typed: str | None = None) -> Result:
    return CliRunner().invoke(cli, ["log", *map(str, arguments)], input=typed)


def rows(*arguments: object) -> list[dict[str, Any]]:
    done = run(*arguments, "--json")
    assert done.exit_code == 0, done.output
    return [msgspec.json.decode(line) for line in done.output.splitlines()]


@pytest.fixture
def key(tmp_path: Path) -> Path:
    return key_file(tmp_path / "id_ed25519")


@pytest.fixture
def logged(tmp_path: Path, key: Path) -> Path:
    """A log with two dossiers of a case and one of another."""
    folder = tmp_path / "log"
    assert run("new", folder, "--origin", ORIGIN, "--key", key).output == f"{VKEY}\n"
    for number, case in ((0, "x-simulated"), (1, "y-simulated"), (2, "x-simulated")):
        dossier(tmp_path / f"{number}.zip", number, case)
    added = rows("add", folder, *(tmp_path / f"{number}.zip" for number in range(3)), "--key", key)
    assert [(row["index"], row["is_new"], row["simulated"]) for row in added] == [
        (0, True, True), (1, True, True), (2, True, True),
    ]  # fmt: skip
    return folder


def test_what_was_added_is_shown_and_what_superseded_it(logged: Path, tmp_path: Path) -> None:
    shown = rows("show", logged)
    assert [(row["case"], row["supersedes"], row["superseded_by"]) for row in shown] == [
        ("x-simulated", None, 2), ("y-simulated", None, None), ("x-simulated", 0, None),
    ]  # fmt: skip
    assert shown[0]["dossier"] == log.digest((tmp_path / "0.zip").read_bytes())
    assert [row["index"] for row in rows("show", logged, "--case", "y-simulated")] == [1]
    with served(logged) as address:
        assert rows("show", address) == shown
        assert rows("show", f"{address}/") == shown
    text = run("show", logged).output
    assert text.splitlines()[0].split()[:2] == ["entry", "case"]
    assert "x-simulated" in text


def test_a_dossier_that_is_in_the_log_is_not_added_again(logged: Path, tmp_path: Path, key: Path) -> None:
    before = content(logged)
    again = rows("add", logged, tmp_path / "2.zip", tmp_path / "0.zip", "--key", key)
    assert [(row["index"], row["is_new"]) for row in again] == [(2, False), (0, False)]
    assert content(logged) == before


def test_check_says_what_it_found_and_whose_key_it_took(logged: Path, tmp_path: Path, key: Path) -> None:
    kept = tmp_path / "checkpoint"
    shutil.copy(logged / "checkpoint", kept)
    dossier(tmp_path / "3.zip", 3)
    run("add", logged, tmp_path / "3.zip", "--key", key)
    with served(logged) as address:
        for place in (logged, address):
            (found,) = rows("check", place, "--seen", kept)
            assert (found["origin"], found["entries"], found["goes_on_from_size"]) == (ORIGIN, 4, 3)
            assert found["signed_by"] == [VKEY]
            assert found["keys_from"].startswith("the log itself")
            for trusted in (VKEY, logged / "keys.txt"):
                (found,) = rows("check", place, "--trust", trusted)
                assert (found["keys_from"], found["goes_on_from_size"]) == ("given", None)
    text = run("check", logged).output
    assert f"signed by: {VKEY}\n" in text
    assert "witnesses: none\n" in text


def test_who_watches_a_log_keeps_what_was_right(logged: Path, tmp_path: Path, key: Path) -> None:
    kept = tmp_path / "last"
    assert run("check", logged, "--keep", kept).exit_code == 0
    first = kept.read_bytes()
    assert first == (logged / "checkpoint").read_bytes()
    dossier(tmp_path / "3.zip", 3)
    run("add", logged, tmp_path / "3.zip", "--key", key)
    assert rows("check", logged, "--seen", kept, "--keep", kept)[0]["goes_on_from_size"] == 3
    now = kept.read_bytes()
    assert now == (logged / "checkpoint").read_bytes() != first
    shutil.rmtree(logged)
    made(logged, range(9))
    assert isinstance(run("check", logged, "--seen", kept, "--keep", kept).exception, SplitView)
    assert kept.read_bytes() == now


def test_the_cosignature_of_a_witness_is_told_with_its_time(logged: Path) -> None:
    mine = signer(9)
    witness = note.Key("witness.example/w1", note.COSIGNATURE, mine.public)
    read = note.parse((logged / "checkpoint").read_bytes())
    stamped = (1_700_000_000).to_bytes(8) + mine.sign(b"cosignature/v1\ntime 1700000000\n" + read.text)
    lines = (*read.signatures, note.Signature(witness.name, witness.mark, stamped))
    (logged / "checkpoint").write_bytes(note.Note(read.text, lines).encode())
    (found,) = rows("check", logged, "--trust", VKEY, "--trust", witness)
    assert found["witnesses"] == ["witness.example/w1 at 2023-11-14T22:13:20Z"]
    assert found["signatures_not_checked"] == []
    (found,) = rows("check", logged)
    assert (found["witnesses"], found["signatures_not_checked"]) == ([], ["witness.example/w1"])


def test_a_wrong_log_ends_with_exit_code_1(logged: Path, tmp_path: Path) -> None:
    kept = tmp_path / "checkpoint"
    shutil.copy(logged / "checkpoint", kept)
    shutil.rmtree(logged)
    made(logged, range(3))
    command = [sys.executable, "-c", "from kholo.cli import main; main()", "log", "check", str(logged)]
    done = subprocess.run([*command, "--seen", str(kept)], capture_output=True, check=False)
    assert done.returncode == 1
    assert b"not those that were there when the log was seen" in done.stderr
    assert subprocess.run(command, capture_output=True, check=False).returncode == 0
    assert isinstance(run("check", logged, "--seen", kept).exception, SplitView)
    assert isinstance(run("check", logged, "--trust", signer(2).key(ORIGIN)).exception, BadSignature)
    (logged / "tile/0/000.p/3").write_bytes(b"\0" * 96)
    assert isinstance(run("check", logged).exception, LogError)


@pytest.mark.parametrize("trusted", ["", "x", "a+b+c", VKEY[:-1], "x" * 5_000, f"{ORIGIN}+00000000+AAAA"])
def test_a_key_to_trust_must_be_one(logged: Path, trusted: str) -> None:
    assert isinstance(run("check", logged, "--trust", trusted).exception, UsageError)


def test_only_keys_of_the_right_kind_sign(logged: Path, tmp_path: Path) -> None:
    dossier(tmp_path / "3.zip", 3)
    rsa = tmp_path / "id_rsa"
    rsa.write_bytes(
        generate_private_key(65537, 2048).private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption())
    )
    junk = tmp_path / "junk"
    junk.write_bytes(b"-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n")
    before = content(logged)
    for other in (rsa, junk, tmp_path / "3.zip", key_file(tmp_path / "other", 2)):
        assert isinstance(run("add", logged, tmp_path / "3.zip", "--key", other).exception, KeyFileError | UsageError)
    assert content(logged) == before


@pytest.mark.skipif(KEYGEN is None, reason="ssh-keygen is not here")
def test_a_key_with_a_passphrase_is_asked_for_it(tmp_path: Path) -> None:
    locked = tmp_path / "locked"
    subprocess.run([str(KEYGEN), "-q", "-t", "ed25519", "-N", "open", "-f", locked], check=True)
    wrong = run("new", tmp_path / "a", "--origin", ORIGIN, "--key", locked, typed="no\n")
    right = run("new", tmp_path / "b", "--origin", ORIGIN, "--key", locked, typed="open\n")
    if find_spec("bcrypt"):
        assert isinstance(wrong.exception, KeyFileError)
        assert right.output.splitlines()[-1] == (tmp_path / "b/keys.txt").read_text().strip()
    else:
        assert isinstance(wrong.exception, EnvironmentFault)
        assert "needs bcrypt" in str(right.exception)


def test_what_is_no_dossier_is_not_logged(logged: Path, tmp_path: Path, key: Path) -> None:
    bad = tmp_path / "bad.zip"
    whole = (tmp_path / "0.zip").read_bytes()
    before = content(logged)
    for data in (b"", b"PK", whole[:-1], whole + b"\0", whole.replace(b"kholo-dossier/1", b"kholo-dossier/2")):
        bad.write_bytes(data)
        assert isinstance(run("add", logged, bad, "--key", key).exception, DossierError)
    assert content(logged) == before


def test_a_proof_is_written_and_checks_without_the_log(logged: Path, tmp_path: Path) -> None:
    out = tmp_path / "log.proof"
    with served(logged) as address:
        assert run("proof", address, tmp_path / "1.zip", "--out", out).output.startswith("entry 1 of 3")
    found = log.check_proof(out.read_bytes(), dossier(tmp_path / "1.zip", 1, "y-simulated"), KEYS)
    assert (found.index, found.entry.case) == (1, "y-simulated")


@pytest.mark.parametrize(
    "place", ["https://", "http://?x", "http://example.org/x?y", "http://example.org/#x", "http://é"]
)
def test_an_address_must_be_one(place: str) -> None:
    assert isinstance(run("show", place).exception, UsageError)


def web() -> Web:
    return Web(Timing(lambda _: None, lambda: 0.0, lambda: 0.5), Patience(tries=2, read=5))


class Static:
    """The files of a folder, some of them answered otherwise."""

    def __init__(self, folder: Path) -> None:
        self.files: dict[str, Answer] = {f"/{path}": Answer(200, {}, data) for path, data in content(folder).items()}

    def __call__(self, request: Request) -> Answer:
        return self.files.get(request.path, Answer(404))


def test_a_log_on_the_web_is_checked_as_one_in_a_folder(tmp_path: Path) -> None:
    folder = tmp_path / "log"
    shelf = made(folder, range(300))
    seen = tlog.read_checkpoint(shelf)
    app = Static(folder)
    with serve(app) as running:
        site = Site(web(), f"{running.url}/")
        assert audit(site, KEYS, seen).seen == 300
        found = log.check(site, statement(7), KEYS, seen)
        assert found == log.check(shelf, statement(7), KEYS, seen)
        asked = len(running.requests)
        assert log.proof(site, 7, KEYS) == log.proof(shelf, 7)
        # Head, entries, and the tiles on the way up; not the whole log.
        assert len(running.requests) - asked <= 5


def test_a_host_that_keeps_no_partial_tiles_of_full_ones_is_enough(tmp_path: Path) -> None:
    """A checkpoint of 200 entries read from a host that has 256 by now, and removed what was partial."""
    folder = tmp_path / "log"
    shelf = made(folder, range(200))
    old = (folder / "checkpoint").read_bytes()
    append.append(shelf, [SIGNER], map(new, range(200, 256)))
    app = Static(folder)
    for path in list(app.files):
        if path.endswith(".p/200"):
            del app.files[path]
    app.files["/checkpoint"] = Answer(200, {}, old)
    with serve(app) as running:
        site = Site(web(), running.url)
        assert log.check(site, statement(199), KEYS).size == 200
        assert log.check_proof(log.proof(site, 199, KEYS), statement(199), KEYS).size == 200
        assert audit(site, KEYS).log.size == 200


def test_a_host_that_does_not_give_what_it_should_is_named(tmp_path: Path) -> None:
    folder = tmp_path / "log"
    made(folder, range(3))
    app = Static(folder)
    bundle = "/tile/entries/000.p/3"
    data = app.files[bundle].body
    assert isinstance(data, bytes)
    endless = (b"\0" * 65_536 for _ in range(1_000_000))
    cases: list[tuple[Answer, type[Exception]]] = [
        (Answer(404), Truncated),
        (Answer(200, {}, data[:-1]), Truncated),
        (Answer(200, {}, data + b"\0"), WrongSize),
        (Answer(200, {}, b"\0" * 1_000_000), WrongSize),
        (Answer(200, {}, endless), WrongSize),
        (Answer(500), NetworkFault),
        (Answer(200, {}, data, wire=Wire(stop=100)), NetworkFault),
    ]
    with serve(app) as running:
        site = Site(web(), running.url)
        for answer, error in cases:
            app.files[bundle] = answer
            with pytest.raises(error):
                log.check(site, statement(0), KEYS)
        app.files["/checkpoint"] = Answer(404)
        with pytest.raises(Truncated, match="is it a log"):
            log.check(site, statement(0), KEYS)
    with pytest.raises(NetworkFault):
        log.check(site, statement(0), KEYS)


def test_a_folder_that_is_no_log_is_named(tmp_path: Path) -> None:
    assert isinstance(run("check", tmp_path / "nothing").exception, LogError)
    assert isinstance(run("check", tmp_path).exception, LogError)
    assert Folder(tmp_path).files("tile") == []


def test_the_program_in_the_documentation_checks_a_log(tmp_path: Path) -> None:
    page = (Path(__file__).parents[1] / "docs/log.md").read_text()
    program = page.partition("```python\n")[2].partition("```")[0]
    folder = tmp_path / "log"
    shelf = made(folder)
    command = [sys.executable, "-c", program, str(folder), VKEY]
    for upto in (0, 1, 300):
        append.append(shelf, [SIGNER], map(new, range(upto)))
        done = subprocess.run(command, capture_output=True, check=True)
        assert done.stdout.endswith(b"the entries are those that were signed\n")
        assert done.stdout.count(b"kholo-log/1") == upto
    for path in ("checkpoint", "tile/entries/000", "tile/entries/001.p/44"):
        data = (folder / path).read_bytes()
        (folder / path).write_bytes(data.replace(b"2", b"3", 1))
        assert subprocess.run(command, capture_output=True, check=False).returncode == 1
        (folder / path).write_bytes(data)
