"""How a turn ended up being answered, and why."""

from __future__ import annotations

from enum import StrEnum


class Outcome(StrEnum):
    """How a turn ended up being answered. The four words of the published system."""

    SKIPPED = "skipped"
    ACCEPTED = "accepted"
    ENHANCED = "enhanced"
    DIRECT = "direct"


class Reason(StrEnum):
    """Why a turn had its outcome. Every turn has exactly one; docs/routing.md explains each."""

    # the route a policy chose
    POLICY = "policy"  # the policy sends every turn this way (verify-only, draft-only)
    AUXILIARY = "auxiliary"  # a side call of the client: a title, a summary
    AFTER_READ = "after-read"  # the turn follows reads, searches or planning
    AFTER_EDIT = "after-edit"  # the turn follows edits or shell
    STRETCH = "stretch"  # economy: the task stays with the draft model
    SIMPLE = "simple"  # paper: no complexity signal
    COMPLEX = "complex"  # paper: a complexity keyword, or a long prompt
    TOOLS = "tools"  # paper: the request carries tools
    LONG_DRAFT = "long-draft"  # a long text draft is worth a verification
    TERMINAL = "terminal"  # a draft that ends a task is verified
    FIRST_TURN = "first-turn"  # first turn of a task
    AFTER_ERROR = "after-error"  # a tool just failed
    HARD_TASK = "hard-task"  # economy: the first turn of a task that looks hard
    UNPROFITABLE = "unprofitable"  # a draft is expected to cost more than it saves
    UNSURE = "unsure"  # nothing says that a draft would do
    # what audits have taught
    REGRESSION = "regression"  # the draft was expected to save less than its risk of being worse is worth
    QUALITY_STOP = "quality-stop"  # several audited drafts in a row were materially worse; the user is to look
    # hard gates: direct in every policy
    SAFEGUARDS = "safeguards"  # the server is asked to judge tool calls; only the verify model's can
    CLASSIFIER = "classifier"  # a safety classifier's call
    MANUAL_THINKING = "manual-thinking"  # the next turn would need reasoning that nobody else can give
    MEDIA = "media"  # images or documents the draft model cannot read
    COMPACTION = "compaction"  # the client compacts its history
    FORCED_TOOL = "forced-tool"  # tool_choice forces a call
    SERVER_TOOLS = "server-tools"  # tools that run at the provider, blocks only it can read, or answers it keeps
    PREWARM = "prewarm"  # max_tokens 0: the client warms a cache
    TOO_LONG = "too-long"  # the prompt does not fit the draft model
    SAME_MODEL = "same-model"  # draft and verify model are the same
    NO_DRAFT_MODEL = "no-draft-model"  # none is set and none can be chosen
    NO_DRAFT_KEY = "no-draft-key"  # no credential for the draft model
    DRAFT_PAUSED = "draft-paused"  # the draft model has failed several times in a row, and is left alone for a while
    LOGIN = "login"  # a subscription login is never used for calls of rlmc's own
    BUDGET = "budget"  # a budget is passed, and the user wants nothing sent then
    UNREADABLE = "unreadable"  # the request has a shape this version does not know
    UNDECIDED = "undecided"  # the client hung up before there was an answer
    INTERNAL = "internal"  # rlmc itself failed; the log says how
    # what became of a draft
    DRAFT_FAILED = "draft-failed"  # the draft call failed or was too slow
    GATE = "gate"  # the gate refused the draft
    NO_VERDICT = "no-verdict"  # the verify model gave no usable verdict
    VERDICT = "verdict"  # the verify model decided
    BRIEF = "brief"  # the verify model accepted the draft on a compact context
    BRIEF_REFUSED = "brief-refused"  # it did not, or could not be asked
    NOT_VERIFIABLE = "not-verifiable"  # a verification would break the conversation or its cache
