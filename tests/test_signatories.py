"""Who signed: right signatures, wrong ones and forged ones; and no address gets out."""

from __future__ import annotations

import base64
import csv
import json
import shutil
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from kholo.cli import cli
from kholo.evidence.weak import WEAK_KEYS
from kholo.model import CaseError, EnvironmentFault, UsageError
from kholo.papers import FORMATS, Check, languages, paper, render
from kholo.papers.keys import NAMESPACE, key_name, verify
from kholo.papers.signatories import COLUMNS, Signatory, address_code, codes, message, read

from .papers import view

DIGEST = "ab" * 32
SECRET = b"0123456789abcdef0123456789abcdef"
KEYGEN = shutil.which("ssh-keygen")
_KEY = Ed25519PrivateKey.from_private_bytes(b"\x01" * 32)


def bare(signed: bytes = message(DIGEST)) -> tuple[str, str]:
    """A bare key and signature, in Base64."""
    public = _KEY.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    return base64.b64encode(public).decode(), base64.b64encode(_KEY.sign(signed)).decode()


def by_ssh(folder: Path, name: str = "id", namespace: str = NAMESPACE, kind: str = "ed25519") -> tuple[str, str]:
    """A key and a signature as `ssh-keygen` makes them."""
    assert KEYGEN, "the tests of signatures need ssh-keygen (openssh-client)"
    key, text = folder / name, folder / f"{name}.txt"
    if not key.exists():
        subprocess.run([KEYGEN, "-q", "-t", kind, "-N", "", "-C", "a@b.example", "-f", str(key)], check=True)
    text.write_bytes(message(DIGEST))
    Path(f"{text}.sig").unlink(missing_ok=True)
    subprocess.run(
        [KEYGEN, "-q", "-Y", "sign", "-n", namespace, "-f", str(key), str(text)], check=True, capture_output=True
    )
    return Path(f"{key}.pub").read_text().strip(), Path(f"{text}.sig").read_text()


def write(path: Path, *rows: dict[str, str]) -> Path:
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, COLUMNS)
        writer.writeheader()
        writer.writerows(rows)
    return path


def test_a_signature_of_ssh_keygen_is_right_and_anything_changed_is_not(tmp_path: Path) -> None:
    key, signature = by_ssh(tmp_path)
    assert verify(key, signature, message(DIGEST)) == ""
    assert "not one of its key over these bytes" in verify(key, signature, message("cd" * 32))
    other, _ = by_ssh(tmp_path, "other")
    assert "another key" in verify(other, signature, message(DIGEST))
    _, elsewhere = by_ssh(tmp_path, namespace="file")
    assert "made for something else" in verify(key, elsewhere, message(DIGEST))
    lines = signature.strip().splitlines()
    raw = bytearray(base64.b64decode("".join(lines[1:-1])))
    for place in range(0, len(raw), 7):
        forged = bytes(raw[:place]) + bytes([raw[place] ^ 1]) + bytes(raw[place + 1 :])
        assert verify(key, base64.b64encode(forged).decode(), message(DIGEST))
    for length in range(len(raw)):
        assert verify(key, base64.b64encode(raw[:length]).decode(), message(DIGEST))
    assert verify(key, base64.b64encode(bytes(raw) + b"x").decode(), message(DIGEST))


def test_the_fingerprint_is_the_one_that_ssh_keygen_shows(tmp_path: Path) -> None:
    key, _ = by_ssh(tmp_path)
    assert KEYGEN
    shown = subprocess.run([KEYGEN, "-l", "-f", str(tmp_path / "id.pub")], check=True, capture_output=True, text=True)
    assert key_name(key) == shown.stdout.split()[1]


def test_keys_of_other_kinds_are_refused(tmp_path: Path) -> None:
    key, signature = by_ssh(tmp_path, "rsa", kind="rsa")
    assert "no Ed25519 key" in verify(key, signature, message(DIGEST))
    public = generate_private_key(65537, 2048).public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)
    disguised = "ssh-ed25519 " + public.decode().split()[1]
    assert verify(disguised, signature, message(DIGEST))


def test_bare_signatures() -> None:
    key, signature = bare()
    assert verify(key, signature, message(DIGEST)) == ""
    assert verify(key, signature, message("cd" * 32))
    # The neutral point as a key: OpenSSL takes this "signature" under it, for any text.
    weak = base64.b64encode(b"\x01" + b"\x00" * 31).decode()
    assert "anybody" in verify(weak, base64.b64encode(b"\x01" + b"\x00" * 63).decode(), message(DIGEST))


