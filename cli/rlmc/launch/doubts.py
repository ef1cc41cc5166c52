"""Why an agent may have sent nothing through rlmc: said at the end, when it is known that it did not."""

from __future__ import annotations

from rlmc.launch.integration import LaunchPlan

_AT_ONCE_SECONDS = 2.0
_PROXIES = ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy")


def why_no_request(plan: LaunchPlan, seconds: float) -> str:
    """`seconds` is how long the agent ran."""
    reasons = (
        [f"it ended after {seconds:.1f} s, perhaps before it asked anything"] if seconds < _AT_ONCE_SECONDS else []
    )
    reasons += plan.doubts
    proxy = next((name for name in _PROXIES if plan.seen.get(name)), None)
    if proxy:
        reasons.append(f"{proxy} is set, and it may not heed NO_PROXY")
    return "; ".join([*reasons, "rlmc doctor tells more"])
