"""Whole runs of the bench in its smallest size, and the two things they rest on: the ledger's count and the peers."""

from __future__ import annotations

import json
import socketserver
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from tests.bench import arena, daemon, page, peers, process
from tests.bench.__main__ import main
from tests.bench.arena import Run
from tests.bench.measure import Server
from tests.bench.process import HOST, ROOT
from tests.bench.rows import Table
from tests.bench.scale import QUICK

linux_only = pytest.mark.skipif(process.unsupported() is not None, reason="the bench needs /proc")


class TestLedger:
    WANTED = {"a": ("direct", 2), "b": ("skipped", 1)}  # noqa: RUF012

    def differences(self, folder: Path, rows: list[tuple[str, str, str]]) -> list[str]:
        file = folder / "ledger.db"
        with closing(sqlite3.connect(file)) as db, db:
            db.execute("CREATE TABLE turns (session_id, outcome, ending)")
            db.executemany("INSERT INTO turns VALUES (?, ?, ?)", rows)
        return daemon.differences(file, self.WANTED)

    GOOD = [("a", "direct", "complete"), ("a", "direct", "complete"), ("b", "skipped", "complete")]  # noqa: RUF012

    def test_a_row_for_every_turn_is_right(self, tmp_path: Path) -> None:
        assert self.differences(tmp_path, self.GOOD) == []

    def test_a_lost_row_is_found(self, tmp_path: Path) -> None:
        (difference,) = self.differences(tmp_path, self.GOOD[1:])
        assert difference == "session a: 1 turns are direct, complete; 2 should be"

    def test_a_row_too_many_and_a_wrong_outcome_are_found(self, tmp_path: Path) -> None:
        rows = [*self.GOOD[:2], ("b", "direct", "complete"), ("c", "direct", "complete")]
        assert len(self.differences(tmp_path, rows)) == 3


