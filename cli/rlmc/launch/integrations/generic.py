"""Any program that uses an Anthropic SDK: the environment those SDKs read."""

from __future__ import annotations

from rlmc.launch.base_url import BASE_URL, NO_PROXY_LISTS, foreign
from rlmc.launch.integration import Files, LaunchPlan, LaunchRequest


class Generic:
    name = "generic"

    def matches(self, program: str) -> bool:
        return True

    def plan(self, request: LaunchRequest, files: Files) -> LaunchPlan:
        return LaunchPlan(
            argv=request.argv,
            env={BASE_URL: request.base_url},
            env_lists=NO_PROXY_LISTS,
            seen=request.environ,
            upstream=foreign(request.environ.get(BASE_URL)),
            doubts=(f"it may not read {BASE_URL}, or may speak to another provider than Anthropic",),
        )
