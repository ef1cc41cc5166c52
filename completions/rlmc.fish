# Completion of rlmc for fish. Rendered: `rlmc completions fish` prints it.
# Put it into ~/.config/fish/completions/rlmc.fish.

# What it takes to read on behind the command $argv[1]: its kind, its commands, its options with a value.
function __rlmc_command
    switch "$argv[1]"
        case ''
            string join \n -- 'group' 'run env start stop restart status logs stats turns explain quality export dashboard top statusline replay bench calibrate doctor demo completions sessions config' ''
        case 'run'
            string join \n -- 'wraps' '' '--draft-model --verify-model --policy --budget --name --as'
        case 'env'
            string join \n -- 'plain' '' '--as --shell --draft-model --verify-model --policy --budget --name'
        case 'start'
            string join \n -- 'plain' '' '--port'
        case 'restart'
            string join \n -- 'plain' '' '--port'
        case 'logs'
            string join \n -- 'plain' '' '-n --lines'
        case 'stats'
            string join \n -- 'plain' '' '--since --until --project --branch --by'
        case 'turns'
            string join \n -- 'plain' '' '--limit'
        case 'export'
            string join \n -- 'plain' '' '--since --until --format --table -o --output'
        case 'top'
            string join \n -- 'plain' '' '--interval'
        case 'replay'
            string join \n -- 'plain' '' '--policy --draft-model --verify-model --by --since --until --assume --html --session'
        case 'bench'
            string join \n -- 'plain' '' '--tasks --kinds --limit --arms --draft-model --verify-model --parallel'
        case 'calibrate'
            string join \n -- 'plain' '' '--draft-model --verify-model --from --sample --parallel'
        case 'completions'
            string join \n -- 'plain' '' '--write'
        case 'sessions'
            string join \n -- 'group' 'rm' '--since --until --project --branch --limit'
        case 'sessions rm'
            string join \n -- 'plain' '' '--older-than'
        case 'config'
            string join \n -- 'group' 'list get set unset edit path statusline' ''
        case '*'
            string join \n -- plain '' ''
    end
end

# Says where the cursor is: the command, then how many of its arguments stand before the cursor; or,
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

complete -c rlmc -f

