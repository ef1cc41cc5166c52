# Completion of rlmc for bash. Rendered: `rlmc completions bash` prints it.
# Put it where bash-completion looks, as ~/.local/share/bash-completion/completions/rlmc, or source it in ~/.bashrc.

# What may follow the command $1, for the variables of __rlmc_parse.
__rlmc_command() {
    commands='' options='' valued='' wraps=''
    case $1 in
        '')
            commands='run env start stop restart status logs stats turns explain quality export dashboard top statusline replay bench calibrate doctor demo completions sessions config'
            options='-V --version --debug -h --help'
            ;;
        run)
            options='--draft-model --verify-model --policy --budget --name --as --no-summary -h --help'
            valued='--draft-model --verify-model --policy --budget --name --as'
            wraps=yes
            ;;
        env)
            options='--as --shell --draft-model --verify-model --policy --budget --name -h --help'
            valued='--as --shell --draft-model --verify-model --policy --budget --name'
            ;;
        start)
            options='--port -h --help'
            valued=--port
            ;;
        stop)
            options='--force -h --help'
            ;;
        restart)
            options='--port -h --help'
            valued=--port
            ;;
        status)
            options='--json -h --help'
            ;;
        logs)
            options='-f --follow -n --lines -h --help'
            valued='-n --lines'
            ;;
        stats)
            options='--today --yesterday --week --month --since --until --all --last --project --branch --by --json --csv --check -h --help'
            valued='--since --until --project --branch --by'
            ;;
        turns)
            options='--last --limit --json --csv -h --help'
            valued=--limit
            ;;
        explain)
            options='--last --json -h --help'
            ;;
        quality)
            options='--all --simulated --resume --json -h --help'
            ;;
        export)
            options='--today --yesterday --week --month --since --until --all --format --table -o --output --force --content -h --help'
            valued='--since --until --format --table -o --output'
            ;;
        dashboard)
            options='--no-open --json -h --help'
            ;;
        top)
            options='--last --once --interval -h --help'
            valued=--interval
            ;;
        statusline)
            options='-h --help'
            ;;
        replay)
            options='--policy --draft-model --verify-model --by --since --until --assume --accuracy --optimum --json --csv --html --session -h --help'
            valued='--policy --draft-model --verify-model --by --since --until --assume --html --session'
            ;;
        bench)
            options='--tasks --kinds --limit --arms --draft-model --verify-model --parallel --fresh --resume -y --yes --json -h --help'
            valued='--tasks --kinds --limit --arms --draft-model --verify-model --parallel'
            ;;
        calibrate)
            options='--draft-model --verify-model --from --sample --parallel --rerun --resume --list --forget -y --yes --json -h --help'
            valued='--draft-model --verify-model --from --sample --parallel'
            ;;
        doctor)
            options='--json -h --help'
            ;;
        demo)
            options='--json --keep -h --help'
            ;;
        completions)
            options='--write -h --help'
            valued=--write
            ;;
        sessions)
            commands=rm
            options='--today --yesterday --week --month --since --until --all --project --branch --limit --json --csv -h --help'
            valued='--since --until --project --branch --limit'
            ;;
        'sessions rm')
            options='--older-than --simulated -y --yes --json -h --help'
            valued=--older-than
            ;;
        config)
            commands='list get set unset edit path statusline'
            options='-h --help'
            ;;
        'config list')
            options='--json -h --help'
            ;;
        'config get')
            options='--json -h --help'
            ;;
        'config set')
            options='-h --help'
            ;;
        'config unset')
            options='-h --help'
            ;;
        'config edit')
            options='-h --help'
            ;;
        'config path')
            options='-h --help'
            ;;
        'config statusline')
            options='-h --help'
            ;;
        *) return 1 ;;
    esac
}

# What may stand at the place $1, an option or the number of an argument; $2 is the word before it.
__rlmc_value() {
    case $1 in
        'run --draft-model' | 'env --draft-model' | 'replay --draft-model' | 'bench --draft-model' | 'calibrate --draft-model')
            words='auto none anthropic/claude-haiku-5-5 openai/gpt-6-luna sim/draft'
            ;;
        'run --verify-model' | 'env --verify-model' | 'replay --verify-model' | 'bench --verify-model' | 'calibrate --verify-model')
            words=as-requested
            ;;
        'run --policy' | 'env --policy' | 'replay --policy')
            words='balanced economy careful paper draft-only verify-only'
            ;;
        'run --as' | 'env --as')
            words='claude codex opencode aider qwen llm generic'
            ;;
        'env --shell')
            words='bash zsh sh fish'
            ;;
        'stats --by')
            words='session day model outcome client project branch'
            ;;
        'export --format')
            words='jsonl csv'
            ;;
        'export --table')
            words='sessions turns calls'
            ;;
        'export -o' | 'export --output' | 'replay --html')
            files=default
            ;;
        'replay --by')
            words='project model day session'
            ;;
        'completions --write')
            files=dirnames
            ;;
        'completions 0')
            words='bash zsh fish'
            ;;
        'config get 0' | 'config set 0' | 'config unset 0')
            words='draft-model verify-model policy draft-timeout draft-breaker max-regression confidence audits audit-rate allow-login-calls claude.auto-mode brief-tokens keep-alive keyring log-content port idle-timeout body-limit ledger.max-age ledger.max-size budget.session budget.daily budget.action otel.endpoint upstream.anthropic.base-url upstream.anthropic.protocol upstream.anthropic.api-key-env upstream.deepseek.base-url upstream.deepseek.protocol upstream.deepseek.api-key-env upstream.openai.base-url upstream.openai.protocol upstream.openai.api-key-env upstream.moonshot.base-url upstream.moonshot.protocol upstream.moonshot.api-key-env upstream.zai.base-url upstream.zai.protocol upstream.zai.api-key-env upstream.minimax.base-url upstream.minimax.protocol upstream.minimax.api-key-env upstream.qwen.base-url upstream.qwen.protocol upstream.qwen.api-key-env upstream.openrouter.base-url upstream.openrouter.protocol upstream.openrouter.api-key-env upstream.ollama.base-url upstream.ollama.protocol upstream.ollama.api-key-env upstream.llama.cpp.base-url upstream.llama.cpp.protocol upstream.llama.cpp.api-key-env upstream.vllm.base-url upstream.vllm.protocol upstream.vllm.api-key-env upstream.lmstudio.base-url upstream.lmstudio.protocol upstream.lmstudio.api-key-env'
            ;;
        'config set 1')
            case $2 in
                draft-model) words='auto none anthropic/claude-haiku-5-5 openai/gpt-6-luna sim/draft' ;;
                verify-model) words=as-requested ;;
                policy) words='balanced economy careful paper draft-only verify-only' ;;
                audits) words='auto on off' ;;
                allow-login-calls | keep-alive | keyring | log-content) words='true false' ;;
                claude.auto-mode) words='direct local' ;;
                budget.action) words='warn degrade stop' ;;
                upstream.anthropic.protocol | upstream.deepseek.protocol | upstream.openai.protocol | upstream.moonshot.protocol | upstream.zai.protocol | upstream.minimax.protocol | upstream.qwen.protocol | upstream.openrouter.protocol | upstream.ollama.protocol | upstream.llama.cpp.protocol | upstream.vllm.protocol | upstream.lmstudio.protocol) words='anthropic chat responses' ;;
            esac
            ;;
    esac
}

# Reads the line up to the cursor and sets COMPREPLY. Where the cursor is in the command that rlmc wraps,
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

# Completes the command that begins at word $1 as if it stood alone. $2 to $4 are what bash gave.
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

_rlmc() {
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
