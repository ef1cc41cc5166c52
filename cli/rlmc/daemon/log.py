"""The daemon's log: one file of bounded size, readable by its owner alone.

Rule: no secret reaches it. Whatever is written, tracebacks included, passes through `redact` as its last step.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
from contextlib import suppress
from io import TextIOWrapper
from logging.handlers import RotatingFileHandler
from pathlib import Path

from rlmc.daemon.logfile import open_log
from rlmc.domain.redaction import redact

MAX_BYTES = 5 * 1024 * 1024
OLD_FILES = 2  # beside the one in use
_STANDARD_STREAMS = (1, 2)


class RedactingFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return redact(super().format(record))


class PrivateRotatingHandler(RotatingFileHandler):
    """Rotates with all files 0600, and takes stdout and stderr along where they are the log as well. What cannot be
    written, on a full disk, is lost without a word; a log that somebody has deleted is begun anew."""

    def emit(self, record: logging.LogRecord) -> None:
        if self.stream is not None and not os.path.exists(self.baseFilename):  # noqa: PTH110 - never raises
            with suppress(OSError):
                self.stream.close()
            self.stream = None
        super().emit(record)

    def handleError(self, record: logging.LogRecord) -> None:
        pass

    def _open(self) -> TextIOWrapper:
        return TextIOWrapper(os.fdopen(open_log(Path(self.baseFilename)), "ab"), encoding="utf-8")

    def doRollover(self) -> None:
        followers = [number for number in _STANDARD_STREAMS if self._is_log(number)]
        super().doRollover()
        if followers and self.stream is not None:
            for number in followers:
                os.dup2(self.stream.fileno(), number)

    def _is_log(self, descriptor: int) -> bool:
        try:
            return self.stream is not None and os.path.samestat(os.fstat(descriptor), os.fstat(self.stream.fileno()))
        except OSError:
            return False


def set_up_logging(path: Path, level: str) -> logging.Logger:
    """Everything at warning and above, and rlmc's own words from `level` on, into the file at `path`."""
    handler = PrivateRotatingHandler(path, maxBytes=MAX_BYTES, backupCount=OLD_FILES, encoding="utf-8", delay=True)
    handler.setFormatter(RedactingFormatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    log = logging.getLogger("rlmc")
    log.setLevel(level.upper())
    logging.captureWarnings(True)
    # What nobody caught would be written straight to the log, past all this.
    sys.excepthook = lambda kind, error, trace: log.critical("not caught", exc_info=(kind, error, trace))
    threading.excepthook = _in_a_thread
    return log


def _in_a_thread(failed: threading.ExceptHookArgs) -> None:
    if failed.exc_value is not None and not isinstance(failed.exc_value, SystemExit):
        trace = (failed.exc_type, failed.exc_value, failed.exc_traceback)
        logging.getLogger("rlmc").critical("not caught in a thread", exc_info=trace)
