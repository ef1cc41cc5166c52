from __future__ import annotations

import pytest

from rlmc.commands.checks import telemetry
from rlmc.commands.checks.telemetry import check_telemetry

URL = "http://127.0.0.1:4318"


def test_nothing_is_said_where_nothing_is_sent() -> None:
    assert check_telemetry(None, None) == []
    assert check_telemetry(None, {"telemetry": None}) == []


def test_an_endpoint_is_named() -> None:
    for status in (None, {"telemetry": {"endpoint": URL, "error": None}}):
        (check,) = check_telemetry(URL, status)
        assert (check.status, URL in check.detail) == ("ok", True)


def test_a_collector_that_is_away_is_a_warning() -> None:
    (check,) = check_telemetry(URL, {"telemetry": {"endpoint": URL, "error": "does not take traces"}})
    assert (check.status, check.detail) == ("warn", "does not take traces")


@pytest.mark.parametrize("missing", ["opentelemetry_not_there", "opentelemetry_not_there.exporter"])
def test_missing_packages_are_named_also_without_a_daemon(missing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(telemetry, "_MODULE", missing)
    (check,) = check_telemetry(URL, None)
    assert check.status == "warn" and "rlm-cascade[otel]" in (check.fix or "")
