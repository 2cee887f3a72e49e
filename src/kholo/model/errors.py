"""The whole family of errors, and the exit code each one ends a command with.

    KholoError            (3) anything below
    ├── UsageError        (2) the command is wrong
    ├── CaseError         (2) a case folder is wrong; carries every problem found
    ├── ScenarioError     (2) a scenario file is wrong
    ├── ReferenceDataError (2) a reference file (services, fingerprints, rules) is wrong
    ├── DossierError      (1) a dossier is not what it says it is
    ├── LogError          (1) a log of dossiers is not what it says; `evidence.faults` names how
    ├── KeyFileError      (2) a file of keys or of allowed signers can't be used
    ├── SealError         (1) what was to prove something does not
    │   ├── SignatureError (1) a signature
    │   └── TimestampError (1) a timestamp, of an authority or of a block chain
    │       └── UnknownRoot (1) it is by an authority that is not trusted here
    └── EnvironmentFault  (3) disk, permissions, a lock held by another process
        ├── StoreError    (3) a store can't be read or written
        │   └── BrokenChain (1) the custody log of a store was changed
        └── NetworkFault  (3) another machine can't be reached, or does not give what it should
            └── NotThere  (3) it says that there is no such thing

A bad item of input is no error: it is a `Reject`, counted and kept.
"""

from __future__ import annotations

import msgspec


class KholoError(Exception):
    """Base of every error that kholo raises on purpose. The text is for the person at the prompt."""

    exit_code = 3


class UsageError(KholoError):
    """The command was called with something it can't use."""

    exit_code = 2


class ScenarioError(KholoError):
    """A scenario file for `kholo simulate` can't be used."""

    exit_code = 2


class ReferenceDataError(KholoError):
    """A reference file (services, fingerprints, rules, bogons) can't be used."""

    exit_code = 2


class DossierError(KholoError):
    """A dossier is damaged, or was changed, or is none. The text says where."""


class KeyFileError(KholoError):
    """A file of keys or of allowed signers can't be used."""

    exit_code = 2


class SealError(KholoError):
    """What was to prove something does not. The text says why, in a sentence's second half."""

    exit_code = 1


class SignatureError(SealError):
    """A signature is none of what it is said to be."""


class TimestampError(SealError):
    """A timestamp is none of what it is said to be."""


class UnknownRoot(TimestampError):
    """A timestamp by an authority that does not lead to a root that is trusted here."""


class EnvironmentFault(KholoError):
    """Something outside of the input: disk, permissions, a lock held by another process."""

    exit_code = 3


class StoreError(EnvironmentFault):
    """A store can't be read or written."""


class OtherLayout(StoreError):
    """A store was written by a kholo that lays its files out in another way."""


class BrokenChain(StoreError):
    """The custody log of a store is not what was written into it. The text says from where on."""

    exit_code = 1


class NetworkFault(EnvironmentFault):
    """Another machine can't be reached, or does not give what it should. The text says what to do."""


class NotThere(NetworkFault):
    """The other side says that there is no such thing."""


class Problem(msgspec.Struct, frozen=True, order=True):
    """One thing wrong in a file that a person wrote.

    `file` is relative to the case folder, `key` a dotted path inside it (empty: the file as a whole),
    `line` counts from 1 (0: not known), `message` says what is wrong and what would be right.
    """

    file: str
    line: int
    key: str
    message: str

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}" if self.line else self.file
        return f"{where}: {self.key}: {self.message}" if self.key else f"{where}: {self.message}"


class CaseError(KholoError):
    """A case folder has problems; `problems` holds all of them, sorted."""

    exit_code = 2

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = sorted(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))
