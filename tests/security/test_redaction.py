"""No secret is readable in what rlmc writes down or shows: not by shape, and not in a session of faults."""

from __future__ import annotations

import json
import logging
import sys
import zlib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.command_line import Rlmc
from tests.support.daemons import kill_daemon, own_folders
from tests.support.fake_upstream import FakeUpstream, Reply

from rlmc.daemon.log import RedactingFormatter
from rlmc.domain.record import CallRecord
from rlmc.domain.redaction import MOST_CHARS, redact, redact_foreign
from rlmc.errors import DaemonError
from rlmc.ui import console

ANY = st.text("abcdefXYZ0123456789-_.~+/", min_size=8, max_size=60).filter(lambda text: text.strip("-_.~+/") != "")
IN_ADDRESS = st.text("abcdefXYZ0123456789-_.~!$*:%@", min_size=1, max_size=40)

PLACES = (
    *(
        "Authorization: Bearer {}",
        "authorization: Basic {}",
        "Proxy-Authorization: Basic {}",
        "x-api-key: {}",
        "api-key: {}",
    ),
    *("X-Goog-Api-Key: {}", "Cookie: session={}; other=1", "set-cookie: a={}", "x-amz-security-token: {}"),
    *(
        "('authorization', 'Bearer {}')",
        '("x-api-key", "{}")',
        "{{'x-api-key': '{}'}}",
        "b'authorization', b'Bearer {}'",
    ),
    *('{{"authorization": "Bearer {}"}}', '{{\\"authorization\\": \\"Bearer {}\\"}}', "Authorization=Bearer {}"),
    *(
        "Bearer {}",
        "a bearer {} in a sentence",
        "http://127.0.0.1:1/s/{}/v1/messages",
        "path=/s/{}",
        "GET /s/{}?beta=true",
    ),
    *("https://h/v1?key={}", "https://h/v1?a=1&api_key={}&b=2", "https://h/?access_token={}", "https://h/?sig={}#x"),
    *("https://h/?X-Amz-Signature={}", "http://127.0.0.1:1/dashboard?token={}", "https://h/#access_token={}"),
    *(
        "Incorrect API key provided: {}.",
        "api key: {}",
        "api_key={}",
        "apiKey: '{}'",
        '"api-key": "{}"',
        "ANTHROPIC_API_KEY={}",
    ),
    *(
        "GH_TOKEN={}",
        "control_token={}",
        "password={}",
        "passwd: {}",
        "client_secret={}",
        "secret_key: {}",
        "credential={}",
    ),
)


@given(ANY, st.sampled_from(PLACES), st.text("abc .,:\n", max_size=30))
def test_what_stands_where_secrets_stand_is_not_readable(secret: str, place: str, around: str) -> None:
    said = redact(f"{around} {place.format(f'q{secret}q')} {around}")
    assert f"q{secret}q" not in said
    assert f"q{secret}q" not in redact_foreign(f"{around} {place.format(f'q{secret}q')} {around}")
    assert redact(said) == said


@given(IN_ADDRESS, IN_ADDRESS, st.sampled_from(["http", "https", "socks5", "postgres"]))
def test_no_name_or_password_of_an_address_is_readable(user: str, password: str, scheme: str) -> None:
    said = redact(f"Cannot connect to {scheme}://{user}:q{password}q@proxy.example:3128 ssl:default")
    assert said == f"Cannot connect to {scheme}://***@proxy.example:3128 ssl:default"


@pytest.mark.parametrize(
    "key",
    [
        *(
            "sk-ant-api03-abcdefgh",
            "sk-proj-abcdefgh",
            "ghp_0123456789abcdef",
            "github_pat_11ABCDEFG_abc",
            "AKIAIOSFODNN7EXAMPLE",
        ),
        *(
            "AIzaSyA-abcdefghijk",
            "xoxb-1234567890",
            "hf_abcdefghijkl",
            "gsk_abcdefgh",
            "eyJhbGciOi.eyJzdWIiOiIx.c2lnbmF0dXJl",
        ),
    ],
)
def test_keys_are_known_by_their_beginnings(key: str) -> None:
    assert key not in redact(f"He said {key}, and left.")


@given(st.text("abcdeXYZ0123456789", min_size=20, max_size=60))
def test_what_others_say_holds_no_run_of_chance_letters(key: str) -> None:
    if sum(c.isdigit() for c in key) >= 3 and sum(c.isalpha() for c in key) >= 5:
        assert key not in redact_foreign(f"wire: no such customer {key} here")


@given(st.text(max_size=300), st.sampled_from(PLACES))
def test_a_record_is_kept_without_what_others_said_of_secrets(text: str, place: str) -> None:
    said = f"{text} {place.format('a-secret-of-4711-somebody')}"
    assert redact_foreign(redact_foreign(said)) == redact_foreign(said)
    call = CallRecord("draft", "p", "m", 0, None, 1.0, 401, said, None, False, None, None, said, False)
    assert call.error == call.stop_reason == redact_foreign(said)


