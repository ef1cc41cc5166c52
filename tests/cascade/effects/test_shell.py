"""Shell commands: what may run unseen, and everything a draft could try to slip through beside it."""

from __future__ import annotations

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from rlmc.cascade.effects.shell import MOST_CHARS, classify_command
from rlmc.domain.effect import Effect


def safe(command: str) -> bool:
    return classify_command(command) is Effect.SHELL_SAFE


READS = (
    "ls -la",
    "cat src/a.py",
    "grep -rn 'foo|bar$' src --include='*.py'",
    "find . -name '*.py' -not -path './node_modules/*'",
    "find . \\( -name a -o -name b \\) -type f -print",
    "sed -n '10,40p' src/a.py",
    "sed -n '/def foo/,/^def /p' a.py",
    "awk 'NR>=10 && NR<=20' a.py",
    "head -20 a.txt",
    "tail -n +5 a.txt",
    "sort -t, -k2 a.csv",
    "git status --short",
    "git diff HEAD~1 -- a.py b.py",
    "git log --oneline -5",
    "git -C /p/sub log -n 5 --format='%h %s'",
    "git show HEAD:src/a.py",
    "git branch -a --list 'feat/*'",
    "git config --get user.name",
    "jq -r '.scripts | keys[]' package.json",
    "rg -n 'foo' -g '*.ts' src",
    "wc -l src/*.py src/**/*.ts",
    "ls src/{a,b}/*.ts",
    'echo "$(git rev-parse --short HEAD) $HOME"',
    "ls `pwd`",
    "date +%Y-%m-%d",
    "printf '%s\\n' a",
    "printf '%d\\n' 5",
    "printenv HOME",
    "command -v node",
    "node --version",
    "tar -tzf a.tgz",
    "npm ls --depth=0",
    "pip list",
    "cargo tree -d",
    "go list ./...",
    "test -e a.txt",
    "[ -f a ]",
    "[[ -n $x ]]",
    "/usr/bin/ls",
    "cat <<< 'some text'",
    "diff <(sort a) <(sort b)",
    "echo 'rm -rf /'",
    'echo "; rm -rf /"',
    "echo a \\; rm b",
    "grep -n '$(rm x)' a",
)
CHECKS = (
    "pytest -q tests/test_x.py::test_y",
    "python -m pytest -x -k 'foo and not bar'",
    ".venv/bin/python -m mypy src",
    "python3 -m unittest discover -s tests",
    "uv run pytest -q",
    "ruff check .",
    "ruff format --check .",
    "mypy --strict src",
    "npm test",
    "npm run lint -- --max-warnings 0",
    "npm run typecheck",
    "pnpm --filter web test",
    "yarn workspace web test --run",
    "bun test",
    "npx tsc --noEmit",
    "npx vitest run src/a.test.ts",
    "npx eslint src --ext .ts,.tsx",
    "./node_modules/.bin/vitest run",
    "node --test test/",
    "cargo test --workspace -- --nocapture",
    "cargo clippy --all-targets -- -D warnings",
    "cargo fmt --all -- --check",
    "go test ./... -run TestX -count=1",
    "go vet ./...",
    "make -C api test",
    "CI=1 npm test",
    "timeout 60 pytest -x",
    "time go test ./...",
)
LINES = (
    "cd /p/src && git status --short && git diff --stat",
    "cat a | sort | uniq -c | sort -rn | head",
    "pytest -q 2>&1 | tail -20",
    "ls missing 2>/dev/null || true",
    "cd a && pytest >/dev/null 2>&1; echo $?",
    "[ $? -eq 0 ] && echo ok",
    "! grep -q foo a",
    "( cd a; ls )",
    "{ ls; pwd; }",
    "if [ -d x ]; then ls x; elif true; then pwd; else echo no; fi",
    "if [ -f a ]\nthen\n  cat a\nelse\n  ls\nfi",
    'for f in a.py b.py; do echo "== $f"; sed -n \'1,20p\' "$f"; done',
    'for f in src/*.py; do sed -n 1p "$f"; done',
    'for f in $(git ls-files); do wc -l "$f"; done',
    "ls \\\n  -la",
    "ls -la # what is there\npwd",
    "git status &&\n  git diff",
    "\n  ls\n",
)


