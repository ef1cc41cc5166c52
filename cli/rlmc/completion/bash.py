"""The completion script for bash.

Rule: it runs in bash 3.2, needs no other package, bears `set -u`, and starts no program: words come from `case`
tables. Where another command's completion could see a name of ours, it begins with `__rlmc_`.
"""

from __future__ import annotations

from shlex import quote

from rlmc.completion.tree import ByPrevious, Command, Paths, Value, Words


def render(root: Command) -> str:
    return "\n".join([_HEAD, _commands(root), _values(root), _PARSE, _HAND_OVER, _REGISTER])


def _commands(root: Command) -> str:
    lines = [
        "# What may follow the command $1, for the variables of __rlmc_parse.",
        "__rlmc_command() {",
        "    commands='' options='' valued='' wraps=''",
        "    case $1 in",
    ]
    for command in root.walk():
        lines.append(f"        {quote(command.name)})")
        facts = {
            "commands": [child.path[-1] for child in command.commands],
            "options": [name for option in command.options for name in option.names],
            "valued": [name for option in command.options if option.metavar for name in option.names],
            "wraps": ["yes"] if command.wraps else [],
        }
        lines += [f"            {fact}={quote(' '.join(words))}" for fact, words in facts.items() if words]
        lines.append("            ;;")
    return "\n".join([*lines, "        *) return 1 ;;", "    esac", "}", ""])


def _values(root: Command) -> str:
    """A branch for each list of words; places that offer the same share one."""
    branches: dict[str, list[str]] = {}
    for command in root.walk():
        for place, value in command.places():
            branches.setdefault(_assignment(value), []).append(quote(place))
    lines = [f"{' | '.join(places)})\n            {assignment}" for assignment, places in branches.items()]
    for command in root.walk():
        last = command.arguments[-1] if command.arguments and not command.wraps else None
        if last and last.many and last.value:
            # It goes on: its branch is for every number that has none of its own.
            lines.append(f"{quote(f'{command.name} ')}[0-9]*)\n            {_assignment(last.value)}")
    return "\n".join([_VALUES, *(f"        {line}\n            ;;" for line in lines), "    esac", "}", ""])


def _assignment(value: Value) -> str:
    match value:
        case Words(words=words):
            return f"words={quote(' '.join(word.text for word in words))}"
        case Paths(only_directories=only_directories):
            return f"files={'dirnames' if only_directories else 'default'}"
        case ByPrevious(cases=cases):
            by_words: dict[str, list[str]] = {}
            for previous, then in cases:
                by_words.setdefault(_assignment(then), []).append(previous)
            inner = [f"                {' | '.join(names)}) {text} ;;" for text, names in by_words.items()]
            return "\n".join(["case $2 in", *inner, "            esac"])
        case None:
            return ":"


_HEAD = """\
# Completion of rlmc for bash. Rendered: `rlmc completions bash` prints it.
# Put it where bash-completion looks, as ~/.local/share/bash-completion/completions/rlmc, or source it in ~/.bashrc.
"""

_VALUES = """\
# What may stand at the place $1, an option or the number of an argument; $2 is the word before it.
__rlmc_value() {
    case $1 in"""

_PARSE = r"""# Reads the line up to the cursor and sets COMPREPLY. Where the cursor is in the command that rlmc wraps,
# it sets __rlmc_child to the number of its first word and __rlmc_line to its text. $1 to $3 are what bash gave.
__rlmc_parse() {
    local IFS=$' \t\n' commands options valued wraps words='' files=''
    local name='' place=0 previous='' expects='' ended='' rest=$COMP_LINE start word piece next=0
    __rlmc_command ''
    while :; do
        # A word, joined from the pieces it was cut into at `=` and `:`.
        rest=${rest#"${rest%%[![:space:]]*}"}
        __rlmc_line=$rest
        start=$next word=''
        while :; do
            piece=${COMP_WORDS[next]-}
            word+=$piece
            rest=${rest#"$piece"}
            next=$((next + 1))
            [[ $next -le $COMP_CWORD && -n $piece && -n $rest && $rest != [[:space:]]* ]] || break
        done
        if [[ $next -gt $COMP_CWORD ]]; then
            break
        elif [[ $start -eq 0 ]]; then
            continue
        fi
        word=${word//[\'\"\\]/}
        if [[ -n $expects ]]; then
            expects=''
        elif [[ -z $ended && $word == -- ]]; then
            ended=1
        elif [[ -z $ended && $word == -?* ]]; then
            [[ " $valued " == *" $word "* ]] && expects=$word
        elif [[ -n $wraps ]]; then
            __rlmc_child=$start
            return
        elif [[ -n $commands ]]; then
            name=${name:+$name }$word
            __rlmc_command "$name" || return
        else
            place=$((place + 1))
        fi
        previous=$word
    done

    # The word under the cursor: `typed` is what of it bash will replace, `word` all of it up to the cursor.
    local typed=$2
    [[ $typed == [=:] ]] && typed=''
    if [[ $word == *"$typed" ]]; then
        word=${word//[\'\"\\]/}
    else
        word=${word%"$piece"}$typed
    fi

    if [[ -z $expects && -z $ended && $word == -*=* && " $valued " == *" ${word%%=*} "* ]]; then
        expects=${word%%=*} word=${word#*=}
    fi
    if [[ -n $expects ]]; then
        __rlmc_value "$name $expects" "$previous"
    elif [[ -z $ended && $word == -* ]]; then
        words=$options
    elif [[ -n $wraps ]]; then
        __rlmc_child=$start
        return
    elif [[ -n $commands ]]; then
        words=$commands
    else
        __rlmc_value "$name $place" "$previous"
    fi
    [[ -n $files ]] && __rlmc_compopt "$files"
    for piece in $words; do
        [[ $piece == "$word"* ]] && COMPREPLY[${#COMPREPLY[@]}]=${piece#"${word%"$typed"}"}
    done
}

# bash 3.2 has no compopt; another command's completion may ask for an option that this bash does not know.
__rlmc_compopt() {
    type compopt >/dev/null 2>&1 && compopt -o "$1" 2>/dev/null
}
"""

