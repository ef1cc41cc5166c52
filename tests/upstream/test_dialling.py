"""How lines are made: names, addresses, certificates, and how long any of it may take."""

from __future__ import annotations

import asyncio
import shutil
import socket
import ssl
import subprocess
import sys
from collections.abc import Callable, Coroutine
from contextlib import closing
from typing import Any

import pytest
import uvloop
from tests.support.said_raw import END, saying

from rlmc.errors import UpstreamError
from rlmc.upstream import dialling
from rlmc.upstream.client import HttpTransport
from rlmc.upstream.transport import Network, UpstreamRequest

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi"


@pytest.fixture(params=["asyncio", "uvloop"])
def run(request: pytest.FixtureRequest) -> Callable[[Coroutine[Any, Any, Any]], Any]:
    loop = asyncio.new_event_loop if request.param == "asyncio" else uvloop.new_event_loop

    def running(work: Coroutine[Any, Any, Any]) -> Any:
        with asyncio.Runner(loop_factory=loop) as runner:
            return runner.run(asyncio.wait_for(work, 30))

    return running


async def ask(it: HttpTransport, url: str, ca_file: str | None = None, body: bytes = b"{}") -> bytes:
    response = await it.send(UpstreamRequest("POST", url, [], body, Network(ca_file=ca_file)))
    try:
        return b"".join([chunk async for chunk in response.chunks()])
    finally:
        await response.close()


async def failure(it: HttpTransport, url: str, ca_file: str | None = None) -> UpstreamError:
    with pytest.raises(UpstreamError) as caught:
        await ask(it, url, ca_file)
    return caught.value


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[ssl.SSLContext, str]:
    """What a server shows that nobody knows, and the file that vouches for it."""
    if shutil.which("openssl") is None:
        pytest.skip("needs openssl to make a certificate")
    folder = tmp_path_factory.mktemp("tls")
    key, shown = folder / "key.pem", folder / "cert.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
    command += ["-addext", "subjectAltName=DNS:localhost", "-keyout", str(key), "-out", str(shown)]
    subprocess.run(command, check=True, capture_output=True, timeout=60)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(shown, key)
    return context, str(shown)


def test_a_line_over_tls_is_used_again(run: Any, certificate: tuple[ssl.SSLContext, str]) -> None:
    context, vouching = certificate

    async def work() -> None:
        async with saying(OK, context=context) as provider:
            it = HttpTransport()
            for body in (b"{}", b"x" * 100_000, b"x" * 5_000_000, b"{}"):
                assert await ask(it, provider.url(), vouching, body) == b"hi"
            assert len(provider.connections) == 1
            assert provider.connections[0].received.endswith(b"\r\n\r\n{}")
            assert len(provider.connections[0].received) > 5_100_000
            await it.close()

    run(work())


def test_a_line_made_by_one_users_certificates_serves_no_other(
    run: Any, certificate: tuple[ssl.SSLContext, str]
) -> None:
    context, vouching = certificate

    async def work() -> str:
        async with saying(OK, context=context) as provider:
            it = HttpTransport()
            await ask(it, provider.url(), vouching)
            error = await failure(it, provider.url())
            await it.close()
            return error.kind

    assert run(work()) == "tls"


def test_a_certificate_for_another_name_is_not_trusted(run: Any, certificate: tuple[ssl.SSLContext, str]) -> None:
    context, vouching = certificate

    async def work() -> UpstreamError:
        async with saying(OK, context=context) as provider:
            it = HttpTransport()
            error = await failure(it, provider.url().replace("localhost", "127.0.0.1"), vouching)
            await it.close()
            return error

    error = run(work())
    assert error.kind == "tls"
    assert "not trusted" in error.message


def test_an_answer_over_tls_that_is_cut_is_told_as_such(run: Any, certificate: tuple[ssl.SSLContext, str]) -> None:
    context, vouching = certificate

    async def work() -> str:
        cut = b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhi"
        async with saying(cut, END, context=context) as provider:
            it = HttpTransport()
            error = await failure(it, provider.url(), vouching)
            await it.close()
            return error.kind

    assert run(work()) == "reset"


def test_plain_http_where_tls_is_expected_is_a_failure_of_tls(run: Any) -> None:
    async def work() -> str:
        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read(1)
            writer.write(OK)
            writer.close()

        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        it = HttpTransport()
        error = await failure(it, f"https://localhost:{server.sockets[0].getsockname()[1]}/")
        await it.close()
        server.close()
        await asyncio.sleep(0.05)
        return error.kind

    assert run(work()) == "tls"


