"""Programs that test and check a project: they run its own code, as the project says, and change nothing but caches.

Rule: only by names that mean this everywhere, with options that neither write where they are told to nor load what they
are told to. Words of a draft are handed on only where no tool on the way could take them for a command.
"""

from __future__ import annotations

from rlmc.cascade.effects.rules import Rule, rule

PLAIN = r"[\w./:=,+][\w./:=,+@*-]*"
"""What package managers hand on to a script's shell unharmed, whatever they forget to quote."""

_WARNINGS = r"(?:ignore|error|default|once|always)(?:::\w*Warning)?"
_REPORTERS = r"verbose|dot|default|basic|tap|tap-flat|json|spec|list|line|minimal|stylish|compact|unix|progress"
_NO_OPTIONS_FILE = r"[^@-].*"
# A file that is named is run from its first line: only one that says it is a test.
_TEST = r"(?=.*(?i:test|spec))"
_PYTHON_TESTS = rf"(?![@-])(?:{_TEST}|(?!.*\.py)).+"

_JS_TESTS = (
    "-t: -i --run --watch=false --watchAll=false --no-watch --testNamePattern: --testPathPattern: --testPathPatterns: "
    "--grep: --silent --verbose --bail --ci --runInBand --coverage --no-coverage --coverage=false "
    "--coverage.enabled=false --passWithNoTests --no-color --color --colors --project: --maxWorkers: --max-workers: "
    "--testTimeout: --test-timeout: --retry: --changed --onlyChanged --findRelatedTests --listTests "
    "--detectOpenHandles --forceExit --no-cache --typecheck"
)
_VITEST = rule(f"{_JS_TESTS} --reporter:", operands=r"(?!(?:init|watch|dev)$).+", values={"--reporter": _REPORTERS})