function __rlmc_words_key
    printf '%s\t%s\n' \
        draft-model 'The cheap model that proposes' \
        verify-model 'The capable model that decides' \
        policy 'How turns are routed between the two models' \
        draft-timeout 'How long a draft may take before the turn goes direct' \
        draft-breaker 'How many failures in a row pause a draft model; it is tried again after 15 seconds, then less and less often' \
        max-regression 'How many turns may be worse for their draft, as a share of all turns; what drafts may do is adjusted to it' \
        confidence 'How sure the bound on that share is to hold, however often it is looked at' \
        audits 'Whether drafts that were served are audited' \
        audit-rate 'How many of the turns a draft answered are answered once more by the verify model, and compared' \
        allow-login-calls 'Whether a subscription login may pay for calls of rlmc\'s own: drafts by Claude, verifications' \
        claude.auto-mode 'Turns of Claude Code\'s auto mode' \
        brief-tokens 'How long a brief verification may be: the compact context on which the verify model judges one drafted step' \
        keep-alive 'Whether the verify model\'s cache is kept warm by a call that answers nothing, where that is expected to pay' \
        keyring 'Whether keys that no environment variable holds are looked for in the system\'s keyring' \
        log-content 'Whether the ledger also keeps prompts and answers' \
        port 'The port the daemon listens on, on 127.0.0.1' \
        idle-timeout 'How long a daemon without sessions waits before it ends itself' \
        body-limit 'The largest request body that is accepted' \
        ledger.max-age 'How long the ledger keeps a session after its last turn' \
        ledger.max-size 'How large the ledger may grow before its oldest sessions are removed' \
        budget.session 'What a session may cost; budget.action says what happens once it costs more' \
        budget.daily 'What the sessions of a day may cost together, from midnight to midnight' \
        budget.action 'Once a budget is passed' \
        otel.endpoint 'Where the daemon sends traces and metrics by OTLP over HTTP' \
        upstream.anthropic.base-url 'Where this provider\'s API is; what an SDK of its protocol would call its base URL' \
        upstream.anthropic.protocol 'The protocol this provider speaks: Messages, Chat Completions or Responses' \
        upstream.anthropic.api-key-env 'The name of the environment variable that holds this provider\'s key' \
        upstream.deepseek.base-url 'Where this provider\'s API is; what an SDK of its protocol would call its base URL' \
        upstream.deepseek.protocol 'The protocol this provider speaks: Messages, Chat Completions or Responses' \
        upstream.deepseek.api-key-env 'The name of the environment variable that holds this provider\'s key' \
        upstream.openai.base-url 'Where this provider\'s API is; what an SDK of its protocol would call its base URL' \
        upstream.openai.protocol 'The protocol this provider speaks: Messages, Chat Completions or Responses' \
        upstream.openai.api-key-env 'The name of the environment variable that holds this provider\'s key' \
        upstream.moonshot.base-url 'Where this provider\'s API is; what an SDK of its protocol would call its base URL' \
        upstream.moonshot.protocol 'The protocol this provider speaks: Messages, Chat Completions or Responses' \
        upstream.moonshot.api-key-env 'The name of the environment variable that holds this provider\'s key' \
        upstream.zai.base-url 'Where this provider\'s API is; what an SDK of its protocol would call its base URL' \
        upstream.zai.protocol 'The protocol this provider speaks: Messages, Chat Completions or Responses' \
        upstream.zai.api-key-env 'The name of the environment variable that holds this provider\'s key' \
        upstream.minimax.base-url 'Where this provider\'s API is; what an SDK of its protocol would call its base URL' \
        upstream.minimax.protocol 'The protocol this provider speaks: Messages, Chat Completions or Responses' \
        upstream.minimax.api-key-env 'The name of the environment variable that holds this provider\'s key' \
        upstream.qwen.base-url 'Where this provider\'s API is; what an SDK of its protocol would call its base URL' \
        upstream.qwen.protocol 'The protocol this provider speaks: Messages, Chat Completions or Responses' \
        upstream.qwen.api-key-env 'The name of the environment variable that holds this provider\'s key' \
        upstream.openrouter.base-url 'Where this provider\'s API is; what an SDK of its protocol would call its base URL' \
        upstream.openrouter.protocol 'The protocol this provider speaks: Messages, Chat Completions or Responses' \
        upstream.openrouter.api-key-env 'The name of the environment variable that holds this provider\'s key' \
        upstream.ollama.base-url 'Where this provider\'s API is; what an SDK of its protocol would call its base URL' \
        upstream.ollama.protocol 'The protocol this provider speaks: Messages, Chat Completions or Responses' \
        upstream.ollama.api-key-env 'The name of the environment variable that holds this provider\'s key' \
        upstream.llama.cpp.base-url 'Where this provider\'s API is; what an SDK of its protocol would call its base URL' \
        upstream.llama.cpp.protocol 'The protocol this provider speaks: Messages, Chat Completions or Responses' \
        upstream.llama.cpp.api-key-env 'The name of the environment variable that holds this provider\'s key' \
        upstream.vllm.base-url 'Where this provider\'s API is; what an SDK of its protocol would call its base URL' \
        upstream.vllm.protocol 'The protocol this provider speaks: Messages, Chat Completions or Responses' \
        upstream.vllm.api-key-env 'The name of the environment variable that holds this provider\'s key' \
        upstream.lmstudio.base-url 'Where this provider\'s API is; what an SDK of its protocol would call its base URL' \
        upstream.lmstudio.protocol 'The protocol this provider speaks: Messages, Chat Completions or Responses' \
        upstream.lmstudio.api-key-env 'The name of the environment variable that holds this provider\'s key'
