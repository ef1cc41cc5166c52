"""Programs that look at things: those that can do nothing else, and those that need a look at their arguments.

A program stands here because its manual (GNU's and BSD's, where they differ) was read for ways to write, to run
something, or to hang. What is not listed is unsafe.
"""

from __future__ import annotations

from rlmc.cascade.effects.rules import Rule, rule

ALWAYS = frozenset(
    {
        *("ls", "cat", "head", "wc", "nl", "tac", "rev", "cut", "tr", "paste", "join", "comm", "cmp", "diff"),
        *("fold", "fmt", "expand", "unexpand", "column", "od", "hexdump", "strings", "grep", "egrep", "fgrep"),
        *("basename", "dirname", "realpath", "readlink", "stat", "du", "df", "pwd", "cd", "echo", "expr"),
        *("true", "false", ":", "break", "continue", "which", "whereis", "type", "getconf", "locale", "numfmt"),
        *("md5", "md5sum", "sha1sum", "sha224sum", "sha256sum", "sha384sum", "sha512sum", "shasum", "b2sum", "cksum"),
        *("uname", "whoami", "id", "groups", "nproc", "uptime", "free", "sw_vers", "lsb_release"),
    }
)
"""No argument makes these do anything but print."""

VERSIONS = frozenset(
    {
        *("git", "node", "npm", "npx", "pnpm", "yarn", "bun", "deno", "tsc", "python", "python3", "pip", "pip3", "uv"),
        *("poetry", "pytest", "ruff", "mypy", "black", "cargo", "rustc", "rustfmt", "gcc", "g++", "clang", "make"),
        *("cmake", "docker", "java", "javac", "mvn", "dotnet", "ruby", "bundle", "php", "composer", "perl"),
        *("bash", "zsh", "rg", "jq", "fd", "sed", "awk", "tree", "curl", "gh", "swift", "mix", "elixir"),
        *("eslint", "prettier", "jest", "vitest", "golangci-lint", "pre-commit", "sqlite3", "psql"),
    }
)
"""Programs that print their version when `--version` is all they are given."""

_HERE = r"[^:]+"  # to tar, a name with a colon is a place on another machine

READERS: dict[str, tuple[Rule, ...]] = {
    "sort": (
        rule(
            "-b -d -f -g -h -i -M -n -R -r -V -c -C -s -u -z -k: -t: --key: --field-separator: --reverse --unique "
            "--numeric-sort --general-numeric-sort --human-numeric-sort --version-sort --month-sort --random-sort "
            "--ignore-case --ignore-leading-blanks --dictionary-order --stable --check --zero-terminated --sort"
        ),
    ),
    # A second operand would be the file it writes to.
    "uniq": (
        rule(
            "-c -d -D -u -i -z -f: -s: -w: --count --repeated --all-repeated --unique --ignore-case --skip-fields: "
            "--skip-chars: --check-chars:",
            most=1,
            ordered=True,
        ),
    ),
    # Without -f and its like: they wait for ever.
    "tail": (rule("-n: -c: -b: -q -v -r -z -# --lines: --bytes: --quiet --silent --verbose"),),
    "tree": (
        rule(
            "-a -d -l -f -x -i -A -S -n -C -p -u -g -s -h -D -F -v -t -c -U -r -J -X -q -N -Q -L: -P: -I: --noreport "
            "--gitignore --dirsfirst --filesfirst --filelimit: --prune --du --matchdirs --charset --sort --si --info",
        ),
    ),
    "file": (
        rule(
            "-b -i -I -k -L -h -N -n -r -0 --brief --mime --mime-type --mime-encoding --dereference --no-dereference "
            "--keep-going"
        ),
    ),
    "date": (
        rule(
            "-u -R -I? -d: -r: --date: --reference: --utc --universal --iso-8601 --rfc-3339 --rfc-email",
            operands=r"\+.*",
        ),
    ),
    "hostname": (rule("-s -f -i -I -d --short --fqdn", most=0),),
    "seq": (rule("-w -s: -f: --equal-width", least=1, most=3, operands=r"-?\d{1,6}(?:\.\d{1,3})?"),),
    "printenv": (rule(least=1, most=1, operands=r"\w+"),),
    "command": (rule("-v -V", needs="-v -V", ordered=True),),
    "exit": (rule(most=1, operands=r"\d{1,3}"),),
    "sleep": (rule(least=1, most=1, operands=r"(?:[1-5]?\d|60)(?:\.\d+)?s?"),),
    # Without an argument it shows every variable.
    "set": (
        rule("-e -u -o:", needs="-e -u -o", most=0, values={"-o": "pipefail|errexit|nounset"}),
        rule(least=1, operands=r"\+[eu]"),
    ),
    "ps": (
        rule(
            "-e -f -A -a -l -w -x -p: -o: -C: -u: --sort: --no-headers",
            operands=r"a?u?xw*|axu",
            values={"-o": r"(?!.*env)[\w%,=]+"},
        ),
    ),
    "pgrep": (rule("-f -l -a -x -n -o -i -c -u:", most=1),),
    "lsof": (rule("-i? -n -P -t", operands=r"[\w:.@,-]+"),),
    "xxd": (rule("-l: -s: -c: -g: -u -b -p -i -e -E", most=1, clusters=False, ordered=True),),
    "base64": (rule("-d -D -w: --decode --wrap:", most=1),),
    "tar": (rule("-t -z -j -J -v -f:", needs="-t", values={"-f": _HERE}, ordered=True),),
    "unzip": (rule("-l -v -q", needs="-l", ordered=True),),
    "shellcheck": (rule("-x -a -s: -S: -e: -i: -f: --shell: --severity: --exclude: --include: --external-sources"),),
    "jq": (
        rule(
            "-r -c -n -s -e -S -C -M -a -j -R --raw-output --compact-output --null-input --slurp --exit-status "
            "--sort-keys --color-output --monochrome-output --ascii-output --join-output --raw-input --tab --indent: "
            "--arg --argjson --args --jsonargs --stream --seq --slurpfile --rawfile"
        ),
    ),
    "rg": (
        rule(
            "-A: -B: -C: -E: -F -H -I -L -M: -N -P -S -T: -U -V -a -b -c -d: -e: -f: -g: -h -i -j: -l -m: -n -o -p -q "
            "-r: -s -t: -u -v -w -x -0 -. --after-context: --before-context: --binary --block-buffered --byte-offset "
            "--case-sensitive --color: --colors: --column --context: --context-separator: --count --count-matches "
            "--crlf --debug --dfa-size-limit: --encoding: --engine: --field-context-separator: "
            "--field-match-separator: --file: --files --files-with-matches --files-without-match --fixed-strings "
            "--follow --glob: --glob-case-insensitive --heading --help --hidden --iglob: --ignore --ignore-case "
            "--ignore-file: --include-zero --invert-match --json --line-buffered --line-number --line-regexp "
            "--max-columns: --max-columns-preview --max-count: --max-depth: --max-filesize: --mmap --multiline "
            "--multiline-dotall --no-config --no-filename --no-heading --no-ignore --no-ignore-dot "
            "--no-ignore-exclude --no-ignore-files --no-ignore-global --no-ignore-messages --no-ignore-parent "
            "--no-ignore-vcs --no-line-number --no-messages --no-unicode --null --null-data --one-file-system "
            "--only-matching --passthru --path-separator: --pcre2 --pretty --quiet --regex-size-limit: --regexp: "
            "--replace: --smart-case --sort: --sortr: --stats --stop-on-nonmatch --text --threads: --trim --type: "
            "--type-add: --type-clear: --type-list --type-not: --unrestricted --vimgrep --with-filename --word-regexp"
        ),
    ),
    "fd": (
        rule(
            "-e: -t: -H -I -u -d: -g -F -p -a -i -s -E: -L -0 -1 -c: -S: --extension: --type: --hidden --no-ignore "
            "--unrestricted --max-depth: --min-depth: --exact-depth: --exclude: --glob --fixed-strings --full-path "
            "--absolute-path --ignore-case --case-sensitive --follow --max-results: --color: --changed-within: "
            "--changed-before: --size: --print0 --no-ignore-vcs"
        ),
    ),
    "find": (
        rule(
            "-H -L -P -E -s -x -d -name: -iname: -path: -ipath: -wholename: -iwholename: -regex: -iregex: -regextype: "
            "-lname: -ilname: -type: -xtype: -maxdepth: -mindepth: -depth -size: -empty -mtime: -mmin: -atime: -amin: "
            "-ctime: -cmin: -newer: -newermt: -newerct: -newerat: -anewer: -cnewer: -samefile: -inum: -links: -perm: "
            "-user: -group: -uid: -gid: -nouser -nogroup -readable -writable -executable -true -false -follow -mount "
            "-xdev -noleaf -daystart -prune -quit -not -a -and -o -or -print -print0 -printf: -ls",
            clusters=False,
        ),
    ),
}

