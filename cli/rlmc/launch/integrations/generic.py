"""Any program on the official SDKs of Anthropic or OpenAI: the environment those SDKs read."""

from __future__ import annotations

from rlmc.launch.base_url import (
    BASE_URL,
    NO_PROXY_LISTS,
    OPENAI_API_BASE,
    OPENAI_BASE_URL,
    openai_base_url,
    upstreams_of,
)
from rlmc.launch.integration import Files, LaunchPlan, LaunchRequest


class Generic:
    name = "generic"

    def plan(self, request: LaunchRequest, files: Files) -> LaunchPlan:
        return LaunchPlan(
            argv=request.argv,
            env=sdk_environment(request.base_url),
            env_lists=NO_PROXY_LISTS,
            seen=request.environ,
            upstreams=upstreams_of(request.environ),
            doubts=(f"it may not read {BASE_URL} or {OPENAI_BASE_URL}, or may speak to another provider",),
        )


INTEGRATION = Generic()


def sdk_environment(base_url: str) -> dict[str, str]:
    """Where the SDKs look: Anthropic's append `/v1`, OpenAI's want it said; the last name is for older programs."""
    openai = openai_base_url(base_url)
    return {BASE_URL: base_url, OPENAI_BASE_URL: openai, OPENAI_API_BASE: openai}