end

function __rlmc_value_of_config_set
    switch (commandline -opc)[-1]
        case draft-model
            string join \n -- auto none anthropic/claude-haiku-5-5 openai/gpt-6-luna sim/draft
        case verify-model
            string join \n -- as-requested
        case policy
            string join \n -- balanced economy careful paper draft-only verify-only
        case audits
            string join \n -- auto on off
        case allow-login-calls keep-alive keyring log-content
            string join \n -- true false
        case claude.auto-mode
            string join \n -- direct local
        case budget.action
            string join \n -- warn degrade stop
        case upstream.anthropic.protocol upstream.deepseek.protocol upstream.openai.protocol upstream.moonshot.protocol upstream.zai.protocol upstream.minimax.protocol upstream.qwen.protocol upstream.openrouter.protocol upstream.ollama.protocol upstream.llama.cpp.protocol upstream.vllm.protocol upstream.lmstudio.protocol
            string join \n -- anthropic chat responses
    end
end

complete -c rlmc -n '__rlmc_at ""' -s V -l version -d 'Print the version and exit'
complete -c rlmc -n '__rlmc_at ""' -l debug -d 'Show where an error comes from; RLMC_DEBUG=1 does the same'
complete -c rlmc -n '__rlmc_at ""' -s h -l help -d 'Show this message and exit'
complete -c rlmc -n '__rlmc_at "" 0' -a run -d 'Run a coding agent through rlmc, and show what that saved'
complete -c rlmc -n '__rlmc_at "" 0' -a env -d 'Lead this terminal\'s agents through rlmc: eval "$(rlmc env)"'
complete -c rlmc -n '__rlmc_at "" 0' -a start -d 'Start the daemon'
complete -c rlmc -n '__rlmc_at "" 0' -a stop -d 'Stop the daemon'
complete -c rlmc -n '__rlmc_at "" 0' -a restart -d 'Replace the daemon by a fresh one; those of rlmc run go on'
complete -c rlmc -n '__rlmc_at "" 0' -a status -d 'Show what the daemon is doing'
complete -c rlmc -n '__rlmc_at "" 0' -a logs -d 'Show the daemon\'s log'
complete -c rlmc -n '__rlmc_at "" 0' -a stats -d 'Show what rlmc saved: paid, baseline, outcomes, latencies'
complete -c rlmc -n '__rlmc_at "" 0' -a turns -d 'List a session\'s turns: who answered, why, at what cost'
complete -c rlmc -n '__rlmc_at "" 0' -a explain -d 'Show why a turn went as it did: signals, costs, every call'
complete -c rlmc -n '__rlmc_at "" 0' -a quality -d 'Show how good drafts were: audits, their bound, the target'
complete -c rlmc -n '__rlmc_at "" 0' -a export -d 'Write sessions, turns and calls as JSON lines or CSV'
complete -c rlmc -n '__rlmc_at "" 0' -a dashboard -d 'Open the live page: savings, models, latencies, sessions'
complete -c rlmc -n '__rlmc_at "" 0' -a top -d 'Watch what rlmc saves, live: today, or one session'
complete -c rlmc -n '__rlmc_at "" 0' -a statusline -d 'Print a line on this session for Claude Code\'s status line'
complete -c rlmc -n '__rlmc_at "" 0' -a replay -d 'Show what each policy would have saved on recorded sessions'
complete -c rlmc -n '__rlmc_at "" 0' -a bench -d 'Measure the models on tasks that can be checked'
complete -c rlmc -n '__rlmc_at "" 0' -a calibrate -d 'Learn from your own transcripts what a draft model may do'
complete -c rlmc -n '__rlmc_at "" 0' -a doctor -d 'Check the whole set-up'
complete -c rlmc -n '__rlmc_at "" 0' -a demo -d 'Watch a scripted agent work through rlmc, without a network'
complete -c rlmc -n '__rlmc_at "" 0' -a completions -d 'Print the completion script for a shell'
complete -c rlmc -n '__rlmc_at "" 0' -a sessions -d 'List the sessions: when, where, how many turns, paid, saved'
complete -c rlmc -n '__rlmc_at "" 0' -a config -d 'Look at settings and change them'

