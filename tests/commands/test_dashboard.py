"""`rlmc dashboard`: a link that works once, handed to a browser where there is one."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.command_line import Rlmc


@pytest.fixture
def rlmc(tmp_path: Path) -> Iterator[Rlmc]:
    user = Rlmc(tmp_path)
    yield user
    user("stop", "--force")
    user.close()


def test_it_starts_the_daemon_and_gives_a_link_that_opens_the_page(rlmc: Rlmc) -> None:
    ran = rlmc("dashboard", "--json")
    assert ran.returncode == 0, ran.stderr
    url = json.loads(ran.stdout)["data"]["url"]
    opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
    with opener.open(url, timeout=10) as answer:
        assert answer.status == 200
        assert b"<title>rlmc</title>" in answer.read()


def test_it_opens_the_browser(rlmc: Rlmc, tmp_path: Path) -> None:
    browser, opened = tmp_path / "browser", tmp_path / "opened"
    browser.write_text(f'#!/bin/sh\necho "$1" > {opened}\n')
    browser.chmod(0o755)
    ran = rlmc("dashboard", env={"BROWSER": str(browser), "SSH_CONNECTION": ""})
    assert ran.returncode == 0, ran.stderr
    assert opened.read_text() == ran.stdout
    assert rlmc("dashboard", "--no-open", env={"BROWSER": str(browser)}).stdout != ran.stdout
    assert opened.read_text() == ran.stdout, "nothing more was opened"


def test_in_a_remote_shell_it_says_how_to_get_there(rlmc: Rlmc) -> None:
    ran = rlmc("dashboard", env={"SSH_CONNECTION": "1 2 3 4"})
    port = ran.stdout.split(":")[2].partition("/")[0]
    assert f"ssh -L {port}:127.0.0.1:{port}" in ran.stderr
