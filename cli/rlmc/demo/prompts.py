"""What the demo agent sends besides the conversation: system text, tools, project rules. As large as in a real agent.

Real agents carry some 25,000 tokens before the first word of the user. That weight is where the money goes, so a
demonstration without it would show the wrong figures.
"""

from __future__ import annotations

from itertools import cycle, islice, product
from typing import Any

from rlmc.demo.project import ROOT

IDENTITY = "You are the demo agent of rlmc, a scripted coding agent that works on a made-up project."

_MANNERS = (
    "Read a file before you change it.",
    "Keep a change as small as the task allows.",
    "Say what you did in one or two sentences.",
    "Run the tests after a change and before you report.",
    "Ask when a request can be read in two ways.",
    "Prefer the project's own helpers over new ones.",
    "Leave files alone that the task does not need.",
    "Use paths exactly as a search has shown them.",
)
_SUBJECTS = (
    "names",
    "errors",
    "tests",
    "money",
    "dates",
    "weights",
    "addresses",
    "labels",
    "rates",
    "settings",
    "logs",
)
_RULES = (
    "Code about {0} lives next to the tests that cover {0}; a new case gets a test first.",
    "Values of {0} are checked where they enter, and trusted inside.",
    "A change to {0} is described in the changelog in one line, in the words of a customer.",
    "Nothing about {0} is read from the network while an order is being placed.",
    "When {0} are rounded, the rule for it is written down beside the function that rounds.",
    "Old spellings of {0} stay readable for one release, with a warning that names the new one.",
    "Tables of {0} are sorted by country, then by service, so that a diff stays readable.",
    "Two teams work on {0}; ask the packing room before you remove a column.",
    "Sizes and limits of {0} have their unit in the name.",
    "Figures of {0} that come from a carrier carry the date they were taken over.",
)
_NOTES = (
    "{0}: give complete arguments; a call with a missing one is refused and costs a turn.",
    "{0}: paths are absolute. Relative ones are taken from the project's folder and reported back.",
    "{0}: output over 30,000 characters is cut in the middle, with a note that says how much is gone.",
    "{0}: independent calls may stand in one answer; they run side by side and come back in order.",
    "{0}: results are shown to the user in short form, so repeat what matters in your own words.",
    "{0}: a call that fails tells why; do not repeat it unchanged.",
    "{0}: times are in milliseconds and sizes in bytes unless the name of the argument says otherwise.",
    "{0}: the user may decline a call; take that as an answer, not as an error.",
    "{0}: files that were not read in this conversation are refused, because their content may have changed.",
    "{0}: quote what a search has to find exactly; special characters are taken literally.",
)

_TEXT = {"type": "string"}
_TODO = {
    "type": "object",
    "properties": {
        "content": {"type": "string", "minLength": 1},
        "status": {"type": "string", "enum": ["pending", "in_progress", "completed"]},
        "activeForm": {"type": "string", "minLength": 1},
    },
    "required": ["content", "status", "activeForm"],
    "additionalProperties": False,
}
_TOOLS: dict[str, tuple[str, dict[str, Any], list[str]]] = {
    "Bash": (
        "Runs a shell command.",
        {"command": _TEXT, "description": _TEXT, "timeout": {"type": "number"}},
        ["command"],
    ),
    "Edit": (
        "Replaces a text that occurs exactly once in a file.",
        {
            "file_path": _TEXT,
            "old_string": _TEXT,
            "new_string": _TEXT,
            "replace_all": {"type": "boolean", "default": False},
        },
        ["file_path", "old_string", "new_string"],
    ),
    "Glob": ("Lists files by pattern.", {"pattern": _TEXT, "path": _TEXT}, ["pattern"]),
    "Grep": ("Finds files that contain a text.", {"pattern": _TEXT, "path": _TEXT}, ["pattern"]),
    "Read": (
        "Reads a file, with line numbers.",
        {"file_path": _TEXT, "offset": {"type": "integer"}, "limit": {"type": "integer"}},
        ["file_path"],
    ),
    "TodoWrite": ("Keeps the list of steps of the task.", {"todos": {"type": "array", "items": _TODO}}, ["todos"]),
    "Write": ("Writes a whole file.", {"file_path": _TEXT, "content": _TEXT}, ["file_path", "content"]),
}


def system() -> list[dict[str, Any]]:
    manners = "\n".join(f"- {m}" for m in _MANNERS)
    environment = f"# Environment\nWorking directory: {ROOT}\nPlatform: none, this is a demonstration"
    return [
        {"type": "text", "text": IDENTITY, "cache_control": {"type": "ephemeral"}},
        {
            "type": "text",
            "text": f"# How to work\n{manners}\n\n{environment}\n\n# House style\n{_lines(_RULES, 260)}",
            "cache_control": {"type": "ephemeral"},
        },
    ]


def tools() -> list[dict[str, Any]]:
    return [
        {
            "name": name,
            "description": f"{what}\n{_lines(_NOTES, 48, [f'{name}, {s}' for s in _SUBJECTS])}",
            "input_schema": {
                "type": "object",
                "properties": properties,
                "required": required,
                "additionalProperties": False,
            },
        }
        for name, (what, properties, required) in _TOOLS.items()
    ]


def reminder() -> str:
    """The project's own rules, which agents put in front of the user's first words."""
    return f"<system-reminder>\n# Rules of this project\n{_lines(_RULES, 360)}\n</system-reminder>"


def _lines(templates: tuple[str, ...], count: int, words: list[str] | None = None) -> str:
    """`count` numbered lines; every template with every word, over again when they run out."""
    pairs = islice(cycle(product(words or _SUBJECTS, templates)), count)
    return "\n".join(f"{n}. {template.format(word)}" for n, (word, template) in enumerate(pairs, 1))
