"""A site carries dossiers and their log: checked before they are copied, told on every page, and told when replaced."""

from __future__ import annotations

import json
import shutil
import sqlite3
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import msgspec
import pytest

from kholo.evidence import append, keys, log
from kholo.evidence.audit import audit
from kholo.evidence.bundle import opened
from kholo.evidence.faults import LogError
from kholo.evidence.shelf import Folder
from kholo.model import DossierError, UsageError
from kholo.pipeline.attach import carried, key_of
from kholo.publish import Site, build_site
from kholo.publish.site import Attached, Sealed

from . import dossiers as small
from .commands import kholo, process
from .material import full_view
from .tlogs import SIGNER, dossier, key_file, made

CASE = "chirp-test"


def with_log(folder: Path, *numbers: int) -> tuple[Path, Path]:
    """Dossiers of one case, each in the log after the one before."""
    (folder / "dossiers").mkdir()
    shelf = made(folder / "log")
    for number in numbers:
        path = folder / "dossiers" / f"d{number}.zip"
        statement = dossier(path, number, CASE)
        append.append(shelf, [SIGNER], [append.New(statement, log.digest(path.read_bytes()))])
    return folder / "dossiers", folder / "log"


def site(dossiers: Path | None, log_folder: Path | None, **more: object) -> Site:
    found = carried({CASE}, dossiers, log_folder)
    return Site(
        [full_view()],
        dossiers=found.standing,
        attached=Attached(found.copies, found.earlier, **more),  # type: ignore[arg-type]
    )


def test_the_last_in_the_log_stands_and_the_other_says_that_it_was_replaced(tmp_path: Path) -> None:
    folder, log_folder = with_log(tmp_path, 1, 2)
    made_site = site(folder, log_folder)
    standing, earlier = made_site.dossiers_of(CASE)
    assert (standing.file, standing.index, standing.supersedes, standing.later) == (f"{CASE}.zip", 1, 0, ())
    assert (earlier.index, earlier.supersedes, earlier.later) == (0, None, (1,))
    build_site(made_site, tmp_path / "site")
    out = tmp_path / "site"
    assert (out / "dossiers" / standing.file).read_bytes() == (folder / "d2.zip").read_bytes()
    assert (out / "dossiers" / earlier.file).read_bytes() == (folder / "d1.zip").read_bytes()
    pages = [(out / "en" / "dossiers" / CASE / one.short / "index.html").read_text() for one in (standing, earlier)]
    for page, one in zip(pages, (standing, earlier), strict=True):
        for part in (one.root, one.sha256, f"entry {one.index} of the log", "example.org/kholo", "kholo verify"):
            assert part in page
    assert "Replaced by a later dossier" not in pages[0].partition("<h2")[0]
    assert "Replaced by a later dossier" in pages[1].partition("<h2")[0]
    case = (out / "ur" / "cases" / CASE / "index.html").read_text()
    assert standing.root in case.partition('class="cite"')[2]


def test_a_case_whose_dossier_was_replaced_elsewhere_says_so(tmp_path: Path) -> None:
    folder, log_folder = with_log(tmp_path, 1, 2)
    (folder / "d2.zip").unlink()
    build_site(site(folder, log_folder), tmp_path / "site")
    page = (tmp_path / "site" / "en" / "cases" / CASE / "index.html").read_text()
    assert "Replaced by a later dossier of this case: entry 1 of the log." in page


def test_the_log_that_is_copied_can_be_checked(tmp_path: Path) -> None:
    folder, log_folder = with_log(tmp_path, 1, 2, 3)
    (log_folder / "notes.txt").write_text("not of the log")
    build_site(site(folder, log_folder), tmp_path / "site")
    copy = Folder(tmp_path / "site" / "log")
    assert audit(copy, log.own_keys(copy)).log.size == 3
    assert not (tmp_path / "site" / "log" / "notes.txt").exists()
    seen = (log_folder / "checkpoint").read_bytes()
    assert (tmp_path / "site" / "log" / "checkpoint").read_bytes() == seen