complete -c rlmc -n '__rlmc_at "run"' -l draft-model -r -f -a 'auto none anthropic/claude-haiku-5-5 openai/gpt-6-luna sim/draft' -d 'The cheap model that proposes'
complete -c rlmc -n '__rlmc_at "run"' -l verify-model -r -f -a 'as-requested' -d 'The capable model that decides'
complete -c rlmc -n '__rlmc_at "run"' -l policy -r -f -a 'balanced economy careful paper draft-only verify-only' -d 'How turns are routed'
complete -c rlmc -n '__rlmc_at "run"' -l budget -r -f -d 'What the session may cost; see budget.action'
complete -c rlmc -n '__rlmc_at "run"' -l name -r -f -d 'A name for the session'
complete -c rlmc -n '__rlmc_at "run"' -l as -r -f -a 'claude codex opencode aider qwen llm generic' -d 'Treat the command as this agent'
complete -c rlmc -n '__rlmc_at "run"' -l no-summary -d 'Print no account at the end'
complete -c rlmc -n '__rlmc_at "run"' -s h -l help -d 'Show this message and exit'
complete -c rlmc -n '__rlmc_at "run" wrapped' -a '(__rlmc_wrapped)'

complete -c rlmc -n '__rlmc_at "env"' -l as -r -f -a 'claude codex opencode aider qwen llm generic' -d 'For this agent; by default for any program'
complete -c rlmc -n '__rlmc_at "env"' -l shell -r -f -a 'bash zsh sh fish' -d 'Which shell reads it; by default that of $SHELL'
complete -c rlmc -n '__rlmc_at "env"' -l draft-model -r -f -a 'auto none anthropic/claude-haiku-5-5 openai/gpt-6-luna sim/draft' -d 'The cheap model that proposes'
complete -c rlmc -n '__rlmc_at "env"' -l verify-model -r -f -a 'as-requested' -d 'The capable model that decides'
complete -c rlmc -n '__rlmc_at "env"' -l policy -r -f -a 'balanced economy careful paper draft-only verify-only' -d 'How turns are routed'
complete -c rlmc -n '__rlmc_at "env"' -l budget -r -f -d 'What the session may cost; see budget.action'
complete -c rlmc -n '__rlmc_at "env"' -l name -r -f -d 'A name for the session'
complete -c rlmc -n '__rlmc_at "env"' -s h -l help -d 'Show this message and exit'

complete -c rlmc -n '__rlmc_at "start"' -l port -r -f -d 'The port to listen on; 0: a free one'
complete -c rlmc -n '__rlmc_at "start"' -s h -l help -d 'Show this message and exit'

complete -c rlmc -n '__rlmc_at "stop"' -l force -d 'Also while sessions live; their agents lose contact'
complete -c rlmc -n '__rlmc_at "stop"' -s h -l help -d 'Show this message and exit'

complete -c rlmc -n '__rlmc_at "restart"' -l port -r -f -d 'The port to listen on; 0: a free one'
complete -c rlmc -n '__rlmc_at "restart"' -s h -l help -d 'Show this message and exit'

complete -c rlmc -n '__rlmc_at "status"' -l json -d 'Print JSON'
complete -c rlmc -n '__rlmc_at "status"' -s h -l help -d 'Show this message and exit'

complete -c rlmc -n '__rlmc_at "logs"' -s f -l follow -d 'Go on with new lines as they come'
complete -c rlmc -n '__rlmc_at "logs"' -s n -l lines -r -f -d 'How many of the last lines'
complete -c rlmc -n '__rlmc_at "logs"' -s h -l help -d 'Show this message and exit'

