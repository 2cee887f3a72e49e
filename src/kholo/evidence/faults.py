"""How a log of dossiers can be wrong, one class a way. `code` is the name that programs see."""

from __future__ import annotations

from kholo.model import KholoError


class LogError(KholoError):
    """A log is not what it says, or does not hold what was asked for."""

    exit_code = 1
    code = "log_wrong"


class Malformed(LogError):
    """Bytes of the log are not in the form that they should have."""

    code = "malformed"


class BadSignature(LogError):
    """Nobody who is trusted signed it, or a signature of somebody who is does not fit."""

    code = "bad_signature"


class WrongRoot(LogError):
    """The entries do not give the root that was signed."""

    code = "wrong_root"


class WrongTile(LogError):
    """A file of the log holds something else than follows from the entries."""

    code = "wrong_tile"


class Truncated(LogError):
    """A file of the log is missing, or ends before what was signed does."""

    code = "truncated"


class WrongSize(LogError):
    """A file of the log is longer than it can be."""

    code = "wrong_size"


class SplitView(LogError):
    """The log does not go on from a checkpoint that was seen: somebody was shown another one, or it was rewritten."""

    code = "split_view"


class NotInLog(LogError):
    """The log has no entry for this statement."""

    code = "not_in_log"