def test_all_of_connecting_takes_so_long_and_no_longer(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody takes the connection, and says nothing of TLS."""
    monkeypatch.setattr(dialling, "CONNECT_SECONDS", 0.3)

    async def work(port: int) -> list[UpstreamError]:
        it = HttpTransport()
        errors = [await failure(it, f"https://{host}:{port}/") for host in ("localhost", "127.0.0.1")]
        await it.close()
        return errors

    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        errors = run(work(listener.getsockname()[1]))
    assert [error.kind for error in errors] == ["connect-timeout"] * 2
    assert "could not be reached in time" in errors[0].message


class TestNames:
    """On asyncio's own loop, whose look-ups can be seen."""

    @pytest.fixture
    def asked(self, monkeypatch: pytest.MonkeyPatch) -> list[str]:
        asked: list[str] = []
        real = asyncio.base_events.BaseEventLoop.getaddrinfo

        async def found(loop: Any, host: str, port: int, **kind: Any) -> Any:
            asked.append(host)
            if host != "provider.test":
                return await real(loop, host, port, **kind)
            return [
                (socket.AF_INET6, socket.SOCK_STREAM, 6, "", ("::1", 9, 0, 0)),
                (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port)),
            ]

        monkeypatch.setattr(asyncio.base_events.BaseEventLoop, "getaddrinfo", found)
        return asked

    def test_the_next_address_is_tried_where_one_does_not_answer(self, asked: list[str]) -> None:
        async def work() -> bytes:
            async with saying(OK) as provider:
                it = HttpTransport()
                try:
                    return await ask(it, provider.url().replace("127.0.0.1", "provider.test"))
                finally:
                    await it.close()

        assert asyncio.run(work()) == b"hi"
        assert "provider.test" in asked

    def test_a_name_is_looked_up_once_a_minute(self, asked: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
        async def work() -> list[int]:
            counts = []
            async with saying(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nhi") as provider:
                it = HttpTransport()
                for seconds in (60.0, 60.0, -1.0, 60.0):
                    monkeypatch.setattr(dialling, "_KNOWN_SECONDS", seconds)
                    if seconds < 0:
                        await it.close()
                        it = HttpTransport()
                    await ask(it, provider.url().replace("127.0.0.1", "provider.test"))
                    counts.append(asked.count("provider.test"))
                await it.close()
            return counts

        assert asyncio.run(work()) == [1, 1, 2, 3]

    def test_many_who_ask_at_once_wait_for_one_look_up(self, asked: list[str]) -> None:
        async def work() -> list[bytes]:
            async with saying(OK) as provider:
                it = HttpTransport()
                url = provider.url().replace("127.0.0.1", "provider.test")
                try:
                    return await asyncio.gather(*[ask(it, url) for _ in range(5)])
                finally:
                    await it.close()

        assert asyncio.run(work()) == [b"hi"] * 5
        assert asked.count("provider.test") == 1

    def test_where_a_name_leads_to_nobody_it_is_looked_up_again(self, asked: list[str]) -> None:
        async def work(port: int) -> list[str]:
            it = HttpTransport()
            kinds = [(await failure(it, f"http://localhost:{port}/")).kind for _ in range(2)]
            await it.close()
            return kinds

        with closing(socket.create_server(("127.0.0.1", 0))) as listener:
            port = listener.getsockname()[1]
        assert asyncio.run(work(port)) == ["refused"] * 2
        assert asked.count("localhost") == 2

    def test_an_address_is_no_name(self, asked: list[str]) -> None:
        async def work() -> None:
            async with saying(OK) as provider:
                asked.clear()
                it = HttpTransport()
                await ask(it, provider.url())
                await it.close()

        asyncio.run(work())
        assert "provider.test" not in asked and "localhost" not in asked


def test_who_goes_straight_loads_nothing_for_proxies() -> None:
    seen = "import sys, rlmc.upstream.client; print('aiohttp' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", seen], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "False"


def test_a_proxy_is_asked_for_the_whole_address(run: Any) -> None:
    async def work() -> bytes:
        async with saying(OK) as proxy:
            it = HttpTransport()
            network = Network(http_proxy=f"127.0.0.1:{proxy.port}")
            request = UpstreamRequest("POST", "http://provider.test/v1/messages", [("x", "y")], b"{}", network)
            response = await it.send(request)
            assert b"".join([chunk async for chunk in response.chunks()]) == b"hi"
            await response.close()
            await it.close()
            return bytes(proxy.connections[0].received)

    received = run(work())
    assert received.startswith(b"POST http://provider.test/v1/messages HTTP/1.1\r\nHost: provider.test\r\nx: y\r\n")
    assert received.endswith(b"\r\n\r\n{}")


def test_a_proxy_that_is_not_there_has_a_kind_of_its_own(run: Any) -> None:
    async def work(port: int) -> str:
        it = HttpTransport()
        network = Network(http_proxy=f"http://127.0.0.1:{port}")
        with pytest.raises(UpstreamError) as caught:
            await it.send(UpstreamRequest("GET", "http://provider.test/", [], b"", network))
        await it.close()
        return caught.value.kind

    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        port = listener.getsockname()[1]
    assert run(work(port)) == "proxy"