complete -c rlmc -n '__rlmc_at "stats"' -l today -d 'Since midnight'
complete -c rlmc -n '__rlmc_at "stats"' -l yesterday -d 'The day before today'
complete -c rlmc -n '__rlmc_at "stats"' -l week -d 'Since Monday'
complete -c rlmc -n '__rlmc_at "stats"' -l month -d 'Since the first of the month'
complete -c rlmc -n '__rlmc_at "stats"' -l since -r -f -d 'From this day or moment on'
complete -c rlmc -n '__rlmc_at "stats"' -l until -r -f -d 'Up to the end of this day, or this moment'
complete -c rlmc -n '__rlmc_at "stats"' -l all -d 'Everything in the ledger'
complete -c rlmc -n '__rlmc_at "stats"' -l last -d 'The session that began last'
complete -c rlmc -n '__rlmc_at "stats"' -l project -r -f -d 'Only sessions started in this directory or below it'
complete -c rlmc -n '__rlmc_at "stats"' -l branch -r -f -d 'Only sessions on this git branch'
complete -c rlmc -n '__rlmc_at "stats"' -l by -r -f -a 'session day model outcome client project branch' -d 'Also as a table by this'
complete -c rlmc -n '__rlmc_at "stats"' -l json -d 'Print JSON'
complete -c rlmc -n '__rlmc_at "stats"' -l csv -d 'Print CSV'
complete -c rlmc -n '__rlmc_at "stats"' -l check -d 'Hold today and a session against their budgets; exit code 4 if over'
complete -c rlmc -n '__rlmc_at "stats"' -s h -l help -d 'Show this message and exit'

complete -c rlmc -n '__rlmc_at "turns"' -l last -d 'The session that began last; so also without SESSION'
complete -c rlmc -n '__rlmc_at "turns"' -l limit -r -f -d 'No more than the newest N'
complete -c rlmc -n '__rlmc_at "turns"' -l json -d 'Print JSON'
complete -c rlmc -n '__rlmc_at "turns"' -l csv -d 'Print CSV'
complete -c rlmc -n '__rlmc_at "turns"' -s h -l help -d 'Show this message and exit'

complete -c rlmc -n '__rlmc_at "explain"' -l last -d 'The turn that began last; so also without TURN'
complete -c rlmc -n '__rlmc_at "explain"' -l json -d 'Print JSON'
complete -c rlmc -n '__rlmc_at "explain"' -s h -l help -d 'Show this message and exit'

complete -c rlmc -n '__rlmc_at "quality"' -l all -d 'Every epoch in full'
complete -c rlmc -n '__rlmc_at "quality"' -l simulated -d 'Epochs of simulated models'
complete -c rlmc -n '__rlmc_at "quality"' -l resume -d 'Let drafts answer again after a stop, in every epoch that has one'
complete -c rlmc -n '__rlmc_at "quality"' -l json -d 'Print JSON'
complete -c rlmc -n '__rlmc_at "quality"' -s h -l help -d 'Show this message and exit'

complete -c rlmc -n '__rlmc_at "export"' -l today -d 'Since midnight'
complete -c rlmc -n '__rlmc_at "export"' -l yesterday -d 'The day before today'
complete -c rlmc -n '__rlmc_at "export"' -l week -d 'Since Monday'
complete -c rlmc -n '__rlmc_at "export"' -l month -d 'Since the first of the month'
complete -c rlmc -n '__rlmc_at "export"' -l since -r -f -d 'From this day or moment on'
complete -c rlmc -n '__rlmc_at "export"' -l until -r -f -d 'Up to the end of this day, or this moment'
complete -c rlmc -n '__rlmc_at "export"' -l all -d 'Everything in the ledger'
complete -c rlmc -n '__rlmc_at "export"' -l format -r -f -a 'jsonl csv' -d 'How the records are written'
complete -c rlmc -n '__rlmc_at "export"' -l table -r -f -a 'sessions turns calls' -d 'Of a CSV: what a row is; turns by default'
complete -c rlmc -n '__rlmc_at "export"' -s o -l output -r -F -d 'Write there instead of stdout'
complete -c rlmc -n '__rlmc_at "export"' -l force -d 'Overwrite the file'
complete -c rlmc -n '__rlmc_at "export"' -l content -d 'Also prompts and answers, where they were kept'
complete -c rlmc -n '__rlmc_at "export"' -s h -l help -d 'Show this message and exit'

