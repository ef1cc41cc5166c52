"""What the table says of its figures, and what a history says of a run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.bench import history, page
from tests.bench.arena import Run
from tests.bench.measure import Server
from tests.bench.report import markdown, text
from tests.bench.requests import GROWN_BYTES, GROWN_TURN, Growing
from tests.bench.rows import ROWS, Table
from tests.bench.scale import FULL, QUICK
from tests.bench.transcripts import transcripts
from typer.testing import CliRunner

from rlmc.app import app

ROW = {row.key: row for row in ROWS}


class TestTable:
    def test_a_ratio_is_made_within_its_round(self) -> None:
        table = Table(FULL)
        for number, (own, floor) in enumerate(((4.0, 1.0), (30.0, 10.0), (1.0, 0.2))):
            table.note("cpu", number, own, floor)
        assert table.ratios(ROW["cpu"]) == [4, 3, 5]
        assert table.verdict(ROW["cpu"]) == "reached"  # 4x is allowed
        table.note("cpu", 1, 50.0, 10.0)
        assert table.verdict(ROW["cpu"]) == "missed"

    def test_who_takes_part_in_fewer_rounds_is_set_beside_these(self) -> None:
        table = Table(FULL)
        table.note("cpu", 0, 4.0, 1.0)
        table.note("cpu", 1, 4.0, 2.0)
        assert table.ratios(ROW["cpu"], {1: 3.0}) == [1.5]

    def test_a_value_says_something_at_full_scale_alone(self) -> None:
        full, quick = Table(FULL), Table(QUICK)
        for table in (full, quick):
            table.note("memory idle", 0, 59.0, 20.0)
        assert full.verdict(ROW["memory idle"]) == "reached"
        assert quick.verdict(ROW["memory idle"]) is None
        full.note("memory idle", 0, 61.0, 20.0)
        assert full.verdict(ROW["memory idle"]) == "missed"

    def test_is_shown_with_what_is_missed_and_what_others_take(self) -> None:
        table = Table(FULL)
        table.note("cpu", 0, 1.0, 0.1)
        table.peers["slow one"] = {"cpu": {0: 7.0}, "cold": {0: 12_340.0}}
        found = Run(
            table,
            [Server("rlmc", None, 1, asked=5)],
            left_out=[("gone", "did not start: no")],
            failed=["run: ended with 3"],
        )
        assert not found.good
        for shown in (text(found), markdown(found)):
            assert "10.00x" in shown
            assert "missed" in shown
            assert "7, 70.0x" in shown
            assert "12.34" in shown
            assert "left out: gone: did not start: no" in shown
            assert "not measured: run: ended with 3" in shown
        assert "| slow one | 7, 70.0x | 12.34 |" in markdown(found)


class TestHistory:
    def entry(self, low: float, middle: float, high: float, **machine: object) -> dict[str, Any]:
        return {
            "date": "2026-11-27",
            "commit": "abc",
            "machine": {"processor": "one", "cores": 2, **machine},
            "figures": {"cpu": [middle, low, high, 0.5]},
        }

    @pytest.mark.parametrize(
        ("now", "said"),
        [
            ((5.0, 6.0, 7.0), True),
            ((3.9, 6.0, 7.0), False),  # the rounds of both overlap
            ((4.3, 4.4, 4.5), False),  # too little
            ((2.0, 2.1, 2.2), False),  # better
        ],
    )
    def test_says_what_has_got_worse_by_more_than_noise(self, now: tuple[float, ...], said: bool) -> None:
        before = self.entry(3.8, 4.0, 4.2)
        found = history.worse(self.entry(*now), [before])
        assert found == (["worse than on 2026-11-27 (abc): cpu, ratio 4 -> 6"] if said else [])

    def test_looks_at_the_last_run_on_such_a_machine(self) -> None:
        old, last, other = self.entry(1, 1, 1), self.entry(9, 9, 9), self.entry(1, 1, 1, cores=8)
        assert history.worse(self.entry(5, 6, 7), [old, last, other]) == []
        assert history.worse(self.entry(5, 6, 7), []) == []

    def test_keeps_a_line_a_run(self, tmp_path: Path) -> None:
        table = Table(FULL)
        table.note("cpu", 0, 1.0, 0.5)
        table.note("memory idle", 0, 50.0, 20.0)
        for _ in range(2):
            history.record(history.entry(table), tmp_path / "history.json")
        entries = history.read(tmp_path / "history.json")
        assert [entry["figures"] for entry in entries] == [{"cpu": [2, 2, 2, 1], "memory idle": [50, 50, 50, 50]}] * 2
        assert len((tmp_path / "history.json").read_text().splitlines()) == 4

    def test_the_one_that_is_kept_can_be_read(self) -> None:
        for entry in history.read():
            assert entry.keys() == {"date", "commit", "machine", "figures"}


def test_a_page_without_a_place_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "page.md").write_text("nothing\n")
    with pytest.raises(ValueError, match="has no lines"):
        page.write(tmp_path / "page.md", "table")
    assert (tmp_path / "page.md").read_text() == "nothing\n"


class TestGrowing:
    def test_a_turn_has_the_messages_of_the_one_before_and_markers_at_its_end(self) -> None:
        growing = Growing()
        before, after = (json.loads(growing.body_of(turn)) for turn in (7, 8))
        assert [unmarked(m) for m in before["messages"]] == [unmarked(m) for m in after["messages"][:-2]]
        assert [number for number, m in enumerate(after["messages"]) if m != unmarked(m)] == [12, 14]
        assert before["system"] == after["system"]
        assert before["tools"] == after["tools"]

    def test_is_as_long_as_it_is_said_to_be(self) -> None:
        growing = Growing()
        assert 0.98 * GROWN_BYTES < len(growing.body_of(GROWN_TURN)) < 1.02 * GROWN_BYTES
        assert 90_000 < len(growing.body_of(growing.turn_of(100_000))) < 110_000

    def test_is_the_same_in_whatever_order_it_is_asked_for(self) -> None:
        one, other = Growing(), Growing()
        other.body_of(30)
        assert one.body_of(4) == other.body_of(4)


def unmarked(message: dict[str, Any]) -> dict[str, Any]:
    content = [{k: v for k, v in block.items() if k != "cache_control"} for block in message["content"]]
    return message | {"content": content}


def test_made_up_transcripts_are_read_as_so_many_calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CONFIG", "DATA", "STATE"):
        monkeypatch.setenv(f"RLMC_{name}_DIR", str(tmp_path / name))
    folder = transcripts(tmp_path, 260)
    ran = CliRunner().invoke(app, ["replay", str(folder), "--policy", "balanced", "--json"])
    assert ran.exit_code == 0, ran.output
    records = json.loads(ran.stdout)["data"]["records"]
    assert (records["sessions"], records["calls"], records["broken_lines"]) == (2, 260, 0)
    assert records["models_without_price"] == {}
