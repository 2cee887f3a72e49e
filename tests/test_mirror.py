"""Mirrors: whatever was changed in a copy is found, in a bundle, in a folder and on a host."""

from __future__ import annotations

import functools
import http.server
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

import msgspec
import pytest

from kholo.evidence import keys
from kholo.evidence.checks import Check, Outcome
from kholo.evidence.copies import Bundle, Folder
from kholo.evidence.mirror import NAMESPACE, Statement
from kholo.evidence.mirrored import check
from kholo.evidence.signers import Signers, allowed_line
from kholo.model import DossierError, UsageError
from kholo.pipeline.mirror import make
from kholo.publish import Site, build_site

from .commands import kholo
from .conftest import NOW
from .material import full_view

KEY = keys.new_private(b"\1" * 32)
OTHER = keys.new_private(b"\2" * 32)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("built")
    build_site(Site([full_view(simulated=True)], address="https://example.org/kholo"), folder)
    return folder


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A site of a few short files, as `kholo build` writes its lists."""
    folder = tmp_path_factory.mktemp("small")
    (folder / "data").mkdir()
    about = {"address": "", "as_of": "2026-01-02T00:00:00Z", "simulated": "yes"}
    (folder / "data" / "index.json").write_bytes(msgspec.json.encode(about))
    (folder / "index.html").write_text("<p>x")
    (folder / "manifest.txt").write_text("data/index.json\nindex.html\n")
    return folder


def unpacked(bundle: Path, folder: Path) -> Path:
    with zipfile.ZipFile(bundle) as archive:
        archive.extractall(folder)
    return folder


def found(place: Bundle | Folder, signers: Signers | None = None) -> list[Check]:
    return list(check(place, signers, NOW, lambda names: names))


def wrong(place: Bundle | Folder, signers: Signers | None = None) -> list[str]:
    return [one.check for one in found(place, signers) if one.outcome is Outcome.FAILED]


def known(folder: Path, key: keys.PrivateKey) -> Signers:
    path = folder / "signers"
    path.write_text(allowed_line("desk@example.org", key.public, NAMESPACE) + "\n")
    return Signers.load(path)


def test_a_bundle_says_what_it_is_and_holds(built: Path, tmp_path: Path) -> None:
    made = make(built, tmp_path / "m.zip", [KEY])
    assert made.statement.site == "https://example.org/kholo"
    assert made.statement.simulated == "yes"
    assert made.statement.made_at == full_view().as_of
    assert made.statement.files == sum(path.is_file() for path in built.rglob("*"))
    with (tmp_path / "m.zip").open("rb") as stream:
        checks = found(Bundle(tmp_path / "m.zip", stream), known(tmp_path, KEY))
    assert [one.outcome for one in checks] == [Outcome.PASSED] * 4
    assert wrong(Folder(unpacked(tmp_path / "m.zip", tmp_path / "u"))) == []


def test_the_same_site_and_keys_give_the_same_bytes(built: Path, tmp_path: Path) -> None:
    one, other = (make(built, tmp_path / name, [KEY, OTHER]) for name in ("a.zip", "b.zip"))
    assert one == other
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()


def test_every_byte_that_is_changed_is_found(small: Path, tmp_path: Path) -> None:
    make(small, tmp_path / "m.zip", [KEY])
    right = (tmp_path / "m.zip").read_bytes()
    signers = known(tmp_path, KEY)
    assert wrong(Bundle(tmp_path / "m.zip", BytesIO(right)), signers) == []
    unseen = []
    for at in range(len(right)):
        data = bytearray(right)
        data[at] ^= 1
        try:
            if not wrong(Bundle(tmp_path / "m.zip", BytesIO(data)), signers):
                unseen.append(at)
        except DossierError:
            continue
    assert unseen == []
    for cut in (0, 1, len(right) // 2, len(right) - 1):
        with pytest.raises(DossierError):
            Bundle(tmp_path / "m.zip", BytesIO(right[:cut]))


@pytest.mark.parametrize("name", ["index.html", "mirror/manifest.txt", "mirror/statement.txt", "sig", "pub"])
def test_every_byte_of_what_lies_in_a_folder(small: Path, tmp_path: Path, name: str) -> None:
    make(small, tmp_path / "m.zip", [KEY])
    copy = unpacked(tmp_path / "m.zip", tmp_path / "u")
    path = copy / (f"mirror/{KEY.public.id}.{name}" if name in {"sig", "pub"} else name)
    right = path.read_bytes()
    for at in range(len(right)):
        path.write_bytes(right[:at] + bytes([right[at] ^ 1]) + right[at + 1 :])
        assert wrong(Folder(copy)), at
    path.write_bytes(right)
    assert wrong(Folder(copy)) == []


def test_what_was_added_removed_changed_or_linked_in_a_folder_is_found(built: Path, tmp_path: Path) -> None:
    make(built, tmp_path / "m.zip", [KEY])
    copy = unpacked(tmp_path / "m.zip", tmp_path / "u")
    (copy / "en" / "more.html").write_text("more")
    assert wrong(Folder(copy)) == ["beside"]
    (copy / "en" / "more.html").unlink()
    page = copy / "en" / "index.html"
    content = page.read_bytes()
    page.write_bytes(content + b" ")
    assert wrong(Folder(copy)) == ["files"]
    page.unlink()
    assert wrong(Folder(copy)) == ["files"]
    page.symlink_to(built / "en" / "index.html")
    assert wrong(Folder(copy)) == ["files"]
    page.unlink()
    page.write_bytes(content)
    (copy / "mirror" / f"{OTHER.public.id}.sig").write_text("x")
    assert wrong(Folder(copy)) == ["beside"]
    (copy / "mirror" / f"{OTHER.public.id}.sig").unlink()
    (copy / "mirror" / f"{KEY.public.id}.sig").unlink()
    assert wrong(Folder(copy)) == ["signature"]


def test_a_copy_signed_anew_by_somebody_else_is_not_by_whom_is_known(built: Path, tmp_path: Path) -> None:
    make(built, tmp_path / "m.zip", [OTHER])
    copy = unpacked(tmp_path / "m.zip", tmp_path / "u")
    assert wrong(Folder(copy)) == []
    assert wrong(Folder(copy), known(tmp_path, KEY)) == ["signature"]


def test_what_is_no_site_is_no_mirror(built: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        make(tmp_path, tmp_path / "m.zip", [KEY])
    with pytest.raises(UsageError):
        make(built, tmp_path / "m.zip", [])
    assert wrong(Folder(built)) == ["manifest"]


def test_a_file_that_the_build_did_not_write_is_left_out(small: Path, tmp_path: Path) -> None:
    (small / "own.txt").write_text("mine")
    try:
        made = make(small, tmp_path / "m.zip", [KEY])
    finally:
        (small / "own.txt").unlink()
    assert made.left_out == 1
    with zipfile.ZipFile(tmp_path / "m.zip") as archive:
        assert "own.txt" not in archive.namelist()


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"kholo-mirror/1\n",
        b"kholo-mirror/1\nsite: -\nmade-at: 2026-13-01T00:00:00Z\nsimulated: no\nfiles: 1\nroot: sha256:"
        + b"0" * 64 + b"\nkeys: " + b"0" * 16 + b"\n",
        b"kholo-mirror/1\nsite: -\nmade-at: 2026-01-01T00:00:00Z\nsimulated: no\nfiles: 1\nroot: sha256:"
        + b"0" * 64 + b"\nkeys: " + b"0" * 16 + b" " + b"0" * 16 + b"\n",
        b"\xff" * 100,
    ],
)  # fmt: skip
def test_a_statement_of_another_form_is_none(text: bytes) -> None:
    with pytest.raises(DossierError):
        Statement.decode(text)


@contextmanager
def served(folder: Path) -> Iterator[str]:
    handler = functools.partial(_Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


def test_on_a_host_and_from_the_command_line(built: Path, tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.write_bytes(KEY.file())
    bundle = tmp_path / "m.zip"
    made = kholo("mirror", built, "--out", bundle, "--key", key, "--json")
    assert msgspec.json.decode(made.stdout)["statement"]["simulated"] == "yes"
    known(tmp_path, KEY)
    signers = tmp_path / "signers"
    copy = unpacked(bundle, tmp_path / "u")
    for place in (bundle, copy):
        done = kholo("mirror", "check", place, "--signers", signers)
        assert b"Nothing in this copy is wrong." in done.stdout
    with served(copy) as address:
        done = kholo("mirror", "check", address, "--signers", signers, "--all", "--json")
        assert done.returncode == 0
        assert all(msgspec.json.decode(line)["outcome"] == "passed" for line in done.stdout.splitlines())
        assert b"not looked at" in kholo("mirror", "check", address, "--sample", "3").stdout
        (copy / "en" / "index.html").write_text("something else")
        assert kholo("mirror", "check", address, "--all").returncode == 1
        (copy / "mirror" / "statement.txt").unlink()
        assert b"statement.txt" in kholo("mirror", "check", address).stdout
