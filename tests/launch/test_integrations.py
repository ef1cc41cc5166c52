"""What holds for every entry of the table."""

from __future__ import annotations

import pytest

from rlmc.errors import UsageError
from rlmc.launch.base_url import before, own_origin, session_base_url
from rlmc.launch.doubts import why_no_request
from rlmc.launch.integration import Integration, LaunchPlan, LaunchRequest
from rlmc.launch.integrations import NAMES, PROGRAMS, choose, named
from rlmc.server.labels import CLIENTS
from rlmc.wire import PROTOCOLS

TOKEN = "a-token-that-is-long-enough-000"
BASE = session_base_url(23456, TOKEN)
GATEWAY = "https://gateway.example"
INTEGRATIONS = [named(name) for name in NAMES]
ENVIRON = {"HOME": "/home/u", "PATH": "/bin", "ANTHROPIC_API_KEY": "k", "OPENAI_API_KEY": "k"}
SET = {"ANTHROPIC_BASE_URL": GATEWAY, "OPENAI_BASE_URL": f"{GATEWAY}/v1"}


class NoFiles:
    def read(self, path: str) -> str | None:
        return None

    def exists(self, path: str) -> bool:
        return False


def plan(integration: Integration, **environ: str) -> LaunchPlan:
    request = LaunchRequest(
        ("agent", "-p", "x"), {**ENVIRON, **environ}, "/home/ada/project", BASE, own_origin(23456), TOKEN
    )
    return integration.plan(request, NoFiles())


@pytest.mark.parametrize("integration", INTEGRATIONS, ids=NAMES)
def test_every_integration(integration: Integration) -> None:
    made = plan(integration)
    assert any(TOKEN in value for value in made.env.values())
    assert set(made.env_lists) == {"NO_PROXY", "no_proxy"}
    assert not any(TOKEN in word for word in made.argv if isinstance(word, str))
    assert made.upstreams == {}
    assert made.protocol in PROTOCOLS
    assert made.doubts


@pytest.mark.parametrize("integration", [i for i in INTEGRATIONS if i.name != "codex"], ids=lambda i: i.name)
def test_an_address_in_the_environment_becomes_the_upstream_also_from_inside_another_rlmc(
    integration: Integration,
) -> None:
    first = plan(integration, **SET)
    assert first.upstreams["anthropic"] == GATEWAY
    again = plan(integration, **first.env, **before(first.upstreams, first.env, {}))
    assert again.upstreams == first.upstreams
    assert plan(integration, **first.env).upstreams == {}


def test_names_are_different_and_their_own_word_for_themselves() -> None:
    assert len(set(NAMES)) == len(NAMES)
    assert [one.name for one in INTEGRATIONS] == list(NAMES)
    assert (*PROGRAMS, "generic") == NAMES
    assert set(PROGRAMS) == CLIENTS, "telemetry knows them by name"


@pytest.mark.parametrize(
    ("program", "wanted", "name"),
    [
        ("claude", None, "claude"),
        ("/opt/bin/claude", None, "claude"),
        ("python", None, "generic"),
        *((f"/usr/bin/{name}", None, name) for name in PROGRAMS),
        ("my-wrapper.sh", "claude", "claude"),
        ("claude", "generic", "generic"),
    ],
)
def test_which_one_is_chosen(program: str, wanted: str | None, name: str) -> None:
    assert choose(program, wanted).name == name


def test_an_unknown_one_is_refused_with_those_that_are_known() -> None:
    with pytest.raises(UsageError, match="'emacs'") as refused:
        choose("python", "emacs")
    assert "claude, codex, opencode" in (refused.value.hint or "")


def test_why_no_request_came() -> None:
    made = plan(INTEGRATIONS[0])
    assert "ended after 0.3 s" in why_no_request(made, 0.3)
    long = why_no_request(made, 60)
    assert "ended after" not in long
    assert "Bedrock" in long
    assert "HTTP_PROXY" not in long
    assert "HTTP_PROXY is set" in why_no_request(plan(INTEGRATIONS[-1], HTTP_PROXY="http://p"), 60)
