"""What git may be asked: its subcommands that only look, with the options that keep it that way.

Rule: nothing that names a program, a file to write to or a setting. Git takes any unambiguous beginning of a long
option for the whole, which is one more reason why options are listed and not struck out.
"""

from __future__ import annotations

from rlmc.cascade.effects.rules import Rule, rule

LEADING = rule("-C: -P --no-pager --no-optional-locks --literal-pathspecs --no-replace-objects")

_DIFF = (
    "-p -u -s -U: -M? -C? -B? -D -R -a -b -w -W -z -r -t -m -c -S: -G: --patch --no-patch --unified: --stat --numstat "
    "--shortstat --dirstat --summary --compact-summary --name-only --name-status --raw --full-index --binary --abbrev "
    "--no-renames --find-renames --find-copies --find-copies-harder --text --function-context --ignore-all-space "
    "--ignore-space-change --ignore-space-at-eol --ignore-blank-lines --ignore-cr-at-eol --word-diff --word-diff-regex "
    "--color --no-color --color-words --color-moved --exit-code --quiet -q --no-ext-diff --no-textconv --diff-filter "
    "--relative --no-relative --no-prefix --src-prefix --dst-prefix --inter-hunk-context --minimal --patience "
    "--histogram --diff-algorithm --pickaxe-all --pickaxe-regex --submodule --ignore-submodules --check --cached "
    "--staged --merge-base --no-index --root --cc --no-commit-id --indent-heuristic --stat-width --stat-count -1 -2 -3 "
    "--base --ours --theirs --combined-all-paths --diff-merges --patch-with-stat"
)
_LOG = (
    f"{_DIFF} -# -n: -i -E -F -P -g -L: --max-count: --skip: --since: --after: --until: --before: --author: "
    "--committer: --grep: --all-match --invert-grep --regexp-ignore-case --extended-regexp --fixed-strings "
    "--perl-regexp --oneline --graph --no-graph --all --branches --tags --remotes --glob --exclude --decorate "
    "--no-decorate --decorate-refs --format --pretty --abbrev-commit --no-abbrev-commit --date: --relative-date "
    "--follow --no-merges --merges --first-parent --reverse --topo-order --date-order --author-date-order --left-right "
    "--left-only --right-only --cherry --cherry-pick --cherry-mark --no-walk --boundary --simplify-by-decoration "
    "--full-history --dense --sparse --ancestry-path --parents --children --source --log-size --notes --no-notes "
    "--not --walk-reflogs --show-pulls --no-expand-tabs --use-mailmap --mailmap --no-mailmap --min-parents "
    "--max-parents --count --objects --no-object-names --disk-usage --clear-decorations"
)
_REFS = (
    "--contains: --no-contains: --merged: --no-merged: --points-at: --sort: --format: --column --no-column --color "
    "--no-color --ignore-case --omit-empty"
)
_BRANCH = f"-a -r -v -q -i --all --remotes --verbose --list --show-current --abbrev --no-abbrev {_REFS}"
_TAG = f"-l --list -n? -i {_REFS}"
_SCOPE = "--local --global --system --worktree --show-origin --show-scope --type --bool --int --path --null -z"
_SETTING = r"(?!.*(?i:token|passw|extraheader|secret|apikey))[\w-]+\.[\w.*/:@-]+"

_LOOK = rule(_LOG)
_ANY = (rule(_DIFF),)

