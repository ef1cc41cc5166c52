"""Every setting there is, in one table: its key, what it means, its default, and what it accepts.

The loader, the writer, the documentation's test and `rlmc config` all read this table; a new setting is an entry here,
a field in `Settings` and a line in `lookup.settings_of`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import field
from decimal import Decimal

from rlmc.config import values
from rlmc.domain.effect import Effect
from rlmc.domain.frozen import dataclass
from rlmc.domain.model import Model

PROTOCOLS: tuple[str, ...] = ("anthropic", "chat", "responses")
BUDGET_ACTIONS: tuple[str, ...] = ("warn", "degrade", "stop")
AUDITS: tuple[str, ...] = ("auto", "on", "off")
AUTO_MODES: tuple[str, ...] = ("direct", "local")
TOOL_EFFECTS: tuple[str, ...] = tuple(effect.value for effect in Effect if effect is not Effect.SHELL_SAFE)

Plain = str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class Key:
    """One setting. `default` is written as a user would write it, None where being unset means something of its own.

    `<name>` in the name of an upstream's key stands for the upstream. `accepts` says in words what values are valid;
    a `Choice` says it itself. `flag` is the command line's word for the setting. `sample` is a valid value for a
    key without a default.
    """

    name: str
    parse: values.Parser
    default: Plain
    meaning: str
    accepts: str = ""
    unit: str | None = None
    flag_name: str | None = None
    sample: str | None = None

    @property
    def example(self) -> Plain:
        """A value that is valid, in TOML's own type."""
        return self.default if self.default is not None else self.sample

    @property
    def allowed(self) -> str:
        words = ", ".join(self.parse.words()) if isinstance(self.parse, values.Choice) else self.accepts
        return f"{words} ({self.unit})" if self.unit else words

    @property
    def flag(self) -> str:
        return self.flag_name or f"--{self.name}"

    @property
    def env(self) -> str:
        """The environment variable, `claude.auto-mode` -> `RLMC_CLAUDE_AUTO_MODE`."""
        return "RLMC_" + self.name.upper().replace("-", "_").replace(".", "_")