def test_what_was_changed_or_is_of_another_case_is_not_published(tmp_path: Path) -> None:
    folder, log_folder = with_log(tmp_path, 1)
    with pytest.raises(UsageError, match="no case of this site"):
        carried({"other"}, folder, None)
    shutil.copy(folder / "d1.zip", folder / "again.zip")
    with pytest.raises(UsageError, match="the same dossier"):
        carried({CASE}, folder, None)
    (folder / "again.zip").unlink()
    path = folder / "d1.zip"
    right = path.read_bytes()
    at = right.index(b"1\n", right.index(b"number.txt"))
    path.write_bytes(right[:at] + b"2" + right[at + 1 :])
    with pytest.raises(DossierError):
        carried({CASE}, folder, None)
    path.write_bytes(b"no dossier")
    with pytest.raises(DossierError):
        carried({CASE}, folder, None)
    path.unlink()
    with pytest.raises(UsageError, match="no dossier"):
        carried({CASE}, folder, None)
    (log_folder / "checkpoint").write_bytes(b"x" + (log_folder / "checkpoint").read_bytes())
    with pytest.raises(LogError):
        carried({CASE}, None, log_folder)


def test_the_page_of_a_dossier_says_who_vouches_for_it(tmp_path: Path) -> None:
    (tmp_path / "dossiers").mkdir()
    dossier(tmp_path / "plain.zip", 1, CASE)
    signed = small.signed(tmp_path, tmp_path / "plain.zip", tmp_path / "key")
    stamped = small.stamped(tmp_path, signed, small.authority(tmp_path / "tsa"))
    shutil.move(stamped, tmp_path / "dossiers" / "d.zip")
    publisher = key_of(tmp_path / "key.pub", "")
    found = site(tmp_path / "dossiers", None, key=publisher)
    assert found.dossiers[CASE].sealed == Sealed((publisher.fingerprint,), (), 1)
    page = dossier_page(found, tmp_path / "site")
    for part in (
        publisher.fingerprint,
        "the key of who publishes this site",
        "1 timestamp of an authority that is not",
    ):
        assert part in page


def dossier_page(found: Site, out: Path) -> str:
    build_site(found, out)
    return (out / "en" / "dossiers" / CASE / found.dossiers[CASE].short / "index.html").read_text()


def test_the_page_of_a_dossier_never_says_more_than_was_checked(tmp_path: Path) -> None:
    (tmp_path / "dossiers").mkdir()
    dossier(tmp_path / "dossiers" / "d.zip", 1, CASE)
    found = site(tmp_path / "dossiers", None)
    page = dossier_page(found, tmp_path / "site")
    assert "nobody yet" in page
    assert "no authority was asked" in page
    hostile = (datetime(2026, 1, 2, 3, 4, tzinfo=UTC), "<b>\u202e")
    for sealed, part in (
        (None, "not checked when this page was made"),
        (Sealed((), (hostile,)), '2 January 2026, 03:04 UTC, says <bdi translate="no">&lt;b&gt;[U+202E]</bdi>'),
    ):
        one = msgspec.structs.replace(found.dossiers[CASE], sealed=sealed)
        page = dossier_page(Site([full_view()], dossiers={CASE: one}), tmp_path / "other")
        assert part in " ".join(page.split())
        assert ("nobody yet" in page) is (sealed is not None)
        assert "<b>" not in page.partition("<main")[2].partition("</main")[0].replace("<b>Simulated", "")
        assert "\u202e" not in page


def test_a_signature_that_is_wrong_is_not_published(tmp_path: Path) -> None:
    (tmp_path / "dossiers").mkdir()
    for number in (1, 2):
        dossier(tmp_path / f"d{number}.zip", number, CASE)
    signed = small.signed(tmp_path, tmp_path / "d1.zip", tmp_path / "key")
    seals = {name: data for name, data in small.files_of(signed).items() if name.startswith("seal/signatures/")}
    with opened(tmp_path / "d2.zip") as other:
        other.with_tags(tmp_path / "dossiers" / "d.zip", seals)
    with pytest.raises(DossierError, match="its seal is not right"):
        carried({CASE}, tmp_path / "dossiers", None)