GIT: dict[str, tuple[Rule, ...]] = {
    "status": (
        rule(
            "-s -b -v -z -u? --short --branch --porcelain --long --verbose --untracked-files --ignored --show-stash "
            "--ahead-behind --no-ahead-behind --renames --no-renames --find-renames --column --no-column "
            "--ignore-submodules"
        ),
    ),
    "diff": _ANY,
    "diff-tree": (rule(f"{_DIFF} --pretty --format"),),
    "diff-index": _ANY,
    "diff-files": _ANY,
    "log": (_LOOK,),
    "show": (_LOOK,),
    "whatchanged": (_LOOK,),
    "rev-list": (_LOOK,),
    "range-diff": (_LOOK,),
    "stash list": (_LOOK,),
    "stash show": (rule(f"{_DIFF} --include-untracked --only-untracked"),),
    "reflog": (rule(_LOG, operands=r"(?!(?:expire|delete|drop|write|exists)$).*"),),
    "shortlog": (
        rule(
            "-s -n -e -c -# --summary --numbered --email --committer --all --since: --until: --no-merges --group "
            "--format",
        ),
    ),
    "blame": (
        rule(
            "-L: -w -l -t -s -e -f -n -c -p -M? -C? --date: --since: --porcelain --line-porcelain --abbrev "
            "--first-parent --root --show-stats --show-name --show-number --show-email --ignore-rev: "
            "--color-lines --color-by-age --reverse"
        ),
    ),
    "branch": (rule(_BRANCH, most=0), rule(_BRANCH, needs="--list")),
    "tag": (rule(_TAG, most=0), rule(_TAG, needs="-l --list")),
    "remote": (rule("-v --verbose", most=0),),
    "remote get-url": (rule("--all --push"),),
    "config": (
        rule(f"--get --get-all {_SCOPE}", least=1, most=1, operands=_SETTING, needs="--get --get-all", ordered=True),
        rule(_SCOPE, least=1, most=1, operands=_SETTING, ordered=True),
    ),
    "config get": (rule(f"--all {_SCOPE}", least=1, most=1, operands=_SETTING, ordered=True),),
    "rev-parse": (
        rule(
            "-q --verify --quiet --short --abbrev-ref --symbolic --symbolic-full-name --show-toplevel --show-prefix "
            "--show-cdup --show-superproject-working-tree --show-object-format --show-ref-format --git-dir "
            "--absolute-git-dir --git-common-dir --git-path: --is-inside-work-tree --is-inside-git-dir "
            "--is-bare-repository --is-shallow-repository --all --branches --tags --remotes --revs-only --no-revs "
            "--flags --no-flags --not --path-format --default:"
        ),
    ),
    "ls-files": (
        rule(
            "-c -d -m -o -i -s -u -k -t -v -f -z -x: -X: --cached --deleted --modified --others --ignored --stage "
            "--unmerged --killed --directory --no-empty-directory --exclude: --exclude-from: --exclude-standard "
            "--error-unmatch --full-name --abbrev --eol --deduplicate --format --recurse-submodules --with-tree"
        ),
    ),
    "ls-tree": (
        rule("-d -r -t -l -z --long --name-only --name-status --object-only --full-name --full-tree --abbrev"),
    ),
    "cat-file": (rule("-p -t -s -e"),),
    "merge-base": (rule("-a --all --octopus --independent --is-ancestor --fork-point"),),
    "name-rev": (rule("--tags --refs --all --name-only --always"),),
    "describe": (
        rule(
            "--all --tags --contains --abbrev --candidates --exact-match --long --match: --exclude: --always --dirty "
            "--first-parent"
        ),
    ),
    "for-each-ref": (rule(f"--count: --exclude: {_REFS}"),),
    "show-ref": (rule("--head --heads --branches --tags --verify -d --dereference -s --hash --abbrev -q --quiet"),),
    "check-ignore": (rule("-q -v -n --quiet --verbose --non-matching --no-index"),),
    "check-attr": (rule("-a -z --all --cached --source"),),
    "count-objects": (rule("-v -H --verbose --human-readable", most=0),),
    "worktree list": (rule("-v -z --verbose --porcelain"),),
    "submodule status": (rule("--cached --recursive"),),
    "cherry": (rule("-v --abbrev"),),
    # Without -O: it opens what it finds in a program.
    "grep": (
        rule(
            "-n -i -l -L -c -w -v -E -F -G -P -h -H -o -q -r -z -a -I -p -W -# -A: -B: -C: -e: -m: --line-number "
            "--ignore-case --files-with-matches --files-without-match --name-only --count --word-regexp --invert-match "
            "--extended-regexp --fixed-strings --basic-regexp --perl-regexp --full-name --only-matching --quiet --null "
            "--text --cached --untracked --no-index --no-recursive --recursive --max-depth: --max-count: --heading "
            "--break --column --color --no-color --show-function --function-context --after-context: "
            "--before-context: --context: --and --or --not --all-match --exclude-standard --no-exclude-standard"
        ),
    ),
    "version": (rule("--build-options", most=0),),
}
"""By subcommand, of one word or two; any of a subcommand's rules will do."""