complete -c rlmc -n '__rlmc_at "dashboard"' -l no-open -d 'Print the link and open nothing'
complete -c rlmc -n '__rlmc_at "dashboard"' -l json -d 'Print JSON and open nothing'
complete -c rlmc -n '__rlmc_at "dashboard"' -s h -l help -d 'Show this message and exit'

complete -c rlmc -n '__rlmc_at "top"' -l last -d 'The session that began last'
complete -c rlmc -n '__rlmc_at "top"' -l once -d 'Print one frame and end'
complete -c rlmc -n '__rlmc_at "top"' -l interval -r -f -d 'Between two looks'
complete -c rlmc -n '__rlmc_at "top"' -s h -l help -d 'Show this message and exit'

complete -c rlmc -n '__rlmc_at "statusline"' -s h -l help -d 'Show this message and exit'

complete -c rlmc -n '__rlmc_at "replay"' -l policy -r -f -a 'balanced economy careful paper draft-only verify-only' -d 'A policy; may be repeated'
complete -c rlmc -n '__rlmc_at "replay"' -l draft-model -r -f -a 'auto none anthropic/claude-haiku-5-5 openai/gpt-6-luna sim/draft' -d 'The model that proposes; may be repeated'
complete -c rlmc -n '__rlmc_at "replay"' -l verify-model -r -f -a 'as-requested' -d 'The model that decides'
complete -c rlmc -n '__rlmc_at "replay"' -l by -r -f -a 'project model day session' -d 'Also as a table by this'
complete -c rlmc -n '__rlmc_at "replay"' -l since -r -f -d 'Sessions from this day or moment on'
complete -c rlmc -n '__rlmc_at "replay"' -l until -r -f -d 'Sessions up to the end of this day, or this moment'
complete -c rlmc -n '__rlmc_at "replay"' -l assume -r -f -d 'Assume something else; may be repeated'
complete -c rlmc -n '__rlmc_at "replay"' -l accuracy -d 'Also how well the simulated cache agrees with bills'
complete -c rlmc -n '__rlmc_at "replay"' -l optimum -d 'Also the best anybody could do who knew the session'
complete -c rlmc -n '__rlmc_at "replay"' -l json -d 'Print JSON'
complete -c rlmc -n '__rlmc_at "replay"' -l csv -d 'Print CSV'
complete -c rlmc -n '__rlmc_at "replay"' -l html -r -F -d 'Also write one web page to this file'
complete -c rlmc -n '__rlmc_at "replay"' -l session -r -f -d 'Instead decide one of rlmc\'s own sessions again, and compare'
complete -c rlmc -n '__rlmc_at "replay"' -s h -l help -d 'Show this message and exit'

