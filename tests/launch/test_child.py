"""Real children, real signals, a real terminal."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from tests.support.daemons import eventually
from tests.support.terminal import Terminal

from rlmc.errors import ChildNotExecutable, ChildNotFound
from rlmc.launch.child import run_child

PYTHON = sys.executable
# A stand-in for rlmc around a child: says when the child has ended, with which code.
WRAPPER = """
import os, sys
from rlmc.launch.child import run_child
code = run_child(sys.argv[1], sys.argv[1:], os.environ)
print("wrapper saw", code, flush=True)
sys.exit(code)
"""
# A child that says which signals it gets, until it gets SIGTERM.
LISTENER = """
import os, signal, sys
def on(number, frame):
    print("child got", signal.Signals(number).name, flush=True)
    if number == signal.SIGTERM:
        sys.exit(9)
for name in ("INT", "QUIT", "HUP", "USR1", "USR2", "WINCH", "TERM"):
    number = getattr(signal, "SIG" + name)
    if signal.getsignal(number) != signal.SIG_IGN:
        signal.signal(number, on)
print("child ready", flush=True)
while True:
    signal.pause()
"""

# A child that says each time when it goes on after a stop, and then reads a line.
RESUMER = """
import signal, sys
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGCONT])  # waited for, so that none is missed
print("child up", flush=True)
for _ in range(int(sys.argv[1])):
    signal.sigwait([signal.SIGCONT])
    print("child goes on", flush=True)
