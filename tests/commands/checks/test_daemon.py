from __future__ import annotations

import socket

from rlmc.commands.checks.daemon import check_daemon, check_port


def test_no_daemon_is_fine_and_an_old_claim_is_told() -> None:
    assert [one.status for one in check_daemon(None, None, "1")] == ["ok"]
    claimed = check_daemon(None, 4711, "1")
    assert [one.status for one in claimed] == ["ok"]
    assert "4711" in claimed[0].detail


def test_a_healthy_daemon() -> None:
    checks = check_daemon({"port": 4711, "pid": 7, "version": "1", "config_error": None}, 4711, "1")
    assert [(one.status, one.detail) for one in checks] == [("ok", "running on port 4711, pid 7")]


def test_what_the_daemon_says_of_itself() -> None:
    status = {
        "port": 1,
        "pid": 2,
        "version": "0.9",
        "config_error": "bad port",
        "ledger_error": "disk full",
        "last_error": "upstream gone",
    }
    checks = check_daemon(status, 1, "1.0")
    assert [one.status for one in checks] == ["warn", "fail", "fail", "warn"]
    said = " ".join(one.detail for one in checks)
    assert all(text in said for text in ("0.9", "1.0", "bad port", "disk full", "upstream gone"))
    assert all(one.fix for one in checks)


def test_ports() -> None:
    assert check_port(0, None).status == "ok"
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = int(taken.getsockname()[1])
        refused = check_port(port, None)
        assert refused.status == "fail"
        assert str(port) in refused.detail
        assert refused.fix == "rlmc config set port 0"
        assert check_port(port, port).status == "ok"
    assert check_port(port, None).status == "ok"
