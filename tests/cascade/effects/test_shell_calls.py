"""Calls of shells: the command in them, and everything else they say."""

from __future__ import annotations

import json

import pytest

from rlmc.cascade.effects.shell_calls import shell_call_effect
from rlmc.domain.effect import Effect


def safe(**arguments: object) -> bool:
    return shell_call_effect(json.dumps(arguments)) is Effect.SHELL_SAFE


def test_a_call_as_clients_make_it() -> None:
    assert safe(command="ls -la", description="List files", timeout=120000)
    assert safe(command="ls", run_in_background=False, dangerouslyDisableSandbox=None)
    assert safe(command="ls", is_background=False, directory="src")
    assert safe(cmd="ls", workdir="/project", yield_time_ms=1000, max_output_tokens=5000, login=True)
    assert shell_call_effect('{"cmd": "ls", "shell": "zsh"}') is Effect.SHELL_SAFE
    assert safe(cmd="ls", sandbox_permissions="use_default", justification=None, tty=False)


@pytest.mark.parametrize(
    "more",
    [
        {"run_in_background": True},
        {"run_in_background": "true"},
        {"is_background": True},
        {"dangerouslyDisableSandbox": True},
        {"with_escalated_permissions": True},
        {"sandbox_permissions": "require_escalated"},
        {"tty": True},
        {"shell": "/tmp/evil"},
        {"shell": ["bash"]},
        {"shell": {}},
        {"workdir": "/home/x/.ssh"},
        {"directory": ["~/.aws"]},
        {"cmd": "ls"},
        {"Command": "rm x"},
        {"env": {"PATH": "."}},
        {"anything_new": 1},
    ],
)
def test_whatever_else_would_change_what_runs_makes_it_unsafe(more: dict[str, object]) -> None:
    assert not safe(command="ls", **more)


@pytest.mark.parametrize(
    ("folder", "command"),
    [
        ("/proc/self", "cat environ"),
        ("/proc", "cat self/environ"),
        ("/etc", "cat shadow"),
        ("/etc", "head -n 3 'sha'dow"),
        ("/etc", "wc -l < shadow"),
        ("/etc", "cat *"),
        ("/home/x/.docker", "cat config.json"),
        ("/home/x/.config", "cat gh/hosts.yml"),
        ("/home/x/.config", "ls && cat gh/hosts.yml"),
    ],
)
def test_a_name_is_judged_with_the_folder_it_is_looked_up_in(folder: str, command: str) -> None:
    assert not safe(command=command, workdir=folder)
    assert not safe(command=command, directory=folder)
    assert not safe(command=f"cd {folder} && {command}")
    assert not safe(command=f"cd {folder[:5]} && cd ./{folder[5:]} && {command}", workdir="/")
    assert not safe(command=f"for f in a b; do {command}; cd {folder}; done")
    assert safe(command=command.replace("*", "a"), workdir="/p")


def test_folders_of_a_project_are_nothing_special() -> None:
    assert safe(command="cd src && rg 'foo.*' a/*.py && cd .. && ls", workdir="/home/x/.config/nvim")
    assert safe(command="ls", workdir="/etc/nginx")


def test_a_command_of_words() -> None:
    assert safe(command=["ls", "-la", "a b"])
    assert safe(command=["bash", "-lc", "git status && ls"])
    assert safe(command=["grep", "a; rm x", "file"])
    assert not safe(command=["rm", "x"])
    assert not safe(command=["bash", "-lc", "rm x"])
    assert not safe(command=["/tmp/bash", "-lc", "ls"])
    assert not safe(command=["bash", "-ic", "ls"])
    assert not safe(command=["bash", "-lc", "ls", "x"])
    assert not safe(command=["ls", 1])
    assert not safe(command=[])


@pytest.mark.parametrize(
    "arguments",
    [
        "",
        "{",
        "[]",
        "null",
        '"ls"',
        "{}",
        '{"command": null}',
        '{"command": 1}',
        '{"command": {"a": "ls"}}',
        "[" * 5000,
    ],
)
def test_arguments_without_a_command_are_unsafe(arguments: str) -> None:
    assert shell_call_effect(arguments) is Effect.UNSAFE


def test_of_a_name_given_twice_the_last_counts_as_it_does_for_clients() -> None:
    assert shell_call_effect('{"command": "ls", "command": "rm x"}') is Effect.UNSAFE
    assert shell_call_effect('{"command": "ls", "comman\\u0064": "rm x"}') is Effect.UNSAFE
