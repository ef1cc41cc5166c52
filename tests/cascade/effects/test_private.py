"""Names that lead to secrets, however they are spelled, and names that only look like them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rlmc.cascade.effects.private import leads_to_secrets
from rlmc.cascade.effects.words import UNKNOWN


@pytest.mark.parametrize(
    "text",
    [
        *(".env", "./.env", "a/.ENV", ".env.local", ".env.production", "HEAD:.env", "--file=.env", ".envrc", ".env*"),
        *("~/.ssh", "~/.ssh/config", "/home/x/.ssh/id_rsa", "id_ed25519", "id_rsa.pub", "~/.aws/credentials", ".netrc"),
        *("~/.config/gh/hosts.yml", "~/.docker/config.json", "~/.npmrc", "~/.bash_history", "~/.kube/config"),
        *("credentials", "credentials.json", "secrets.yaml", "server.pem", "a/b.key", "x.p12", "*.pem", "auth.json"),
        *("/etc/shadow", "/etc//shadow", "/etc/./shadow", "/etc/x/../shadow", "/etc/sudoers.d/x", "/etc/sh*", "/etc/?"),
        *("/proc/self/environ", "/proc/1/env*", "/proc/self/mem", "/dev/tcp/h/80", "/dev/sda", f"/etc/{UNKNOWN}"),
        *(
            "~/Library/Keychains/x",
            "~/.s*/x",
            "~/.?sh",
            f"~/.{UNKNOWN}",
            "~/.en[v]",
            "id_*",
            "?d_rsa",
            "*_rsa",
            "cred*",
        ),
        *("r /etc/shadow", "a,.env", "{.env", "file(.env"),
    ],
)
def test_names_of_secrets(text: str) -> None:
    assert leads_to_secrets(text)


@pytest.mark.parametrize(
    "text",
    [
        *(
            "process.env",
            "import.meta.env",
            "env.ts",
            ".env.example",
            ".env.sample",
            ".envoy",
            ".github/*",
            ".eslintrc*",
        ),
        *("src/*.py", "*", "**/*.ts", "*.*", "credentials_test.py", "test_credentials", "aws", "ssh", "id_rsync.py"),
        *("/etc/hosts", "/proc/cpuinfo", "/dev/null", "keys.py", "monkey", ".gitignore", f"src/{UNKNOWN}", UNKNOWN),
        *("public.keys", "$HOME", "secret", "foo.keyboard", "a.b*c", "/etcetera/x*"),
    ],
)
def test_names_of_other_things(text: str) -> None:
    assert not leads_to_secrets(text)


@given(st.text(max_size=200), st.sampled_from([".env", "/x/.ssh/id_rsa", "/etc/shadow"]))
def test_blanks_around_a_name_hide_nothing(text: str, name: str) -> None:
    assert leads_to_secrets(f"{text} {name} {text}")


@given(st.text(alphabet="/.*?[]etc\0 ", max_size=400))
def test_any_text_has_an_answer(text: str) -> None:
    assert leads_to_secrets(text) in (True, False)
