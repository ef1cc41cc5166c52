from __future__ import annotations

import json
from collections.abc import Mapping

import pytest
from tests.support.plans import BASE, GATEWAY, HOME, ORIGIN, TOKEN, Files, plan

from rlmc.launch.integration import LaunchPlan, LaunchRequest
from rlmc.launch.integrations import choose
from rlmc.launch.integrations.codex import CHATGPT, Codex

CONFIG, AUTH = f"{HOME}/.codex/config.toml", f"{HOME}/.codex/auth.json"
KEY = {"OPENAI_API_KEY": "sk-openai"}
CHATGPT_LOGIN = {"OPENAI_API_KEY": None, "tokens": {"id_token": "t", "access_token": "t"}}
MINE = f"""
model_provider = "mine"
[model_providers.mine]
name = "Mine"
base_url = "{GATEWAY}"
env_key = "MY_KEY"
http_headers = {{ x-secret = "s" }}
"""


def codex(
    *argv: str, env: Mapping[str, str] = KEY, files: Mapping[str, object] | None = None, **more: str
) -> LaunchPlan:
    return plan(Codex(), *argv, env=env, files=files, **more)


def options(made: LaunchPlan) -> dict[str, str]:
    """The overrides in front of the user's own words."""
    found = {}
    words = list(made.argv[1:])
    while words[:1] == ["-c"]:
        key, _, value = str(words[1]).partition("=")
        found[key] = value
        words = words[2:]
    return found


def test_a_provider_of_its_own_in_front_of_the_users_words() -> None:
    made = codex("exec", "-m", "gpt-x", "do it")
    assert options(made) == {
        "model_provider": "rlmc",
        "model_providers.rlmc.name": "rlmc",
        "model_providers.rlmc.wire_api": "responses",
        "model_providers.rlmc.base_url": f"{ORIGIN}/v1",
        "model_providers.rlmc.env_http_headers.x-rlmc-token": "RLMC_TOKEN",
        "model_providers.rlmc.env_key": "OPENAI_API_KEY",
    }
    assert made.argv[0] == "codex"
    assert made.argv[-4:] == ("exec", "-m", "gpt-x", "do it")
    assert made.env == {"RLMC_TOKEN": TOKEN}
    assert made.protocol == "responses"
    assert (made.upstreams, made.warnings) == ({}, ())


@pytest.mark.parametrize("program", ["codex", "/opt/bin/codex", "node_modules/.bin/codex"])
def test_it_is_known_by_its_name(program: str) -> None:
    assert choose(program).name == "codex"
    assert choose(program + "x").name == "generic"


@pytest.mark.parametrize(
    ("argv", "own"),
    [
        (("npx", "-y", "@openai/codex@0.169.0", "exec", "x"), 3),
        (("node", "/opt/bin/codex", "exec", "codex"), 2),
        (("my-wrapper", "exec"), 1),
    ],
)
def test_behind_what_starts_it_its_own_words_are_found(argv: tuple[str, ...], own: int) -> None:
    request = LaunchRequest(argv, {"HOME": HOME, **KEY}, HOME, BASE, ORIGIN, TOKEN)
    made = Codex().plan(request, Files())
    assert made.argv[:own] == argv[:own]
    assert made.argv[own : own + 2] == ("-c", "model_provider=rlmc")
    assert made.argv[-len(argv[own:]) :] == argv[own:]


# --- who pays -------------------------------------------------------------------------------------------------------


def pays_with(made: LaunchPlan) -> str:
    found = options(made)
    assert not ("model_providers.rlmc.env_key" in found and "model_providers.rlmc.requires_openai_auth" in found)
    return found.get("model_providers.rlmc.env_key") or (
        "login" if found.get("model_providers.rlmc.requires_openai_auth") == "true" else "nothing"
    )


@pytest.mark.parametrize(
    ("env", "auth", "pays", "upstream"),
    [
        (KEY, None, "OPENAI_API_KEY", None),
        ({"CODEX_API_KEY": "k", **KEY}, {"OPENAI_API_KEY": "k"}, "CODEX_API_KEY", None),
        # What Codex would have paid with is not replaced by a key that is there for other programs.
        (KEY, {"OPENAI_API_KEY": "k"}, "login", None),
        (KEY, CHATGPT_LOGIN, "login", CHATGPT),
        ({}, {"OPENAI_API_KEY": "k"}, "login", None),
        ({}, {**CHATGPT_LOGIN, "OPENAI_API_KEY": "k", "auth_mode": "chatgpt"}, "login", CHATGPT),
        ({}, {**CHATGPT_LOGIN, "OPENAI_API_KEY": "k"}, "login", None),
        (KEY, "broken", "OPENAI_API_KEY", None),
        # A key is never sent to where only a login is known.
        ({"CODEX_API_KEY": "k"}, CHATGPT_LOGIN, "CODEX_API_KEY", None),
    ],
)
def test_who_pays_stays_who_paid(env: dict[str, str], auth: object, pays: str, upstream: str | None) -> None:
    made = codex(env=env, files={} if auth is None else {AUTH: auth})
    assert pays_with(made) == pays
    assert made.upstreams == ({} if upstream is None else {"openai": upstream})
    assert made.warnings == ()


