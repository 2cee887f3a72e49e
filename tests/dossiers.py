"""A small real dossier, and what somebody does to it who wants it to say something else."""

from __future__ import annotations

import hashlib
import importlib.util
import io
import subprocess
import zlib
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import msgspec

from kholo.evidence import bag, bundle, checks, container, seal
from kholo.evidence.bundle import Dossier, opened
from kholo.evidence.checks import Outcome
from kholo.judge import Judge, load_ruleset
from kholo.model import DossierError
from kholo.pipeline.dossier import Wish, make
from kholo.pipeline.ingest import ingest
from kholo.reference import load_reference
from kholo.store import Store

from . import raw
from .conftest import NOW

CONTRIB = Path(__file__).parents[1] / "contrib"
FOLDER = "small-dossier/"
CASE = """id = "small"
title = "Small"
service = "x"
place = "PK"
summary = "Small."
start = 2024-02-17
end = 2024-02-18

[[actor]]
id = "pta"
name = "PTA"
role = "regulator"
"""
ENTRY = """id = "e1"
kind = "event"
actor = "pta"
date = 2024-02-17
title = "T"
summary = "S."

[[source]]
address = "https://example.org/"
publisher = "E"
read = 2024-03-01
"""

Files = dict[str, bytes]


def measured(count: int, **more: Any) -> list[bytes]:
    """Measurements of X on one day, an hour apart."""
    return [
        raw.encode(
            raw.measurement(
                "https://x.com/",
                measurement_uid=f"202402{number:012}_PK_webconnectivity_{number:016x}",
                measurement_start_time=f"2024-02-17 {number:02}:00:00",
                **more,
            )
        )
        for number in range(count)
    ]


def case_folder(folder: Path) -> Path:
    """A case with one entry."""
    (folder / "entries").mkdir(parents=True)
    (folder / "case.toml").write_text(CASE)
    (folder / "entries" / "e1.toml").write_text(ENTRY)
    return folder


def stored(folder: Path, lines: Iterable[bytes], workers: int = 1) -> Store:
    """A store with these measurements."""
    source = folder / "measurements.jsonl"
    source.write_bytes(b"".join(line + b"\n" for line in lines))
    store = Store(folder / "store", create=True)
    ingest(store, [source], None, NOW, workers)
    return store


def silent(*_: object) -> None:
    """Tells nobody."""


def made(folder: Path, case: Path, store: Store, judge: Judge | None = None) -> Path:
    """The dossier of a case, signed by nobody."""
    out = folder / f"{case.name}.zip"
    make(Wish(case, NOW), store, judge or Judge(load_ruleset(), load_reference()), out, (), silent)
    return out


def small(folder: Path) -> Path:
    """A whole dossier of four measurements."""
    return made(folder, case_folder(folder / "case"), stored(folder, measured(4)))


def signed(folder: Path, path: Path, key: Path) -> Path:
    """A dossier signed with a key of ssh-keygen, which is made where it is not there."""
    if not key.exists():
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "desk", "-f", key], check=True)
    out = folder / f"{path.stem}-signed.zip"
    with opened(path) as dossier:
        (said := folder / "statement.txt").write_bytes(dossier.read(seal.STATEMENT, bundle.MAX_TAG))
        said.with_suffix(".txt.sig").unlink(missing_ok=True)
        subprocess.run(
            ["ssh-keygen", "-q", "-Y", "sign", "-n", seal.NAMESPACE, "-f", key, said], check=True, capture_output=True
        )
        public = b" ".join(key.with_suffix(".pub").read_bytes().split()[:2]) + b"\n"
        made_by = subprocess.run(["base64", "-d"], input=public.split()[1], check=True, capture_output=True).stdout
        name = f"seal/signatures/{hashlib.sha256(made_by).hexdigest()[:16]}"
        dossier.with_tags(out, {f"{name}.sig": said.with_suffix(".txt.sig").read_bytes(), f"{name}.pub": public})
    return out


AUTHORITY = """[req]
distinguished_name = dn
[dn]
[ca]
basicConstraints = critical, CA:true
[tsa]
extendedKeyUsage = critical, timeStamping
[tsa_config]
serial = serial
signer_digest = sha256
default_policy = 1.2.3.4
digests = sha256
ess_cert_id_alg = sha256
"""


def authority(folder: Path) -> Path:
    """A timestamp authority of our own, with its root `ca.pem`; gives its folder."""
    folder.mkdir()
    (folder / "openssl.cnf").write_text(AUTHORITY)
    (folder / "serial").write_text("01\n")
    curve = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-noenc", "-days", "9999")
    for name, more in (("ca", ("-x509",)), ("tsa", ())):
        subject = ("-subj", f"/CN=Test {name}", "-keyout", f"{name}.key", "-out", f"{name}.pem")
        _run(folder, "req", "-config", "openssl.cnf", *more, *curve, *subject, *(("-extensions", "ca") if more else ()))
    _run(folder, "x509", "-req", "-in", "tsa.pem", "-CA", "ca.pem", "-CAkey", "ca.key", "-days", "9999",
         "-out", "tsa.crt",
         "-extfile", "openssl.cnf", "-extensions", "tsa")  # fmt: skip
    return folder


