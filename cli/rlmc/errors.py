"""The error tree. Every error a user can meet says what went wrong and what to do about it.

Rule: `message` names the setting, its value and its source; `hint` is a way out. `code` is stable for scripts
(`--json` prints it), `exit_code` is the process's.
"""

from __future__ import annotations


class RlmcError(Exception):
    """Base of all errors that are meant for a user's eyes."""

    code = "error"
    exit_code = 1

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(RlmcError):
    """The command line asks for something that makes no sense."""

    code = "usage"
    exit_code = 2


class ConfigError(RlmcError):
    """A setting is unknown, malformed or impossible."""

    code = "config"
    exit_code = 2


class DaemonError(RlmcError):
    """The daemon cannot be started, reached or stopped."""

    code = "daemon"


class LedgerError(RlmcError):
    """The ledger cannot be opened or read."""

    code = "ledger"


class ChildNotFound(RlmcError):
    """The command after `rlmc run --` does not exist."""

    code = "child-not-found"
    exit_code = 127


class ChildNotExecutable(RlmcError):
    """The command after `rlmc run --` exists but cannot be executed."""

    code = "child-not-executable"
    exit_code = 126


class WireError(RlmcError):
    """Bytes that are not what the protocol promises: sent by the client (400) or by an upstream (502)."""

    code = "wire"


class UnknownShape(WireError):
    """Well-formed JSON of a shape this version does not know. Not an error for the user: the turn goes direct."""

    code = "unknown-shape"


class UpstreamError(RlmcError):
    """An upstream could not be reached, or broke off. `kind` is for the books, the message for people."""

    code = "upstream"

    def __init__(self, kind: str, message: str, hint: str | None = None) -> None:
        super().__init__(message, hint)
        self.kind = kind
