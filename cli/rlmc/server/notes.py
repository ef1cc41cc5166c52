"""What the owner of a session is told of it beside its account: at its beginning, and at its end."""

from __future__ import annotations

from urllib.parse import urlsplit

from rlmc.server.calls import wall_us
from rlmc.server.parts import GATEWAYS, host
from rlmc.server.sessions import Session
from rlmc.views.budgets import no_help
from rlmc.views.figures import count

# Serves subscriptions, and bills nobody by the token.
_CHATGPT = "chatgpt.com"


def gateway_notes(session: Session) -> list[str]:
    """Where the agent was pointed before, if nobody knows who bills there."""
    notes = []
    for vendor, name in (("anthropic", "Anthropic"), ("openai", "OpenAI")):
        gateway = session.parts.providers.get(GATEWAYS[vendor])
        if gateway is not None and urlsplit(gateway.base_url).hostname == _CHATGPT:
            notes.append(
                "the agent is logged in to ChatGPT: its requests pass through untouched, at prices rlmc does not "
                "know, and a login pays for no calls of rlmc's own"
            )
        elif gateway is not None:
            url = gateway.base_url
            parts = urlsplit(url)
            # With a secret in it, it cannot be a setting, and is not to be shown.
            bare = "@" not in parts.netloc and not parts.query
            as_set = f" If it bills like {name}: rlmc config set upstream.{vendor}.base-url {url}" if bare else ""
            notes.append(
                f"{url if bare else host(gateway)} was already set and stays the upstream; its prices are unknown "
                f"to rlmc.{as_set}"
            )
    return notes


def budget_notes(session: Session) -> list[str]:
    """What passed budgets did to the session's turns. That one is passed is said with the account."""
    notes = []
    if session.degraded_turns:
        notes.append(f"over budget: {count(session.degraded_turns, 'turn')} ran with the policy economy")
    if session.stopped_turns:
        notes.append(f"over budget: {count(session.stopped_turns, 'turn was', 'turns were')} not sent anywhere")
    parts = session.parts
    idle = no_help(parts.settings, parts.draft_model())
    if idle is not None and session.spending.passed(parts.settings, wall_us()) is not None:
        notes.append(idle)
    return notes
