"""Keys from the system's keyring: found, missing, locked, slow, broken, absent."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator

import keyring
import pytest
from keyring.backend import KeyringBackend
from keyring.backends.fail import Keyring as NoKeyring
from keyring.errors import KeyringLocked

from rlmc.launch.key_store import INSTALL, SERVICE, stored_keys

SECRET = "a-key-of-somebody"


class Fake(KeyringBackend):
    """`error` is raised at every question; with `gate` no answer comes before it is set."""

    priority = 1  # type: ignore[assignment]

    def __init__(self, error: Exception | None = None, gate: threading.Event | None = None) -> None:
        self.kept = {(SERVICE, "DEEPSEEK_API_KEY"): SECRET, ("other", "OPENAI_API_KEY"): "not-ours"}
        self.asked: list[str] = []
        self._error = error
        self._gate = gate

    def get_password(self, service: str, username: str) -> str | None:
        self.asked.append(username)
        if self._gate is not None:
            self._gate.wait(30)
        if self._error is not None:
            raise self._error
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.kept[(service, username)] = password

    def delete_password(self, service: str, username: str) -> None:
        del self.kept[(service, username)]


@pytest.fixture(autouse=True)
def _own_keyring() -> Iterator[None]:
    yield
    keyring.set_keyring(NoKeyring())


def test_what_the_keyring_holds_for_rlmc_is_found() -> None:
    fake = Fake()
    keyring.set_keyring(fake)
    found = stored_keys(["DEEPSEEK_API_KEY", "OPENAI_API_KEY", "DEEPSEEK_API_KEY"])
    assert found.keys == {"DEEPSEEK_API_KEY": SECRET}
    assert found.problem is None
    assert fake.asked == ["DEEPSEEK_API_KEY", "OPENAI_API_KEY"]
    assert SECRET not in repr(found)


@pytest.mark.parametrize(
    ("backend", "problem"),
    [
        (NoKeyring(), "there is no keyring on this machine that could be asked"),
        (Fake(KeyringLocked(SECRET)), "the keyring is locked"),
        (Fake(RuntimeError(SECRET)), "the keyring cannot be asked (RuntimeError)"),
        (Fake(OSError(SECRET)), "the keyring cannot be asked (OSError)"),
    ],
)
def test_a_keyring_that_cannot_be_asked_is_a_note(backend: KeyringBackend, problem: str) -> None:
    keyring.set_keyring(backend)
    found = stored_keys(["DEEPSEEK_API_KEY"])
    assert (found.keys, found.problem) == ({}, problem)


def test_a_keyring_that_does_not_answer_is_not_waited_for() -> None:
    gate = threading.Event()
    keyring.set_keyring(Fake(gate=gate))
    found = stored_keys(["DEEPSEEK_API_KEY"], patience=0.05)
    gate.set()
    assert (found.keys, found.problem) == ({}, "the keyring has not answered within 0.05 s")


def test_without_its_package_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "keyring", None)
    found = stored_keys(["DEEPSEEK_API_KEY"])
    assert found.keys == {}
    assert INSTALL in str(found.problem)


def test_nobody_is_asked_for_nothing() -> None:
    fake = Fake()
    keyring.set_keyring(fake)
    assert stored_keys([]).problem is None
    assert fake.asked == []


def test_it_is_not_loaded_unless_it_is_asked() -> None:
    code = (
        "import sys, rlmc.launch.key_store as store, rlmc.commands.stored, rlmc.commands.wrapped\n"
        "assert not store.stored_keys([]).keys and 'keyring' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
