"""The demo agent's tools, run against the project in memory. Nothing on disk is touched, no command is started."""

from __future__ import annotations

import fnmatch
from dataclasses import dataclass, field
from typing import Any

from rlmc.demo.project import ROOT, files

# What the pretended test run looks for: tests fail until these lines stand in their files.
_EXPECTED = {"src/parcel/fees.py": "return round(amount, 2)"}


@dataclass
class Workspace:
    files: dict[str, str] = field(default_factory=files)

    def run(self, tool: str, arguments: dict[str, Any]) -> tuple[str, bool]:
        """A tool call's result, and whether it is an error."""
        try:
            match tool:
                case "Read":
                    return self._read(arguments["file_path"]), False
                case "Grep":
                    return self._grep(arguments["pattern"]), False
                case "Glob":
                    return self._glob(arguments["pattern"]), False
                case "Edit":
                    return self._edit(arguments["file_path"], arguments["old_string"], arguments["new_string"]), False
                case "Write":
                    self.files[arguments["file_path"]] = arguments["content"]
                    return "File written.", False
                case "TodoWrite":
                    return "The list is updated. Go on with the next item.", False
                case "Bash":
                    return self._shell(arguments["command"]), False
        except (KeyError, ValueError) as error:
            return f"Error: {error.args[0]}", True
        return f"Error: no tool {tool}", True

    def _read(self, path: str) -> str:
        if path not in self.files:
            raise ValueError(f"{path} does not exist")
        lines = self.files[path].split("\n")
        return "\n".join(f"{n:>6}\t{line}" for n, line in enumerate(lines, 1))

    def _grep(self, pattern: str) -> str:
        """Files that hold the words of the pattern; like a search tool that lists files."""
        wanted = pattern.replace("\\", "").lower()
        found = sorted(
            ((text.lower().count(wanted), path) for path, text in self.files.items() if wanted in text.lower()),
            key=lambda hit: (-hit[0], hit[1]),
        )
        return "\n".join([f"Found {len(found)} files", *(path for _, path in found)]) if found else "No files found"

    def _glob(self, pattern: str) -> str:
        return (
            "\n".join(p for p in self.files if fnmatch.fnmatch(p.removeprefix(ROOT + "/"), pattern)) or "No files found"
        )

    def _edit(self, path: str, old: str, new: str) -> str:
        count = self.files[path].count(old)
        if count != 1:
            raise ValueError(f"the text to replace occurs {count} times in {path}")
        self.files[path] = self.files[path].replace(old, new)
        return f"The file {path} has been updated."

    def _shell(self, command: str) -> str:
        if "pytest" in command:
            return self._tests()
        if command.startswith("ls"):
            return "\n".join(p.removeprefix(ROOT + "/") for p in self.files)
        raise ValueError(f"the demo's shell cannot run {command!r}")

    def _tests(self) -> str:
        wrong = [p for p, line in _EXPECTED.items() if line not in self.files[f"{ROOT}/{p}"]]
        dots = "." * 58
        lines = [f"tests/test_fees.py {dots} [ 50%]", f"tests/test_labels.py {dots} [100%]", ""]
        if wrong:
            lines += ["E       assert 6 == 6.18", f"FAILED tests/test_fees.py - see {wrong[0]}"]
        passed = 116 - len(wrong)
        return "\n".join(
            [*lines, f"{len(wrong)} failed, {passed} passed in 1.91s" if wrong else f"{passed} passed in 1.87s"]
        )