@pytest.mark.parametrize("command", [*READS, *CHECKS, *LINES])
def test_what_only_looks_or_checks_is_safe(command: str) -> None:
    assert safe(command)


UNSAFE = {
    "no program of the lists": (
        *("rm -rf x", "cp a b", "mkdir a", "touch a", "tee a", "kill 1", "dd if=a", "chmod +x a", "foo", "vim"),
        *("curl http://x", "wget x", "ssh h", "nc h 1", "gh pr create", "docker run x", "npm install", "pip install x"),
        *("git push", "git commit -m x", "git stash", "git checkout x", "git st", "cargo run", "go run .", "make"),
        *("make deploy", "npm run build", "npx cowsay", "python x.py", "python -c 1", "node x.js", "node -e 1"),
    ),
    "commands in the words of other commands": (
        *("eval ls", "exec ls", "source x", ". x", "sudo ls", "env ls", "xargs ls", "nohup ls", "bash -c ls", "sh x"),
        *("command rm x", "command ls -v", "timeout 5 rm x", "timeout 5 bash", "time rm x", "nice rm x", "coproc ls"),
        *("find . -exec rm {} +", "find . -execdir ls", "find . -ok ls", "trap 'rm x' EXIT", "alias ls=rm", "ls | sh"),
        *("uv run bash", "npx -y vitest", "npm --script-shell=x test", "cargo test --config x", "go test -exec x"),
        *("go vet -vettool=x", "rg --pre x y", "rg --hostname-bin=x y", "fd -x rm", "sort --compress-program=x a"),
        *("git -c core.pager=x log", "git --exec-path=x log", "git grep -Ox y", "git grep --open-files-in-pager=x y"),
        *("git log --ext-diff", "tar -tf x --to-command=sh", "tar -tf host:x", "pylint --init-hook=x a.py"),
    ),
    "options that write": (
        *(
            "sort -o a a",
            "sort -oa a",
            "sort --output=a a",
            "sort --outp=a a",
            "uniq a b",
            "uniq a -c",
            "sed -i s/a/b/ a",
        ),
        *("sed -ni p a", "sed --in-place p a", "find . -delete", "find . -fprint x", "find . -fls x", "tree -o x"),
        *("git diff --output=x", "git diff --outpu=x", "git log --pretty --output=x", "git branch new", "git tag v1"),
        *("git branch -v new", "git branch -D x", "git config a.b c", "git config a.b --get", "git config a.b --"),
        *("git reflog expire --all", "git remote add a b", "date -s x", "date 01010000", "hostname x", "xxd a b"),
        *("file -C -m x", "base64 -o x y", "go env -w A=b", "go test -o x", "go test -c", "python -m json.tool a b"),
        *(
            "ruff check --fix",
            "ruff format",
            "black .",
            "eslint --fix .",
            "eslint -o x .",
            "npx vitest -u",
            "gofmt -w a",
        ),
        *("cargo clippy --fix", "cargo fmt", "mypy --install-types", "npx tsc", "npx tsc --noEmit false", "prettier ."),
        *("pytest --basetemp=/home/x", "pytest -o addopts=x", "pytest -p evil", "pytest --junitxml=x", "pytest @x"),
        *("npm test -- -u", "npm run lint -- --fix", "yarn lint --fix", "yarn lint -- --fix", "printf -v PATH x"),
        *("unzip x.zip", "unzip x.zip -l", "tar -xf x", "tar xf x -t", "ps auxe", "lsof -D b", "pip list --log x"),
    ),
    "what runs a file as it is": (
        *("./script.sh", "./ls", "/tmp/ls", "../node_modules/.bin/vitest", "node_modules/.bin/ls", "~/bin/ls"),
        *("pytest scripts/deploy.py", "python -m unittest scripts.deploy", "node x-test.js --test", "make -f x test"),
        *("mocha deploy.js", "make test SHELL=x", "node --test -r x"),
    ),
    "what feeds a program of the project": ("echo x | pytest", "pytest < x", "pytest <<< x", "ls | (npm test)"),
    "redirections": (
        *("ls > a", "ls >> a", "ls >| a", "ls 2> a", "ls &> a", "ls >& a", "ls <> a", "> a", "< a", "2>a ls", ">a ls"),
        *("sort a > /dev/null -o b", "ls >/dev/null b", "cat < /dev/tcp/h/80", "ls {PATH}>/dev/null", "ls > $x"),
    ),
    "here-documents": ("cat <<EOF\nrm\nEOF", "cat <<'EOF' | sh\nls\nEOF", "cat <<-E\n$(rm x)\nE"),
    "expansions that do": (
        *(
            "echo $(rm x)",
            'echo "$(rm x)"',
            "echo `rm x`",
            'ls "`ls; rm x`"',
            "cat <(rm x)",
            "ls >(rm x)",
            "$x",
            "$(ls)",
        ),
        *("`ls`", "$(echo rm) x", "echo ${x:-$(rm x)}", "echo ${x:=y}", "echo ${!x}", "echo ${x@P}", "echo $((1))"),
        *("echo $[1]", "((1))", "ls *(e:'rm x':)", "ls =rm", "ls $~x", "echo $x:s/a/b/", "echo $x[1]", "echo \"$'x'\""),
        *("cat $'\\x2eenv'", "find . {-exec,rm}", "{ls,-la}", "echo `echo \\`rm x\\``", 'echo "`echo "x"`"'),
    ),
    "words that could be options": (
        *("find $x", 'find "$x"', "find *", "git show $x", 'git show "$x"', "git status $(ls)", 'rg "$x"', "sort *"),
        *('sed "$x" a', "sed -n $x a", 'awk "$x" a', "uniq $x", 'pytest "$x"', 'xxd "$x"', "sort a\u0120-oa"),
        *(
            "for f in -delete; do find . $f; done",
            'for f in *; do sed -n p "$f"; done',
            "for f in a*; do sort $f; done",
        ),
        *('for f in a; do ls; done; find . "$f"', "for f in '-delete x'; do find . $f; done"),
    ),
    "assignments": (
        *("x=1", "x=$(ls)", "FOO=1 ls", "PATH=. ls", "LD_PRELOAD=x ls", "GIT_PAGER=x git log", "CI=$x npm test"),
        *(
            "CI=$(rm x) ls",
            "export A=1",
            "unset PATH",
            "read PATH",
            "declare x",
            "PYTHONPATH=/tmp pytest",
            "TZ=:x date",
        ),
        *("for PATH in .; do ls; done", "for path in .; do ls; done", "set", "set -- a", "IFS=x"),
    ),
    "tests that count": (
        *("[ -v 'x[$(id)]' ]", "[[ 'x[$(id)]' -eq 0 ]]", "[ 'x[$(id)]' -eq 0 ]", "[ $x -eq 0 ]", "[ -t 'x[$(id)]' ]"),
        *(
            "[ a > b ]",
            "[ a && rm b ]",
            "[[ a > b ]]",
            "test a > b",
            "[ a \\> b ]",
            "[[ a =~ b ]]",
            "printf %d 'x[$(id)]'",
        ),
        *("printf '%n' PATH", "for o in -v; do true; done; [ \"$o\" 'x[$(id)]' ]", "[ \"$o\" 'x[y]' ]"),
        *("for o in -v; do [ $o 'x[$(id)]' ]; done", "for x in 'a[$(id)]'; do [ \"$x\" = a ]; done"),
    ),
    "secrets": (
        *("cat .env", "cat ./.env.local", "cat ~/.ssh/id_rsa", "ls ~/.aws", "cat ~/.s*/id*", 'cat ~/.s""sh/x'),
        *(
            "cat ~/.s{s,x}h/x",
            "cat /etc/shadow",
            "cat /etc//sha*",
            "for f in shadow; do cat /etc/$f; done",
            "head key.pem",
        ),
        *("cat /proc/self/environ", "git show HEAD:.env", "head < .env", "jq . credentials.json", "cd ~/.ssh && cat x"),
        *(
            "echo $API_KEY",
            'echo "${GH_TOKEN}"',
            "env",
            "printenv",
            "printenv DB_PASSWORD",
            "jq -n env",
            "jq -n '$ENV'",
        ),
        *("awk 'BEGIN{print ENVIRON[\"A\"]}'", "sed -n p .env", "[ -f .env ]", "for f in .env; do cat $f; done"),
    ),
    "quotes and backslashes around a program": ("\\ls", "g\\it status", '"ls"', "'ls'", "l''s", "ls\\\n-la x | \\sh"),
    "other statements": (
        *("ls &", "ls & ls", "f() { ls; }", "f() { ls; }; f", "function f { ls; }", "while true; do ls; done"),
        *("until ls; do ls; done", "case x in *) ls;; esac", "select x in a; do ls; done", "for ((;;)); do ls; done"),
        *("for f; do ls; done", "ls;; ls", "ls ; ; ls", "if ls; then; fi", "ls | while read x; do rm $x; done"),
        *("if ls then ls; fi", "for f in a do ls; done", "(ls", "ls)", "{ ls }", "[ -f a", "!ls", "ls &&", "| ls"),
        *("tail -f a", "tail --follow a"),
    ),
    "letters that deceive": (
        *("ls\r\nrm x", "ls\x00", "ls\x1b[0m", "ls \u202e x", "ls\u00a0-la", "ls \u200b", "l\u0455 -la", "ls \ud800"),
        *("ls # \u2028rm", "ls #; rm x", "ls # 'a", "ls # a -o b", "ls \\ -o"),
    ),
    "nothing": ("", " ", "\n", "# only a comment", ";"),
}


