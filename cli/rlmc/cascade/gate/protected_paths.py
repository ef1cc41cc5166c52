"""Paths no draft may write to: what runs by itself, what steers an agent, what holds keys, what only tools write.

Rule: names alone decide, in any case of letters. A refusal costs a call of the verify model and nothing else.
"""

from __future__ import annotations

import re
from itertools import pairwise
from unicodedata import category, normalize

_FOLDERS = frozenset(
    {
        *(".git", ".hg", ".svn", ".husky", ".circleci", ".devcontainer"),
        *(".claude", ".codex", ".opencode", ".cursor", ".gemini", ".qwen", ".vscode", ".idea", ".zed", ".fleet"),
        *(
            ".agents",
            ".aider",
            ".amazonq",
            ".augment",
            ".clinerules",
            ".continue",
            ".junie",
            ".kiro",
            ".roo",
            ".windsurf",
        ),
        *(
            ".buildkite",
            ".woodpecker",
            ".teamcity",
            ".gitea",
            ".forgejo",
            "node_modules",
            "site-packages",
            ".venv",
            "venv",
        ),
        *(".ssh", ".gnupg", ".aws", ".azure", ".kube", ".docker"),
    }
)
_FOLDER_PAIRS = frozenset({(".github", "workflows"), (".github", "actions")})
_SYSTEM = re.compile(r"(?:/private)?/(?:etc|bin|sbin|lib\d*|boot|dev|proc|sys|usr/(?:local/)?s?bin|usr/lib\d*)/")
_HIDDEN_AT_HOME = re.compile(r"(?:[a-z]:)?/(?:home/[^/]+|users/[^/]+|root)/\.")

_STEERING = frozenset(
    {
        *("claude.md", "claude.local.md", "agents.md", "agent.md", "gemini.md", "qwen.md", ".cursorrules"),
        *("settings.json", "settings.local.json", ".mcp.json", "opencode.json", "opencode.jsonc"),
        *("copilot-instructions.md", "skill.md", ".windsurfrules", ".clinerules", ".goosehints", ".aider.conf.yml"),
        *(
            ".gitlab-ci.yml",
            ".pre-commit-config.yaml",
            ".gitmodules",
            ".gitattributes",
            "lefthook.yml",
            ".lintstagedrc",
        ),
        *(".travis.yml", ".drone.yml", "azure-pipelines.yml", "bitbucket-pipelines.yml", "jenkinsfile", "appveyor.yml"),
        *("sitecustomize.py", "usercustomize.py"),
    }
)
# Start-up and login files keep their names wherever they are.
_PERSONAL = re.compile(
    r"\.(?:bash\w*|zsh\w*|zprofile|zlogin|profile|login|kshrc|cshrc|inputrc|gitconfig|npmrc|yarnrc(?:\.yml)?|pypirc|netrc"
    r"|curlrc|wgetrc|vimrc|tmux\.conf|condarc|envrc|git-credentials)|\.env.*|.*\.(?:pem|key|p12|pfx|keystore)"
    r"|id_(?:rsa|dsa|ecdsa|ed25519)\w*|.*\.pth"
)
_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]+:/")
_SHORT = re.compile(r"~\d")
_LOCK = re.compile(r".*[.-]lock(?:\.(?:json|ya?ml|hcl))?|.*\.lockb|npm-shrinkwrap\.json|go\.sum|package\.resolved")


def problem_with(path: str) -> str | None:
    """Why a draft may not write there; None when nothing speaks against it."""
    # Some systems take letters that fold to the same ones for the same, and pass over those nobody sees.
    plain = normalize("NFKC", path.replace("\\", "/")).casefold()
    if any(category(c)[0] == "C" or category(c) in ("Zl", "Zp") for c in path):
        return "the path holds control characters"
    if _ADDRESS.match(plain) or path.startswith("\\\\"):
        return "the path leads somewhere else"
    # Windows drops dots and blanks at the end of a name, and has short names for long ones.
    steps = [step.rstrip(". ") or step for step in plain.split("/")]
    if any(_SHORT.search(step) for step in steps):
        return "the path leads somewhere else"
    if ".." in steps or steps[0].startswith("~"):
        return "the path leads somewhere else"
    folders, name = steps[:-1], steps[-1]
    if not name:
        return "the path names no file"
    if not _FOLDERS.isdisjoint(folders) or not _FOLDER_PAIRS.isdisjoint(pairwise(folders)):
        return "the path lies in a protected folder"
    if _SYSTEM.match(plain) or _HIDDEN_AT_HOME.match(plain):
        return "the path belongs to the system or the user's own settings"
    if name in _STEERING or _PERSONAL.fullmatch(name):
        return "the file steers agents or holds keys or settings"
    if _LOCK.fullmatch(name):
        return "the file is a lock file"
    return None