@pytest.mark.parametrize(
    "text",
    [
        *(
            "the port 8080 is in use",
            "max_tokens: 4096 is too much",
            "input_tokens=12, output_tokens=7",
            "no API key is set",
        ),
        *("DEEPSEEK_API_KEY is not set", "token: 12", "status: 429", "no session of this token", "unexpected token: }"),
        *("chat: invalid_request_error: Unsupported value: 'temperature'", "key: missing"),
        *(
            "https://api.example.com/v1/messages?beta=true",
            "upstream.x.api-key-env names no variable",
            "a key and code",
        ),
    ],
)
def test_ordinary_words_stay(text: str) -> None:
    assert redact(text) == text


def test_names_of_models_stay() -> None:
    for name in ("claude-haiku-4-5-20251001", "qwen3-coder-480b-a35b-instruct", "deepseek-v4-flash-2026-04-01"):
        assert redact_foreign(f"no model {name} here") == f"no model {name} here"


def test_the_name_of_a_request_stays_and_a_long_quotation_does_not() -> None:
    said = redact_foreign("wire: req_011CSHoEeqs5C35K2UUqR7Fy: '" + "my own words " * 5 + "' is too long")
    assert said == "wire: req_011CSHoEeqs5C35K2UUqR7Fy: '…' is too long"
    assert len(redact_foreign("a " * 1_000)) == MOST_CHARS


@given(st.text(max_size=300))
def test_any_text_comes_through(text: str) -> None:
    assert isinstance(redact(text), str)
    assert len(redact_foreign(text)) <= MOST_CHARS


@given(ANY)
def test_the_log_and_the_command_line_pass_through_it(secret: str) -> None:
    secret = f"q{secret}q"
    try:
        try:
            raise OSError(f"https://me:{secret.replace('/', '%')}@h/")
        except OSError as error:
            raise RuntimeError(f"Authorization: Bearer {secret}") from error
    except RuntimeError as error:
        trace = (RuntimeError, error, error.__traceback__)
    record = logging.LogRecord("rlmc", logging.ERROR, "x", 1, "at /s/%s", (secret,), trace)
    said = RedactingFormatter().format(record)
    assert secret not in said and secret.replace("/", "%") not in said


def test_errors_of_commands_pass_through_it(capsys: pytest.CaptureFixture[str]) -> None:
    console.fail(DaemonError("http://a:hunter2@h did not answer", "see /s/some-token-of-a-session"))
    said = capsys.readouterr().err
    assert "hunter2" not in said and "some-token" not in said and "http://***@h" in said


# --- a session of faults ----------------------------------------------------------------------------------------------

CLIENT_KEY = "sk-ant-api03-canary-of-the-client-4711"
DRAFT_KEY = "canaryOfTheDraftKey0815xyzzy42"
PROXY_PASSWORD = "canary-of-the-proxy-password"
PROMPT = "canary words of the prompt which nobody but the models may ever read at all"
ANSWER = "canary words of the answer which nobody but the client may ever read at all"
RESULT = "canary words of a result out of some file that was read by the agent before"
CANARIES = (CLIENT_KEY, CLIENT_KEY[14:], DRAFT_KEY, PROXY_PASSWORD, "canary words")

AGENT = f"""
import json, os, sys, urllib.request, urllib.error
token = os.environ["ANTHROPIC_BASE_URL"].rstrip("/").rsplit("/", 1)[1]
open(sys.argv[1], "w").write(token)
schema = {{"type": "object", "properties": {{"file_path": {{"type": "string"}}}}, "required": ["file_path"]}}
def ask(*messages, stream):
    body = {{"model": "claude-opus-5-5", "max_tokens": 1000, "stream": stream, "messages": list(messages),
            "tools": [{{"name": "Read", "input_schema": schema}}]}}
    request = urllib.request.Request(os.environ["ANTHROPIC_BASE_URL"] + "/v1/messages", json.dumps(body).encode(),
        {{"content-type": "application/json", "x-api-key": os.environ["ANTHROPIC_API_KEY"]}})
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            answer.read()
    except Exception:
        pass
used = {{"type": "tool_use", "id": "t1", "name": "Read", "input": {{"file_path": "a"}}}}
use = {{"role": "assistant", "content": [used]}}
back = {{"role": "user", "content": [{{"type": "tool_result", "tool_use_id": "t1", "content": {RESULT!r}}}]}}
first = {{"role": "user", "content": {PROMPT!r}}}
for n in range(int(sys.argv[2])):
    ask(first, use, back, stream=bool(n % 2))
"""


