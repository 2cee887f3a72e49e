"""Parts of a dossier withheld: what was sealed holds on, and what is withheld is nowhere in the new file."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from kholo.cli import cli
from kholo.evidence import checks, seal
from kholo.evidence.bundle import Dossier
from kholo.evidence.traces import pattern
from kholo.model import UsageError
from kholo.store import Store
from kholo.store.custody import Custody, Thing

from . import dossiers
from .conftest import NOW

NAME, URDU = "Amina O'Witness", "گواہ آمنہ"
TOLD = "ایک خاتون (Amina Khan) نے یہ کہا"
WHY = "a person is in danger"
SECRET_ENTRY = dossiers.ENTRY.replace('"e1"', '"f17-amina-speaks"').replace('"S."', f'"{NAME} said so, {URDU}."')
COPY = "sources/f17-copy.txt"


def run(*arguments: object) -> Result:
    return CliRunner().invoke(cli, list(map(str, arguments)))


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dossier with a secret entry and the copy of its source, signed, with a custody log that names them."""
    folder = tmp_path_factory.mktemp("redact")
    case = dossiers.case_folder(folder / "case")
    (case / "sources").mkdir()
    (case / COPY).write_text(f"{NAME} was there.\n")
    digest = hashlib.sha256((case / COPY).read_bytes()).hexdigest()
    more = f'archived = "{COPY}"\nsha256 = "{digest}"\n'
    (case / "entries" / "f17-amina-speaks.toml").write_text(SECRET_ENTRY + more)
    (case / "photo.bin").write_bytes(b"\xff\x00\xfe")
    (case / "languages").mkdir()
    # Nothing in it says of which file a text is.
    (case / "languages" / "ur.po").write_text(f'msgid "{NAME} said so, {URDU}."\nmsgstr "{TOLD}"\n', encoding="utf-8")
    store = dossiers.stored(folder, dossiers.measured(4))
    Custody(store.root).add("edit", NOW, [Thing("entries/f17-amina-speaks.toml", digest)], case="small", by=NAME)
    key = folder / "desk.key"
    assert run("key", "new", key, "--no-passphrase").exit_code == 0
    out = folder / "whole.zip"
    done = run("dossier", case, "--store", store.root, "--out", out, "--key", key, "--as-of", "2026-11-24")
    assert done.exit_code == 0, done.output
    return out


def redacted(whole: Path, folder: Path, *arguments: object) -> Path:
    out = folder / "public.zip"
    done = run("redact", whole, "--out", out, "--because", WHY, *arguments)
    assert done.exit_code == 0, (done.output, done.exception)
    return out


def everything(path: Path) -> Iterator[tuple[str, bytes]]:
    """All that can be read in a dossier: names, files, what is packed, the text of PDFs."""
    yield "names", "\n".join(dossiers.files_of(path)).encode()
    for name, data in dossiers.files_of(path).items():
        yield name, data
        if name.endswith(".gz"):
            yield name, gzip.decompress(data)
        if name.endswith(".pdf"):
            text = subprocess.run(["pdftotext", "-", "-"], input=data, capture_output=True, check=True).stdout
            yield name, b" ".join(text.split())


def where(path: Path, *secrets: str) -> list[tuple[str, str]]:
    found = []
    for name, data in everything(path):
        found += [(secret, name) for secret in secrets if secret.encode() in data]
    return found


def outcomes(path: Path, *arguments: str) -> dict[str, str]:
    done = run("verify", path, "--json", "--workers", "1", *arguments)
    assert done.exit_code == 0, done.output
    rows: list[dict[str, Any]] = [json.loads(line) for line in done.output.splitlines() if line.startswith("{")]
    return {row["check"]: row["outcome"] for row in rows}


def test_the_secrets_are_in_the_whole_one(whole: Path) -> None:
    """Else the tests below would find nothing for another reason."""
    names = {name.split("/")[1] for _, name in where(whole, "Amina", "f17-") if name.startswith("data/")}
    assert {"case", "custody.jsonl", "pages", "papers"} <= names
    assert any(name.endswith(".pdf") for _, name in where(whole, "Amina"))
    assert outcomes(whole)["results"] == "passed"


@pytest.mark.parametrize("asked", [("--withhold", "case/entries/f17-amina-speaks.toml"), ("--text", NAME)])
def test_what_is_withheld_is_not_told_in_another_language(whole: Path, tmp_path: Path, asked: tuple[str, str]) -> None:
    """A text is not found by its words in what says it in another language, so all of that goes with it."""
    assert any(name.startswith("data/pages/ur/") for _, name in where(whole, "Amina Khan", "خاتون"))
    path = redacted(whole, tmp_path, *asked)
    assert where(path, "خاتون", "Khan") == []
    left = dossiers.files_of(path)
    assert not [name for name in left if name.startswith(("data/pages/ur/", "data/case/languages/")) or ".ur." in name]
    assert outcomes(path)["tree"] == "passed"


