"""The locks hold what pyproject.toml asks for, each file by its hash, and nothing of the place where they were made."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
EXTRAS: dict[str, list[str]] = PROJECT["project"]["optional-dependencies"]
BUILD: list[str] = PROJECT["dependency-groups"]["build"]
LOCKS: dict[str, list[str]] = {
    "cli/locked.txt": [],
    "tests/locked.txt": ["test"],
    ".ci/locked.txt": ["test", "lint", "fuzz", "audit"],
}

_PACKAGE = re.compile(r"([a-z0-9-]+)==(\S+)(?: ; (.+?))? \\((?:\n {4}--hash=sha256:[0-9a-f]{64}(?: \\)?)+)\n?")


def locked(name: str) -> dict[str, set[Version]]:
    """Each package with its versions: one, or one for each range of Pythons."""
    found: dict[str, set[Version]] = {}
    for match in _PACKAGE.finditer((ROOT / name).read_text()):
        found.setdefault(match[1], set()).add(Version(match[2]))
    return found


def asked(name: str) -> list[Requirement]:
    wanted = [*PROJECT["project"]["dependencies"], *BUILD, *(one for extra in LOCKS[name] for one in EXTRAS[extra])]
    return [Requirement(one) for one in wanted]


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_holds_what_is_asked_for(name: str) -> None:
    packages = locked(name)
    missing = [
        str(one)
        for one in asked(name)
        if not any(one.specifier.contains(version) for version in packages.get(one.name.replace("_", "-").lower(), ()))
    ]
    assert missing == [], f"{name} is behind pyproject.toml: run .ci/lock"


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_is_nothing_but_packages_and_hashes(name: str) -> None:
    text = (ROOT / name).read_text()
    head = "# Written by .ci/lock from pyproject.toml.\n--require-hashes\n--only-binary :all:\n"
    assert text.startswith(head)
    assert _PACKAGE.sub("", text.removeprefix(head)) == ""


def test_each_lock_holds_the_one_before_it() -> None:
    run, test, all_of_it = (locked(name) for name in LOCKS)
    assert run.items() <= test.items() <= all_of_it.items()


def test_what_builds_is_locked() -> None:
    names = {Requirement(one).name for one in BUILD}
    assert {Requirement(one).name for one in PROJECT["build-system"]["requires"]} <= names
    assert names <= locked("cli/locked.txt").keys()


def test_the_readme_installs_from_the_locks_alone() -> None:
    installs = re.findall(r"install -q (.*?) &&", (ROOT / "README.md").read_text())
    assert installs == [
        "-r cli/locked.txt",
        "--no-deps --no-build-isolation .",
        "-r tests/locked.txt",
        "--no-deps --no-build-isolation -e .",
    ]