PROGRAMS: dict[str, tuple[Rule, ...]] = {
    # Python
    "pytest": (
        rule(
            "-q -v -x -s -l -k: -m: -r? -n: -p: -W: --quiet --verbose --exitfirst --maxfail: --lf --last-failed --ff "
            "--failed-first --nf --new-first --sw --stepwise --no-header --no-summary --tb: --durations: "
            "--durations-min: --collect-only --co --strict-markers --strict-config --capture: --show-capture: "
            "--showlocals --color: --disable-warnings --disable-pytest-warnings --ignore: --ignore-glob: --deselect: "
            "--import-mode: --timeout: --dist: --numprocesses: --no-cov --cov --cov-branch --cov-fail-under: "
            "--cov-report=term --cov-report=term-missing --asyncio-mode: --benchmark-disable --benchmark-skip "
            "--hypothesis-seed: --hypothesis-show-statistics --runxfail --full-trace --markers --fixtures --setup-plan "
            "--reruns: --randomly-seed: --randomly-dont-reorganize --forked",
            operands=_PYTHON_TESTS,
            values={"-p": r"no:[\w.-]+", "-W": _WARNINGS, "--dist": r"\w+", "-r": r"\w*"},
        ),
    ),
    "unittest": (
        rule(
            "-v -q -f -b -c -k: -s: -p: -t: --verbose --quiet --failfast --buffer --locals",
            operands=rf"discover|\.|{_TEST}.*",
            values={"-p": rf"{_TEST}.*"},
        ),
    ),
    "mypy": (
        rule(
            "-v -p: -m: --strict --ignore-missing-imports --no-error-summary --pretty --no-pretty --show-error-codes "
            "--hide-error-codes --show-error-context --show-column-numbers --show-error-end --explicit-package-bases "
            "--namespace-packages --no-incremental --follow-imports: --python-version: --platform: "
            "--check-untyped-defs --disallow-untyped-defs --disallow-any-generics --warn-unused-ignores "
            "--warn-unreachable --warn-return-any --no-color-output --exclude: --no-implicit-optional "
            "--strict-optional --disable-error-code: --enable-error-code: --no-site-packages --package: --module:",
            operands=_NO_OPTIONS_FILE,
        ),
    ),
    "pyright": (rule("-p: --project: --outputjson --warnings --stats --level: --pythonversion: --pythonplatform:"),),
    "ruff check": (
        rule(
            "-q -v -s -n -e --quiet --verbose --silent --select: --ignore: --extend-select: --extend-ignore: "
            "--output-format: --no-fix --diff --statistics --exit-zero --preview --no-preview --no-cache --isolated "
            "--show-files --show-settings --exclude: --extend-exclude: --line-length: --target-version: "
            "--force-exclude",
        ),
    ),
    "ruff format": (
        rule(
            "-q -v --quiet --verbose --check --diff --exclude: --line-length: --target-version: --preview --no-cache "
            "--isolated --force-exclude",
            needs="--check --diff",
        ),
    ),
    "ruff rule": (rule("--all --output-format:"),),
    "black": (
        rule(
            "-q -v -l: -t: -S -C --check --diff --color --no-color --quiet --verbose --line-length: --target-version: "
            "--exclude: --extend-exclude: --include: --skip-string-normalization --preview",
            needs="--check --diff",
        ),
    ),
    "isort": (
        rule("-c -q -v --check --check-only --diff --quiet --profile: --show-files", needs="-c --check --check-only"),
    ),
    "flake8": (
        rule(
            "-q -v --select: --ignore: --extend-ignore: --extend-select: --max-line-length: --max-complexity: --count "
            "--statistics --show-source --exclude: --extend-exclude: --isolated",
        ),
    ),
    "pylint": (
        rule("-E -d: -e: --errors-only --disable: --enable: --score=no --score=n --max-line-length: --recursive=y"),
    ),
    "pyflakes": (rule(),),
    # JavaScript and TypeScript
    "vitest": (_VITEST,),
    "jest": (rule(_JS_TESTS),),
    "mocha": (
        rule(
            "-g: -f: -b -R: -t: -s: --grep: --fgrep: --bail --exit --timeout: --slow: --reporter: --recursive",
            operands=rf"{_TEST}.+",
            values={"-R": _REPORTERS, "--reporter": _REPORTERS},
        ),
    ),
    "tsc": (
        rule(
            "-p: --project: --noEmit -noEmit --pretty --skipLibCheck --strict --noErrorTruncation --listFilesOnly "
            "--jsx: --target: --module: --moduleResolution: --esModuleInterop --allowJs --checkJs --lib: --types: "
            "--resolveJsonModule --noUnusedLocals --noUnusedParameters --noImplicitAny",
            needs="--noEmit -noEmit",
            operands=r"(?!(?i:false|null)$)[^@-].*",
            values={"-p": r"(?!(?i:false|null)$).+", "--project": r"(?!(?i:false|null)$).+"},
            clusters=False,
        ),
    ),
    "eslint": (
        rule(
            "-f: --format: --ext: --quiet --max-warnings: --ignore-pattern: --no-ignore --no-cache --no-eslintrc "
            "--report-unused-disable-directives --no-error-on-unmatched-pattern --no-warn-ignored --no-inline-config "
            "--color --no-color --debug --stats",
            values={"-f": _REPORTERS, "--format": _REPORTERS},
            clusters=False,
        ),
    ),
    "prettier": (
        rule(
            "-c -l -u --check --list-different --ignore-path: --ignore-unknown --log-level: --loglevel: --no-color "
            "--no-error-on-unmatched-pattern",
            needs="-c -l --check --list-different",
            clusters=False,
        ),
    ),
    "biome check": (rule("--diagnostic-level: --max-diagnostics: --no-errors-on-unmatched --changed --colors"),),
    "biome lint": (rule("--diagnostic-level: --max-diagnostics: --no-errors-on-unmatched --changed --colors"),),
    "biome ci": (rule("--diagnostic-level: --max-diagnostics: --no-errors-on-unmatched --changed --colors"),),
    "node": (
        rule(
            "--test --test-name-pattern: --test-skip-pattern: --test-only --test-concurrency: --test-timeout: "
            "--test-reporter: --experimental-test-coverage --no-warnings",
            needs="--test",
            operands=rf"{_TEST}.+",
            values={"--test-reporter": _REPORTERS},
            clusters=False,
            ordered=True,
        ),
        rule("--check -c", needs="--check -c", least=1, most=1, clusters=False, ordered=True),
    ),
    "bun test": (
        rule(
            "-t: --test-name-pattern: --bail --coverage --timeout: --only --todo --rerun-each:", operands=rf"{_TEST}.+"
        ),
    ),
    # Rust
    "cargo test": (),
    "cargo nextest run": (),
    "cargo check": (),
    "cargo clippy": (),
    "cargo fmt": (
        rule("--all --check -p: -q -v --package: --quiet --verbose", needs="--check", most=0),
        rule("--all -p: -q -v --package:", most=0, rest=rule("--check -l --color:", needs="--check")),
    ),
    # Go
    "go test": (
        rule(
            "-v -race -short -cover -benchmem -failfast -json -run: -skip: -count: -timeout: -bench: -benchtime: -p: "
            "-parallel: -cpu: -tags: -list: -shuffle: -covermode: -coverpkg: -vet=off",
            clusters=False,
        ),
    ),
    "go vet": (rule("-v -json -tags: -c:", clusters=False),),
    "gofmt": (rule("-l -d -s -e", needs="-l -d"),),
    "golangci-lint run": (rule("-v --timeout: --enable: --disable: -E: -D: --new --fast --tests --build-tags:"),),
    "staticcheck": (rule("-tests -checks:", clusters=False),),
    # By the project's own rules for building
    "make": (
        rule(
            "-j? -s -k -C: --silent --keep-going --no-print-directory",
            least=1,
            operands=r"tests?|check|lint|type-?check|types|unit|unit-?tests?|test-unit|vet|clippy|fmt-check|format-check"
            r"|check-fmt|check-format|mypy|pytest|eslint|ruff",
        ),
    ),
    "mvn test": (rule("-q -o -B -e -pl: -am -Dtest:", values={"-Dtest": r"[\w.*,#+]+"}, most=0, clusters=False),),
    "dotnet test": (
        rule(
            "--no-build --no-restore --nologo --filter: -c: --configuration: -v: --verbosity:",
            most=1,
            operands=r"[\w.][\w./-]*",
        ),
    ),
    "swift test": (rule("--filter: --skip: --parallel -q -v --quiet --verbose", most=0),),
    "mix test": (
        rule(
            "--trace --failed --stale --only: --exclude: --include: --max-failures: --seed: --cover",
            operands=rf"{_TEST}.+",
        ),
    ),
    "rspec": (
        rule(
            "-f: -e: -t: --format: --example: --tag: --order: --seed: --fail-fast --no-color --backtrace",
            operands=rf"{_TEST}.+",
            values={"-f": "d|doc|p|documentation|progress", "--format": "d|doc|p|documentation|progress"},
        ),
    ),
    "phpunit": (
        rule(
            "--filter: --testsuite: --group: --stop-on-failure --testdox --colors --no-coverage", operands=rf"{_TEST}.+"
        ),
    ),
    "ctest": (rule("-V -R: -E: -L: -j: -N --output-on-failure --verbose --rerun-failed --test-dir:", most=0),),
}
"""By the program, with its subcommand where it has some; any of its rules will do."""