def test_the_weak_keys_are_all_points_of_small_order() -> None:
    prime = 2**255 - 19
    d = -121665 * pow(121666, -1, prime) % prime
    orders = []
    for key in WEAK_KEYS:
        y = int.from_bytes(key, "little") % prime
        square = (y * y - 1) * pow(d * y * y + 1, -1, prime) % prime
        x = pow(square, (prime + 3) // 8, prime)
        x = x if x * x % prime == square else x * pow(2, (prime - 1) // 4, prime) % prime
        assert x * x % prime == square
        point, order = (x, y), 1
        while point != (0, 1):
            a, b = point
            common = d * a * a * b * b
            point = 2 * a * b * pow(1 + common, -1, prime) % prime, (b * b + a * a) * pow(1 - common, -1, prime) % prime
            order *= 2
        orders.append(order)
    # The group of order eight has one point of order 1, one of 2, two of 4 and four of 8; two y are written twice.
    assert sorted(orders) == [1, 1, 2, 4, 4, 8, 8]


@given(st.text(max_size=200), st.text(max_size=400))
def test_no_text_verifies_or_crashes(key: str, signature: str) -> None:
    assert verify(key, signature, message(DIGEST))


@given(st.binary(max_size=300))
def test_no_bytes_verify_or_crash(data: bytes) -> None:
    key, _ = bare()
    assert verify(key, base64.b64encode(data).decode(), message(DIGEST))
    assert verify(key, base64.b64encode(b"SSHSIG" + data).decode(), message(DIGEST))


def test_a_list_is_checked_row_by_row(tmp_path: Path) -> None:
    key, signature = by_ssh(tmp_path)
    other_key, other_signature = bare()
    good = address_code(SECRET, DIGEST, "Carol@Example.org")
    path = write(
        tmp_path / "list.csv",
        {"name": "Amna", "organisation": "Digital Group", "key": key, "signature": signature},
        {"name": "Bare", "key": other_key, "signature": other_signature},
        {"name": "Carol", "address": "carol@example.org ", "code": good.upper()},
        {"name": "Dave", "address": "dave@example.org", "code": good},
        {"name": "Eve", "key": key, "signature": other_signature},
        {"name": "Amna again", "key": key, "signature": signature},
        {"name": "Farid", "organisation": "ادارہ"},
        {"name": "farid", "organisation": "ادارہ"},
        {"name": "Gul", "code": good},
        {"name": "Hina", "signature": signature},
    )
    found = read(path, DIGEST, SECRET)
    assert [item.check for item in found] == [
        Check.KEY, Check.KEY, Check.ADDRESS, Check.BAD, Check.BAD, Check.TWICE, Check.UNCHECKED, Check.TWICE, Check.BAD,
        Check.BAD,
    ]  # fmt: skip
    assert [item.is_counted for item in found].count(True) == 4
    assert found[0].key == key_name(key)
    # Signed for one text, checked for another: nothing is taken over.
    assert {item.check for item in read(path, "cd" * 32, SECRET)[:3]} == {Check.BAD}
    # Without the secret, a code says nothing.
    assert read(path, DIGEST, None)[2].check is Check.UNCHECKED
    assert dict(codes(path, DIGEST, SECRET))["carol@example.org"] == good


def test_a_weak_secret_is_refused() -> None:
    with pytest.raises(UsageError, match="at least 16"):
        address_code(b"secret", DIGEST, "a@b.example")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Name,key\nA,\n", "no column name"),
        ("name,adress\nA,x\n", "is no column"),
        ("name\n\u202eevil\n", "turns the direction"),
        ("name\n<script>alert(1)</script>\n", "HTML"),
        ("name\n   \n", "is empty"),
        ("name,key\nA,b,c\n", "more cells"),
        (f"name\n{'x' * 600}\n", "too long"),
        ('name\n"A\n', "no CSV"),
        ("name,key\nA," + "b" * 200_000 + "\n", "no CSV"),
    ],
)
def test_a_list_with_a_mistake_is_refused_with_its_line(text: str, said: str, tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(CaseError, match=said):
        read(path, DIGEST, None)


def test_a_list_that_is_no_text_or_not_there(tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_bytes(b"name\n\xff\xfe\n")
    with pytest.raises(CaseError, match="UTF-8"):
        read(tmp_path / "list.csv", DIGEST, None)
    with pytest.raises(EnvironmentFault):
        read(tmp_path / "none.csv", DIGEST, None)


def test_no_address_gets_out(tmp_path: Path) -> None:
    key, signature = bare()
    path = write(
        tmp_path / "list.csv",
        {"name": "Amna", "address": "amna@secret.example", "key": key, "signature": signature},
        {"name": "Bad", "address": "bad@secret.example", "code": "nothing"},
    )
    found = read(path, DIGEST, SECRET)
    assert "address" not in Signatory.__struct_fields__
    for code in languages():
        for form in FORMATS:
            data = render(paper(view(), "statement", code, found), form)
            assert b"secret.example" not in data
            if form != "pdf":
                assert b"Amna" in data
                assert b"Bad" not in data


def test_the_commands_sign_and_check_a_statement(tmp_path: Path) -> None:
    runner, case = CliRunner(), ["cases/x-pakistan-2024", "--as-of", "2025-06-01"]
    to_sign = runner.invoke(cli, ["signatories", "message", *case])
    assert to_sign.exit_code == 0, to_sign.output
    key, signature = bare(to_sign.output.encode())
    secret = tmp_path / "secret"
    secret.write_bytes(SECRET)
    people: list[dict[str, str]] = [{"name": "Amna", "organisation": "Group", "key": key, "signature": signature}]
    people.append({"name": "Carol", "address": "carol@secret.example"})
    path = write(tmp_path / "list.csv", *people)
    listed = [*case, "--list", str(path), "--secret", str(secret)]
    mailed = runner.invoke(cli, ["signatories", "codes", *listed])
    people[1]["code"] = mailed.output.splitlines()[1].rpartition(",")[2]
    write(path, *people)
    checked = runner.invoke(cli, ["signatories", "check", *listed, "--json"])
    assert checked.exit_code == 0, checked.output
    assert [json.loads(line)["check"] for line in checked.output.splitlines()] == ["key", "address"]
    assert "secret.example" not in checked.output
    out = tmp_path / "statement.txt"
    made = runner.invoke(cli, ["papers", *listed, "--kind", "statement", "--format", "txt", "--out", str(out)])
    assert made.exit_code == 0, made.output
    assert "2 signatures: 1 checked by key, 1 checked by address" in " ".join(out.read_text().split())
    people[0]["signature"] = bare(b"something else")[1]
    write(path, *people)
    wrong = runner.invoke(cli, ["signatories", "check", *listed])
    assert wrong.exit_code == 1
    assert "bad" in wrong.output