def test_its_folder_may_be_elsewhere() -> None:
    made = codex(env={"CODEX_HOME": "/srv/codex"}, files={"/srv/codex/auth.json": CHATGPT_LOGIN})
    assert pays_with(made) == "login"


def test_a_login_in_the_keychain_is_used_and_said_to_be_unknown() -> None:
    made = codex(files={CONFIG: 'cli_auth_credentials_store = "keyring"'})
    assert pays_with(made) == "login"
    assert "keychain" in made.warnings[0]
    assert CHATGPT in made.warnings[0]


def test_without_any_credential_it_starts_and_that_is_said_where_it_matters() -> None:
    made = codex(env={})
    assert pays_with(made) == "nothing"
    assert "no OpenAI credential" in made.warnings[0]
    assert codex(env={}, verify_model="openai/gpt-x").warnings
    assert codex(env={}, verify_model="deepseek/deepseek-flash").warnings == ()


# --- a configuration of the user's ----------------------------------------------------------------------------------


def test_the_users_own_provider_is_pointed_at_rlmc_and_keeps_everything_else() -> None:
    made = codex("exec", "x", files={CONFIG: MINE})
    assert options(made) == {
        "model_providers.mine.base_url": f"{ORIGIN}/v1",
        "model_providers.mine.env_http_headers.x-rlmc-token": "RLMC_TOKEN",
    }
    assert made.upstreams == {"openai": GATEWAY}
    assert made.warnings == ()


@pytest.mark.parametrize(
    ("table", "auth", "upstreams"),
    [
        ("requires_openai_auth = true", CHATGPT_LOGIN, {"openai": CHATGPT}),
        ("requires_openai_auth = true", {"OPENAI_API_KEY": "k"}, {}),
        ('env_key = "MY_KEY"', CHATGPT_LOGIN, {}),
    ],
)
def test_a_provider_without_an_address_goes_where_its_login_does(
    table: str, auth: object, upstreams: dict[str, str]
) -> None:
    text = f'model_provider = "mine"\n[model_providers.mine]\nname = "Mine"\n{table}\n'
    assert codex(files={CONFIG: text, AUTH: auth}).upstreams == upstreams


def test_a_profile_is_read_as_well(tmp_path: object) -> None:
    profile = f"{HOME}/.codex/work.config.toml"
    for words in (["--profile", "work"], ["-p", "work"], ["--profile=work"]):
        made = codex("exec", *words, "x", files={profile: MINE})
        assert made.upstreams == {"openai": GATEWAY}
        assert "model_providers.mine.base_url" in options(made)
    assert codex("exec", "x", files={profile: MINE}).upstreams == {}


def test_another_address_for_openai_becomes_the_upstream() -> None:
    text = f'openai_base_url = "{GATEWAY}"'
    assert codex(files={CONFIG: text}).upstreams == {"openai": GATEWAY}
    assert codex("-c", f"openai_base_url={GATEWAY}").upstreams == {"openai": GATEWAY}
    assert codex("-c", f'openai_base_url="{GATEWAY}"').upstreams == {"openai": GATEWAY}
    assert codex(env={**KEY, "OPENAI_BASE_URL": GATEWAY}).upstreams == {}, "Codex heeds no variable"


def test_a_provider_named_by_an_override_is_the_one() -> None:
    own = MINE.replace('model_provider = "mine"', "")
    made = codex("exec", "-c", "model_provider=mine", "x", files={CONFIG: own})
    assert "model_providers.mine.base_url" in options(made)
    assert made.warnings == ()


@pytest.mark.parametrize(
    ("argv", "config", "said"),
    [
        (["exec", "--oss", "x"], "", "--oss"),
        ([], 'model_provider = "ollama"', "'ollama'"),
        (["exec", "-c", "model_provider=openai", "x"], "", "your -c model_provider"),
        (["-c", "model_providers.mine.base_url=https://x.example/v1"], MINE, "your -c model_providers.mine.base_url"),
        ([], MINE.replace("mine", '"my.own"').replace('""', '"'), "'my.own'"),
    ],
)
def test_what_bypasses_rlmc_is_left_as_it_is_and_said(argv: list[str], config: str, said: str) -> None:
    made = codex(*argv, files={CONFIG: config})
    assert made.argv == ("codex", *argv)
    assert made.env == {}
    (warning,) = made.warnings
    assert said in warning
    assert "bypasses rlmc" in warning


def test_words_behind_two_dashes_are_the_prompts() -> None:
    assert codex("exec", "--", "--oss").warnings == ()


@pytest.mark.parametrize("text", ["not [toml", "model_providers = 3", 'model_provider = ["x"]', "\x00"])
def test_a_configuration_that_makes_no_sense_is_codexs_business(text: str) -> None:
    assert options(codex(files={CONFIG: text}))["model_provider"] == "rlmc"


def test_what_is_read_is_not_written() -> None:
    """Nothing of the user's secrets goes into the arguments."""
    made = codex(env={"MY_KEY": "s3cret"}, files={CONFIG: MINE, AUTH: {"OPENAI_API_KEY": "s3cret"}})
    assert "s3cret" not in json.dumps([str(word) for word in made.argv])