_CARGO = (
    "-p: -F: -r -q -v -j: --package: --workspace --all --exclude: --lib --bins --bin: --tests --test: --examples "
    "--example: --benches --bench: --all-targets --features: --all-features --no-default-features --release --profile: "
    "--locked --offline --frozen --manifest-path: --message-format: --color: --quiet --verbose --jobs: --keep-going "
    "--doc --no-run --no-fail-fast --no-deps"
)
_LIBTEST = rule(
    "-q --nocapture --no-capture --test-threads: --exact --ignored --include-ignored --list --show-output --quiet "
    "--skip: --color:"
)
_LINTS = rule("-D: -W: -A: -F: --deny: --warn: --allow: --forbid:", most=0)

PROGRAMS["cargo test"] = (rule(_CARGO, rest=_LIBTEST),)
PROGRAMS["cargo nextest run"] = (rule(f"{_CARGO} -E: --retries: --status-level:"),)
PROGRAMS["cargo check"] = (rule(_CARGO, most=0),)
PROGRAMS["cargo clippy"] = (rule(_CARGO, most=0, rest=_LINTS),)
PROGRAMS["py.test"] = PROGRAMS["pytest"]
PROGRAMS["vue-tsc"] = PROGRAMS["tsc"]

JAVASCRIPT = frozenset({"vitest", "jest", "mocha", "tsc", "vue-tsc", "eslint", "prettier", "biome"})
"""Those that npx and its kin may be asked for."""

MODULES = frozenset(
    {"pytest", "unittest", "mypy", "ruff", "black", "isort", "flake8", "pylint", "pyflakes", "pip", "json.tool"}
)
"""Those that `python -m` may be asked for."""

SCRIPTS = (
    r"tests?|(?:test:)?unit|test:(?:unit|ci|types?)|lint|lint:(?:check|ts|js|types?)|eslint|tsc|types?|type-?check"
    r"|type:check|types:check|check|check:(?:types?|lint|format)|check-types|(?:format|fmt|prettier)[:-]check"
)
"""Names of a package's scripts that mean a check."""

SCRIPT_ARGUMENTS = rule(f"{_JS_TESTS} --reporter: --max-warnings:", values={"--reporter": _REPORTERS})
