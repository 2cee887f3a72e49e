"""Who signed a dossier, since when it is there, in which log it stands: by the commands, by other tools, and wrong."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from opentimestamps.core.notary import BitcoinBlockHeaderAttestation, PendingAttestation

from kholo.cli import cli
from kholo.evidence import bag, seal
from kholo.evidence.bundle import opened
from kholo.evidence.witnesses import proofs, times
from kholo.store import Store
from kholo.store.custody import Custody

from . import dossiers
from .servers import serve
from .servers.tsa import STAMPING, Holder, OpenSsl, curve_key, holder, rsa_key
from .servers.tsa import tsa as authority
from .test_log_command import served
from .test_seal_opentimestamps import GENESIS, blocks, header
from .test_seal_opentimestamps import proof as ots

ROOT = holder("Test root", make=rsa_key)
SIGNER = holder("Test authority", ROOT, STAMPING, make=curve_key)
ORIGIN = "example.org/kholo"
Rows = list[dict[str, Any]]


def run(*arguments: object) -> Result:
    return CliRunner().invoke(cli, list(map(str, arguments)))


def good(*arguments: object) -> str:
    done = run(*arguments)
    assert done.exit_code == 0, (done.output, done.exception)
    return done.output


def verify(path: Path, *arguments: object, code: int = 0) -> Rows:
    done = run("verify", path, "--no-rerun", "--json", *arguments)
    assert done.exit_code == code, (done.output, done.exception)
    return [json.loads(line) for line in done.output.splitlines() if line.startswith("{")]


def says(rows: Rows, check: str) -> list[tuple[str, str]]:
    return [(row["outcome"], row["says"]) for row in rows if row["check"] == check]


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "127.0.0.1")


class World:
    """Everything that a dossier with all its seals needs."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.case, self.store = dossiers.case_folder(folder / "case"), dossiers.stored(folder, dossiers.measured(4))
        self.key, self.lawyer, self.path = folder / "desk", folder / "lawyer", folder / "small.zip"
        self.signers, self.roots = folder / "signers", folder / "root.pem"
        self.roots.write_bytes(ROOT.pem)
        good("key", "new", self.key, "--no-passphrase")
        subprocess.run(["ssh-keygen", "-q", "-t", "ecdsa", "-N", "", "-f", self.lawyer], check=True)
        lines = [good("key", "show", f"{key}.pub", "--principal", who) for key, who in self.names.items()]
        self.signers.write_text("".join(lines))

    @property
    def names(self) -> dict[Path, str]:
        return {self.key: "desk@example.org", self.lawyer: "lawyer@example.org"}

    def made(self, out: Path, as_of: str) -> Path:
        good("dossier", self.case, "--store", self.store.root, "--out", out, "--key", self.key, "--as-of", as_of)
        return out


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A dossier signed by two, stamped twice."""
    world = World(tmp_path_factory.mktemp("seal"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("no_proxy", "127.0.0.1")
        world.made(world.path, "2026-11-24")
        custody = ("--store", world.store.root, "--by", "desk")
        good("sign", world.path, "--key", world.lawyer, *custody)
        with serve(authority(OpenSsl(world.folder, SIGNER).response)) as running:
            for _ in range(2):
                good("timestamp", world.path, "--authority", running.url, "--roots", world.roots, *custody)
        yield world


@pytest.fixture
def path(world: World, tmp_path: Path) -> Path:
    return Path(shutil.copy(world.path, tmp_path / "small.zip"))


def test_everything_is_established(world: World, path: Path) -> None:
    rows = verify(path, "--signers", world.signers, "--roots", world.roots)
    assert [outcome for outcome, _ in says(rows, "signature")] == ["passed", "passed"]
    assert {who for who in world.names.values() if who in str(says(rows, "signature"))} == set(world.names.values())
    assert [outcome for outcome, _ in says(rows, "time")] == ["passed", "passed"]
    assert all("2 of its signatures, says Test authority" in text for _, text in says(rows, "time"))
    assert dict(says(rows, "log")).keys() == {"not_checked"}
    actions = [entry.action for entry in Custody(world.store.root).entries()]
    assert actions == ["dossier", "sign", "timestamp", "timestamp"]


def test_nobody_is_known_without_a_list(world: World, path: Path) -> None:
    rows = verify(path)
    assert {outcome for outcome, _ in says(rows, "signature") + says(rows, "time")} == {"not_checked"}
    assert "not known here" in says(rows, "time")[0][1]
    stranger = world.folder / "stranger"
    if not stranger.exists():
        good("key", "new", stranger, "--no-passphrase")
    (path.parent / "signers").write_text(good("key", "show", f"{stranger}.pub", "--principal", "a@b.example"))
    rows = verify(path, "--signers", path.parent / "signers", code=1)
    assert says(rows, "signature")[-1] == ("failed", "nobody in your list of signers signed this dossier")


def test_other_tools_take_what_lies_in_it(world: World, path: Path, tmp_path: Path) -> None:
    subprocess.run(["unzip", "-q", path, "-d", tmp_path], check=True)
    folder = tmp_path / "small-dossier"
    for number in ("0001", "0002"):
        at = folder / "seal" / "timestamps" / number
        command: list[str | Path] = [
            "openssl",
            "ts",
            "-verify",
            "-data",
            "covers.txt",
            "-in",
            "response.tsr",
            "-CAfile",
            world.roots,
        ]
        subprocess.run(command, cwd=at, check=True, capture_output=True)
        subprocess.run(["sha256sum", "--quiet", "-c", at / "covers.txt"], cwd=folder, check=True)
    for key, who in world.names.items():
        blob = subprocess.run(
            ["base64", "-d"], input=Path(f"{key}.pub").read_bytes().split()[1], stdout=subprocess.PIPE, check=True
        )
        sig = folder / "seal" / "signatures" / f"{hashlib.sha256(blob.stdout).hexdigest()[:16]}.sig"
        command = ["ssh-keygen", "-Y", "verify", "-f", world.signers, "-I", who, "-n", seal.NAMESPACE, "-s", sig]
        said = (folder / seal.STATEMENT).read_bytes()
        subprocess.run(command, input=said, check=True, capture_output=True)
        assert subprocess.run(command, input=said + b" ", check=False, capture_output=True).returncode != 0


FIRST, SECOND = "seal/timestamps/0001/", "seal/timestamps/0002/"


def without(files: dossiers.Files, *names: str) -> dossiers.Files:
    return {name: data for name, data in files.items() if name not in names}


def covering(files: dossiers.Files, place: str, *names: str) -> dossiers.Files:
    """With a list of what a timestamp covers that has only these."""
    digests = {name: hashlib.sha256(files[name]).hexdigest() for name in names}
    return {**files, f"{place}covers.txt": bag.manifest(digests)}


def wrong(files: dossiers.Files) -> Iterator[tuple[str, str, dossiers.Files]]:
    """A check that fails, words that it says, and the files."""
    signatures = sorted(name for name in files if name.startswith("seal/signatures/"))
    (pub, sig), (other_pub, other_sig) = ((name for name in signatures[at : at + 2]) for at in (0, 2))
    yield "signature", "by another key", {**files, sig: files[other_sig]}
    yield "signature", "by another key", {**files, pub: files[other_pub]}
    yield "signature", "", without(files, sig)
    yield "signature", "", without(files, pub)
    yield "signature", "not valid", {**files, sig: files[sig].replace(b"A", b"B", 1)}
    yield "time", "missing or not complete", without(files, f"{FIRST}covers.txt", f"{FIRST}response.tsr")
    yield "time", "missing or not complete", without(files, f"{SECOND}covers.txt")
    yield "time", "missing or not complete", without(files, f"{SECOND}response.tsr")
    yield "time", "does not cover seal/statement.txt", covering(files, FIRST, sig)
    yield "time", "does not cover seal/timestamps/0001", covering(files, SECOND, seal.STATEMENT, sig)
    yield "time", "came later", covering(files, FIRST, seal.STATEMENT, f"{SECOND}response.tsr")
    yield "time", "no part of the seal", covering(files, FIRST, seal.STATEMENT, bag.HEAD)
    yield "time", "other bytes", covering(files, FIRST, seal.STATEMENT)
    swapped = {f"{FIRST}response.tsr": files[f"{SECOND}response.tsr"]}
    yield "time", "", {**files, **swapped}


def test_what_is_wrong_is_found(world: World, tmp_path: Path) -> None:
    for number, (check, why, files) in enumerate(wrong(dossiers.files_of(world.path))):
        changed = tmp_path / f"{number}.zip"
        changed.write_bytes(dossiers.packed(dossiers.relisted(files)))
        rows = verify(changed, "--signers", world.signers, "--roots", world.roots, code=1)
        failed = [row["says"] for row in rows if row["check"] == check and row["outcome"] == "failed"]
        assert any(why in text for text in failed), (number, why, rows)
        assert says(rows, "tree")[0][0] == "passed", "what was sealed is not what is wrong"


def test_a_log_is_asked_and_its_proof_travels(world: World, path: Path, tmp_path: Path) -> None:
    folder, seen = tmp_path / "log", tmp_path / "seen"
    key = good("log", "new", folder, "--origin", ORIGIN, "--key", world.key).strip()
    assert says(verify(path, "--log", folder, "--log-key", key, code=1), "log")[0][0] == "failed"
    later = world.made(tmp_path / "later.zip", "2026-11-25")
    custody = ("--store", tmp_path / "store")
    Store(tmp_path / "store", create=True)
    good("log", "add", folder, path, "--key", world.key, *custody)
    good("log", "check", folder, "--trust", key, "--keep", seen)
    with served(folder) as address:
        rows = verify(path, "--log", address, "--log-key", key, "--seen", seen)
    assert says(rows, "log") == [("passed", f"it is entry 0 of 1 of the log {ORIGIN}")]
    backup = shutil.copytree(folder, tmp_path / "backup")
    good("log", "add", folder, later, "--key", world.key, *custody)
    rows = verify(path, "--log", folder, "--log-key", key, "--seen", seen)
    assert "1 later dossiers" in says(rows, "log")[0][1]
    assert "superseded by entry 1" in str([row["details"] for row in rows if row["check"] == "log"])
    good("log", "check", folder, "--trust", key, "--keep", seen)
    assert says(verify(path, "--log", backup, "--log-key", key, "--seen", seen, code=1), "log")[0][0] == "failed"
    good("log", "proof", folder, path, "--into", *custody)
    good("log", "proof", folder, path, "--into")
    assert sum(name.startswith("seal/log/") for name in dossiers.files_of(path)) == 1
    assert says(verify(path, "--log-key", key), "log")[0][0] == "passed"
    assert says(verify(path), "log")[0][0] == "not_checked"
    assert [entry.action for entry in Custody(tmp_path / "store").entries()] == ["log"] * 3
    (name,) = (name for name in dossiers.files_of(path) if name.startswith("seal/log/"))
    moved = dossiers.files_of(later) | {name: dossiers.files_of(path)[name]}
    later.write_bytes(dossiers.packed(dossiers.relisted(moved)))
    assert says(verify(later, "--log-key", key, code=1), "log")[0][0] == "failed"


def test_a_proof_of_opentimestamps_is_put_in_and_checked(path: Path, tmp_path: Path) -> None:
    said = dossiers.files_of(path)[seal.STATEMENT]
    made, end = ots(BitcoinBlockHeaderAttestation(923_000), data=said)
    file = tmp_path / "statement.txt.ots"
    file.write_bytes(ots(PendingAttestation("https://calendar.example.org"), data=said)[0])
    promised = run("timestamp", path, "--proof", file)
    assert promised.exit_code != 0 and "only a promise of https://calendar.example.org" in str(promised.exception)
    file.write_bytes(ots(BitcoinBlockHeaderAttestation(923_000), data=said + b" ")[0])
    assert "other bytes" in str(run("timestamp", path, "--proof", file).exception)
    file.write_bytes(made)
    good("timestamp", path, "--proof", file)
    assert "--bitcoin-headers" in says(verify(path), "time")[-1][1]
    (tmp_path / "genesis").write_bytes(GENESIS)
    assert "too little work" in str(run("verify", path, "--bitcoin-headers", tmp_path / "genesis").exception)
    with opened(path) as dossier:
        (found,) = proofs(dossier, blocks(tmp_path, header(end)))
        assert (found.check, found.outcome) == ("time", "passed") and "2026-11-01 12:00 UTC" in found.says
        (found,) = proofs(dossier, blocks(tmp_path, header(bytes(32))))
        assert found.outcome == "not_checked"
    (name,) = (name for name in dossiers.files_of(path) if name.endswith(".ots"))
    files = dossiers.files_of(path) | {name: made[:-1]}
    path.write_bytes(dossiers.packed(dossiers.relisted(files)))
    assert says(verify(path, code=1), "time")[-1][0] == "failed"


def test_an_unsigned_dossier_has_passed_nothing(tmp_path: Path) -> None:
    rows = verify(dossiers.small(tmp_path))
    assert says(rows, "signature") == [("not_checked", "nobody signed this dossier")]
    assert says(rows, "time")[0][0] == says(rows, "log")[0][0] == "not_checked"


def test_an_authority_that_is_not_trusted_is_not_kept(world: World, path: Path, tmp_path: Path) -> None:
    other: Holder = holder("Other root", make=curve_key)
    before = path.read_bytes()
    signer = holder("Other authority", other, STAMPING, make=curve_key)
    with serve(authority(OpenSsl(tmp_path, signer).response)) as running:
        done = run("timestamp", path, "--authority", running.url, "--roots", world.roots)
    assert done.exit_code != 0 and path.read_bytes() == before
    with opened(path) as dossier:
        assert [check.outcome for check in times(dossier, [other.certificate])] == ["not_checked", "not_checked"]
