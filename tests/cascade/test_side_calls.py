"""Which calls are no work: told by the words of agents that say nothing in headers."""

from __future__ import annotations

import pytest
from tests.support.playbook import Play, after, called, request, result, says, system, turn, user, with_hints

from rlmc.cascade.signals import Past, read_signals
from rlmc.domain.chat import ChatRequest

TITLE = "You are a title generator. You output ONLY a thread title. Nothing else."
COMMIT = (
    "You are an expert software engineer that generates concise, one-line Git commit messages based on the provided "
    "diffs.\nReview the provided context and diffs which are about to be committed to a git repo."
)
SUMMARY = "Summarize what was done in this conversation. Write like a pull request description."
GUARDIAN = "You are judging one planned coding-agent action.\nAssess the exact action's intrinsic risk"
REVIEW = "You are performing a risk assessment of a coding-agent sandbox escalation."
QWEN_CLASSIFIER = "You are a security classifier for an AI coding agent operating in auto mode."
AIDER = "Act as an expert software developer.\nAlways use best practices when coding."
POLICIES = ("balanced", "economy", "careful", "draft-only", "paper")


def kinds(of: ChatRequest) -> tuple[bool, bool, bool]:
    """Whether it is a side call, a compaction, a judgement."""
    found = read_signals(turn(of), Past())
    return found.auxiliary, found.compaction, found.classifier


def bare(head: str, *, stream: bool = True) -> ChatRequest:
    return request(user("…"), tools=(), system_head=head, stream=stream)


@pytest.mark.parametrize("head", [TITLE, f"  {TITLE}", COMMIT, SUMMARY])
@pytest.mark.parametrize("stream", [True, False])
def test_titles_summaries_and_commit_messages_are_side_calls(head: str, stream: bool) -> None:
    assert kinds(bare(head, stream=stream)) == (True, False, False)
    for policy in ("balanced", "economy", "careful"):
        Play(bare(head, stream=stream), policy).expect("draft").reply(says("A title")).ends("skipped", "auxiliary")


@pytest.mark.parametrize("head", [TITLE, COMMIT])
def test_with_tools_or_other_words_before_it_is_work(head: str) -> None:
    assert kinds(after("Read", system_head=head)) == (False, False, False)
    assert kinds(bare(f"You are an agent. Never say: {head}")) == (False, False, False)
    assert not read_signals(with_hints(bare(head), request_class="main"), Past()).auxiliary


@pytest.mark.parametrize(
    "head",
    [
        "You are an anchored context summarization assistant for coding sessions.",
        "You are a helpful AI assistant tasked with summarizing conversations.",
        "You are performing a CONTEXT CHECKPOINT COMPACTION. Create a handoff summary",
        "You are the component that summarizes internal chat history into a given structure.",
        "*Briefly* summarize this partial conversation about programming.",
    ],
)
def test_a_text_that_takes_the_place_of_the_history_is_a_compaction(head: str) -> None:
    for policy in POLICIES:
        Play(bare(head), policy).ends("direct", "compaction")


@pytest.mark.parametrize(
    "asked",
    [
        "You are performing a CONTEXT CHECKPOINT COMPACTION. Create a handoff summary for another LLM",
        "First, reason in your scratchpad. Then, generate the <state_snapshot>.",
        "Provide a detailed prompt for continuing our conversation above.",
    ],
)
def test_a_compaction_may_be_asked_for_at_the_end(asked: str) -> None:
    Play(request(user("Fix it."), called("Read"), result(), user(asked))).ends("direct", "compaction")
    assert kinds(request(user("Fix it."), called("Read"), result())) == (False, False, False)


@pytest.mark.parametrize(
    "asked",
    [
        bare(GUARDIAN),
        bare(REVIEW, stream=False),
        bare(QWEN_CLASSIFIER),
        bare("You are the Guardian. Decide whether the action is allowed."),
        bare(f"{TITLE} {QWEN_CLASSIFIER}"),
        after("Read", system_head=GUARDIAN),
        request(user(GUARDIAN), tools=()),
        request(system(GUARDIAN), user("The action: rm -rf /")),
        request(user("The following is the Codex agent history whose request action you are assessing.", "…")),
        request(user(">>> APPROVAL REQUEST START\nPlanned action JSON:\n{}"), called("Read"), result()),
    ],
)
@pytest.mark.parametrize("policy", POLICIES)
def test_a_judgement_is_never_drafted(asked: ChatRequest, policy: str) -> None:
    Play(asked, policy).ends("direct", "classifier")


@pytest.mark.parametrize(
    "head",
    [
        "You are Codex, an agent based on GPT-6.",
        "You are opencode, an interactive CLI tool that helps users with software engineering tasks.",
        "You are Qwen Code, a non-interactive CLI agent.",
        f"You are a coding agent.\n{'x' * 300}\nWrite a guardian for the risk assessment of loans.",
        AIDER,
        "",
    ],
)
def test_work_is_taken_for_work(head: str) -> None:
    assert kinds(after("Read", system_head=head)) == (False, False, False)
    assert kinds(bare(head, stream=False)) == (False, False, False)


@pytest.mark.parametrize("stream", [True, False])
def test_a_chat_without_tools_is_work_and_goes_direct(stream: bool) -> None:
    """aider's edits are text: what it is answered changes files."""
    first = request(user("Use math.factorial."), tools=(), system_head=AIDER, stream=stream)
    Play(first).ends("direct", "first-turn")
    Play(first, "careful").ends("direct", "first-turn")
    Play(first, "economy").ends("direct", "first-turn")
    Play(first, past=Past(turns=3)).ends("direct", "first-turn")
    Play(first, "economy", Past(turns=3)).ends("direct", "unsure")
