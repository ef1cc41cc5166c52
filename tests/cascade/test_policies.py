"""The names of policies, which are known without the policies themselves."""

from __future__ import annotations

import subprocess
import sys

import pytest

from rlmc.cascade import policies
from rlmc.cascade.policies import NAMES, POLICIES, find

PROGRAM = "import sys, rlmc.cascade.policies; print('rlmc.cascade.policies.policy' in sys.modules)"


def test_the_names_are_those_of_the_table() -> None:
    assert tuple(policy.name for policy in POLICIES) == NAMES


def test_one_is_found_by_its_name() -> None:
    assert [find(name) for name in NAMES] == list(POLICIES)
    assert find("nonsense") is None


def test_the_names_alone_load_no_policy() -> None:
    ran = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, timeout=60)
    assert ran.stdout == "False\n"


def test_there_is_nothing_else() -> None:
    with pytest.raises(AttributeError, match="NOTHING"):
        _ = policies.NOTHING  # type: ignore[attr-defined]