_HAND_OVER = r"""# Completes the command that begins at word $1 as if it stood alone. $2 to $4 are what bash gave.
__rlmc_hand_over() {
    COMP_POINT=$((COMP_POINT - ${#COMP_LINE} + ${#__rlmc_line}))
    COMP_LINE=$__rlmc_line
    COMP_WORDS=("${COMP_WORDS[@]:$1}")
    COMP_CWORD=$((COMP_CWORD - $1))
    if [[ $COMP_CWORD -eq 0 ]]; then
        __rlmc_compopt bashdefault
        [[ $3 == */* ]] && __rlmc_compopt filenames
        __rlmc_collect <<< "$(compgen -c -- "$3")"
        return
    fi
    local __rlmc_name=${COMP_WORDS[0]//[\'\"\\]/} __rlmc_spec='' __rlmc_tries=0
    while [[ $__rlmc_tries -lt 3 ]]; do
        __rlmc_find_spec "$__rlmc_name"
        COMPREPLY=()
        __rlmc_apply_spec "$__rlmc_name" "$3" "$4"
        # 124: a completion was loaded only now, look again.
        [[ $? -eq 124 ]] || return 0
        __rlmc_tries=$((__rlmc_tries + 1))
    done
}

# Puts into __rlmc_spec how bash was told to complete the command $1: by its path, its name, or like any other command.
__rlmc_find_spec() {
    local candidate
    for candidate in "$1" "${1##*/}"; do
        # The answer is read back as shell words, so the name in it has to be harmless.
        [[ -z $candidate || $candidate == -* || $candidate == *[!][A-Za-z0-9_./+@:,%~-]* ]] && continue
        __rlmc_spec=$(complete -p "$candidate" 2>/dev/null) && return
    done
    __rlmc_spec=$(complete -p -D 2>/dev/null) || __rlmc_spec=''
}

# Does what bash does with __rlmc_spec. $1 to $3: the command, the word under the cursor, the word before.
__rlmc_apply_spec() {
    local __rlmc_function='' __rlmc_program='' __rlmc_status=0 __rlmc_words
    local -a __rlmc_generate
    __rlmc_generate=()
    eval "__rlmc_words=(${__rlmc_spec:-complete -o bashdefault -o default})"
    set -- "$1" "$2" "$3" "${__rlmc_words[@]:1}"
    while [[ $# -gt 3 ]]; do
        case $4 in
            -F) __rlmc_function=$5 ;;
            -C) __rlmc_program=$5 ;;
            -o) __rlmc_compopt "$5" ;;
            -[AGPSWX]) __rlmc_generate+=("$4" "$5") ;;
            -[abcdefgjksuv]) __rlmc_generate+=("$4") ;;
        esac
        case $4 in
            -[FCoAGPSWX]) set -- "$1" "$2" "$3" "${@:6}" ;;
            *) set -- "$1" "$2" "$3" "${@:5}" ;;
        esac
    done
    if [[ -n $__rlmc_function ]]; then
        "$__rlmc_function" "$1" "$2" "$3"
        __rlmc_status=$?
    fi
    if [[ -n $__rlmc_program ]]; then
        # The line stands in the environment of such a program.
        __rlmc_collect <<< "$(
            export COMP_LINE COMP_POINT COMP_TYPE COMP_KEY
            eval "$__rlmc_program \"\$1\" \"\$2\" \"\$3\"" 2>/dev/null
        )"
    fi
    if [[ ${#__rlmc_generate[@]} -gt 0 ]]; then
        __rlmc_collect <<< "$(compgen "${__rlmc_generate[@]}" -- "$2" 2>/dev/null)"
    fi
    return "$__rlmc_status"
}

# Adds the lines of its input to COMPREPLY. (Given as here-strings: a shell in POSIX mode cannot read `<(...)`.)
__rlmc_collect() {
    local __rlmc_reply
    while IFS= read -r __rlmc_reply; do
        [[ -z $__rlmc_reply ]] || COMPREPLY[${#COMPREPLY[@]}]=$__rlmc_reply
    done
}
"""

_REGISTER = r"""_rlmc() {
    local __rlmc_child='' __rlmc_line=''
    COMPREPLY=()
    __rlmc_parse "$@"
    [[ -z $__rlmc_child ]] || __rlmc_hand_over "$__rlmc_child" "$@"
}

if type compopt >/dev/null 2>&1; then
    complete -F _rlmc rlmc
else
    complete -o bashdefault -o default -F _rlmc rlmc
fi
"""
