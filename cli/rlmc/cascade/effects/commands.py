"""Whether one command, its words known, is no more than a look at things or a check of the project.

Rule: a program is looked up by its name, and only where the name is sure to mean it: as it is found in the user's path,
in a folder of the system, or among the tools a project has installed. What is not found is not allowed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from rlmc.cascade.effects import checkers, git
from rlmc.cascade.effects.private import leads_to_secrets
from rlmc.cascade.effects.programs import PROGRAMS, jq
from rlmc.cascade.effects.readers import ALWAYS, READERS, VERSIONS
from rlmc.cascade.effects.rules import Rule, after_options, fits, rule
from rlmc.cascade.effects.words import UNKNOWN, Word, is_secret

Words = Sequence[Word]

_NAME = r"([A-Za-z0-9_][A-Za-z0-9_.+-]*|:)"
_SYSTEM = re.compile(rf"(?:(?:/usr(?:/local)?|/opt/homebrew)?/bin/)?{_NAME}")
# Not where every user of the machine may put a file, nor where others' files lie in a project.
_PROJECT = re.compile(
    r"(?!/(?:private/)?(?:tmp|var/tmp|dev)/)/?(?:(?!(?:node_modules|vendor|third_party)/)[A-Za-z0-9_@.+-]+/)*"
    rf"(?:\.?venv/bin|node_modules/\.bin|vendor/bin)/{_NAME}"
)
_NAMED = re.compile(_NAME)
_PYTHON = re.compile(r"python(?:3(?:\.\d+)?)?")

_ENDLESS = frozenset({"/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/tty", "/dev/console"})

# Variables a command may be given: they change how it looks, not what it does.
ENVIRONMENT: Mapping[str, re.Pattern[str]] = {
    **dict.fromkeys(
        ("CI", "NODE_ENV", "FORCE_COLOR", "NO_COLOR", "CLICOLOR", "COLUMNS", "LINES", "LANG", "LC_ALL", "LC_CTYPE"),
        re.compile(r"[\w.@-]*"),
    ),
    **dict.fromkeys(
        ("PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED", "GIT_OPTIONAL_LOCKS", "RUST_BACKTRACE", "CARGO_TERM_COLOR"),
        re.compile(r"\w*"),
    ),
    "TZ": re.compile(r"[A-Za-z][\w/+-]*"),
    "TERM": re.compile(r"[\w-]*"),
    "RUST_LOG": re.compile(r"[\w.,:/=+@-]*"),
    "PAGER": re.compile("cat"),
    "GIT_PAGER": re.compile("cat"),
    "PYTHONPATH": re.compile(r"\.|(?:\./)?(?:src|lib)/?"),
}

_TIMEOUT = rule("-k: -s: -v --kill-after: --signal: --preserve-status --foreground --verbose")
_DURATION = re.compile(r"\d+(?:\.\d+)?[smhd]?")
_WRAPPERS: Mapping[str, Rule] = {"time": rule("-p"), "nice": rule("-n: -#")}

# What runs a tool of the project in the project's own environment.
_ENVIRONMENTS: Mapping[str, Rule] = {
    "uv run": rule("-q --quiet --no-sync --frozen --locked --offline"),
    "poetry run": rule("-q"),
    "pdm run": rule("-q"),
    "bundle exec": rule(),
}
_PACKAGE_TOOLS: Mapping[str, Rule] = {
    "npx": rule("--no --no-install -q --quiet"),
    "bunx": rule("--no-install --bun"),
    "npm exec": rule("--no -q -s"),
    "pnpm exec": rule("-s"),
    "pnpm": rule("-s"),
    "yarn": rule("-s"),
    "yarn run": rule("-s"),
}
_SCRIPTS: Mapping[str, Rule] = {
    "npm": rule("-s --silent --if-present -w: --workspace: --workspaces --prefix: -C:"),
    "pnpm": rule("-s -r -w -F: -C: --silent --if-present --filter: --recursive --workspace-root --dir:"),
    "yarn": rule("-s --silent --cwd:"),
    "bun": rule("--silent --cwd: --bun"),
}
_SCRIPT = re.compile(checkers.SCRIPTS)
_HANDED_ON = re.compile(rf"-{{0,2}}{checkers.PLAIN}|--")

_LEADING: Mapping[str, Rule] = {
    "cargo": rule("-q -v --quiet --verbose --locked --offline --frozen --color:"),
    "mvn": rule("-q -o -B -e"),
}
_PYTHON_FLAGS = frozenset({"-B", "-u", "-s", "-E", "-I"})


def harmless(words: Words, *, fed: bool) -> bool:
    """Whether this command may run unseen. One that is `fed` reads what another command wrote, or a file."""
    return not any(leads_to_secrets(word.text) or word.text in _ENDLESS for word in words) and _harmless(words, fed)


def _harmless(words: Words, fed: bool) -> bool:
    if not words or not words[0].exact:
        return False
    program, rest = words[0].text, words[1:]
    if found := _SYSTEM.fullmatch(program):
        return _wraps(found[1], rest, fed) or _reads(found[1], rest) or _checks(found[1], rest, fed)
    found = _PROJECT.fullmatch(program)
    return found is not None and ".." not in program and _checks(found[1], rest, fed)


def _wraps(name: str, words: Words, fed: bool) -> bool:
    """Programs that run the command in their arguments as it is."""
    if name in ("timeout", "gtimeout"):
        rest = after_options(_TIMEOUT, words)
        if not rest or not _DURATION.fullmatch(rest[0].text):
            return False
        return _harmless(rest[1:], fed)
    options = _WRAPPERS.get(name)
    return options is not None and _harmless(after_options(options, words) or (), fed)


def _reads(name: str, words: Words) -> bool:
    if name in ALWAYS:
        return True
    if name in VERSIONS and [word.text for word in words] == ["--version"]:
        return True
    if name in PROGRAMS:
        return PROGRAMS[name](words)
    if (name == "jq" and not jq(words)) or (name == "printenv" and any(is_secret(word.text) for word in words)):
        return False
    if name == "git":
        return _allowed(git.GIT, (), after_options(git.LEADING, words) or ())
    return _allowed(READERS, *_module(name, words))


def _checks(name: str, words: Words, fed: bool) -> bool:
    """Tests and the like run the project's code, which may take what it is fed for orders."""
    if fed or any(word.loose or UNKNOWN in word.text for word in words):
        return False
    names, rest = _module(name, words)
    if options := _LEADING.get(name):
        rest = after_options(options, rest) or ()
    if _allowed(checkers.PROGRAMS, names, rest):
        return True
    for command, options in _ENVIRONMENTS.items():
        inner = _behind(command, options, name, words)
        if inner and _NAMED.fullmatch(inner[0].text) and _checks(inner[0].text, inner[1:], fed):
            return True
    return all(word.exact and _HANDED_ON.fullmatch(word.text) for word in words) and (
        _package_tool(name, words) or _package_script(name, words)
    )


