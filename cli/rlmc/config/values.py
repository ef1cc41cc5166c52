"""Parsers for the values of settings: from what TOML holds, or from text of the environment or the command line.

Rule: a parser returns a checked value or raises `BadValue`. It never repeats a value that may hold a secret.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from decimal import Decimal, InvalidOperation

from rlmc.domain.frozen import dataclass
from rlmc.domain.model import Model

Parser = Callable[[object], object]

_TRUE = frozenset({"true", "yes", "on", "1"})
_FALSE = frozenset({"false", "no", "off", "0"})
_SIZES = {
    "": 1,
    "b": 1,
    "k": 1024,
    "kib": 1024,
    "kb": 1000,
    "m": 1024**2,
    "mib": 1024**2,
    "mb": 1000**2,
    "g": 1024**3,
    "gib": 1024**3,
    "gb": 1000**3,
    "t": 1024**4,
    "tib": 1024**4,
    "tb": 1000**4,
}
_NUMBER = re.compile(r"[+-]?(\d[\d_]*)?(\.\d+)?", re.ASCII)
_SIZE = re.compile(r"(\d[\d_]*(?:\.\d+)?)\s*([A-Za-z]*)", re.ASCII)
_ENV_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
_MODEL = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]*)/(\S+)")
_LONGEST = 500


class BadValue(ValueError):
    """A value that its setting does not allow. `shown` replaces the value in messages when it may be a secret."""

    def __init__(self, hint: str | None = None, shown: str | None = None) -> None:
        super().__init__(hint or "")
        self.hint = hint
        self.shown = shown


def quoted(value: object) -> str:
    """A value for an error message: one line, no control characters, not endless."""
    text = repr(value) if isinstance(value, str) else str(value)
    return text if len(text) <= 80 else f"{text[:77]}..."


def _text(raw: object) -> str:
    if not isinstance(raw, str):
        raise BadValue
    text = raw.strip()
    if not text or len(text) > _LONGEST or not text.isprintable():
        raise BadValue
    return text


def boolean(raw: object) -> bool:
    if isinstance(raw, bool):
        return raw
    word = _text(raw).casefold()
    if word in _TRUE:
        return True
    if word in _FALSE:
        return False
    raise BadValue


def _number(raw: object) -> Decimal:
    if isinstance(raw, bool):
        raise BadValue
    if isinstance(raw, int | Decimal):
        number = Decimal(raw)
    elif isinstance(raw, float):
        number = Decimal(str(raw))
    else:
        text = _text(raw)
        if not _NUMBER.fullmatch(text):
            raise BadValue
        try:
            number = Decimal(text)
        except InvalidOperation as error:
            raise BadValue from error
    if not number.is_finite():
        raise BadValue
    return number


@dataclass(frozen=True, slots=True)
class Whole:
    """A whole number from `least` to `most`."""

    least: int
    most: int

    def __call__(self, raw: object) -> int:
        number = _number(raw)
        if not self.least <= number <= self.most or number != int(number):
            raise BadValue
        return int(number)


@dataclass(frozen=True, slots=True)
class Seconds:
    """A number of seconds from a millisecond to `most`; zero only where zero means something."""

    most: int
    zero: bool = False

    def __call__(self, raw: object) -> float:
        number = _number(raw)
        if number == 0 and self.zero:
            return 0.0
        if not Decimal("0.001") <= number <= self.most:
            raise BadValue
        return float(number)


@dataclass(frozen=True, slots=True)
class Size:
    """A number of bytes, plain or with a unit (`32MiB`)."""

    least: int
    most: int

    def __call__(self, raw: object) -> int:
        if isinstance(raw, str):
            match = _SIZE.fullmatch(_text(raw))
            factor = _SIZES.get(match[2].casefold()) if match else None
            if match is None or factor is None:
                raise BadValue
            number = Decimal(match[1]) * factor
        else:
            number = _number(raw)
        if not self.least <= number <= self.most or number != int(number):
            raise BadValue
        return int(number)


@dataclass(frozen=True, slots=True)
class Dollars:
    """An amount of money from one cent to `most`, exact."""

    most: int

    def __call__(self, raw: object) -> Decimal:
        if isinstance(raw, str):
            raw = _text(raw).removeprefix("$")
        number = _number(raw)
        if not Decimal("0.01") <= number <= self.most:
            raise BadValue
        return number


@dataclass(frozen=True, slots=True)
class Percent:
    """A share in percent, with or without the sign."""

    least: str
    most: str

    def __call__(self, raw: object) -> float:
        if isinstance(raw, str):
            raw = _text(raw).removesuffix("%").rstrip()
        number = _number(raw)
        if not Decimal(self.least) <= number <= Decimal(self.most):
            raise BadValue
        return float(number)


@dataclass(frozen=True, slots=True)
class Choice:
    """One of a few words. The words come from a function, because some live in modules that are not always needed."""

    words: Callable[[], Collection[str]]

    def __call__(self, raw: object) -> str:
        word = _text(raw).casefold()
        known = self.words()
        if word not in known:
            from rlmc.config.suggest import did_you_mean

            raise BadValue(did_you_mean(word, known))
        return word


@dataclass(frozen=True, slots=True)
class ModelName:
    """`provider/model`, or one of a few words that stand for no fixed model."""

    words: tuple[str, ...]

    def __call__(self, raw: object) -> Model | str:
        text = _text(raw)
        if text.casefold() in self.words:
            return text.casefold()
        match = _MODEL.fullmatch(text)
        if match is None:
            raise BadValue
        return Model(match[1].casefold(), match[2])


def base_url(raw: object) -> str:
    """An absolute http(s) URL. Credentials and queries are refused, and never repeated in an error."""
    return _http_url(raw, "Leave credentials out of the URL and name their variable with api-key-env.")


def collector_url(raw: object) -> str:
    """The same of a collector of telemetry, without the path of a signal."""
    url = _http_url(raw, "Leave credentials out of the URL: a collector on this machine can add its own.")
    for path in ("/v1/traces", "/v1/metrics"):
        if url.endswith(path):
            raise BadValue(f"Leave out {path}: it is added for each kind of data.")
    return url


def _http_url(raw: object, without_credentials: str) -> str:
    from urllib.parse import urlsplit

    text = _text(raw)
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise BadValue(shown="the URL given") from error
    shown = f"'{parts.scheme}://{host}...'" if parts.scheme and host else "the value given"
    if parts.username is not None or parts.password is not None or "@" in parts.netloc:
        raise BadValue(without_credentials, shown=shown)
    if parts.query or parts.fragment or "?" in text or "#" in text:
        raise BadValue("Leave out everything from `?` or `#` on.", shown=shown)
    if parts.scheme not in {"http", "https"} or not host or any(c.isspace() or c == "\\" for c in text):
        raise BadValue(shown=None if "@" not in text else shown)
    return text.rstrip("/")


def looks_like_key(text: str) -> bool:
    """True for what is more likely an API key than the name of a variable."""
    if text.startswith(("sk-", "sk_", "gsk_", "key-", "xai-", "AIza", "Bearer ")):
        return True
    lower, upper, digit = (any(map(kind, text)) for kind in (str.islower, str.isupper, str.isdigit))
    return (
        (lower and upper and digit and len(text) >= 20)
        or (digit and "_" not in text and len(text) >= 32)
        or (len(text) > 40 and (lower or not _ENV_NAME.fullmatch(text)))
    )


def env_name(raw: object) -> str:
    """The name of an environment variable. What is refused is not shown: people paste the key itself here."""
    text = raw.strip() if isinstance(raw, str) else ""
    if looks_like_key(text):
        raise BadValue(
            "Put the key into an environment variable and name that variable here, for example MY_API_KEY. "
            "A key typed into a shell may also stand in its history.",
            shown="the value (not shown: it looks like a key itself)",
        )
    if not _ENV_NAME.fullmatch(text):
        raise BadValue(shown="the value given")
    return text
