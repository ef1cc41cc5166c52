"""A new session as it is told to the daemon, and the plan for its agent: what `rlmc run` and `rlmc env` share."""

from __future__ import annotations

import secrets
import sys
from collections.abc import Mapping
from dataclasses import field
from pathlib import Path, PurePosixPath

from rlmc.config.load import Config, overrides_from
from rlmc.config.paths import home
from rlmc.config.schema import Settings
from rlmc.daemon.control import Registration
from rlmc.daemon.lifecycle import PortWish
from rlmc.domain.frozen import dataclass
from rlmc.launch.base_url import own_origin, session_base_url
from rlmc.launch.environment import keys_of, network_of
from rlmc.launch.files import DiskFiles
from rlmc.launch.git import branch_of
from rlmc.launch.integration import Integration, LaunchPlan, LaunchRequest
from rlmc.upstream.providers import api_key_envs, names


@dataclass(frozen=True, slots=True)
class Opening:
    """The session's id and token stay what they are, wherever a daemon is found. `flags` are settings by key;
    `bound_pid` is the process it ends with, where nobody waits for it, `stored` keys that the environment lacks."""

    argv: tuple[str, ...]
    flags: Mapping[str, str]
    name: str | None
    integration: Integration
    environ: Mapping[str, str] = field(repr=False)
    directory: Path
    bound_pid: int | None = None
    stored: Mapping[str, str] = field(default_factory=dict, repr=False)
    id: str = field(default_factory=lambda: secrets.token_hex(8))
    token: str = field(default_factory=lambda: secrets.token_urlsafe(24), repr=False)

    def at(self, port: int, settings: Settings) -> tuple[LaunchPlan, Registration]:
        """For a daemon that listens on `port`."""
        request = LaunchRequest(
            argv=self.argv,
            environ=self.environ,
            directory=str(self.directory),
            base_url=session_base_url(port, self.token),
            origin=own_origin(port),
            token=self.token,
            draft_model=None if settings.draft_model is None else str(settings.draft_model),
            verify_model=None if settings.verify_model is None else str(settings.verify_model),
            platform=sys.platform,
        )
        plan = self.integration.plan(request, DiskFiles())
        program = PurePosixPath(self.argv[0]).name
        own_keys = {own.api_key_env for own in settings.upstreams.values() if own.api_key_env}
        return plan, Registration(
            id=self.id,
            token=self.token,
            client=program if self.integration.name == "generic" else self.integration.name,
            name=self.name,
            directory=str(self.directory),
            git_branch=branch_of(self.directory),
            overrides=overrides_from(self.environ, self.flags, names()),
            upstreams=plan.upstreams,
            protocol=plan.protocol,
            keys={**self.stored, **keys_of(plan.seen, api_key_envs() | own_keys)},
            network=network_of(plan.seen),
            bound_pid=self.bound_pid,
        )


def wished_port(config: Config) -> PortWish:
    """The port in force and where it is set."""
    source = next((entry.source for entry in config.entries if entry.key == "port"), "default")
    return PortWish(config.settings.port, source)


def working_directory() -> Path:
    try:
        return Path.cwd()
    except OSError:  # removed under us; the child will cope or complain
        return home()
