"""The completion script for zsh: one function a command, in the terms of zsh's own `_arguments`.

Rule: it works as a file in `fpath` and when it is sourced, and starts no program.
"""

from __future__ import annotations

from collections.abc import Iterator
from shlex import quote

from rlmc.completion.tree import Argument, ByPrevious, Command, Option, Paths, Value, Words


def render(root: Command) -> str:
    functions = [_group(command) if command.commands else _leaf(command) for command in root.walk()]
    return "\n\n".join([_HEAD, *functions, _values(root), _WRAPPED, _FOOT])


def _group(command: Command) -> str:
    words = [f"                {_described(child.path[-1], child.help)}" for child in command.commands]
    calls = [f"                {child.path[-1]}) {_function(child)} && ret=0 ;;" for child in command.commands]
    specs = [*_options(command), "'(-): :->command'", "'(-)*:: :->rest'"]
    return "\n".join(
        [
            f"{_function(command)}() {{",
            "    local curcontext=$curcontext state state_descr line ret=1",
            "    local -a subcommands",
            "    typeset -A opt_args",
            f"    _arguments -C -s {_lines(specs)} && ret=0",
            "    case $state in",
            "        command)",
            "            subcommands=(",
            *words,
            "            )",
            f"            _describe -t commands '{' '.join(('rlmc', *command.path))} command' subcommands && ret=0",
            "            ;;",
            "        rest)",
            f'            curcontext="${{curcontext%:*:*}}:{"-".join(("rlmc", *command.path))}-$words[1]:"',
            "            case $words[1] in",
            *calls,
            "            esac",
            "            ;;",
            "    esac",
            "    return ret",
            "}",
        ]
    )


def _leaf(command: Command) -> str:
    # Behind `-A '-*'` no option is completed after the first argument: it belongs to the wrapped command.
    how = "-s -S -A '-*'" if command.wraps else "-s -S"
    specs = _options(command)
    if command.wraps:
        specs.append("'*:: :_rlmc_wrapped'")
    else:
        specs += [_argument(command, number, one) for number, one in enumerate(command.arguments)]
    return f"{_function(command)}() {{\n    _arguments {how} {_lines(specs)}\n}}"


def _options(command: Command) -> list[str]:
    return [spec for option in command.options for spec in _option(command, option)]


def _option(command: Command, option: Option) -> Iterator[str]:
    # In round brackets: what else is not offered any more once this option is there.
    excluded = "- *" if "--help" in option.names else " ".join(option.names)
    start = "*" if option.repeats else f"({excluded})" if " " in excluded else ""
    meaning = f"[{_escape(option.help)}]" if option.help else ""
    for name in option.names:
        if option.metavar is not None:
            joined = "=" if name.startswith("--") else "+"
            action = _action(command.option_place(name), option.value)
            yield quote(f"{start}{name}{joined}{meaning}:{_escape(option.metavar)}:{action}")
        else:
            yield quote(f"{start}{name}{meaning}")


def _argument(command: Command, number: int, argument: Argument) -> str:
    place = "*" if argument.many else str(number + 1)
    return quote(f"{place}:{_escape(argument.metavar)}:{_action(command.argument_place(number), argument.value)}")


def _action(place: str, value: Value) -> str:
    match value:
        case Words() | ByPrevious():
            return f'_rlmc_value "{place}"'
        case Paths(only_directories=only_directories):
            return "_files -/" if only_directories else "_files"
        case None:
            return " "


def _values(root: Command) -> str:
    cases: dict[tuple[str, ...], list[str]] = {}
    for command in root.walk():
        for place, value in command.places():
            if isinstance(value, Words | ByPrevious):
                cases.setdefault(tuple(_assignment(value)), []).append(quote(place))
    lines = [
        "# Offers the words for the place that the last argument names. What stands before it is meant for compadd.",
        "_rlmc_value() {",
        "    local label",
        "    local -a values",
        "    case $argv[-1] in",
    ]
    for assignment, names in cases.items():
        lines += [f"        {' | '.join(names)})", *(f"            {line}" for line in assignment), "            ;;"]
    offer = '    (( $#values )) && _describe -t values $label values "${(@)argv[1,-2]}"'
    return "\n".join([*lines, "    esac", offer, "}"])


def _assignment(value: Words | ByPrevious) -> list[str]:
    if isinstance(value, Words):
        words = [_described(word.text, word.help) for word in value.words]
        if value.explained:
            return [f"label={value.label}", "values=(", *(f"    {word}" for word in words), ")"]
        return [f"label={value.label} values=({' '.join(words)})"]
    by_words: dict[str, list[str]] = {}
    for previous, words_then in value.cases:
        by_words.setdefault(" ".join(_assignment(words_then)), []).append(previous)
    return [
        "case $words[CURRENT-1] in",
        *(f"    {' | '.join(names)}) {assignment} ;;" for assignment, names in by_words.items()),
        "esac",
    ]


def _function(command: Command) -> str:
    return "_".join(("_rlmc", *(part.replace("-", "_") for part in command.path)))


def _described(word: str, text: str) -> str:
    """An entry of `_describe`: the word and, behind a colon, what it means. A backslash is special there."""
    meaning = text.replace("\\", "\\\\")
    return quote(f"{word}:{meaning}") if text else word


def _escape(text: str) -> str:
    """Text inside a spec of `_arguments`, where brackets and colons are its own."""
    for special in "\\[]:":
        text = text.replace(special, f"\\{special}")
    return text


def _lines(specs: list[str]) -> str:
    return "".join(f"\\\n        {spec} " for spec in specs).rstrip()


_HEAD = """\
#compdef rlmc
# Completion of rlmc for zsh. Rendered: `rlmc completions zsh` prints it.
# Put it as _rlmc into a folder of your fpath, before compinit runs, or source it after compinit."""

_WRAPPED = """\
# Completes the command in `words` as if it stood alone.
_rlmc_wrapped() {
    if [[ $words[1] == -- ]]; then
        shift words
        (( CURRENT-- ))
    fi
    if (( CURRENT == 1 )); then
        _command_names -e
    else
        _normal
    fi
}"""

_FOOT = """\
if [[ ${funcstack[1]-} == _rlmc ]]; then
    _rlmc "$@"
elif (( $+functions[compdef] )); then
    compdef _rlmc rlmc
fi
"""
