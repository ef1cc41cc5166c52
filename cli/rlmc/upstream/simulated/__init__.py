"""The embedded models: an Anthropic API played inside this process. Deterministic, offline, labelled as simulated."""

from rlmc.upstream.simulated.transport import SimulatedTransport

__all__ = ["SimulatedTransport"]