_NPM_LIST = rule("-a -l -p -g -s -w: --all --depth: --json --long --parseable --prod --omit: --workspace: --workspaces")
_PIP_LIST = rule("-f -v -q -l --format: --files --not-required --local --user --exclude: --all --verbose")

READERS |= {
    "fdfind": READERS["fd"],
    "json.tool": (rule("--sort-keys --no-ensure-ascii --indent: --compact --json-lines", most=1, ordered=True),),
    "npm ls": (_NPM_LIST,),
    "npm list": (_NPM_LIST,),
    "npm why": (_NPM_LIST,),
    "npm explain": (_NPM_LIST,),
    "npm root": (_NPM_LIST,),
    "npm prefix": (_NPM_LIST,),
    "pnpm ls": (_NPM_LIST,),
    "pnpm list": (_NPM_LIST,),
    "pnpm why": (_NPM_LIST,),
    "yarn list": (rule("--depth: --pattern: --json"),),
    "yarn why": (rule("-R --recursive --json"),),
    "bun pm ls": (rule("--all"),),
    "pip list": (_PIP_LIST,),
    "pip show": (_PIP_LIST,),
    "pip freeze": (_PIP_LIST,),
    "pip check": (rule(most=0),),
    "uv pip list": (_PIP_LIST,),
    "uv pip show": (_PIP_LIST,),
    "uv pip freeze": (_PIP_LIST,),
    "uv pip tree": (_PIP_LIST,),
    "uv pip check": (rule(most=0),),
    "poetry show": (rule("-t -T --tree --top-level --why --only: --with: --without:"),),
    "cargo tree": (
        rule(
            "-p: -i: -e: -d -f: -F: --package: --invert: --edges: --duplicates --depth: --prefix: --format: "
            "--features: --all-features --no-default-features --workspace --exclude: --target: --locked "
            "--offline --frozen",
            most=0,
        ),
    ),
    "cargo metadata": (rule("--format-version: --no-deps --manifest-path: --locked --offline --frozen", most=0),),
    "go list": (rule("-m -json -f: -e -deps -test -find -tags:", clusters=False),),
    "go version": (rule("-m -v"),),
    "go env": (rule("-json", operands="[A-Z0-9_]+"),),
    "go doc": (rule("-all -src -short -u -c -cmd", clusters=False),),
}
READERS |= {name.replace("pip", "pip3", 1): rules for name, rules in READERS.items() if name.startswith("pip ")}