def _package_tool(name: str, words: Words) -> bool:
    for command, options in _PACKAGE_TOOLS.items():
        inner = _behind(command, options, name, words)
        if inner and inner[0].text in checkers.JAVASCRIPT:
            return _allowed(checkers.PROGRAMS, (inner[0].text,), inner[1:])
    return False


def _package_script(name: str, words: Words) -> bool:
    options = _SCRIPTS.get(name)
    if options is None:
        return False
    rest = after_options(options, words) or ()
    if name == "yarn" and rest and rest[0].text == "workspace":
        rest = rest[2:]
    if rest and rest[0].text in ("run", "run-script"):
        rest = after_options(options, rest[1:]) or ()
    elif name == "bun" or (name == "npm" and rest and rest[0].text != "test"):
        return False
    if not rest or not _SCRIPT.fullmatch(rest[0].text):
        return False
    arguments = rest[1:]
    at = next((at for at, word in enumerate(arguments) if word.text == "--"), len(arguments))
    handed_on = arguments[at + 1 :]
    if any(word.text == "--" for word in handed_on):
        return False
    # What stands before the dashes npm takes for its own; the others hand it on as well.
    before = options if name == "npm" else checkers.SCRIPT_ARGUMENTS
    return fits(before, arguments[:at]) and fits(checkers.SCRIPT_ARGUMENTS, handed_on)


def _module(name: str, words: Words) -> tuple[tuple[str, ...], Words]:
    """The program and its arguments; of `python -m module` the module and its own."""
    if not _PYTHON.fullmatch(name):
        return (name,), words
    at = 0
    while at < len(words) and words[at].text in _PYTHON_FLAGS:
        at += 1
    if len(words) < at + 2 or words[at].text != "-m" or words[at + 1].text not in checkers.MODULES:
        return (name,), words
    return (words[at + 1].text,), words[at + 2 :]


def _behind(command: str, options: Rule, name: str, words: Words) -> Words | None:
    """What follows a command of one word or two and its options; None where it is another command."""
    first, _, second = command.partition(" ")
    if name != first or (second and (not words or words[0].text != second)):
        return None
    return after_options(options, words[1:] if second else words)


def _allowed(table: Mapping[str, tuple[Rule, ...]], names: tuple[str, ...], words: Words) -> bool:
    """By the longest entry of the table these words begin with; an entry has at most three."""
    for length in (2, 1, 0):
        if length > len(words) or not all(word.exact for word in words[:length]):
            continue
        rules = table.get(" ".join((*names, *(word.text for word in words[:length]))))
        if rules is not None:
            return any(fits(rule, words[length:]) for rule in rules)
    return False