@dataclass(frozen=True, slots=True)
class UpstreamSettings:
    """What the user says of one provider; None leaves the built-in provider's own value."""

    base_url: str | None = None
    protocol: str | None = None
    api_key_env: str | None = None


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings, checked. `draft_model` None means: choose by default, unless `draft_off`.

    `verify_model` None means: as the client requests. `port` 0 is a free one; `idle_timeout` 0 is never. `tools` are
    the user's own words on tools, by name.
    """

    draft_model: Model | None
    draft_off: bool
    verify_model: Model | None
    policy: str
    draft_timeout: float
    draft_breaker: int
    max_regression: float
    confidence: float
    audits: str
    audit_rate: float
    allow_login_calls: bool
    claude_auto_mode: str
    brief_tokens: int
    keep_alive: bool
    keyring: bool
    log_content: bool
    port: int
    idle_timeout: float
    body_limit: int
    ledger_max_age: int
    ledger_max_size: int
    budget_session: Decimal | None
    budget_daily: Decimal | None
    budget_action: str
    otel_endpoint: str | None
    upstreams: Mapping[str, UpstreamSettings]
    tools: Mapping[str, Effect] = field(default_factory=dict)


def _policies() -> Collection[str]:
    from rlmc.cascade.policies import NAMES

    return NAMES


_MODEL_FORM = "provider/model, such as deepseek/deepseek-flash"
_YES_NO = "true or false"

KEYS: tuple[Key, ...] = (
    Key(
        "draft-model",
        values.ModelName(("auto", "none")),
        "auto",
        "The cheap model that proposes. auto: the cheapest current model of the client's own API key; none: no drafts",
        f"{_MODEL_FORM}; auto; none",
    ),
    Key(
        "verify-model",
        values.ModelName(("as-requested",)),
        "as-requested",
        "The capable model that decides. as-requested: the one the client asks for",
        f"{_MODEL_FORM.replace('deepseek/deepseek-flash', 'anthropic/claude-opus-5-5')}; as-requested",
    ),
    Key(
        "policy",
        values.Choice(_policies),
        "balanced",
        "How turns are routed between the two models",
    ),
    Key(
        "draft-timeout",
        values.Seconds(3600),
        30,
        "How long a draft may take before the turn goes direct",
        "more than 0, at most 3600",
        "seconds",
    ),
    Key(
        "draft-breaker",
        values.Whole(0, 100),
        3,
        "How many failures in a row pause a draft model; it is tried again after 15 seconds, then less and less often."
        " 0: none do",
        "0 to 100",
    ),
    Key(
        "max-regression",
        values.Percent("0.1", "50"),
        2,
        "How many turns may be worse for their draft, as a share of all turns; what drafts may do is adjusted to it",
        "0.1 to 50, with or without %",
        "percent",
    ),
    Key(
        "confidence",
        values.Percent("50", "99.9"),
        95,
        "How sure the bound on that share is to hold, however often it is looked at",
        "50 to 99.9, with or without %",
        "percent",
    ),
    Key(
        "audits",
        values.Choice(lambda: AUDITS),
        "auto",
        "Whether drafts that were served are audited. auto: where calls are paid for one by one, so not with a"
        " subscription login, nor where the verify model runs on this machine",
    ),
    Key(
        "audit-rate",
        values.Percent("3", "100"),
        4,
        "How many of the turns a draft answered are answered once more by the verify model, and compared",
        "3 to 100, with or without %",
        "percent",
    ),
    Key(
        "allow-login-calls",
        values.boolean,
        False,
        "Whether a subscription login may pay for calls of rlmc's own: drafts by Claude, verifications",
        _YES_NO,
    ),
    Key(
        "claude.auto-mode",
        values.Choice(lambda: AUTO_MODES),
        "direct",
        "Turns of Claude Code's auto mode. direct: never drafted; local: a drafted read may leave the check to it",
    ),
    Key(
        "brief-tokens",
        values.Whole(1000, 16000),
        4000,
        "How long a brief verification may be: the compact context on which the verify model judges one drafted step",
        "1000 to 16000",
        "tokens",
    ),
    Key(
        "keep-alive",
        values.boolean,
        False,
        "Whether the verify model's cache is kept warm by a call that answers nothing, where that is expected to pay",
        _YES_NO,
    ),
    Key(
        "keyring",
        values.boolean,
        False,
        "Whether keys that no environment variable holds are looked for in the system's keyring",
        _YES_NO,
    ),
    Key(
        "log-content",
        values.boolean,
        False,
        "Whether the ledger also keeps prompts and answers",
        _YES_NO,
    ),
    Key(
        "port",
        values.Whole(0, 65535),
        0,
        "The port the daemon listens on, on 127.0.0.1. 0: a free one",
        "0 to 65535",
    ),
    Key(
        "idle-timeout",
        values.Seconds(366 * 86400, zero=True),
        1800,
        "How long a daemon without sessions waits before it ends itself. 0: it never does",
        "0 or more",
        "seconds",
    ),
    Key(
        "body-limit",
        values.Size(1024, 1024**3),
        33554432,
        "The largest request body that is accepted",
        "1KiB to 1GiB, plain or with a unit such as 32MiB",
        "bytes",
    ),
    Key(
        "ledger.max-age",
        values.Whole(0, 36500),
        0,
        "How long the ledger keeps a session after its last turn. 0: for ever",
        "0 to 36500",
        "days",
    ),
    Key(
        "ledger.max-size",
        values.Size(16 * 1024**2, 1024**4),
        2 * 1024**3,
        "How large the ledger may grow before its oldest sessions are removed",
        "16MiB to 1TiB, plain or with a unit such as 500MiB",
        "bytes",
    ),
    Key(
        "budget.session",
        values.Dollars(1_000_000),
        None,
        "What a session may cost; budget.action says what happens once it costs more",
        "0.01 to 1000000",
        "dollars",
        "--budget",
        sample="5.00",
    ),
    Key(
        "budget.daily",
        values.Dollars(1_000_000),
        None,
        "What the sessions of a day may cost together, from midnight to midnight",
        "0.01 to 1000000",
        "dollars",
        sample="20.00",
    ),
    Key(
        "budget.action",
        values.Choice(lambda: BUDGET_ACTIONS),
        "warn",
        "Once a budget is passed. warn: it is said; degrade: turns run with the policy economy; stop: no turn is sent",
    ),
    Key(
        "otel.endpoint",
        values.collector_url,
        None,
        "Where the daemon sends traces and metrics by OTLP over HTTP. Unset: nowhere",
        "an absolute http or https URL without /v1/traces, credentials or a query",
        sample="http://127.0.0.1:4318",
    ),
)

UPSTREAM_KEYS: tuple[Key, ...] = (
    Key(
        "upstream.<name>.base-url",
        values.base_url,
        None,
        "Where this provider's API is; what an SDK of its protocol would call its base URL",
        "an absolute http or https URL without credentials or a query",
        sample="https://gateway.example.com",
    ),
    Key(
        "upstream.<name>.protocol",
        values.Choice(lambda: PROTOCOLS),
        None,
        "The protocol this provider speaks: Messages, Chat Completions or Responses",
        sample="anthropic",
    ),
    Key(
        "upstream.<name>.api-key-env",
        values.env_name,
        None,
        "The name of the environment variable that holds this provider's key",
        "letters, digits and _, not starting with a digit",
        sample="MY_PROVIDER_API_KEY",
    ),
)

TOOL_KEYS: tuple[Key, ...] = (
    Key(
        "tools.<name>",
        values.Choice(lambda: TOOL_EFFECTS),
        None,
        "What calls of this tool do, where rlmc cannot know; a name may end in * for all that begin so",
        sample="read",
    ),
)
