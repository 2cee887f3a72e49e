"""The list of a site's files and the statement over it, by which a copy on another host is known to be the same.

Both lie in the folder `mirror/` of the site, so that a copy that was put on a host can be checked where it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime

import msgspec

from kholo.model import DossierError

from . import bag, sshsig, tree
from .container import check_path
from .keys import PrivateKey, PublicKey
from .statement import MOMENT, ROOT, SHA256, Form, moment_text

FORMAT = "kholo-mirror/1"
NAMESPACE = "kholo-mirror"
FOLDER = "mirror/"
STATEMENT, MANIFEST = f"{FOLDER}statement.txt", f"{FOLDER}manifest.txt"
#: Bytes of a statement, and of a list of files.
MAX_STATEMENT, MAX_MANIFEST = 1 << 14, 1 << 30

_FORM = Form(
    FORMAT,
    "mirror",
    STATEMENT,
    {
        "site": r"-|https?://[\x21-\x7e]{1,500}",
        "made-at": MOMENT,
        "simulated": "yes|no|in part",
        "files": r"[1-9]\d{0,7}",
        "root": ROOT,
        "keys": "[0-9a-f]{16}(?: [0-9a-f]{16})*",
    },
)


class Statement(msgspec.Struct, frozen=True):
    """What is signed. `site` is where the site stands ("": it does not say), `made_at` (UTC) its latest moment.

    `simulated` says whether its cases are invented: yes, no, or "in part". `root` (hex) stands over `files` files.
    `keys` are the ids of the keys that sign, so that no signature can be left out.
    """

    site: str
    made_at: datetime
    simulated: str
    files: int
    root: str
    keys: tuple[str, ...]

    def encode(self) -> bytes:
        """The bytes that are signed."""
        return _FORM.encode(
            self.site or "-", moment_text(self.made_at), self.simulated, str(self.files), f"{SHA256}{self.root}",
            " ".join(self.keys),
        )  # fmt: skip

    @classmethod
    def decode(cls, data: bytes) -> Statement:
        """Raises `DossierError` for anything that `encode` would not have written."""
        site, made_at, simulated, files, root, among = _FORM.decode(data)
        keys = tuple(among.split())
        if list(keys) != sorted(set(keys)):
            raise DossierError(f"{STATEMENT}: a key stands twice, or out of order")
        site = "" if site == "-" else site
        return cls(site, _FORM.moment(made_at), simulated, int(files), root.removeprefix(SHA256), keys)


def root_of(digests: Mapping[str, str]) -> str:
    """The root (hex) of the tree of RFC 9162 over files: a leaf is the SHA-256 of one, then its path."""
    leaves = [tree.leaf_hash(bytes.fromhex(digest) + path.encode()) for path, digest in sorted(digests.items())]
    return tree.root(leaves).hex()


def stated(
    digests: Mapping[str, str], site: str, made_at: datetime, simulated: str, keys: Iterable[PublicKey]
) -> Statement:
    """The statement over files (path to SHA-256 in hex). Raises `DossierError` for what could not be read again."""
    ids = tuple(sorted({key.id for key in keys}))
    said = Statement(site, made_at, simulated, len(digests), root_of(digests), ids)
    return Statement.decode(said.encode())


def sealed(digests: Mapping[str, str], said: Statement, keys: Sequence[PrivateKey]) -> dict[str, bytes]:
    """The files of `mirror/`: list, statement, and of each key a signature and the key."""
    files = {MANIFEST: bag.manifest(digests), STATEMENT: said.encode()}
    for key in keys:
        files |= sshsig.signed(said.encode(), key, NAMESPACE, FOLDER)
    return files


def places_of(key: str) -> tuple[str, str]:
    """Where the signature by a key is, and the key."""
    return f"{FOLDER}{key}.sig", f"{FOLDER}{key}.pub"


def signed(read: Callable[[str, int], bytes], identity: str) -> PublicKey:
    """The key that signed. Raises `DossierError`, `SignatureError`."""
    signature, public = places_of(identity)
    return sshsig.check_beside(
        read(STATEMENT, MAX_STATEMENT), read(signature, sshsig.MAX_SIGNATURE), read(public, MAX_STATEMENT), NAMESPACE,
        identity,
    )  # fmt: skip


def decode_manifest(data: bytes, said: Statement) -> dict[str, str]:
    """The list of files (path to SHA-256 in hex). Raises `DossierError` where it is not the one that is signed."""
    digests = bag.decode_manifest(MANIFEST, data)
    for path in digests:
        if check_path(path).startswith(FOLDER):
            raise DossierError(f"{MANIFEST}: names {path}, which is no file of the site")
    if (len(digests), root_of(digests)) != (said.files, said.root):
        raise DossierError(f"{MANIFEST}: is not the list that was signed")
    return digests
