"""The check of a coding task: the code in the answer, then the task's tests, in the sandbox."""

from __future__ import annotations

import re

from rlmc.bench.sandbox import passes
from rlmc.bench.task import Answer, Verdict
from rlmc.domain.frozen import dataclass

ASK = "Answer with the whole function, and the imports it needs, in one Python code block."

_BLOCK = re.compile(r"^[ \t]*```[ \t]*(\w*)[^\n]*\n(.*?)^[ \t]*```", re.DOTALL | re.MULTILINE)


def code_in(text: str, function: str) -> str | None:
    """The last code block that defines the function; where there is no block at all, the whole text."""
    blocks = [code for language, code in _BLOCK.findall(text) if language.lower() in ("", "py", "python", "python3")]
    defines = re.compile(rf"^\s*(?:async\s+)?def\s+{re.escape(function)}\b", re.MULTILINE)
    found = [code for code in (blocks or [text]) if defines.search(code)]
    return found[-1] if found else None


@dataclass(frozen=True, slots=True)
class Program:
    """`before` is what the task itself gives, such as imports; `tests` are statements that fail by an error."""

    function: str
    tests: str
    before: str = ""

    def __call__(self, answer: Answer) -> Verdict:
        code = code_in(answer.text, self.function)
        if code is None:
            return Verdict(False, "no such function")
        return passes(f"{self.before}\n{code}\n{self.tests}\n")