def test_an_entry_withheld_leaves_no_trace(whole: Path, tmp_path: Path) -> None:
    path = redacted(whole, tmp_path, "--withhold", "case/entries/f17-amina-speaks.toml")
    case = json.loads(dossiers.files_of(whole)["data/results/case.json"])["versions"]["case"]
    assert where(path, "Amina", "f17-", URDU, COPY, case[:12]) == []
    before, after = dossiers.files_of(whole), dossiers.files_of(path)
    assert [name for name in before if name.startswith("seal/") and before[name] != after[name]] == [seal.LEAVES]
    found = outcomes(path)
    assert found["tree"] == found["files"] == found["bag"] == "passed"
    assert found["signature"] == found["results"] == found["custody"] == "not_checked"
    data = path.read_bytes()
    assert not dossiers.ours_finds(data) and not dossiers.other_finds(data)


def test_a_raw_item_withheld_leaves_no_trace(whole: Path, tmp_path: Path) -> None:
    files = dossiers.files_of(whole)
    name = next(name for name in files if name.startswith("data/raw/") and name.endswith(".gz"))
    uid = json.loads(gzip.decompress(files[name]))["measurement_uid"]
    digest = Path(name).stem
    path = redacted(whole, tmp_path, "--withhold", name)
    assert where(whole, uid) and where(whole, digest)
    assert where(path, uid, digest, f"kholo-{digest[:32]}") == []
    assert not any(name.startswith("data/tables/") for name in dossiers.files_of(path))
    done = run("verify", path, "--json", "--workers", "1")
    said = {row["check"]: row for row in map(json.loads, filter(lambda line: line[0] == "{", done.output.splitlines()))}
    assert done.exit_code == 0 and said["results"]["outcome"] == "not_checked"
    # The others were judged again: only what rests on the one that is gone is another.
    assert any("cells.jsonl" in line for line in said["results"]["details"])


def test_a_raw_item_is_withheld_in_all_its_forms_and_with_its_source(tmp_path: Path) -> None:
    store = dossiers.stored(tmp_path, dossiers.measured(1))
    files = dossiers.files_of(dossiers.made(tmp_path, dossiers.case_folder(tmp_path / "case"), store))
    item = next(name for name in files if name.startswith("data/raw/") and name.endswith(".gz"))
    twin = item.removesuffix(".gz") + ".decoded.gz"
    (tmp_path / "x.zip").write_bytes(dossiers.packed(dossiers.resealed({**files, twin: files[item]})))
    left = dossiers.files_of(redacted(tmp_path / "x.zip", tmp_path, "--withhold", item))
    assert item not in left and twin not in left
    assert left["data/raw/index.jsonl"] == left["data/raw/objects.jsonl"] == b"[redacted]\n"


def test_a_text_withheld_is_nowhere(whole: Path, tmp_path: Path) -> None:
    path = redacted(whole, tmp_path, "--text", NAME, "--text", URDU)
    copy = hashlib.sha256(dossiers.files_of(whole)[f"data/case/{COPY}"]).hexdigest()
    case = json.loads(dossiers.files_of(whole)["data/results/case.json"])["versions"]["case"]
    assert where(path, "Witness", "Amina", URDU, copy[:12], case[:12]) == []
    left = dossiers.files_of(path)
    assert b"[redacted] said so, [redacted]." in left["data/case/entries/f17-amina-speaks.toml"]
    assert b"[redacted] said so" in left["data/pages/en/cases/small/index.html"]
    gone = {"data/case/photo.bin", "data/custody.jsonl", "data/papers/report.en.pdf"}
    assert gone & left.keys() == set() and gone <= dossiers.files_of(whole).keys()
    assert outcomes(path)["tree"] == "passed"


def test_a_redacted_one_is_redacted_again(whole: Path, tmp_path: Path) -> None:
    once = redacted(whole, tmp_path, "--text", NAME)
    (tmp_path / "again").mkdir()
    twice = redacted(once, tmp_path / "again", "--text", URDU, "--withhold", "case/case.toml")
    assert where(twice, "Witness", URDU, 'title = "Small"') == []
    assert outcomes(twice, "--no-rerun")["tree"] == "passed"
    said = [leaf for leaf in seal.decode_leaves(dossiers.files_of(twice)[seal.LEAVES]) if not leaf.is_open]
    sealed = [leaf.hash() for leaf in seal.decode_leaves(dossiers.files_of(whole)[seal.LEAVES])]
    assert said and {leaf.withheld for leaf in said} == {WHY} and {leaf.hash() for leaf in said} <= set(sealed)


