"""What a protocol, or a model, has no place for, said in words."""

from __future__ import annotations

from rlmc.domain.chat import Text
from rlmc.domain.prompt import Attachment, OutputFormat, PromptMessage, PromptPart


def reminder(text: str) -> str:
    """An operator's words in a user's mouth, marked as what they are."""
    return f"<system-reminder>\n{text}\n</system-reminder>"


def fold_system(messages: tuple[PromptMessage, ...]) -> tuple[PromptMessage, ...]:
    """The conversation with what the operator said in between at the end of the user's words before it."""
    folded: list[tuple[str, list[PromptPart]]] = []
    for message in messages:
        role, parts = message.role, list(message.parts)
        if role == "system":
            role, parts = "user", [Text(reminder(part.text)) for part in parts if isinstance(part, Text)]
        if folded and folded[-1][0] == role:
            folded[-1][1].extend(parts)
        else:
            folded.append((role, parts))
    return tuple(PromptMessage(role, tuple(parts)) for role, parts in folded)  # type: ignore[arg-type]


def format_in_words(output: OutputFormat) -> str:
    """For a provider that knows no output format; whether it complied is for the gate to see."""
    if output.schema.strip() == b"{}":
        return "Answer with one JSON object, and with nothing else."
    schema = output.schema.decode("utf-8", "replace")
    return f"Answer with one JSON value that satisfies this JSON Schema, and with nothing else:\n{schema}"


def unseen(attachment: Attachment) -> str:
    """For a model that cannot look."""
    named = f" {attachment.name}" if attachment.name else ""
    return f"[{attachment.kind}{named} not shown]"


def choice_in_words(choice: str | None, tool: str) -> str:
    """For a model that cannot be told which tool to call; empty where there is nothing to say."""
    if choice == "none":
        return "(Answer without calling a tool.)"
    if choice in ("any", "tool"):
        return f"(Answer with a call of {f'the tool `{tool}`' if choice == 'tool' else 'one of the tools'}.)"
    return ""