print("child read", input(), flush=True)
sys.exit(3)
"""
# A child that stops itself alone.
STOPPER = """
import os, signal, sys
print("child up", flush=True)
os.kill(os.getpid(), signal.SIGSTOP)
print("child goes on", flush=True)
sys.exit(5)
"""


def wrapped(*command: str) -> list[str]:
    return [PYTHON, "-c", WRAPPER, *command]


def sh(script: str) -> int:
    return run_child("/bin/sh", ["sh", "-c", script], os.environ)


@pytest.mark.parametrize("code", [0, 1, 7, 126, 255])
def test_the_exit_code_is_the_childs(code: int) -> None:
    assert sh(f"exit {code}") == code


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL, signal.SIGINT, signal.SIGSEGV, signal.SIGPIPE])
def test_death_by_a_signal_is_128_and_its_number(number: signal.Signals) -> None:
    assert sh(f"ulimit -c 0; kill -{number.value} $$") == 128 + number


def test_arguments_and_environment_arrive_as_they_are(tmp_path: Path) -> None:
    out = tmp_path / "out"
    code = (
        "import os, sys; seen = (sys.argv[2:], os.environ.get('ONLY'), 'HOME' in os.environ);"
        "open(sys.argv[1], 'w').write(repr(seen))"
    )
    words = ["", " ", "--x", "--", "ä", "a'b\"c", "*", "\udcff"]
    assert run_child(PYTHON, [PYTHON, "-c", code, str(out), *words], {"ONLY": "this"}) == 0
    assert out.read_text() == repr((words, "this", False))


def test_what_python_ignores_for_itself_the_child_does_not() -> None:
    """`yes | head` must not go on for ever inside the child."""
    assert signal.getsignal(signal.SIGPIPE) == signal.SIG_IGN
    assert sh("kill -PIPE $$") == 128 + signal.SIGPIPE


def test_descriptors_opened_for_the_command_reach_it() -> None:
    read, write = os.pipe()
    os.set_inheritable(write, True)
    try:
        code = "import os, sys; os.write(int(sys.argv[1]), b'through')"
        assert run_child(PYTHON, [PYTHON, "-c", code, str(write)], os.environ) == 0
        assert os.read(read, 100) == b"through"
    finally:
        os.close(read)
        os.close(write)


def test_a_script_without_an_interpreter_runs_as_in_a_shell(tmp_path: Path) -> None:
    script = tmp_path / "script"
    script.write_text('[ "$1" = a ] && exit 4\n')
    script.chmod(0o755)
    assert run_child(str(script), ["script", "a"], os.environ) == 4


def test_a_script_whose_interpreter_is_missing_is_127(tmp_path: Path) -> None:
    script = tmp_path / "script"
    script.write_text("#!/nonexistent/interpreter\n")
    script.chmod(0o755)
    with pytest.raises(ChildNotFound, match="interpreter"):
        run_child(str(script), ["script"], os.environ)


def test_what_the_system_refuses_to_execute_is_126(tmp_path: Path) -> None:
    with pytest.raises(ChildNotExecutable):
        run_child(str(tmp_path), ["folder"], os.environ)


def test_handlers_are_put_back() -> None:
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGWINCH)
    before = [signal.getsignal(n) for n in numbers]
    sh("exit 0")
    assert [signal.getsignal(n) for n in numbers] == before


@contextmanager
def listening(ignored: signal.Signals | None = None) -> Iterator[subprocess.Popen[str]]:
    """The wrapper around the listener, in a session without a terminal."""
    command = wrapped(PYTHON, "-c", LISTENER)
    if ignored is not None:
        command = ["/bin/sh", "-c", f"trap '' {ignored.name[3:]}; exec \"$@\"", "sh", *command]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True) as process:
        try:
            assert line(process) == "child ready"
            yield process
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


def line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def test_signals_for_us_are_handed_on() -> None:
    with listening() as process:
        for number in (signal.SIGUSR1, signal.SIGUSR2, signal.SIGHUP, signal.SIGWINCH):
            process.send_signal(number)
            assert line(process) == f"child got {number.name}"
        process.send_signal(signal.SIGTERM)
        assert line(process) == "child got SIGTERM"
        assert line(process) == "wrapper saw 9"
        assert process.wait(20) == 9


def test_an_interrupt_that_no_terminal_gave_to_both_is_handed_on() -> None:
    with listening() as process:
        process.send_signal(signal.SIGINT)
        assert line(process) == "child got SIGINT"
        process.send_signal(signal.SIGTERM)
        assert line(process) == "child got SIGTERM"


def test_what_nohup_ignores_stays_ignored_by_the_child_too() -> None:
    with listening(ignored=signal.SIGHUP) as process:
        process.send_signal(signal.SIGHUP)
        process.send_signal(signal.SIGUSR1)
        assert line(process) == "child got SIGUSR1"


def test_ctrl_c_reaches_the_child_once_and_leaves_us_alone() -> None:
    with Terminal(wrapped(PYTHON, "-c", LISTENER)) as terminal:
        terminal.expect("child ready")
        terminal.type("\x03")
        terminal.expect("child got SIGINT")
        terminal.type("\x1c")
        assert "SIGINT" not in terminal.expect("child got SIGQUIT")
        terminal.process.send_signal(signal.SIGTERM)
        assert terminal.expect("wrapper saw 9").count("child got") == 1


def test_a_child_that_dies_of_ctrl_c_is_130() -> None:
    with Terminal(wrapped("/bin/sleep", "60")) as terminal:
        eventually(lambda: children(terminal.process.pid))
        terminal.type("\x03")
        terminal.expect("wrapper saw 130")


def test_the_child_has_the_terminal() -> None:
    script = "test -t 0 && test -t 1 && test -t 2 && read line && echo child read $line"
    with Terminal(wrapped("/bin/sh", "-c", script)) as terminal:
        terminal.type("typed\n")
        terminal.expect("child read typed")
        terminal.expect("wrapper saw 0")


@contextmanager
def shell() -> Iterator[Terminal]:
    env = {**os.environ, "PS1": "ready> ", "HISTFILE": ""}
    with Terminal(["/bin/bash", "--norc", "--noprofile", "--noediting", "-i"], env) as terminal:
        terminal.expect("ready> ")
        yield terminal


def command(folder: Path, script: str, number: int = 0) -> str:
    """A line for the shell. It holds nothing of the script, because the shell repeats it when a job is stopped."""
    (folder / "wrapper.py").write_text(WRAPPER)
    (folder / "child.py").write_text(script)
    return f"{PYTHON} {folder}/wrapper.py {PYTHON} {folder}/child.py {number}\n"


def test_ctrl_z_stops_both_and_fg_goes_on(tmp_path: Path) -> None:
    with shell() as terminal:
        terminal.type(command(tmp_path, RESUMER, 3))
        terminal.expect("child up\r\n")
        for _ in range(3):
            terminal.type("\x1a")
            terminal.expect("Stopped")
            terminal.expect("ready> ")
            terminal.type("fg\n")
            terminal.expect("child goes on")
        terminal.type("typed\n")
        terminal.expect("child read typed")
        terminal.expect("wrapper saw 3")
        terminal.expect("ready> ")


def test_a_child_that_stops_itself_gives_the_shell_back(tmp_path: Path) -> None:
    """As agents do that read Ctrl-Z as a key: without us the shell would wait with nobody at the terminal."""
    with shell() as terminal:
        terminal.type(command(tmp_path, STOPPER))
        terminal.expect("child up\r\n")
        terminal.expect("Stopped")
        terminal.expect("ready> ")
        terminal.type("fg\n")
        terminal.expect("child goes on")
        terminal.expect("wrapper saw 5")
        terminal.expect("ready> ")


def test_a_stopped_child_without_a_terminal_is_waited_for() -> None:
    with subprocess.Popen(
        wrapped("/bin/sh", "-c", "echo up; kill -STOP $$; exit 6"),
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        assert line(process) == "up"
        (child,) = eventually(lambda: children(process.pid))
        eventually(lambda: state_of(child) == "T")
        os.kill(child, signal.SIGCONT)
        assert line(process) == "wrapper saw 6"


def children(pid: int) -> list[int]:
    found = subprocess.run(["ps", "-A", "-o", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
    pairs = [tuple(map(int, row.split())) for row in found.splitlines()]
    return [one for one, parent in pairs if parent == pid]


def state_of(pid: int) -> str:
    found = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False).stdout
    return found.strip()[:1]