@pytest.mark.parametrize(
    "written",
    [
        NAME, NAME.upper(), "Amina\n   O'Witness", "Amina&nbsp;O&#39;Witness", "Amina O&#x27;Witness",
        r"Amina\nO'Witness", "Amina%20O%27Witness", "Amina+O%27Witness",
    ],
)  # fmt: skip
def test_ways_to_write_a_name(written: str) -> None:
    found = pattern([NAME])
    assert found and found.sub(b"", f"<{written}>".encode()) == b"<>"


@pytest.mark.parametrize(
    "written",
    [
        URDU, json.dumps(URDU)[1:-1], json.dumps(URDU)[1:-1].upper().replace("U", "u"), URDU.replace(" ", "\n"),
        "".join(f"&#{ord(char)};" for char in URDU), json.dumps(json.dumps(URDU)[1:-1])[1:-1],
    ],
)  # fmt: skip
def test_ways_to_write_a_name_in_urdu(written: str) -> None:
    found = pattern([URDU])
    assert found and found.sub(b"", f"<{written}>".encode()) == b"<>"
    other = pattern(["گواہ"])
    assert other and not other.search("گواہی دی".replace("گواہ", "شہادت").encode())


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("--text", "ab"), "at least"),
        (("--text", "nowhere to be found"), "no file has this text"),
        (("--withhold", "case/none.toml"), "no file of the dossier"),
        (("--withhold", "dossier.json"), "can't be withheld"),
        (("--text", "Small"), "title"),
        (("--text", WHY[2:]), "the reason holds the text"),
        ((), "nothing to withhold"),
    ],
)
def test_what_can_not_be_done_is_said(whole: Path, tmp_path: Path, arguments: tuple[str, ...], why: str) -> None:
    done = run("redact", whole, "--out", tmp_path / "x.zip", "--because", WHY, *arguments)
    assert isinstance(done.exception, UsageError) and why in str(done.exception)
    assert not (tmp_path / "x.zip").exists()


def test_with_public_salts_only_raw_items_can_be_withheld(tmp_path: Path) -> None:
    path = dossiers.small(tmp_path)
    for wanted in (("--text", "example.org"), ("--withhold", "case/entries/e1.toml")):
        done = run("redact", path, "--out", tmp_path / "x.zip", "--because", WHY, *wanted)
        assert isinstance(done.exception, UsageError) and "made without a key" in str(done.exception)
    assert outcomes(redacted(path, tmp_path, "--withhold", "raw"), "--no-rerun")["tree"] == "passed"


def found_wrong(files: dossiers.Files) -> str:
    dossier = Dossier(Path("x.zip"), io.BytesIO(dossiers.packed(dossiers.relisted(files))))
    return " ".join(check.says for check in checks.form(dossier) if check.outcome == "failed")


def test_only_what_is_declared_is_taken_for_redacted(whole: Path) -> None:
    files = dossiers.files_of(whole)
    leaves = seal.decode_leaves(files[seal.LEAVES])
    place = next(place for place, leaf in enumerate(leaves) if leaf.path == "data/case/entries/e1.toml")
    assert found_wrong(files) == ""
    assert "not of the files" in found_wrong({**files, "data/case/entries/e1.toml": b"other"})
    held = [*leaves]
    held[place] = seal.Leaf(leaf=leaves[place].hash().hex(), withheld=WHY)
    assert "not of the files" in found_wrong({**files, seal.LEAVES: seal.encode_leaves(held)})
    gone = {name: data for name, data in files.items() if name != "data/case/entries/e1.toml"}
    assert "not of the files" in found_wrong(gone)
    assert found_wrong({**gone, seal.LEAVES: seal.encode_leaves(held)}) == ""
    held[place] = seal.Leaf(leaf="00" * 32, withheld=WHY)
    assert "another root" in found_wrong({**gone, seal.LEAVES: seal.encode_leaves(held)})


def test_the_custody_log_tells_of_it_and_not_what(whole: Path, tmp_path: Path) -> None:
    store = Store(tmp_path / "store", create=True)
    path = redacted(whole, tmp_path, "--text", NAME, "--store", store.root, "--by", "desk")
    (entry,) = Custody(store.root).entries()
    assert (entry.action, entry.case, entry.by) == ("redact", "small", "desk")
    assert entry.what == (Thing("public.zip", hashlib.sha256(path.read_bytes()).hexdigest()),)
    assert b"Amina" not in Custody(store.root).path.read_bytes()
