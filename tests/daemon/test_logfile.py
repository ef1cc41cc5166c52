from __future__ import annotations

import stat
import threading
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from rlmc.config.paths import log_file
from rlmc.daemon import logfile


def test_it_is_opened_for_its_owner_and_appended_to(tmp_path: Path) -> None:
    path = tmp_path / "daemon.log"
    for word in ("one\n", "two\n"):
        descriptor = logfile.open_log(path)
        with open(descriptor, "w") as out:  # noqa: PTH123
            out.write(word)
    assert path.read_text() == "one\ntwo\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@given(st.lists(st.text("abcäß ", max_size=30), max_size=40), st.integers(0, 50))
def test_the_last_lines(lines: list[str], count: int) -> None:
    path = log_file()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    assert logfile.last_lines(path, count) == (lines[-count:] if count else [])


def test_a_long_log_is_read_from_its_end(tmp_path: Path) -> None:
    path = tmp_path / "daemon.log"
    path.write_text("".join(f"line {n} {'x' * 90}\n" for n in range(5000)))
    found = logfile.last_lines(path, 2000)
    assert [int(line.split()[1]) for line in found] == list(range(3000, 5000))


def test_no_log_has_no_lines(tmp_path: Path) -> None:
    assert logfile.last_lines(tmp_path / "nothing", 10) == []


def test_following_goes_on_over_a_rotation(tmp_path: Path) -> None:
    path = tmp_path / "daemon.log"
    path.write_text("old 1\nold 2\n")
    lines = logfile.follow(path, 1)
    assert next(lines) == "old 2"
    writer = threading.Timer(0.05, _write_and_rotate, [path])
    writer.start()
    assert [next(lines) for _ in range(3)] == ["before", "after", "more"]
    writer.join()
    lines.close()  # type: ignore[attr-defined]


def _write_and_rotate(path: Path) -> None:
    with path.open("a") as log:
        log.write("before\n")
    path.rename(path.with_name("daemon.log.1"))
    with path.open("a") as log:
        log.write("after\nmo")
        log.flush()
        log.write("re\n")


def test_following_waits_for_a_log_that_is_not_there_yet(tmp_path: Path) -> None:
    path = tmp_path / "daemon.log"
    writer = threading.Timer(0.05, path.write_text, ["first\n"])
    writer.start()
    assert next(logfile.follow(path, 10)) == "first"
    writer.join()
