"""Every seed and every input that once broke a promise, tried again; and some mutations of them, without atheris."""

from __future__ import annotations

from collections import Counter
from itertools import islice
from pathlib import Path

import pytest
from tests.fuzz import findings
from tests.fuzz.__main__ import fuzz
from tests.fuzz.findings import Findings
from tests.fuzz.plain import inputs
from tests.fuzz.target import FOUND, NAMES, SEEDS, Target, load
from tests.fuzz.targets import shell

every_target = pytest.mark.parametrize("name", NAMES)


@every_target
def test_seeds_are_taken_and_what_was_found_is_mended(name: str) -> None:
    fuzzed = load(name)
    assert fuzzed.seeds
    assert True in {fuzzed.run(data) for data in fuzzed.seeds}
    for data in fuzzed.found:
        fuzzed.run(data)


@every_target
def test_mutations_break_nothing(name: str) -> None:
    fuzzed = load(name)
    taken = Counter(fuzzed.run(data) for data in islice(inputs(fuzzed, 7), 300))
    # It means something only where some of what was damaged got through.
    assert taken[True] >= 10
    assert taken[False] >= 5


def test_every_folder_is_a_targets() -> None:
    assert {folder.name for folder in SEEDS.iterdir()} == set(NAMES)
    if FOUND.is_dir():
        assert {folder.name for folder in FOUND.iterdir()} <= set(NAMES)


def test_the_same_number_makes_the_same_inputs() -> None:
    fuzzed = load("shell")
    assert list(islice(inputs(fuzzed, 3), 50)) == list(islice(inputs(fuzzed, 3), 50))
    assert list(islice(inputs(fuzzed, 3), 50)) != list(islice(inputs(fuzzed, 4), 50))


def test_a_finding_is_kept_once_for_each_place(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(findings, "FOUND", tmp_path)

    def broken(data: bytes) -> bool:
        raise KeyError(data)

    told = Findings(Target("it", broken, (), 9))
    for data in (b"one", b"two"):
        try:
            broken(data)
        except KeyError as error:
            told.add(data, error)
    assert [path.read_bytes() for path in (tmp_path / "it").iterdir()] == [b"one"]
    assert capsys.readouterr().out.count("KeyError") == 1


def test_the_shells_oracle_can_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    """A reader that calls everything harmless is caught."""
    fuzzed = load("shell")
    assert fuzzed.run(b"ls -la")
    monkeypatch.setattr(shell, "_safe", lambda _: True)
    with pytest.raises(AssertionError):
        fuzzed.run(b"ls -la")


def test_a_run_tells_how_many_inputs_it_tried() -> None:
    outcome = fuzz("sse", 30, 500, 1, None)
    assert (outcome.inputs, outcome.findings) == (500, ())


def test_a_run_under_atheris_covers_something(tmp_path: Path) -> None:
    pytest.importorskip("atheris")
    outcome = fuzz("sse", 30, 500, 1, tmp_path)
    assert outcome.inputs >= 500
    assert outcome.findings == ()
    assert outcome.coverage > 20
