"""llm, the command line for language models: the environment of the SDKs it is made with."""

from __future__ import annotations

from dataclasses import replace

from rlmc.launch.integration import Files, LaunchPlan, LaunchRequest
from rlmc.launch.integrations.generic import Generic


class Llm:
    name = "llm"

    def plan(self, request: LaunchRequest, files: Files) -> LaunchPlan:
        plan = Generic().plan(request, files)
        doubts = ("models with an api_base of their own, and those of other plugins, bypass rlmc",)
        return replace(plan, protocol="chat", doubts=doubts)


INTEGRATION = Llm()
