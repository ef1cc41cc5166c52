"""The fault matrix in small: bare sockets and, where installed, the SDKs. `python -m tests.faults` is all of it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import cast

import pytest
from tests.faults.agents import ClaudeCode, agent_cells
from tests.faults.catalogue import FAULTS, Fault, good, spoken
from tests.faults.cells import Cell, Verdict, cells, run
from tests.faults.clients import RAW, Asking, request, sdks
from tests.faults.proxy import Proxy, running_proxy
from tests.faults.seen import BROKEN, COMPLETE, NO_ANSWER, TIMEOUT
from tests.faults.table import markdown
from tests.faults.upstream import Ask, Delivery, FaultUpstream
from tests.support.speaking import Saying

_EOF = re.compile(r"clean EOF after (\d+) events")
_KINDS = {
    "raw anthropic": ("drafted", "live", "direct", "verified", "brief"),
    "raw responses": ("translated", "direct"),
    "anthropic SDK": ("drafted", "direct"),
    "openai SDK chat": ("direct",),
    "openai SDK responses": ("direct",),
}


def _few(cell: Cell) -> bool:
    end = _EOF.fullmatch(cell.fault.name)
    if end is not None and int(end[1]) not in (1, 6, 12):
        return False
    return cell.streamed and cell.kind in _KINDS.get(cell.client.name, ())


@pytest.fixture(scope="module")
def up() -> Iterator[FaultUpstream]:
    with FaultUpstream() as server:
        yield server


@pytest.fixture(scope="module")
def verdicts(up: FaultUpstream, tmp_path_factory: pytest.TempPathFactory) -> list[Verdict]:
    """All at once: most of their time is spent waiting."""
    chosen = [cell for cell in cells((*RAW, *sdks())) if _few(cell)]
    folder = tmp_path_factory.mktemp("faults") / "daemon"
    with running_proxy(folder) as proxy, ThreadPoolExecutor(12) as pool:
        return list(pool.map(lambda cell: run(cell, up, proxy), chosen))


_NAMES = [fault.name for fault in FAULTS if (end := _EOF.fullmatch(fault.name)) is None or int(end[1]) in (1, 6, 12)]


@pytest.mark.parametrize("name", _NAMES)
def test_a_fault_is_met_as_specified(verdicts: list[Verdict], name: str) -> None:
    mine = [verdict for verdict in verdicts if verdict.cell.fault.name == name]
    assert mine
    assert [verdict.line for verdict in mine if verdict.difference] == []


class _Instead:
    """A proxy that does something else than it should."""

    def __init__(self, url: str) -> None:
        self._url = url

    def session(self, protocol: str, overrides: Mapping[str, str]) -> str:
        return self._url


@pytest.mark.parametrize("kind", ["drafted", "direct", "verified", "verdict"])
def test_a_proxy_that_answers_otherwise_is_found_out(up: FaultUpstream, kind: str) -> None:
    lane = up.lane(lambda _ask: Delivery(404, (("content-type", "application/json"),), (b"{}",), sized=True))
    cell = next(c for c in cells(RAW, [_fault("503")]) if c.kind == kind)
    assert run(cell, up, cast("Proxy", _Instead(lane.url))).difference


def test_a_cell_that_has_not_met_its_fault_is_none(up: FaultUpstream) -> None:
    """The right answer alone is not enough: the draft was never asked for."""
    lane = up.lane(lambda ask: good(spoken(ask, Saying("Look there.", (("Read", {"file_path": "b.py"}),)))))
    cell = next(c for c in cells(RAW, [_fault("503")]) if c.kind == "drafted")
    assert run(cell, up, cast("Proxy", _Instead(lane.url))).difference == "the fault was not met"


@pytest.mark.parametrize(
    ("name", "end"),
    [
        ("refused", NO_ANSWER),
        ("closed before headers", NO_ANSWER),
        ("reset before headers", NO_ANSWER),
        ("no HTTP", NO_ANSWER),
        ("reset mid-stream", BROKEN),
        ("connection ends mid-stream", BROKEN),
        ("clean EOF after 3 events", COMPLETE),
        ("hang mid-stream", TIMEOUT),
        ("slow drip", COMPLETE),
        ("429", COMPLETE),
    ],
)
@pytest.mark.parametrize("client", RAW, ids=lambda client: client.protocol)
def test_a_fault_is_what_its_name_says(up: FaultUpstream, client: Asking, name: str, end: str) -> None:
    fault = _fault(name)

    def script(ask: Ask) -> Delivery:
        told = fault.make(spoken(ask, Saying("Look there.")))
        assert told is not None
        return told

    lane = up.lane(script)
    seen = client.ask(up.nowhere if fault.refuses else lane.url, request(client.protocol, "first", stream=True), 1.0)
    assert seen.end == end
    assert seen.heard.ended == (name == "slow drip")
    assert len(lane.asks) == (not fault.refuses)


def test_every_fault_has_a_row_and_a_cell_for_each_agent(tmp_path: Path) -> None:
    agent = ClaudeCode(str(tmp_path / "claude"))
    there = [*cells(RAW), *agent_cells([agent])]
    table = markdown([Verdict(cell, "", 1, 0.1) for cell in there])
    rows = {line.split(" | ")[0].removeprefix("| "): line.split(" | ")[1:] for line in table.splitlines()}
    for fault in FAULTS:
        columns = rows[_EOF.sub("clean EOF after each event", fault.name)]
        assert all(columns[n].strip(" |") for n in (0, 1, 3, 4)), fault.name
    assert rows["all"][0] == f"{sum(cell.side == 'draft' and cell.client is not agent for cell in there):,}"
    assert "2 different" in markdown([Verdict(cell, "oh", 1, 0.1) for cell in there[:2]])


def _fault(name: str) -> Fault:
    return next(fault for fault in FAULTS if fault.name == name)