complete -c rlmc -n '__rlmc_at "bench"' -l tasks -r -f -d 'Tasks of this file; may be repeated'
complete -c rlmc -n '__rlmc_at "bench"' -l kinds -r -f -d 'Only maths, instruct, code or tools'
complete -c rlmc -n '__rlmc_at "bench"' -l limit -r -f -d 'No more than the first N of each kind'
complete -c rlmc -n '__rlmc_at "bench"' -l arms -r -f -d 'Only direct, draft, paper or balanced'
complete -c rlmc -n '__rlmc_at "bench"' -l draft-model -r -f -a 'auto none anthropic/claude-haiku-5-5 openai/gpt-6-luna sim/draft' -d 'The cheap model that proposes'
complete -c rlmc -n '__rlmc_at "bench"' -l verify-model -r -f -a 'as-requested' -d 'The capable model that decides'
complete -c rlmc -n '__rlmc_at "bench"' -l parallel -r -f -d 'How many tasks at a time'
complete -c rlmc -n '__rlmc_at "bench"' -l fresh -d 'Begin anew, or go on where the same run was broken off'
complete -c rlmc -n '__rlmc_at "bench"' -l resume -d 'Begin anew, or go on where the same run was broken off'
complete -c rlmc -n '__rlmc_at "bench"' -s y -l yes -d 'Do not ask, though it costs money'
complete -c rlmc -n '__rlmc_at "bench"' -l json -d 'Print JSON'
complete -c rlmc -n '__rlmc_at "bench"' -s h -l help -d 'Show this message and exit'

complete -c rlmc -n '__rlmc_at "calibrate"' -l draft-model -r -f -a 'auto none anthropic/claude-haiku-5-5 openai/gpt-6-luna sim/draft' -d 'The cheap model that is tried'
complete -c rlmc -n '__rlmc_at "calibrate"' -l verify-model -r -f -a 'as-requested' -d 'The capable model; it judges'
complete -c rlmc -n '__rlmc_at "calibrate"' -l from -r -f -d 'Transcripts, or folders of them; may be repeated'
complete -c rlmc -n '__rlmc_at "calibrate"' -l sample -r -f -d 'How many past steps to try'
complete -c rlmc -n '__rlmc_at "calibrate"' -l parallel -r -f -d 'How many steps at a time'
complete -c rlmc -n '__rlmc_at "calibrate"' -l rerun -d 'Begin anew, or go on where the same was broken off'
complete -c rlmc -n '__rlmc_at "calibrate"' -l resume -d 'Begin anew, or go on where the same was broken off'
complete -c rlmc -n '__rlmc_at "calibrate"' -l list -d 'Show what was found before, and ask nothing'
complete -c rlmc -n '__rlmc_at "calibrate"' -l forget -d 'Forget what was found of these models, or of all'
complete -c rlmc -n '__rlmc_at "calibrate"' -s y -l yes -d 'Do not ask, though it costs money'
complete -c rlmc -n '__rlmc_at "calibrate"' -l json -d 'Print JSON'
complete -c rlmc -n '__rlmc_at "calibrate"' -s h -l help -d 'Show this message and exit'

complete -c rlmc -n '__rlmc_at "doctor"' -l json -d 'Print JSON'
complete -c rlmc -n '__rlmc_at "doctor"' -s h -l help -d 'Show this message and exit'

complete -c rlmc -n '__rlmc_at "demo"' -l json -d 'Print the report as JSON'
complete -c rlmc -n '__rlmc_at "demo"' -l keep -d 'Keep the demo\'s folder: configuration, ledger, log'
complete -c rlmc -n '__rlmc_at "demo"' -s h -l help -d 'Show this message and exit'

complete -c rlmc -n '__rlmc_at "completions"' -l write -r -f -a '(__fish_complete_directories)' -d 'Write a file into this folder instead, without SHELL one for each'
complete -c rlmc -n '__rlmc_at "completions"' -s h -l help -d 'Show this message and exit'
complete -c rlmc -n '__rlmc_at "completions" 0' -f -a 'bash zsh fish'

