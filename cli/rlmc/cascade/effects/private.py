"""Words of a command that lead to keys, passwords and the like: reading them is nobody's business but the user's.

Rule: names decide, in any case of letters, wherever a name may begin. A pattern that could be meant to find such a name
counts as one. This catches carelessness and cheap tricks; what a program reads on its own it does not see.
"""

from __future__ import annotations

import posixpath
import re
from fnmatch import fnmatchcase

from rlmc.cascade.effects.words import UNKNOWN

_PRIVATE = re.compile(
    r"""(?:^|[\s/:=@,;"'(<{|\0])(?:
        \.(?:ssh|gnupg|aws|azure|kube|netrc|pgpass|my\.cnf|npmrc|yarnrc|pypirc|git-credentials|htpasswd|vault-token
           |password-store|mozilla|thunderbird)(?![\w-])
      | \.\w{0,20}_history(?!\w)
      | \.env(?:rc)?(?![\w.-])
      | \.env\.(?!(?:example|sample|template|dist|defaults)(?![\w.-]))
      | \.docker/config | \.config/(?:gcloud|gh|hub|op|sops)(?!\w) | \.claude/\.cred | \.claude\.json | \.codex/auth
      | _netrc(?!\w) | id_(?:rsa|dsa|ecdsa|ed25519)
      | credentials(?:\.(?:json|ya?ml|toml|ini|xml|db))?(?=$|["'\s])
      | (?:secrets?|auth|service[-_]account)\.(?:json|ya?ml|toml|ini)(?!\w)
      | key[34]\.db | logins\.json | login\.keychain
    )
    | [\w*?\]-]\.(?:pem|key|p12|pfx|keystore|jks|kdbx|ppk|ovpn)(?=$|["'\s:])
    | /etc/(?:\S{0,60}/)?(?:g?shadow|sudoers|master\.passwd|ssh_host_)
    | /library/(?:keychains|cookies)
    | /proc/(?:\S{0,60}/)?(?:environ|mem|kcore|auxv)(?!\w)
    | /dev/(?:mem|kmem|port|tcp|udp|sd[a-z]|nvme|disk|mapper|vd[a-z])
    """,
    re.VERBOSE,
)
# Folders that hold some of these in folders below: who searches all of one finds them.
_HOME = re.compile(
    r"(?:~[\w.-]*|/\0|/|/(?:home|users|root|etc|proc|sys|run|private|var)|/(?:home|users)/[^/]+|/proc/[^/]+"
    r"|(?:~|/\0|/root|/(?:home|users)/[^/]+)/\.config)"
)
_UP = re.compile(r"\.\.(?:/\.\.)*")
_ANYTHING_IN = re.compile(r"/(?:etc|proc(?:/[^/\s]*)?)/[^/\s]*[*?\[\0]")
_HIDDEN = (
    *(".ssh", ".gnupg", ".aws", ".azure", ".kube", ".env", ".envrc", ".netrc", ".pgpass", ".npmrc", ".pypirc"),
    *(".git-credentials", ".htpasswd", ".vault-token", ".bash_history", ".zsh_history", ".docker", ".config"),
)
_OPEN = ("id_rsa", "id_dsa", "id_ecdsa", "id_ed25519", "credentials")
_GLOB = re.compile(r"[*?\[\0]")
_LETTER = re.compile(r"\w")
# A pattern with fewer letters could mean any file.
_TELLING = 3


def holds_a_home(folder: str) -> bool:
    """Whether this is somebody's home, or a folder above it."""
    return _HOME.fullmatch(posixpath.normpath(_plain(f"{folder}/"))) is not None


def only_goes_up(folder: str) -> bool:
    """Steps up and nothing else may lead to a home from wherever one is."""
    return _UP.fullmatch(posixpath.normpath(_plain(f"{folder}/"))) is not None


def leads_to_secrets(text: str) -> bool:
    plain = _plain(text)
    if _PRIVATE.search(plain) or _ANYTHING_IN.search(plain):
        return True
    if not _GLOB.search(plain):
        return False
    return any(_may_mean(step) for step in re.split(r"[/:=\s]", plain) if _GLOB.search(step))


def _plain(text: str) -> str:
    """Some systems take letters that only look alike for the same: as many as fold to the same ones."""
    return re.sub(r"/(?:\.?/)+", "/", text.casefold())


def _may_mean(step: str) -> bool:
    """Whether a name with unknown parts could turn out to be a secret's."""
    pattern = step.replace(UNKNOWN, "*")
    if pattern.startswith("."):
        begin = _GLOB.split(pattern)[0]
        return any(name.startswith(begin) or begin.startswith(name) for name in _HIDDEN)
    if len(_LETTER.findall(pattern)) < _TELLING:
        return False
    if pattern.startswith("*"):
        return pattern.endswith(("_rsa", "_dsa", "_ecdsa", "_ed25519", ".pem", ".key"))
    return any(fnmatchcase(name, pattern) for name in _OPEN)
