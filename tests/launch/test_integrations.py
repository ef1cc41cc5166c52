"""What holds for every entry of the table."""

from __future__ import annotations

import pytest

from rlmc.errors import UsageError
from rlmc.launch.base_url import session_base_url
from rlmc.launch.doubts import why_no_request
from rlmc.launch.integration import Integration, LaunchPlan, LaunchRequest
from rlmc.launch.integrations import INTEGRATIONS, NAMES, choose

BASE = session_base_url(23456, "a-token-that-is-long-enough-000")
ENVIRON = {"HOME": "/home/u", "PATH": "/bin", "ANTHROPIC_API_KEY": "k", "ANTHROPIC_BASE_URL": "https://gateway.example"}


class NoFiles:
    def read(self, path: str) -> str | None:
        return None

    def exists(self, path: str) -> bool:
        return False


def plan(integration: Integration, **environ: str) -> LaunchPlan:
    request = LaunchRequest(("agent", "-p", "x"), {**ENVIRON, **environ}, "/home/ada/project", BASE)
    return integration.plan(request, NoFiles())


@pytest.mark.parametrize("integration", INTEGRATIONS, ids=NAMES)
def test_every_integration(integration: Integration) -> None:
    made = plan(integration)
    assert BASE in made.env.values()
    assert set(made.env_lists) == {"NO_PROXY", "no_proxy"}
    assert not any(BASE in word for word in made.argv if isinstance(word, str))
    assert made.upstream == "https://gateway.example"
    assert plan(integration, ANTHROPIC_BASE_URL=BASE).upstream is None
    assert made.doubts


def test_names_are_different_and_the_last_takes_anything() -> None:
    assert len(set(NAMES)) == len(NAMES)
    assert INTEGRATIONS[-1].matches("whatever")


@pytest.mark.parametrize(
    ("program", "wanted", "name"),
    [
        ("claude", None, "claude"),
        ("/opt/bin/claude", None, "claude"),
        ("python", None, "generic"),
        ("my-wrapper.sh", "claude", "claude"),
        ("claude", "generic", "generic"),
    ],
)
def test_which_one_is_chosen(program: str, wanted: str | None, name: str) -> None:
    assert choose(program, wanted).name == name


def test_an_unknown_one_is_refused_with_those_that_are_known() -> None:
    with pytest.raises(UsageError, match="'emacs'") as refused:
        choose("python", "emacs")
    assert "claude, generic" in (refused.value.hint or "")


def test_why_no_request_came() -> None:
    made = plan(INTEGRATIONS[0])
    assert "ended after 0.3 s" in why_no_request(made, 0.3)
    long = why_no_request(made, 60)
    assert "ended after" not in long
    assert "Bedrock" in long
    assert "HTTP_PROXY" not in long
    assert "HTTP_PROXY is set" in why_no_request(plan(INTEGRATIONS[-1], HTTP_PROXY="http://p"), 60)