def test_a_dossier_that_changes_while_the_site_is_built_is_not_published(tmp_path: Path) -> None:
    folder, log_folder = with_log(tmp_path, 1)
    made_site = site(folder, log_folder)
    dossier(folder / "d1.zip", 9, CASE)
    with pytest.raises(Exception, match="was changed while it was read"):
        build_site(made_site, tmp_path / "site")
    assert not (tmp_path / "site" / "dossiers" / f"{CASE}.zip").exists()


def test_the_footer_names_the_key_and_the_private_one_is_refused(tmp_path: Path) -> None:
    private = keys.new_private(b"\3" * 32, "The desk")
    (tmp_path / "me.pub").write_text(private.public.line + "\n")
    key_file(tmp_path / "me")
    with pytest.raises(UsageError, match="private"):
        key_of(tmp_path / "me", "")
    build_site(site(None, None, key=key_of(tmp_path / "me.pub", "")), tmp_path / "site")
    footer = (tmp_path / "site" / "en" / "about" / "index.html").read_text().partition("<footer>")[2]
    assert private.public.fingerprint in footer
    assert "The desk" in footer
    assert keys.load_public((tmp_path / "site" / "data" / "key.pub").read_text()).blob == private.public.blob


def test_the_data_page_and_the_index_list_every_file_with_its_digest(tmp_path: Path) -> None:
    folder, log_folder = with_log(tmp_path, 1, 2)
    out = tmp_path / "site"
    build_site(site(folder, log_folder), out)
    found = {
        path.relative_to(out).as_posix(): path
        for path in out.rglob("*")
        if path.is_file() and path.relative_to(out).parts[0] in {"data", "dossiers", "log"}
    }
    listed = {one["path"]: one for one in json.loads((out / "data" / "index.json").read_bytes())["files"]}
    assert {*listed, "data/index.json"} == set(found)
    page = (out / "en" / "data" / "index.html").read_text()
    for name, one in listed.items():
        data = found[name].read_bytes()
        assert (one["bytes"], one["sha256"]) == (len(data), sha256(data).hexdigest())
        assert one["sha256"] in page
        assert f'href="../../{name}"' in page


def test_the_command_line_builds_all_of_it_twice_the_same(tmp_path: Path) -> None:
    case = small.case_folder(tmp_path / "case")
    store = small.stored(tmp_path, small.measured(4))
    (tmp_path / "dossiers").mkdir()
    small.made(tmp_path / "dossiers", case, store)
    (tmp_path / "me.pub").write_text(keys.new_private(b"\3" * 32).public.line + "\n")
    words: list[str | Path] = [
        "build", case, "--store", tmp_path / "store", "--out", tmp_path / "site", "--as-of", "2026-01-02", "--sqlite",
        "--dossiers", tmp_path / "dossiers", "--address", "https://example.org", "--key", tmp_path / "me.pub",
        "--key-name", "The desk",
    ]  # fmt: skip
    assert kholo(*words).returncode == 0
    before = {path: (path.stat().st_ino, path.read_bytes()) for path in (tmp_path / "site").rglob("*.*")}
    assert process(*words).returncode == 0
    assert before == {path: (path.stat().st_ino, path.read_bytes()) for path in (tmp_path / "site").rglob("*.*")}
    db = sqlite3.connect(tmp_path / "site" / "data" / "kholo.sqlite")
    assert db.execute("SELECT count(*) FROM verdicts").fetchone()[0] == 4
    assert (tmp_path / "site" / "dossiers" / "small.zip").is_file()
    wrong = kholo("build", case, "--out", tmp_path / "other", "--address", "javascript:alert(1)")
    assert wrong.returncode == 2
