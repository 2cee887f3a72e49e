"""The tools of others take a dossier: unzip, sha256sum, bagit.py, an RO-Crate validator, ssh-keygen, openssl."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from importlib import resources
from pathlib import Path

import pytest
import requests
import requests_cache
import urllib3
from requests.adapters import BaseAdapter

from . import dossiers

CONTEXT = "https://w3id.org/ro/crate/1.1/context"
SCRIPT, TIMES = dossiers.CONTRIB / "verify_dossier.py", dossiers.CONTRIB / "check_timestamps.py"


@pytest.fixture(scope="session")
def place(small_dossier: Path, authority: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `d.zip`, signed and stamped, unpacked beside it by unzip."""
    folder = tmp_path_factory.mktemp("tools")
    dossiers.stamped(folder, small_dossier, authority).rename(folder / "d.zip")
    ran(folder, "unzip", "-q", "d.zip")
    return folder


def ran(folder: Path, *words: str | Path, stdin: bytes = b"") -> str:
    """What a program says, which has to be content."""
    done = subprocess.run(words, cwd=folder, input=stdin, capture_output=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return (done.stdout + done.stderr).decode()


def test_unzip_and_sha256sum(place: Path) -> None:
    assert "No errors detected" in ran(place, "unzip", "-t", "d.zip")
    for name in ("manifest-sha256.txt", "tagmanifest-sha256.txt"):
        assert "FAILED" not in ran(place / "small-dossier", "sha256sum", "-c", "--strict", name)


def test_bagit(place: Path) -> None:
    # It asks setuptools for its own version, and setuptools has long wanted to be asked by nobody.
    words = (sys.executable, "-W", "ignore", "-c", "import sys, bagit; sys.argv[0] = 'bagit.py'; bagit.main()")
    assert "small-dossier is valid" in ran(place, *words, "--validate", "small-dossier")


class _Shelf(BaseAdapter):
    """Gives the context of RO-Crate from a package, since nothing is fetched here."""

    def send(self, request: requests.PreparedRequest, *_: object, **__: object) -> requests.Response:
        found = requests.Response()
        found.status_code, found.url, found.request = 200, CONTEXT, request
        found.headers["Content-Type"] = "application/ld+json"
        body = io.BytesIO((resources.files("rocrate") / "data" / "ro-crate.jsonld").read_bytes())
        found.raw = urllib3.HTTPResponse(body, dict(found.headers), 200, preload_content=False, request_url=CONTEXT)
        return found

    def close(self) -> None:
        """There is nothing to close."""


def test_an_ro_crate_validator(place: Path, tmp_path: Path) -> None:
    with requests_cache.CachedSession(str(tmp_path / "cache"), backend="sqlite", expire_after=-1) as session:
        session.mount("https://", _Shelf())
        assert session.get(CONTEXT).status_code == 200
    report = tmp_path / "report.json"
    words = (
        "validate",
        "--no-paging",
        "--offline",
        "--cache-path",
        tmp_path / "cache",
        "-p",
        "ro-crate-1.1",
        "-f",
        "json",
    )
    command: list[str | Path] = [
        Path(sys.executable).with_name("rocrate-validator"),
        "-y",
        *words,
        "-o",
        report,
        place / "small-dossier/data",
    ]
    done = subprocess.run(command, capture_output=True, check=False)
    found = json.loads(report.read_bytes())
    assert (found["passed"], found["issues"]) == (True, []), done.stdout.decode()


def test_ssh_keygen_and_openssl(place: Path, authority: Path) -> None:
    seal = place / "small-dossier" / "seal"
    signature = next((seal / "signatures").glob("*.sig"))
    (place / "signers").write_bytes(b"desk@example.org " + signature.with_suffix(".pub").read_bytes())
    said = (seal / "statement.txt").read_bytes()
    words = ("-Y", "verify", "-f", "signers", "-I", "desk@example.org", "-n", "kholo-dossier", "-s", signature)
    assert "Good" in ran(place, "ssh-keygen", *words, stdin=said)
    stamp = seal / "timestamps" / "0001"
    asked = ("-data", stamp / "covers.txt", "-in", stamp / "response.tsr", "-CAfile", authority / "ca.pem")
    assert "Verification: OK" in ran(place, "openssl", "ts", "-verify", *asked)


def test_the_verifiers_beside_kholo(place: Path, authority: Path, tmp_path: Path) -> None:
    out = ran(tmp_path, sys.executable, "-I", SCRIPT, place / "d.zip")
    names = ("container", "files", "tree", "bag", "signature", "covers")
    assert [line.split(":")[0].split() for line in out.splitlines()] == [["passed", name] for name in names]
    out = ran(tmp_path, sys.executable, "-I", TIMES, place / "d.zip", authority / "ca.pem")
    assert out.startswith("passed       small-dossier/seal/timestamps/0001: existed on 20")
    changed = (place / "d.zip").read_bytes().replace(b"simulated: no", b"simulated: ok")
    (tmp_path / "changed.zip").write_bytes(changed)
    for script, path, code in (
        (SCRIPT, tmp_path / "changed.zip", 1),
        (SCRIPT, tmp_path / "none.zip", 2),
        (SCRIPT, authority / "ca.pem", 1),
        (TIMES, tmp_path / "none.zip", 2),
        (TIMES, authority / "ca.pem", 2),
    ):
        done = subprocess.run([sys.executable, "-I", script, path], capture_output=True, check=False)
        assert (done.returncode, b"Traceback" in done.stderr) == (code, False)
    assert "4 results on 1 days" in ran(
        tmp_path, sys.executable, "-I", dossiers.CONTRIB / "recount_dossier.py", place / "d.zip"
    )
