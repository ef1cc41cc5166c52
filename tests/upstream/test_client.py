"""The HTTP client: raw bytes, honest errors, the user's proxy and certificates."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import shutil
import socket
import ssl
import subprocess
import threading
import time
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.fake_upstream import FakeUpstream, Reply

from rlmc.errors import UpstreamError
from rlmc.upstream.client import HttpTransport, proxy_for
from rlmc.upstream.transport import Network, UpstreamRequest

PROXY = Network(https_proxy="http://proxy.corp:3128", http_proxy="proxy.corp:8080", no_proxy="internal.corp,.local:9")


@pytest.mark.parametrize(
    ("url", "network", "proxy"),
    [
        ("https://api.anthropic.com/v1/messages", PROXY, "http://proxy.corp:3128"),
        ("http://api.example.com/v1/messages", PROXY, "http://proxy.corp:8080"),
        ("https://internal.corp/v1/messages", PROXY, None),
        ("https://gateway.internal.corp/v1/messages", PROXY, None),
        ("http://127.0.0.1:11434/v1/messages", PROXY, None),
        ("http://localhost:8080/v1/messages", PROXY, None),
        ("https://api.anthropic.com/", Network(https_proxy="http://p:1", no_proxy="*"), None),
        ("https://api.anthropic.com/", Network(), None),
    ],
)
def test_the_way_out_follows_the_users_environment(url: str, network: Network, proxy: str | None) -> None:
    assert proxy_for(url, network) == proxy


def fetch(url: str, body: bytes = b"{}", network: Network | None = None) -> tuple[int, bytes]:
    async def run() -> tuple[int, bytes]:
        transport = HttpTransport()
        try:
            request = UpstreamRequest("POST", url, [("content-type", "application/json")], body, network or Network())
            response = await transport.send(request)
            received = b"".join([chunk async for chunk in response.chunks()])
            await response.close()
            return response.status, received
        finally:
            await transport.close()

    return asyncio.run(run())


def failure(url: str, network: Network | None = None) -> UpstreamError:
    with pytest.raises(UpstreamError) as caught:
        fetch(url, network=network)
    return caught.value


def test_a_large_body_arrives_whole() -> None:
    body = b'{"messages": [], "x": "' + b"a" * 3_000_000 + b'"}'
    with FakeUpstream() as up:
        assert fetch(f"{up.url}/v1/messages", body)[0] == 200
    assert up.exchanges[0].body == body
    assert up.exchanges[0].header("content-length") == str(len(body))
    assert up.exchanges[0].header("user-agent") is None, "nothing is added to what the client said"


def test_a_redirect_is_not_followed() -> None:
    with FakeUpstream(lambda _b, _n: Reply(status=302, headers=(("location", "http://127.0.0.1:9/"),))) as up:
        assert fetch(f"{up.url}/v1/messages", b'{"messages": []}')[0] == 302
    assert len(up.exchanges) == 1


def test_what_went_wrong_has_a_kind_and_no_secrets() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    refused = failure(f"http://user:hunter2@127.0.0.1:{port}/v1/messages")
    assert refused.kind == "refused"
    assert f"127.0.0.1:{port}" in refused.message
    assert "hunter2" not in refused.message
    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=_says, args=(server, b""), daemon=True).start()
        assert failure(f"http://127.0.0.1:{server.getsockname()[1]}/v1/messages").kind == "reset"
    assert failure("http://no-such-host.invalid/v1/messages").kind == "dns"


def test_an_answer_that_is_no_http_is_told_from_silence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=_says, args=(server, b"SSH-2.0-OpenSSH_9.2\r\n"), daemon=True).start()
        assert failure(f"http://127.0.0.1:{server.getsockname()[1]}/v1/messages").kind == "wire"


def _says(server: socket.socket, words: bytes) -> None:
    connection, _ = server.accept()
    with connection:
        connection.recv(65536)
        connection.sendall(words)


@pytest.fixture
def tls(tmp_path: Path) -> Iterator[tuple[str, str]]:
    """A server with a certificate nobody knows: its address, and the file that vouches for it."""
    if shutil.which("openssl") is None:
        pytest.skip("needs openssl to make a certificate")
    key, certificate = tmp_path / "key.pem", tmp_path / "cert.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
    command += ["-addext", "subjectAltName=DNS:localhost", "-keyout", str(key), "-out", str(certificate)]
    subprocess.run(command, check=True, capture_output=True, timeout=60)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server = socket.create_server(("127.0.0.1", 0))
    thread = threading.Thread(target=_serve_tls, args=(server, context), daemon=True)
    thread.start()
    yield f"https://localhost:{server.getsockname()[1]}/v1/messages", str(certificate)
    server.close()
    thread.join(10)


def _serve_tls(server: socket.socket, context: ssl.SSLContext) -> None:
    while True:
        try:
            plain, _ = server.accept()
        except OSError:
            return
        with plain:
            try:
                with context.wrap_socket(plain, server_side=True) as connection:
                    connection.recv(65536)
                    connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok")
            except (ssl.SSLError, OSError):
                continue


def test_the_users_own_certificates_are_honoured_and_nothing_else(tls: tuple[str, str]) -> None:
    url, certificate = tls
    untrusted = failure(url)
    assert untrusted.kind == "tls"
    assert "not trusted" in untrusted.message
    assert fetch(url, network=Network(ca_file=certificate)) == (200, b"ok")


def test_a_large_body_arrives_as_it_is_and_is_not_copied_to_be_sent() -> None:
    body = bytes(range(256)) * (1 << 16)
    head, whole = bytearray(), hashlib.sha256()

    def answer(listener: socket.socket) -> None:
        connection, _ = listener.accept()
        with connection, connection.makefile("rb") as reader:
            while not head.endswith(b"\r\n\r\n"):
                head.extend(reader.readline())
            for _ in range(len(body) >> 16):
                whole.update(reader.read(1 << 16))
            connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=answer, args=(listener,))
        thread.start()
        tracemalloc.start()
        try:
            assert fetch(f"http://127.0.0.1:{listener.getsockname()[1]}/v1/messages", body) == (200, b"ok")
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        thread.join()
    assert whole.hexdigest() == hashlib.sha256(body).hexdigest()
    assert f"content-length: {len(body)}".encode() in head.lower()
    assert b"transfer-encoding" not in head.lower()
    assert peak < len(body) / 2


def test_after_a_sleep_of_the_machine_no_connection_is_used_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """They may have died meanwhile, and a request on one that has would fail."""
    real, slept = time.time, [0.0]
    monkeypatch.setattr(time, "time", lambda: real() + slept[0])
    peers, answering = [], []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        peers.append(writer.get_extra_info("peername"))
        answering.append(asyncio.current_task())
        with contextlib.suppress(asyncio.IncompleteReadError):
            while await reader.readuntil(b"\r\n\r\n"):
                writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi")
        writer.close()

    async def run() -> list[int]:
        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        transport, seen = HttpTransport(), []
        for seconds in (0.0, 0.0, 3600.0, 0.0):
            slept[0] += seconds
            response = await transport.send(UpstreamRequest("GET", url, [], b"", Network()))
            assert b"".join([chunk async for chunk in response.chunks()]) == b"hi"
            await response.close()
            seen.append(len(peers))
        await transport.close()
        await asyncio.gather(*answering)
        server.close()
        await server.wait_closed()
        return seen

    assert asyncio.run(run()) == [1, 1, 2, 2]
