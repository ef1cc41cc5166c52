"""The sandbox: what a program may not do, tried for real."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

import pytest

from rlmc.bench.sandbox import Limits, SandboxError, passes

QUICK = Limits(cpu_seconds=1, wall_seconds=3.0, memory=256 << 20, file=1 << 16)


def why(program: str, limits: Limits = QUICK) -> str:
    verdict = passes(program, limits)
    assert not verdict.passed
    return verdict.why


def test_a_program_that_comes_to_its_end_passes() -> None:
    assert passes("import json, random, re, dataclasses\nassert 1 + 1 == 2").passed


def test_what_a_failure_is() -> None:
    assert why("assert 1 == 2") == "a test fails"
    assert why("{}['x']") == "a test ends in an error"
    assert why("def f(:") == "no valid Python"
    assert why("raise type('x' * 500, (Exception,), {})") == "a test ends in an error"


@pytest.mark.parametrize("end", ["import os; os._exit(0)", "import sys; sys.exit(0)", "raise SystemExit"])
def test_leaving_early_is_not_passing(end: str) -> None:
    assert why(f"{end}\nassert False") in ("ended early", "a test ends in an error")


@pytest.mark.parametrize(
    ("program", "limits"),
    [
        ("while True: pass", Limits(cpu_seconds=1, wall_seconds=60)),
        ("import re\nre.match('(a+)+b', 'a' * 40)", Limits(cpu_seconds=1, wall_seconds=60)),
        ("import time\ntime.sleep(60)", Limits(cpu_seconds=60, wall_seconds=1)),
    ],
    ids=["loop", "regular expression", "sleep"],
)
def test_an_endless_program_is_ended_by_either_clock(program: str, limits: Limits) -> None:
    began = time.monotonic()
    assert why(program, limits) == "timeout"
    assert time.monotonic() - began < 20


def test_memory_is_limited() -> None:
    assert why("x = bytearray(1 << 30)") == "out of memory"


def test_huge_output_goes_nowhere() -> None:
    assert passes(
        "import sys\nfor _ in range(200): sys.stdout.write('x' * (1 << 20)); print('y', file=sys.stderr)"
    ).passed


def test_a_huge_file_cannot_be_written_and_no_small_one() -> None:
    assert why("open('x', 'w').write('y' * (1 << 24))") == "refused by the sandbox"
    assert why("import os\nos.open('x', os.O_WRONLY | os.O_CREAT)") == "refused by the sandbox"


@pytest.mark.parametrize(
    ("limit", "value"), [("RLIMIT_FSIZE", 1 << 16), ("RLIMIT_NPROC", 0), ("RLIMIT_CORE", 0), ("RLIMIT_CPU", 1)]
)
def test_the_system_limits_it_too(limit: str, value: int) -> None:
    program = f"import resource\nassert resource.getrlimit(resource.{limit}) == ({value}, {value})"
    assert passes(program, QUICK).passed


@pytest.mark.parametrize(
    "program",
    [
        "import os\nos.fork()",
        "import os\nos.system('true')",
        "import subprocess\nsubprocess.run(['true'])",
        "import multiprocessing\nmultiprocessing.Process(target=print).start()",
        "import socket\nsocket.create_connection(('127.0.0.1', 9))",
        "import ctypes\nctypes.CDLL(None)",
        "import os\nos.kill(os.getppid(), 0)",
    ],
    ids=lambda program: program.partition("\n")[2],
)
def test_no_processes_sockets_or_signals(program: str) -> None:
    assert why(program) in ("refused by the sandbox", "a test ends in an error")


@pytest.mark.parametrize("call", ["os.remove({!r})", "os.rename({!r}, 'y')", "os.truncate({!r}, 0)", "open({!r}, 'a')"])
def test_files_stay_as_they_are(tmp_path: Path, call: str) -> None:
    mine = tmp_path / "mine"
    mine.write_text("kept")
    assert why(f"import os\n{call.format(str(mine))}") == "refused by the sandbox"
    assert mine.read_text() == "kept"


def test_a_hidden_refusal_is_still_one() -> None:
    """Catching the error does not bring the process into being."""
    marker = "rlmc-bench-marker"
    assert passes(f"import os\ntry:\n    os.system('sleep 30 # {marker}')\nexcept Exception:\n    pass").passed
    assert marker not in subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout


def test_nothing_of_the_environment_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "secret")
    assert passes("import os\nassert 'ANTHROPIC_API_KEY' not in os.environ\nassert os.listdir('.') == []").passed


def test_it_leaves_no_folder_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert passes("pass").passed
    assert why("while True: pass") == "timeout"
    assert list(tmp_path.iterdir()) == []


def test_where_nothing_can_be_run_the_answer_is_not_blamed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.executable", "/nonexistent/python")
    with pytest.raises(SandboxError, match="does not start"):
        passes("pass")
