"""The demo agent's tools work on the project in memory the way real ones would."""

from __future__ import annotations

from rlmc.demo.project import ROOT, files
from rlmc.demo.workspace import Workspace

FEES = f"{ROOT}/src/parcel/fees.py"


def test_the_project_is_the_same_every_time_and_of_real_size() -> None:
    assert files() == files()
    assert sum(len(text) for text in files().values()) > 100_000


def test_reading_numbers_the_lines() -> None:
    text, failed = Workspace().run("Read", {"file_path": FEES})
    assert not failed
    assert text.startswith('     1\t"""Shipping fees."""')


def test_searching_finds_files_by_what_they_hold_most_hits_first() -> None:
    found, _ = Workspace().run("Grep", {"pattern": r"return round\(amount\)"})
    assert found.split("\n") == ["Found 1 files", FEES]
    assert Workspace().run("Grep", {"pattern": "nowhere to be found"}) == ("No files found", False)
    assert f"{ROOT}/tests/test_fees.py" in Workspace().run("Glob", {"pattern": "tests/*.py"})[0]


def test_edits_need_a_text_that_occurs_once() -> None:
    workspace = Workspace()
    done = {"file_path": FEES, "old_string": "return round(amount)", "new_string": "return round(amount, 2)"}
    assert workspace.run("Edit", done)[1] is False
    assert "return round(amount, 2)" in workspace.files[FEES]
    text, failed = workspace.run("Edit", {"file_path": FEES, "old_string": "amount", "new_string": "x"})
    assert failed
    assert "times" in text


def test_the_pretended_tests_fail_until_the_fix_is_there() -> None:
    workspace = Workspace()
    before, _ = workspace.run("Bash", {"command": "python -m pytest -q"})
    workspace.files[FEES] = workspace.files[FEES].replace("return round(amount)", "return round(amount, 2)")
    after, _ = workspace.run("Bash", {"command": "python -m pytest -q"})
    assert "1 failed" in before
    assert "failed" not in after
    assert "116 passed" in after


def test_what_cannot_be_done_is_an_error_not_a_crash() -> None:
    for tool, arguments in [
        ("Read", {"file_path": "/nowhere"}),
        ("Read", {}),
        ("Edit", {"file_path": "/nowhere", "old_string": "a", "new_string": "b"}),
        ("Bash", {"command": "rm -rf /"}),
        ("Launch", {}),
    ]:
        text, failed = Workspace().run(tool, arguments)
        assert failed
        assert text.startswith("Error")


def test_files_and_lists_are_written() -> None:
    workspace = Workspace()
    assert workspace.run("Write", {"file_path": "/new", "content": "x"})[1] is False
    assert workspace.files["/new"] == "x"
    assert workspace.run("TodoWrite", {"todos": []})[1] is False
    assert "src/parcel/fees.py" in workspace.run("Bash", {"command": "ls -la"})[0]
