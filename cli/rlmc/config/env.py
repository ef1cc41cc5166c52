"""Environment variables that are no settings."""

from __future__ import annotations

DEBUG_ENV = "RLMC_DEBUG"
"""Read by the way in, before any setting is."""
SESSION_ENV = "RLMC_SESSION"
"""Set for the agent and what it starts: the id of the session. It is no secret, and opens nothing."""

TOKEN_ENV = "RLMC_TOKEN"  # noqa: S105  # a variable's name
"""Holds a session's token for agents that are not given it in a URL."""
TOKEN_HEADER = "x-rlmc-token"  # noqa: S105  # a header's name
"""Carries a session's token where the path does not; a secret of this machine's, which goes nowhere else."""

BEFORE_ENVS = {"anthropic": "RLMC_BEFORE_ANTHROPIC", "openai": "RLMC_BEFORE_OPENAI"}
"""By vendor, where the environment pointed before rlmc's own address took that place: what is started inside a session
goes on to the same upstream."""
NOT_SETTINGS = (DEBUG_ENV, SESSION_ENV, TOKEN_ENV, *BEFORE_ENVS.values())
