"""Keys and signatures: ours taken by ssh-keygen, ssh-keygen's by ours, and everything that is not quite right found."""

from __future__ import annotations

import base64
import json
import os
import pty
import select
import shutil
import signal
import stat
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from kholo.cli import cli
from kholo.evidence import keys, sshsig
from kholo.evidence.sshwire import Reader, mpint, string
from kholo.evidence.weak import WEAK_KEYS
from kholo.model import KeyFileError, SignatureError

from .conftest import NOW

MESSAGE = b"kholo-dossier/1\ncase: x-pakistan-2024\n"
SPACE = "kholo-dossier"
KINDS = {
    "ed25519": ("-t", "ed25519"), "rsa": ("-t", "rsa", "-b", "2048"), "p256": ("-t", "ecdsa", "-b", "256"),
    "p384": ("-t", "ecdsa", "-b", "384"), "p521": ("-t", "ecdsa", "-b", "521"),
}  # fmt: skip
OURS = keys.new_private(bytes(range(32)), "ours")


def nobody(question: str) -> str:
    raise AssertionError("the file is open")


def ssh_keygen(*arguments: str, given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(["ssh-keygen", *arguments], input=given, capture_output=True, check=False)


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a key of each kind that ssh-keygen made, none locked."""
    if not shutil.which("ssh-keygen"):
        pytest.fail("ssh-keygen has to be there: apt-get install openssh-client")
    folder = tmp_path_factory.mktemp("keys")
    for name, options in (KINDS | {"short": ("-t", "rsa", "-b", "1024")}).items():
        done = ssh_keygen(*options, "-q", "-N", "", "-C", f"{name} of a test", "-f", str(folder / name))
        assert done.returncode == 0, done.stderr
    return folder


def key_of(folder: Path, name: str) -> keys.PrivateKey:
    return keys.load_private(folder / name, nobody)


def signed_by(folder: Path, name: str, *more: str) -> bytes:
    done = ssh_keygen("-Y", "sign", "-q", "-n", SPACE, "-f", str(folder / name), *more, given=MESSAGE)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("name", KINDS)
def test_what_we_sign_ssh_keygen_takes(made: Path, tmp_path: Path, name: str) -> None:
    key = key_of(made, name)
    (tmp_path / "sig").write_bytes(sshsig.sign(MESSAGE, key, SPACE))
    (tmp_path / "allowed").write_text(f'desk@example.org namespaces="{SPACE}" {key.public.line}\n')
    alone = ssh_keygen("-Y", "check-novalidate", "-n", SPACE, "-s", str(tmp_path / "sig"), given=MESSAGE)
    named = ("-Y", "verify", "-n", SPACE, "-s", str(tmp_path / "sig"), "-f", str(tmp_path / "allowed"))
    assert alone.returncode == 0, alone.stderr
    assert ssh_keygen(*named, "-I", "desk@example.org", given=MESSAGE).returncode == 0
    assert ssh_keygen(*named, "-I", "desk@example.org", given=MESSAGE + b" ").returncode != 0
    assert ssh_keygen(*named, "-I", "other@example.org", given=MESSAGE).returncode != 0


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("options", [(), ("-O", "hashalg=sha256")])
def test_what_ssh_keygen_signs_we_take(made: Path, name: str, options: tuple[str, ...]) -> None:
    found = sshsig.check(MESSAGE, signed_by(made, name, *options), SPACE)
    assert found.blob == keys.load_public((made / f"{name}.pub").read_text()).blob
    shown = ssh_keygen("-l", "-f", str(made / f"{name}.pub")).stdout.decode()
    assert found.fingerprint == shown.split()[1]
    assert keys.load_public((made / f"{name}.pub").read_text()).line == (made / f"{name}.pub").read_text().strip()


@pytest.mark.parametrize("name", KINDS)
def test_no_byte_of_a_signature_can_change(made: Path, name: str) -> None:
    signature = sshsig.sign(MESSAGE, key_of(made, name), SPACE)
    for place in range(len(signature)):
        for other in (signature[place] ^ 1, signature[place] ^ 0x20, signature[place] ^ 0xFF, 0x0A, 0x41):
            changed = signature[:place] + bytes([other]) + signature[place + 1 :]
            if changed != signature:
                with pytest.raises(SignatureError):
                    sshsig.check(MESSAGE, changed, SPACE)


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text + b"\n", lambda text: text[:-1], lambda text: b"\n" + text, lambda text: text[:-40],
        lambda text: text.replace(b"\n", b"\r\n"), lambda text: text.replace(b"\n-----E", b"=\n-----E"),
        lambda text: b"", lambda text: text + text, lambda text: text.replace(b"SSH SIG", b"PGP SIG"),
        lambda text: text.replace(b"\n", b"", 2).replace(b"-----U1", b"-----\nU1"), lambda text: b"A" * (1 << 20),
    ],
)  # fmt: skip
def test_a_signature_has_one_form(change: object) -> None:
    good = sshsig.sign(MESSAGE, OURS, SPACE)
    assert callable(change)
    assert sshsig.check(MESSAGE, good, SPACE) == keys.PublicKey(OURS.public.blob)
    with pytest.raises(SignatureError):
        sshsig.check(MESSAGE, change(good), SPACE)


def test_a_signature_is_for_one_message_and_one_purpose() -> None:
    good = sshsig.sign(MESSAGE, OURS, SPACE)
    with pytest.raises(SignatureError, match="something else"):
        sshsig.check(MESSAGE, good, "file")
    with pytest.raises(SignatureError, match="over these bytes"):
        sshsig.check(MESSAGE + b"\n", good, SPACE)


def packed(*parts: bytes, head: bytes = b"SSHSIG\0\0\0\1") -> bytes:
    inside = base64.b64encode(head + b"".join(string(part) for part in parts))
    lines = b"".join(inside[at : at + 70] + b"\n" for at in range(0, len(inside), 70))
    return b"-----BEGIN SSH SIGNATURE-----\n" + lines + b"-----END SSH SIGNATURE-----\n"


def test_what_only_looks_like_a_signature(made: Path) -> None:
    rsa, short = key_of(made, "rsa"), keys.load_public
    space, none = SPACE.encode(), b""
    weak = string(b"ssh-ed25519") + string(b"\1" + bytes(31))
    bare = string(b"ssh-ed25519") + string(bytes(64))
    cases = {
        "anybody": packed(weak, space, none, b"sha512", bare),
        "hash": packed(OURS.public.blob, space, none, b"sha1", bare),
        "no meaning": packed(OURS.public.blob, space, b"x", b"sha512", bare),
        "more follows": packed(OURS.public.blob, space, none, b"sha512", bare, b""),
        "version": packed(OURS.public.blob, space, none, b"sha512", bare, head=b"SSHSIG\0\0\0\2"),
        "its key": packed(OURS.public.blob, space, none, b"sha512", string(b"rsa-sha2-512") + string(bytes(64))),
        "rsa-sha2-256 are": packed(rsa.public.blob, space, none, b"sha512", string(b"ssh-rsa") + string(bytes(256))),
        "token": packed(string(b"sk-ssh-ed25519@openssh.com") + string(bytes(32)), space, none, b"sha512", bare),
        "no public key": packed(string(b"ssh-ed25519") + string(bytes(31)), space, none, b"sha512", bare),
        "over these": packed(OURS.public.blob, space, none, b"sha512", bare),
    }
    for why, text in cases.items():
        with pytest.raises(SignatureError, match=why):
            sshsig.check(MESSAGE, text, SPACE)
    with pytest.raises(KeyFileError, match="2048"):
        short((made / "short.pub").read_text())
    with pytest.raises(KeyFileError, match="2048"):
        key_of(made, "short")
    for point in WEAK_KEYS:
        with pytest.raises(KeyFileError, match="anybody"):
            keys.load_public("ssh-ed25519 " + base64.b64encode(string(b"ssh-ed25519") + string(point)).decode())


@given(st.binary(max_size=400))
def test_no_bytes_crash_the_reader(data: bytes) -> None:
    for text in (data, packed(data), packed(OURS.public.blob, SPACE.encode(), b"", b"sha512", data)):
        with pytest.raises(SignatureError):
            sshsig.check(MESSAGE, text, SPACE)
    with pytest.raises(KeyFileError):
        keys.load_public("ssh-ed25519 " + base64.b64encode(data).decode())


@given(st.text(max_size=100))
def test_no_text_crashes_the_reader_of_keys(text: str) -> None:
    with pytest.raises(KeyFileError):
        keys.load_public(text)


@given(st.binary(max_size=100))
def test_any_message_is_signed(message: bytes) -> None:
    assert sshsig.check(message, sshsig.sign(message, OURS, SPACE), SPACE).id == OURS.public.id


@given(st.integers(0, 1 << 521))
def test_a_number_is_written_one_way(number: int) -> None:
    reader = Reader(mpint(number))
    assert reader.number() == number
    reader.end()
    with pytest.raises(ValueError, match="shortest"):
        Reader(string(b"\0" + mpint(number)[4:])).number()


def test_a_locked_key_asks(made: Path, tmp_path: Path) -> None:
    path = tmp_path / "locked"
    assert ssh_keygen("-t", "ed25519", "-q", "-N", "open sesame", "-f", str(path)).returncode == 0
    asked: list[str] = []

    def ask(question: str) -> str:
        asked.append(question)
        return "open sesame"

    key = keys.load_private(path, ask)
    assert (
        asked == [f"Passphrase of {path}"]
        and key.public.blob == keys.load_public((tmp_path / "locked.pub").read_text()).blob
    )
    with pytest.raises(KeyFileError, match="passphrase is wrong"):
        keys.load_private(path, lambda question: "sesame")
    with pytest.raises(KeyFileError, match="passphrase is wrong"):
        keys.load_private(path, lambda question: "")
    for content in (b"", b"x" * 100, (made / "rsa.pub").read_bytes(), b"x" * (2 << 20)):
        path.write_bytes(content)
        with pytest.raises(KeyFileError):
            keys.load_private(path, nobody)
    with pytest.raises(KeyFileError, match="can't be read"):
        keys.load_private(tmp_path, nobody)


def test_secrets_differ_by_key_and_purpose(made: Path) -> None:
    other = keys.new_private(bytes(32))
    found = {keys.secret_of(key, purpose) for key in (OURS, other) for purpose in ("salts", "other")}
    assert len(found) == 4 and {len(secret) for secret in found} == {32}
    assert keys.secret_of(keys.new_private(bytes(range(32)), "same"), "salts") == keys.secret_of(OURS, "salts")
    with pytest.raises(KeyFileError, match="Ed25519"):
        keys.secret_of(key_of(made, "rsa"), "salts")


LINE = OURS.public.line
ALLOWED = {
    f"a@example.org {LINE}": ("a@example.org",),
    f'"a@example.org,b@example.org"\t{LINE}': ("a@example.org", "b@example.org"),
    f'a@example.org namespaces="file,kholo-*" {LINE}': ("a@example.org",),
    f'a@example.org namespaces="file" {LINE}': (),
    f'a@example.org namespaces="kholo-*,!kholo-dossier" {LINE}': (),
    f'a@example.org valid-after="20260101Z",valid-before="202612312359Z" {LINE}': ("a@example.org",),
    f'a@example.org NAMESPACES="kholo-dossier",valid-before="20260101Z" {LINE}': (),
    f'a@example.org valid-after="20261124000001Z" {LINE}': (),
    f'a@example.org valid-after="20261124000000Z" {LINE}': ("a@example.org",),
    f"# a comment\n\na@example.org {LINE}\nb@example.org {LINE}\n": ("a@example.org", "b@example.org"),
    f"a@example.org {keys.new_private(bytes(32)).public.line}": (),
    "": (),
}


@pytest.mark.parametrize("text", ALLOWED)
def test_who_may_sign(tmp_path: Path, text: str) -> None:
    path = tmp_path / "allowed"
    path.write_text(text)
    assert sshsig.Signers.load(path).principals(OURS.public, SPACE, NOW) == ALLOWED[text]
    (tmp_path / "sig").write_bytes(sshsig.sign(MESSAGE, OURS, SPACE))
    theirs = ssh_keygen(
        "-Y", "verify", "-n", SPACE, "-s", str(tmp_path / "sig"), "-f", str(path), "-I", "a@example.org",
        "-O", "verify-time=20261124000000Z", given=MESSAGE,
    )  # fmt: skip
    assert (theirs.returncode == 0) == bool(ALLOWED[text]), theirs.stderr


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (f"ca@example.org cert-authority {LINE}", "cert-authority"),
        (f'a@example.org valid-after="20260101" {LINE}', "UTC"),
        (f'a@example.org valid-after="2026Z" {LINE}', "no time"),
        (f'a@example.org valid-after="20261301Z" {LINE}', "time data"),
        (f'a@example.org verify-required="x" {LINE}', "not known"),
        (f'a@example.org namespaces="a",namespaces="b" {LINE}', "twice"),
        (f"a@example.org namespaces {LINE}", "no value"),
        (f'a@example.org namespaces="" {LINE}', "empty"),
        (f"a,,b {LINE}", "empty"),
        (f"!a@example.org,* {LINE}", "who it is not"),
        (f'"a@example.org {LINE}', "name a signer"),
        ("a@example.org", "name a signer"),
        ("a@example.org ssh-ed25519 AAAA", "public key"),
        (LINE, "can't be"),
        ("\x00", "name a signer"),
    ],
)
def test_a_file_of_signers_that_is_not_understood_is_refused(tmp_path: Path, text: str, why: str) -> None:
    path = tmp_path / "allowed"
    path.write_text("# first\n" + text + "\n")
    with pytest.raises(KeyFileError, match=f":2: .*{why}"):
        sshsig.Signers.load(path)


@given(st.text(max_size=60))
def test_no_text_crashes_the_reader_of_signers(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    path = tmp_path_factory.mktemp("signers") / "allowed"
    path.write_text(text, errors="surrogatepass")
    try:
        assert sshsig.Signers.load(path).principals(OURS.public, SPACE, NOW - timedelta(days=1)) == ()
    except KeyFileError as error:
        assert str(path) in str(error)


def run(*arguments: str | Path, code: int = 0) -> str:
    done = CliRunner().invoke(cli, ["key", *map(str, arguments)])
    if code:
        assert isinstance(done.exception, KeyFileError)
        return str(done.exception)
    assert done.exit_code == 0, done.output
    return done.output


def test_the_command_makes_a_key_that_ssh_keygen_takes(tmp_path: Path) -> None:
    path = tmp_path / "desk"
    (row,) = map(
        json.loads, run("new", path, "--comment", "Desk\x1b[31m\nof tests", "--no-passphrase", "--json").splitlines()
    )
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert ssh_keygen("-y", "-f", str(path)).stdout.split()[:2] == (tmp_path / "desk.pub").read_bytes().split()[:2]
    assert row["public"] == (tmp_path / "desk.pub").read_text().strip() and row["public"].endswith(
        " Desk [31m of tests"
    )
    assert row["fingerprint"] in ssh_keygen("-l", "-f", str(path)).stdout.decode()
    assert row["id"] in run("show", path) and row["id"] in run("show", tmp_path / "desk.pub")
    before = path.read_bytes()
    assert "never overwritten" in run("new", path, "--no-passphrase", code=2)
    path.rename(tmp_path / "moved")
    assert "never overwritten" in run("new", path, "--no-passphrase", code=2)
    assert (tmp_path / "moved").read_bytes() == before and not path.exists()


def test_the_command_gives_a_line_for_allowed_signers(tmp_path: Path) -> None:
    public, allowed = tmp_path / "key.pub", tmp_path / "allowed"
    public.write_text(LINE)
    allowed.write_text(run("show", public, "--principal", "desk@example.org"))
    signers = sshsig.Signers.load(allowed)
    assert signers.principals(OURS.public, SPACE, datetime(2030, 1, 1, tzinfo=UTC)) == ("desk@example.org",)
    assert signers.principals(OURS.public, "file", NOW) == ()
    assert "no spaces" in run("show", public, "--principal", "a b", code=2)


def test_without_a_terminal_no_key_is_left_open_by_chance(tmp_path: Path) -> None:
    assert "--no-passphrase" in run("new", tmp_path / "key", code=2)
    assert list(tmp_path.iterdir()) == []


def answered(path: Path, *answers: str) -> tuple[int, str]:
    """`kholo key new` at a terminal of its own, with answers to what it asks."""
    child, terminal = pty.fork()
    if child == 0:
        os.execv(sys.executable, [sys.executable, "-c", "from kholo.cli import main; main()", "key", "new", str(path)])
    shown = b""
    waiting = list(answers)
    while True:
        # Whoever waits for an answer that was lost waits for ever.
        if not select.select([terminal], [], [], 60)[0]:
            os.kill(child, signal.SIGKILL)
            break
        try:
            piece = os.read(terminal, 4096)
        except OSError:
            piece = b""
        if not piece:
            break
        shown += piece
        # What is sent before the question stands there is thrown away with the echo.
        if waiting and shown.endswith(b": "):
            os.write(terminal, waiting.pop(0).encode() + b"\n")
    os.close(terminal)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), shown.decode()


def test_at_a_terminal_a_passphrase_is_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "key"
    code, shown = answered(path, "open sesame", "open sesame")
    assert code == 0 and "sesame" not in shown and "ENCRYPTED" not in shown
    key = keys.load_private(path, lambda question: "open sesame")
    assert key.public.id in shown
    with pytest.raises(KeyFileError, match="passphrase is wrong"):
        keys.load_private(path, lambda question: "")
    assert ssh_keygen("-y", "-P", "open sesame", "-f", str(path)).stdout.split()[1] in key.public.line.encode().split()


@pytest.mark.parametrize(
    ("missing", "call", "extra"),
    [
        ("cryptography", "from kholo.evidence import sshsig; sshsig.check(b'', b'', 'x')", "signatures"),
        ("cryptography", "from kholo.evidence import keys; keys.load_public('ssh-ed25519 AAAA')", "signatures"),
        ("rfc3161_client", "from kholo.evidence import timestamp as t; t.check(b'', b'', ())", "timestamps"),
        ("cryptography", "from kholo.evidence import timestamp; timestamp.pinned()", "timestamps"),
        ("opentimestamps", "from kholo.evidence import opentimestamps as o; o.check(b'', b'', ())", "opentimestamps"),
    ],
)
def test_a_library_that_is_missing_is_named(missing: str, call: str, extra: str) -> None:
    """In a process of its own, in which the library can't be imported."""
    program = f"""
import sys
sys.modules[{missing!r}] = None
import kholo.cli
from kholo.model import EnvironmentFault
try:
    {call.replace("; ", chr(10) + "    ")}
except EnvironmentFault as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert f"pip install 'kholo[{extra}]'" in done.stdout, done.stderr
