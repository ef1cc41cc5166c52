"""Environment variables that are no settings."""

from __future__ import annotations

DEBUG_ENV = "RLMC_DEBUG"
"""Read by the way in, before any setting is."""
SESSION_ENV = "RLMC_SESSION"
"""Set for the agent and what it starts: the id of the session. It is no secret, and opens nothing."""