complete -c rlmc -n '__rlmc_at "sessions"' -l today -d 'Since midnight'
complete -c rlmc -n '__rlmc_at "sessions"' -l yesterday -d 'The day before today'
complete -c rlmc -n '__rlmc_at "sessions"' -l week -d 'Since Monday'
complete -c rlmc -n '__rlmc_at "sessions"' -l month -d 'Since the first of the month'
complete -c rlmc -n '__rlmc_at "sessions"' -l since -r -f -d 'From this day or moment on'
complete -c rlmc -n '__rlmc_at "sessions"' -l until -r -f -d 'Up to the end of this day, or this moment'
complete -c rlmc -n '__rlmc_at "sessions"' -l all -d 'Everything in the ledger'
complete -c rlmc -n '__rlmc_at "sessions"' -l project -r -f -d 'Only sessions started in this directory or below it'
complete -c rlmc -n '__rlmc_at "sessions"' -l branch -r -f -d 'Only sessions on this git branch'
complete -c rlmc -n '__rlmc_at "sessions"' -l limit -r -f -d 'No more than the newest N'
complete -c rlmc -n '__rlmc_at "sessions"' -l json -d 'Print JSON'
complete -c rlmc -n '__rlmc_at "sessions"' -l csv -d 'Print CSV'
complete -c rlmc -n '__rlmc_at "sessions"' -s h -l help -d 'Show this message and exit'
complete -c rlmc -n '__rlmc_at "sessions" 0' -a rm -d 'Remove sessions from the ledger, with their turns, calls and contents'

complete -c rlmc -n '__rlmc_at "sessions rm"' -l older-than -r -f -d 'All without a turn since a day, or for, say, `90d`'
complete -c rlmc -n '__rlmc_at "sessions rm"' -l simulated -d 'All of simulated models'
complete -c rlmc -n '__rlmc_at "sessions rm"' -s y -l yes -d 'Do not ask'
complete -c rlmc -n '__rlmc_at "sessions rm"' -l json -d 'Print JSON; with --yes only'
complete -c rlmc -n '__rlmc_at "sessions rm"' -s h -l help -d 'Show this message and exit'

complete -c rlmc -n '__rlmc_at "config"' -s h -l help -d 'Show this message and exit'
complete -c rlmc -n '__rlmc_at "config" 0' -a list -d 'Every key, its value, where it comes from and what it means'
complete -c rlmc -n '__rlmc_at "config" 0' -a get -d 'One value'
complete -c rlmc -n '__rlmc_at "config" 0' -a set -d 'Put a value into the file'
complete -c rlmc -n '__rlmc_at "config" 0' -a unset -d 'Take a value out of the file again'
complete -c rlmc -n '__rlmc_at "config" 0' -a edit -d 'Open the file in $VISUAL or $EDITOR; checked before it counts'
complete -c rlmc -n '__rlmc_at "config" 0' -a path -d 'Where the file is'
complete -c rlmc -n '__rlmc_at "config" 0' -a statusline -d 'Print Claude Code\'s setting for a status line; edits nothing'

complete -c rlmc -n '__rlmc_at "config list"' -l json -d 'Print JSON'
complete -c rlmc -n '__rlmc_at "config list"' -s h -l help -d 'Show this message and exit'

complete -c rlmc -n '__rlmc_at "config get"' -l json -d 'Print JSON'
complete -c rlmc -n '__rlmc_at "config get"' -s h -l help -d 'Show this message and exit'
complete -c rlmc -n '__rlmc_at "config get" 0' -f -a '(__rlmc_words_key)'

complete -c rlmc -n '__rlmc_at "config set"' -s h -l help -d 'Show this message and exit'
complete -c rlmc -n '__rlmc_at "config set" 0' -f -a '(__rlmc_words_key)'
complete -c rlmc -n '__rlmc_at "config set" 1' -f -a '(__rlmc_value_of_config_set)'

complete -c rlmc -n '__rlmc_at "config unset"' -s h -l help -d 'Show this message and exit'
complete -c rlmc -n '__rlmc_at "config unset" 0' -f -a '(__rlmc_words_key)'

complete -c rlmc -n '__rlmc_at "config edit"' -s h -l help -d 'Show this message and exit'

complete -c rlmc -n '__rlmc_at "config path"' -s h -l help -d 'Show this message and exit'

complete -c rlmc -n '__rlmc_at "config statusline"' -s h -l help -d 'Show this message and exit'