@pytest.mark.parametrize(("why", "command"), [(why, one) for why, commands in UNSAFE.items() for one in commands])
def test_everything_else_is_unsafe(why: str, command: str) -> None:
    assert not safe(command), why


def test_a_comment_does_not_hide_the_next_line() -> None:
    assert safe("ls # look\npwd")
    assert not safe("ls # look\nrm x")


def test_the_length_is_bounded() -> None:
    assert safe("echo " + "a" * (MOST_CHARS - 5))
    assert not safe("echo " + "a" * (MOST_CHARS - 4))


@pytest.mark.parametrize(
    "piece", ["(", "$(", "`", "{", "[ ", "if ", "<", "a=(", "case x in ", "((", "${", "'", '"', "\\"]
)
def test_heaps_of_one_sign_are_unsafe_and_take_no_time(piece: str) -> None:
    assert not safe(piece * (MOST_CHARS // len(piece)))


def test_nests_have_an_end() -> None:
    assert safe("echo " + '"$(echo ' * 5 + "a" + ')"' * 5)
    assert not safe("echo " + "$(echo " * 300 + "a" + ")" * 300)
    assert not safe(" && ".join(["ls"] * 300))
    assert not safe("".join(f"for {v} in 1 2 3 4 5 6 7 8; do " for v in "abcd") + "ls; " + "done; " * 4)


# --- properties ---------------------------------------------------------------------------------------------------

some_safe = st.sampled_from([*READS, *CHECKS])
some_reads = st.sampled_from(READS)
some_unsafe = st.sampled_from(
    ["rm -rf x", "./x.sh", "eval ls", "ls > out", "x=1", "sort -o a b", "cat .env", "$x", "ls &"]
)
letters = st.text(alphabet="abz -=/.*?[]{}()<>|&;!#$'\"`\\\n\t~^%@+:,0129é\u00a0\r\x00", max_size=40)


@given(st.one_of(st.text(), letters, st.text(alphabet=st.characters(categories=["Cs", "Cc", "Cf", "Zs", "Ll"]))))
@example("[")
@example("[[ ]]")
@example("[ ]")
@example("<<<")
@example("$(")
@example("{}")
@settings(max_examples=600)
def test_any_text_has_a_class(command: str) -> None:
    assert classify_command(command) in (Effect.SHELL_SAFE, Effect.UNSAFE)


@given(st.data(), st.sampled_from([*READS, *CHECKS, *LINES]))
@settings(max_examples=300)
def test_any_damage_to_a_command_has_a_class(data: st.DataObject, command: str) -> None:
    at = data.draw(st.integers(0, len(command)))
    damaged = command[:at] + data.draw(letters) + command[at + data.draw(st.integers(0, 5)) :]
    assert classify_command(damaged) in (Effect.SHELL_SAFE, Effect.UNSAFE)


@given(st.lists(some_safe, min_size=1, max_size=5), st.data())
def test_safe_commands_one_after_the_other_are_safe(commands: list[str], data: st.DataObject) -> None:
    line = commands[0]
    for one in commands[1:]:
        line += data.draw(st.sampled_from([" && ", "; ", " || ", "\n", " ;\n"])) + one
    assume(not ("git " in line and "cd a" in line))  # a repository there may not be the user's
    assert safe(line)
    assert safe(f"( {line} )")
    assert safe(f"{{ {line}\n}}")
    assert safe(f"if true; then {line}\nfi")
    assert safe(f"for x in a b; do {line}\ndone")


@given(some_safe, st.lists(some_reads, max_size=4))
def test_what_is_read_may_be_piped_on(first: str, others: list[str]) -> None:
    assert safe(" | ".join([first, *others]))


@given(st.lists(some_safe, max_size=3), some_unsafe, st.lists(some_safe, max_size=3), st.data())
def test_one_unsafe_command_anywhere_makes_the_line_unsafe(
    before: list[str], bad: str, after: list[str], data: st.DataObject
) -> None:
    line = ""
    for one in [*before, bad, *after]:
        line += one + data.draw(st.sampled_from([" && ", "; ", " || ", "\n", " | "]))
    line += "ls"
    hidden = data.draw(
        st.sampled_from(
            ["%s", "( %s )", "{ %s\n}", "if true; then %s\nfi", "if %s\nthen ls; fi", "! { %s\n}", "ls $(%s)"]
        )
    )
    assert not safe(hidden % line)


@given(
    st.sampled_from(READS), st.sampled_from(['echo "$(%s)"', "cat <(%s)", "ls $(%s)", "for z in $(%s); do ls; done"])
)
def test_a_substitution_is_as_safe_as_what_is_in_it(command: str, around: str) -> None:
    assert safe(around % command)
    assert not safe(around % f"{command}; rm x")


@given(st.text(alphabet='abc;|&<>(){}$`"\\# \n*?~!=[]-', max_size=30))
def test_in_single_quotes_nothing_means_anything(text: str) -> None:
    assert safe(f"echo a '{text}' b")
    assert not safe(f"echo a '{text}' b; rm x")
    assert not safe(f"echo '{text}' && foo")


@given(st.text(alphabet="abc;|&<>(){}# \n*?~=[]-'", max_size=30))
def test_in_double_quotes_only_the_dollar_and_its_like_mean_anything(text: str) -> None:
    assert safe(f'echo "{text}"')
    assert not safe(f'echo "{text}"; rm x')
    assert not safe(f'echo "{text}$(rm x)"')
    assert not safe(f'echo "{text}`rm x`"')
