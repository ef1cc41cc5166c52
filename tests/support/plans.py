"""Launch plans over files that are not there."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from rlmc.launch.base_url import own_origin, session_base_url
from rlmc.launch.integration import Integration, LaunchPlan, LaunchRequest

TOKEN = "a-token-that-is-long-enough-000"
PORT = 23456
ORIGIN = own_origin(PORT)
BASE = session_base_url(PORT, TOKEN)
HOME = "/home/u"
PROJECT = "/home/u/code/project"
GATEWAY = "https://gateway.example/v1"


@dataclass
class Files:
    content: Mapping[str, str] = field(default_factory=dict)

    def read(self, path: str) -> str | None:
        return self.content.get(path)

    def exists(self, path: str) -> bool:
        return path in self.content or any(name.startswith(path + "/") for name in self.content)


def plan(
    integration: Integration,
    *argv: str,
    env: Mapping[str, str] | None = None,
    files: Mapping[str, object] | None = None,
    **more: Any,
) -> LaunchPlan:
    """The plan for `integration.name argv…` in PROJECT. What is no text in `files` is written as JSON. Whatever the
    plan, the session's token stands in the environment alone."""
    content = {path: text if isinstance(text, str) else json.dumps(text) for path, text in (files or {}).items()}
    request = LaunchRequest(
        argv=(integration.name, *argv),
        environ={"HOME": HOME, **(env or {})},
        directory=PROJECT,
        base_url=BASE,
        origin=ORIGIN,
        token=TOKEN,
        **more,
    )
    made = integration.plan(request, Files(content))
    assert not any(TOKEN in word for word in made.argv if isinstance(word, str)), "the session's token stands in argv"
    assert TOKEN not in repr(made)
    assert set(made.env_lists) == {"NO_PROXY", "no_proxy"}
    return made