def _faults(key: str) -> list[Reply]:
    said = f"Incorrect API key provided: {key}. You sent {PROMPT!r} and the header 'authorization: Bearer {key}'"
    echoed = (("x-echo", f"Bearer {key}"), ("location", f"https://u:{key}@h/?key={key}"))
    event = json.dumps({"type": "error", "error": {"type": "api_error", "message": said}}).encode()
    return [
        Reply(status=401, error="authentication_error", message=said, headers=echoed),
        Reply(status=400, error="invalid_request_error", message=said),
        Reply(raw=b"event: error\ndata: " + event + b"\n\n", content_type="text/event-stream"),
        Reply(raw=event),
        Reply(raw=said.encode(), content_type="text/html"),
        Reply(status=302, raw=said.encode(), headers=echoed),
        Reply(ANSWER, break_after=2),
        Reply(ANSWER, break_after=-1),
        Reply(calls=(("Read", f'{{"{key}": "{PROMPT}"'),)),
        Reply(calls=((f"{key[:40]}", {"file_path": PROMPT}),)),
        Reply(f"<function_calls> {key} {PROMPT}"),
        Reply(ANSWER),
        Reply(status=529, error="overloaded_error", message=said),
    ]


@pytest.fixture
def user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Rlmc]:
    with own_folders(tmp_path, monkeypatch):
        (tmp_path / "home").mkdir()
        rlmc = Rlmc(
            tmp_path / "home",
            ANTHROPIC_API_KEY=CLIENT_KEY,
            CANARY_DRAFT_KEY=DRAFT_KEY,
            HTTP_PROXY=f"http://me:{PROXY_PASSWORD}@127.0.0.1:9",
            NO_PROXY="127.0.0.1,localhost",
            RLMC_POLICY="economy",
            RLMC_DRAFT_MODEL="cheap/claude-haiku-5-5",
        )
        yield rlmc
        rlmc("stop", "--force")
        rlmc.close()
        kill_daemon()


def test_a_session_of_faults_leaves_no_secret_anywhere(user: Rlmc, tmp_path: Path) -> None:
    verify_faults, draft_faults = _faults(CLIENT_KEY), _faults(DRAFT_KEY)
    with (
        FakeUpstream(lambda _body, n: verify_faults[n % len(verify_faults)]) as verify,
        FakeUpstream(lambda _body, n: draft_faults[n % len(draft_faults)]) as drafts,
    ):
        config = tmp_path / "config" / "config.toml"
        config.parent.mkdir()
        config.write_text(
            f'draft-breaker = 100\n[upstream.anthropic]\nbase-url = "{verify.url}"\n[upstream.cheap]\n'
            f'base-url = "{drafts.url}"\nprotocol = "anthropic"\napi-key-env = "CANARY_DRAFT_KEY"\n'
        )
        seen = tmp_path / "token"
        ran = user("run", "--", sys.executable, "-c", AGENT, str(seen), "40")
        assert ran.returncode == 0, ran.stderr
        assert len(drafts.messages) >= 10 and len(verify.messages) >= 10
        token = seen.read_text()
        shown = [ran.stdout, ran.stderr]
        commands = (
            *(
                ("status",),
                ("status", "--json"),
                ("stats", "--today", "--json"),
                ("turns", "--json"),
                ("sessions", "--json"),
            ),
            *(
                ("export", "--format", "jsonl"),
                ("logs", "-n", "10000"),
                ("doctor",),
                ("doctor", "--json"),
                ("quality",),
            ),
            *(("config", "list"), ("config", "list", "--json"), ("config", "get", "upstream.cheap.api-key-env")),
        )
        for command in commands:
            answer = user(*command)
            assert answer.returncode in (0, 1), (command, answer.stderr)
            shown += [answer.stdout, answer.stderr]
        turns = json.loads(user("turns", "--json").stdout)["data"]["turns"]
        for turn in turns:
            shown += [user("explain", turn["id"], "--json").stdout] if turn is turns[0] else []
        state = json.loads((tmp_path / "state" / "daemon.json").read_text())
        pid = int(state["pid"])
        process = [Path(f"/proc/{pid}/{name}").read_bytes() for name in ("cmdline", "environ")]
        files = [
            path.read_bytes()
            for folder in ("data", "state", "config")
            for path in (tmp_path / folder).rglob("*")
            if path.is_file()
        ]
    everything = [text.encode() for text in shown] + process + files + [_unpacked(one) for one in files]
    secrets = (*CANARIES, token)
    for secret in secrets:
        assert not any(secret.encode() in one for one in everything), secret
    control = state["control_token"]
    own = [path for path in (tmp_path / "state").rglob("*") if path.is_file() and control.encode() in path.read_bytes()]
    assert [path.name for path in own] == ["daemon.json"]
    assert not any(control.encode() in one for one in [*process, *(text.encode() for text in shown)])


def _unpacked(data: bytes) -> bytes:
    """What is packed in a file, where it can be found."""
    found = []
    at = data.find(b"\x78\x9c")
    while at >= 0 and len(found) < 2_000:
        with suppress(zlib.error):
            found.append(zlib.decompressobj().decompress(data[at:], 1_000_000))
        at = data.find(b"\x78\x9c", at + 1)
    return b"\n".join(found)
