"""The documents say what the program does: every reason, keyword, command and option stands in them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from rlmc.cascade.keywords import KEYWORDS
from rlmc.cascade.policies import POLICIES
from rlmc.domain.outcome import Outcome, Reason
from rlmc.upstream.providers import names

ROOT = Path(__file__).parents[1]
ROUTING = (ROOT / "docs" / "routing.md").read_text()
COMMANDS = (ROOT / "docs" / "commands.md").read_text()


@pytest.mark.parametrize("word", [*Outcome, *Reason])
def test_routing_explains_every_outcome_and_reason(word: str) -> None:
    assert f"`{word}`" in ROUTING or f"| {word} |" in ROUTING


def test_routing_lists_the_keywords_and_policies() -> None:
    listed = re.search(r"((?:^> .*\n)+)", ROUTING, re.MULTILINE)
    assert listed is not None
    words = re.sub(r"^> ", "", listed.group(1), flags=re.MULTILINE).replace("\n", " ").strip(" .")
    assert tuple(w.strip() for w in words.split(",")) == KEYWORDS
    assert all(f"**{p.name}**" in ROUTING for p in POLICIES)


def test_every_command_and_option_is_described() -> None:
    from typer.main import get_command

    from rlmc.app import build

    def walk(command: object, path: str) -> list[str]:
        found = []
        for parameter in getattr(command, "params", []):
            found += [f"{path} {o}" for o in parameter.opts if o.startswith("--") and o != "--help"]
        for name, sub in getattr(command, "commands", {}).items():
            found += [f"{path} {name}", *walk(sub, f"{path} {name}")]
        return found

    missing = []
    for entry in walk(get_command(build()), "rlmc"):
        *path, last = entry.split()
        section = COMMANDS if last.startswith("--") and len(path) == 1 else _section(path[1] if len(path) > 1 else last)
        if f"`{last}" not in section and f" {last}" not in section and f"[{last}" not in section:
            missing.append(entry)
    assert missing == []


def _section(command: str) -> str:
    found = re.search(rf"^## rlmc {command}\b.*?(?=^## |\Z)", COMMANDS, re.MULTILINE | re.DOTALL)
    assert found is not None, f"docs/commands.md has no section for {command}"
    return found.group()


def test_every_provider_is_named() -> None:
    text = (ROOT / "docs" / "providers.md").read_text()
    assert [n for n in names() if f"| {n} |" not in text] == []


def test_links_between_documents_lead_somewhere() -> None:
    for document in [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]:
        for target in re.findall(r"\]\(([^)#]+)\)", document.read_text()):
            if "://" not in target:
                assert (document.parent / target).exists(), f"{document.name} links to {target}"


def test_every_row_of_the_threat_model_names_a_test_that_is_there() -> None:
    docs = ROOT / "docs"
    tables = re.findall(r"^\|.* test \|\n\| ---.*\n((?:\|.*\n)+)", (docs / "security.md").read_text(), re.MULTILINE)
    rows = [row for table in tables for row in table.splitlines()]
    assert len(rows) > 40
    for row in rows:
        named = re.search(r" \[`(test_\w+)`\]\((\S+\.py)\) \|$", row)
        assert named is not None, row
        assert f"def {named[1]}(" in (docs / named[2]).read_text(), row