class TestPeers:
    def folder(self, tmp_path: Path, port: int, upstream: int) -> Path:
        (tmp_path / "here.py").write_text("")
        floor = [sys.executable, "-m", "tests.bench.floor", "--port", str(port), "--upstream", str(upstream)]
        (tmp_path / "servers.py").write_text(
            f"MINI = {{'one like the floor': {{'cmd': {floor!r}, 'port': {port}, 'cwd': {str(ROOT)!r}}},\n"
            f"'not installed': {{'cmd': ['/nowhere/server'], 'port': 1}},\n"
            f"'half installed': {{'cmd': [{sys.executable!r}, {str(tmp_path / 'gone.py')!r}], 'port': 1}},\n"
            f"'direct': {{'cmd': None, 'port': 1}}}}\n"
        )
        (tmp_path / "peers.py").write_text(
            f"PEERS = {{'ends at once': {{'cmd': [{sys.executable!r}, {str(tmp_path / 'here.py')!r}], "
            f"'port': {port + 1}}},\n'speaks otherwise': {{'cmd': [{sys.executable!r}], 'port': 1, 'kind': 'o'}}}}\n"
        )
        return tmp_path

    def test_only_what_is_set_up_and_speaks_the_protocol_takes_part(self, tmp_path: Path) -> None:
        folder = self.folder(tmp_path, 1, 2)
        assert [peer.name for peer in peers.read_folder(folder)] == ["one like the floor", "ends at once"]
        assert [peer.name for peer in peers.read_folder(folder, ["like"])] == ["one like the floor"]

    @linux_only
    def test_stand_in_the_table_or_are_left_out_with_the_reason(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        port, upstream = free_port(), free_port()
        folder = self.folder(tmp_path, port, upstream)
        out = tmp_path / "out.json"
        code = main([*TINY_WITH_STARTS, "--peers", str(folder), "--peers-upstream", str(upstream), "--json", str(out)])
        printed = capsys.readouterr().out
        assert code == 0, printed
        assert "one like the floor  " in printed
        assert "left out: ends at once: did not start" in printed
        run = json.loads(out.read_text())
        by_name = {server["name"]: server for server in run["servers"]}
        assert by_name["one like the floor"]["asked"] > 0
        assert by_name["one like the floor"]["bad"] == 0
        assert {"cpu", "first-byte", "event", "cold"} <= run["peers"]["one like the floor"].keys()
        rows = {row["key"]: row for row in run["rows"]}
        assert rows["cold"]["ratios"][0] > 0
        assert rows["cold cpu"]["ratios"][0] > 0


TINY = ("--quick", "--rounds", "1", "--turns", "8", "--only", "cpu,first-byte,event,memory,growth")
TINY_WITH_STARTS = (*TINY[:-1], "cpu,first-byte,event,cold")


def free_port() -> int:
    with closing(socketserver.TCPServer((HOST, 0), socketserver.BaseRequestHandler).socket) as probe:
        return int(probe.getsockname()[1])


@linux_only
def test_a_tiny_run_writes_the_table_and_finds_every_turn_in_the_ledger(tmp_path: Path) -> None:
    out, written, drawn = tmp_path / "out.json", tmp_path / "page.md", tmp_path / "growth.svg"
    written.write_text(f"before\n{page.BEGIN}\nold\n{page.END}\nafter\n")
    command = [sys.executable, "-m", "tests.bench", *TINY, "--json", str(out), "--write", str(written)]
    command += ["--draw", str(drawn)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 without a complete answer" in done.stdout
    assert "ledger: a row for every turn" in done.stdout
    run = json.loads(out.read_text())
    assert [server["name"] for server in run["servers"]] == ["upstream", "floor", "rlmc", "rlmc, skipped turn"]
    assert run["ledger_differences"] == []
    assert all(server["bad"] == 0 and server["asked"] > 0 for server in run["servers"])
    rows = {row["key"]: row for row in run["rows"]}
    assert {"cpu", "first-byte", "event", "memory idle", "memory late", "growth"} <= rows.keys()
    assert rows["cpu"]["ratios"][0] > 0
    assert rows["cpu"]["verdict"] in ("reached", "missed")
    assert rows["memory idle"]["verdict"] is None
    said = written.read_text()
    assert said.startswith("before\n")
    assert said.endswith("after\n")
    assert "| CPU a direct streaming turn, 100 KB, 32 at once | floor: " in said
    assert "old" not in said
    assert drawn.read_text().count("<polyline") == 5


@linux_only
@pytest.mark.parametrize(("bad", "ledger"), [(1, []), (0, ["session a: 1 turns are direct, complete; 2 should be"])])
def test_a_bad_answer_or_a_lost_row_fails_the_run(
    bad: int, ledger: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    servers = [Server("floor", None, 1, asked=2), Server("rlmc", None, 2, asked=2, bad=bad, problem="cut off")]
    monkeypatch.setattr(arena, "run", lambda *_: Run(Table(QUICK), servers, ledger=ledger))
    assert main(["--quick"]) == 1
    printed = capsys.readouterr().out
    assert ("rlmc: 1 of 2 bad; first: cut off" in printed) == bool(bad)
    assert ("2 should be" in printed) == bool(ledger)


@linux_only
def test_rows_without_a_server_can_be_asked_for_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out.json"
    assert main(["--quick", "--rounds", "1", "--only", "decision,run", "--json", str(out)]) == 0
    assert "ledger" not in capsys.readouterr().out
    rows = {row["key"]: row for row in json.loads(out.read_text())["rows"]}
    assert list(rows) == [
        *(f"decision {case} {size}" for size in ("100k", "1m") for case in ("first", "following")),
        "run",
    ]
    assert all(row["ratios"][0] > 0 for row in rows.values())


def test_unknown_rows_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--only", "cpu,speed"])
    assert "--only has no speed" in capsys.readouterr().err


def test_where_there_is_no_proc_it_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr(process, "_PROC", tmp_path)
    assert main([]) == 2
    assert "run it on Linux" in capsys.readouterr().err
