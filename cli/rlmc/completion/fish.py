"""The completion script for fish: one `complete` line an option, command or value.

Rule: only fish's own builtins run. One function reads the line; every condition asks it.
"""

from __future__ import annotations

from collections.abc import Iterator

from rlmc.completion.tree import ByPrevious, Command, Option, Paths, Value, Words


def render(root: Command) -> str:
    blocks = [_HEAD, _table(root), _WHERE, *_word_lists(root), *(_command(one) for one in root.walk())]
    return "\n\n".join(blocks) + "\n"


def _table(root: Command) -> str:
    """What the reader of the line has to know of each command."""
    lines = [
        "# What it takes to read on behind the command $argv[1]: its kind, its commands, its options with a value.",
        "function __rlmc_command",
        '    switch "$argv[1]"',
    ]
    for command in root.walk():
        commands = " ".join(child.path[-1] for child in command.commands)
        valued = " ".join(name for option in command.options if option.metavar for name in option.names)
        if commands or valued or command.wraps:
            kind = "wraps" if command.wraps else "group" if commands else "plain"
            facts = " ".join(_quote(fact) for fact in (kind, commands, valued))
            lines += [f"        case {_quote(command.name)}", f"            string join \\n -- {facts}"]
    lines += ["        case '*'", "            string join \\n -- plain '' ''"]
    return "\n".join([*lines, "    end", "end"])


def _word_lists(root: Command) -> Iterator[str]:
    """A function for each list whose words have a meaning to show, and for values that depend on the word before."""
    seen: dict[str, str] = {}
    for command in root.walk():
        for _, value in command.places():
            if isinstance(value, Words) and value.explained:
                pairs = (f"        {word.text} {_quote(word.help)}" for word in value.words)
                body = " \\\n".join([r"    printf '%s\t%s\n'", *pairs])
                if seen.setdefault(_explained_name(value), body) != body:
                    raise ValueError(f"two different lists are called {value.label!r}")
            elif isinstance(value, ByPrevious):
                seen[_by_previous_name(command)] = _by_previous(value)
    for name, body in seen.items():
        yield f"function {name}\n{body}\nend"


def _by_previous(value: ByPrevious) -> str:
    by_words: dict[str, list[str]] = {}
    for previous, words in value.cases:
        by_words.setdefault(_plain(words), []).append(previous)
    lines = ["    switch (commandline -opc)[-1]"]
    for text, names in by_words.items():
        lines += [f"        case {' '.join(names)}", f"            string join \\n -- {text}"]
    return "\n".join([*lines, "    end"])


def _plain(words: Words) -> str:
    return " ".join(word.text for word in words.words)


def _explained_name(words: Words) -> str:
    return f"__rlmc_words_{words.label}"


def _by_previous_name(command: Command) -> str:
    return "__rlmc_value_of_" + "_".join(command.path).replace("-", "_")


def _command(command: Command) -> str:
    lines = [_option(command, one) for one in command.options]
    first = _at(command, "0")
    lines += [_line(first, f"-a {child.path[-1]} {_meaning(child.help)}") for child in command.commands]
    if command.wraps:
        lines.append(_line(_at(command, "wrapped"), "-a '(__rlmc_wrapped)'"))
        return "\n".join(lines)
    for number, one in enumerate(command.arguments):
        if one.value is not None:
            place = f"{number}+" if one.many else str(number)
            lines.append(_line(_at(command, place), _offers(command, one.value)))
    return "\n".join(lines)


def _option(command: Command, option: Option) -> str:
    parts = [f"-l {name[2:]}" if name.startswith("--") else f"-s {name[1:]}" for name in option.names]
    if option.metavar is not None:
        # -r: it takes a value.
        parts += ["-r", _offers(command, option.value)]
    return _line(_at(command), " ".join([*parts, _meaning(option.help)]))


def _offers(command: Command, value: Value) -> str:
    match value:
        case Words() if value.explained:
            return f"-f -a '({_explained_name(value)})'"
        case Words():
            return f"-f -a {_quote(_plain(value))}"
        case ByPrevious():
            return f"-f -a '({_by_previous_name(command)})'"
        case Paths(only_directories=True):
            return "-f -a '(__fish_complete_directories)'"
        case Paths():
            return "-F"
        case None:
            return "-f"


def _meaning(text: str) -> str:
    return f"-d {_quote(text)}" if text else ""


def _at(command: Command, argument: str = "") -> str:
    return f'__rlmc_at "{command.name}" {argument}'.rstrip()


def _line(condition: str, rest: str) -> str:
    return f"complete -c rlmc -n '{condition}' {rest}".rstrip()


def _quote(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


_HEAD = """\
# Completion of rlmc for fish. Rendered: `rlmc completions fish` prints it.
# Put it into ~/.config/fish/completions/rlmc.fish."""

_WHERE = r"""# Says where the cursor is: the command, then how many of its arguments stand before the cursor; or,
# where these are the words of a command that rlmc wraps, `wrapped` and the words.
function __rlmc_where
    set -l tokens (commandline -opc)
    set -e tokens[1]
    set -l name ''
    set -l facts (__rlmc_command '')
    set -l count 0
    set -l expects 0
    set -l ended 0
    while set -q tokens[1]
        set -l token $tokens[1]
        if test $expects = 1
            set expects 0
        else if test $ended = 0; and test "$token" = --
            set ended 1
        else if test $ended = 0; and string match -q -- '-?*' $token
            contains -- $token (string split ' ' -- $facts[3]); and set expects 1
        else if test $facts[1] = wraps
            string join \n -- "$name" wrapped $tokens
            return
        else if test $facts[1] = group
            set name (string trim -- "$name $token")
            contains -- $token (string split ' ' -- $facts[2]); or set name '?'
            set facts (__rlmc_command "$name")
        else
            set count (math $count + 1)
        end
        set -e tokens[1]
    end
    test $facts[1] = wraps; and test $ended = 1; and set count wrapped
    string join \n -- "$name" $count
end

# Whether the cursor is in the command $argv[1] and, if it is given, at its argument $argv[2]: a number, a number and
# all behind it (`1+`), or `wrapped`.
function __rlmc_at
    set -l where (__rlmc_where)
    test "$where[1]" = "$argv[1]"; or return 1
    switch "$argv[2]"
        case ''
            test "$where[2]" != wrapped
        case '*+'
            test "$where[2]" != wrapped; and test $where[2] -ge (string trim -c + -- $argv[2])
        case wrapped
            contains -- $where[2] 0 wrapped
        case '*'
            test "$where[2]" = $argv[2]
    end
end

# Completes the wrapped command as if it stood alone.
function __rlmc_wrapped
    set -l words (__rlmc_where)
    set -e words[1..2]
    set -l line (string join ' ' -- (string escape -- $words) (commandline -ct))
    # Before the command's first word a dash begins an option of rlmc.
    string match -q -- '-*' $line; or complete --do-complete=$line
end

complete -c rlmc -f"""
