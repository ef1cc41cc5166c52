"""The load in its smallest size, and that its verdict sees what it is there to see."""

from __future__ import annotations

import asyncio
import json
import socketserver
import threading
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from tests.bench import process
from tests.bench.answers import events_of
from tests.bench.process import HOST
from tests.load.__main__ import main, size
from tests.load.generator import Generator, Job, Window
from tests.load.plot import Panel, svg
from tests.load.samples import Sample, growth

linux_only = pytest.mark.skipif(process.unsupported() is not None, reason="the load needs /proc")
TINY = ("--seconds", "4", "--streams", "50", "--rate", "20", "--large", "2M", "--sessions", "20")


@linux_only
def test_a_tiny_run_answers_everything_and_leaves_nothing_behind(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    figures, curves = tmp_path / "load.json", tmp_path / "load.svg"
    code = main([*TINY, "--json", str(figures), "--plot", str(curves)])
    printed = capsys.readouterr().out
    assert code == 0, printed
    assert "all as it should be" in printed
    run = json.loads(figures.read_text())
    assert run["problems"] == []
    assert run["bad"] == 0
    assert run["left"] > 0
    assert 0 < run["sessions"] <= 20
    for kind in ("small", "small-whole", "agent-mid-task", "stream", "large"):
        assert run["answers"][kind] > 0
    assert run["latency_ms"]["direct"]["p50"] > 0
    busy = max(sample["files"] for sample in run["samples"])
    assert run["after"]["files"] <= run["before"]["files"] < busy
    assert run["after"]["tasks"] <= run["before"]["tasks"]
    assert len(ET.parse(curves).findall(".//{*}polyline")) == 8  # noqa: S314 - our own file


class TestVerdict:
    FLAT = Sample(0, 100_000_000, 2000, 1900, 3000, 300, 0, 2, 8000, 4_000_000, 0.5)

    def samples(self, course: Callable[[int], Sample]) -> list[Sample]:
        return [replace(course(number), at=number * 5.0) for number in range(120)]

    def test_noise_is_no_growth_and_warming_up_is_none_either(self) -> None:
        def course(number: int) -> Sample:
            rss = 100_000_000 if number < 40 else 150_000_000
            return replace(self.FLAT, rss=rss + number % 7 * 500_000, files=2000 + number % 5, tasks=3000 - number % 9)

        assert growth(self.samples(course)) == []

    @pytest.mark.parametrize(
        ("figure", "begin", "each"),
        [("rss", 100_000_000, 400_000), ("files", 2000, 10), ("tasks", 3000, 10), ("pending", 8000, 200_000)],
    )
    def test_a_leak_is_found(self, figure: str, begin: int, each: int) -> None:
        grown = growth(self.samples(lambda number: replace(self.FLAT, **{figure: begin + number * each})))
        assert [course.figure.name for course in grown] == [figure]

    def test_a_run_too_short_to_tell_says_nothing(self) -> None:
        samples = self.samples(lambda number: replace(self.FLAT, rss=100_000_000 * (number + 1)))
        assert growth(samples[:10]) == []


@contextmanager
def canned(reply: bytes) -> Iterator[int]:
    """A server that says `reply` to whatever it is asked, once a connection."""

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            self.request.recv(65536)
            self.request.sendall(reply)

    with socketserver.ThreadingTCPServer((HOST, 0), Handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize(
    ("reply", "problem"),
    [
        (b"HTTP/1.1 529 Overloaded\r\nconnection: close\r\ncontent-length: 4\r\n\r\nbusy", "status 529: busy"),
        (b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 4\r\n\r\nbusy", "not the upstream's bytes"),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 9999\r\n\r\n" + events_of("text")[0], "broke"),
    ],
)
def test_whatever_is_wrong_with_an_answer_is_counted(reply: bytes, problem: str) -> None:
    windows: list[Window] = []
    with canned(reply) as port:
        job = Job(port, port, ("/d",), ("/s",), 0.5, 10, 0, 1.0, 0, 1000, 60.0, 10.0)
        asyncio.run(Generator(job, windows.append).run())
    (window,) = windows
    # Five small turns, one of them of the floor as well, and the one that would have hung up.
    assert window.bad >= 6
    assert any(problem in said for said in window.problems)


def test_curves_keep_their_peaks(tmp_path: Path) -> None:
    points = [(float(at), 1000.0 if at == 4321 else 1.0) for at in range(10_000)]
    root = ET.fromstring(svg("a < b", [Panel("x", [("", points)])]))  # noqa: S314 - made here
    (line,) = root.findall(".//{*}polyline")
    heights = [float(point.split(",")[1]) for point in line.attrib["points"].split()]
    assert len(heights) <= 400
    assert min(heights) < max(heights) - 80
    assert root.find("{*}title").text == "a < b"  # type: ignore[union-attr]


def test_sizes_are_read_as_people_write_them() -> None:
    assert [size(text) for text in ("32M", "100k", "7")] == [32 * 1024**2, 100 * 1024, 7]