def _run(folder: Path, *words: str) -> None:
    subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True)


def stamped(folder: Path, path: Path, authority: Path) -> Path:
    """A dossier with one more timestamp, over the statement, all signatures and all earlier timestamps."""
    out = folder / f"{path.stem}-stamped.zip"
    files = files_of(path)
    sealed = ("seal/signatures/", "seal/timestamps/", seal.STATEMENT)
    covers = bag.manifest({name: hashlib.sha256(files[name]).hexdigest() for name in files if name.startswith(sealed)})
    (authority / "covers.txt").write_bytes(covers)
    _run(authority, "ts", "-query", "-data", "covers.txt", "-sha256", "-cert", "-out", "query.tsq")
    _run(authority, "ts", "-reply", "-config", "openssl.cnf", "-section", "tsa_config", "-queryfile", "query.tsq",
         "-signer", "tsa.crt", "-inkey", "tsa.key", "-out", "response.tsr")  # fmt: skip
    number = 1 + sum(name.endswith("/covers.txt") for name in files)
    place = f"seal/timestamps/{number:04}"
    with opened(path) as dossier:
        response = (authority / "response.tsr").read_bytes()
        dossier.with_tags(out, {f"{place}/covers.txt": covers, f"{place}/response.tsr": response})
    return out


def redacted(folder: Path, path: Path) -> Path:
    """A dossier without its largest files, as docs/dossier-format.md has it."""
    files = files_of(path)
    sets = ("data/reference/set/rules.toml", "data/reference/set/services.toml")
    large = (*sets, "data/pages/", "data/papers/", "data/tables/")
    gone = {name for name in files if name.startswith(large)}
    leaves = [
        seal.Leaf(leaf=leaf.hash().hex(), withheld="too large for every byte of it") if leaf.path in gone else leaf
        for leaf in seal.decode_leaves(files[seal.LEAVES])
    ]
    out = folder / f"{path.stem}-redacted.zip"
    left = {name: data for name, data in files.items() if name not in gone}
    out.write_bytes(packed(relisted({**left, seal.LEAVES: seal.encode_leaves(leaves)})))
    return out


def files_of(path: Path) -> Files:
    """All files of a dossier, by their paths in the bag."""
    with opened(path) as dossier:
        return {name: dossier.read(name, 1 << 30) for name in dossier.names}


def packed(files: Mapping[str, bytes], folder: str = FOLDER) -> bytes:
    """A container, in the form that it has to have."""
    out = io.BytesIO()
    rows = (
        (folder + name, len(data), zlib.crc32(data), _held(data))
        for name, data in sorted(files.items(), key=lambda item: folder + item[0])
    )
    container.write(out, rows)
    return out.getvalue()


def _held(data: bytes) -> Callable[[], Any]:
    return lambda: iter([data] if data else [])


def relisted(files: Mapping[str, bytes]) -> Files:
    """With manifests made anew, as whoever changed a file would."""
    payload = {name: hashlib.sha256(data).hexdigest() for name, data in files.items() if name.startswith("data/")}
    done = {**files, bag.MANIFEST: bag.manifest(payload)}
    head = head_of(done)
    done[bag.INFO] = bag.info(head, (len(done[name]) for name in payload))
    tags = {name: done[name] for name in done if not name.startswith("data/") and name != bag.TAGS}
    return {**done, bag.TAGS: bag.manifest({name: hashlib.sha256(data).hexdigest() for name, data in tags.items()})}


def resealed(files: Mapping[str, bytes]) -> Files:
    """With tree and statement made anew as well."""
    names = [name for name in files if name.startswith("data/")]
    leaves = seal.leaves_of(((name, hashlib.sha256(files[name]).hexdigest()) for name in names), bytes(32))
    head = head_of(files)
    said = (
        f"kholo-dossier/1\ncase: {head.case}\nas-of: {head.as_of:%Y-%m-%dT%H:%M:%SZ}\n"
        f"simulated: {'yes' if head.simulated else 'no'}\nleaves: {len(leaves)}\nroot: sha256:{seal.root_of(leaves)}\n"
    )
    return relisted({**files, seal.LEAVES: seal.encode_leaves(leaves), seal.STATEMENT: said.encode()})


def head_of(files: Mapping[str, bytes]) -> bag.Head:
    """The head, whatever it says."""
    return msgspec.json.decode(files[bag.HEAD], type=bag.Head)


def script(name: str) -> ModuleType:
    """A script of `contrib/`, which is no package."""
    spec = importlib.util.spec_from_file_location(name, CONTRIB / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


verifier, stamps = script("verify_dossier"), script("check_timestamps")


def ours_finds(data: bytes | bytearray) -> bool:
    """Whether kholo finds something wrong in form, hashes or tree."""
    try:
        dossier = Dossier(Path("x.zip"), io.BytesIO(data))
        return any(check.outcome is Outcome.FAILED for check in checks.form(dossier))
    except DossierError:
        return True


def other_finds(data: bytes | bytearray) -> bool:
    """Whether the verifier of `contrib/` does."""
    return any(outcome == "failed" for _, outcome, _ in verifier.checks(bytes(data)))
