"""Who may look: a link that works once, and then a cookie for a path nobody can guess.

Cookies know hosts and not ports, so another server on this machine would be sent ours; the random path of each view,
which the cookie is bound to, keeps it from them. Rule: everything is compared in constant time, bounded, and gone with
the daemon.
"""

from __future__ import annotations

import hmac
import secrets
import time
from collections.abc import Callable
from dataclasses import field

from rlmc.domain.frozen import dataclass

PREFIX = "/dashboard/"
COOKIE = "rlmc_dashboard"
LINK_SECONDS = 120.0
UNUSED_SECONDS = 12 * 3600.0
_MOST_LINKS, _MOST_VIEWS = 64, 16


@dataclass(slots=True)
class View:
    """What one link has opened. `used` is when it was last looked at (monotonic seconds)."""

    id: str = field(default_factory=lambda: secrets.token_urlsafe(16))
    secret: str = field(default_factory=lambda: secrets.token_urlsafe(24))
    used: float = 0.0

    @property
    def path(self) -> str:
        return f"{PREFIX}{self.id}/"

    @property
    def cookie(self) -> str:
        return f"{COOKIE}={self.secret}; HttpOnly; SameSite=Strict; Path={self.path}"


class Doors:
    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._links: dict[str, float] = {}
        self._views: list[View] = []

    def link(self) -> str:
        """A path that opens a view, once, within `LINK_SECONDS`."""
        self._forget()
        while len(self._links) >= _MOST_LINKS:
            del self._links[next(iter(self._links))]
        code = secrets.token_urlsafe(24)
        self._links[code] = self._clock() + LINK_SECONDS
        return f"{PREFIX}enter/{code}"

    def enter(self, code: str) -> View | None:
        self._forget()
        found = next((known for known in self._links if _same(known, code)), None)
        if found is None:
            return None
        del self._links[found]
        view = View(used=self._clock())
        self._views.append(view)
        if len(self._views) > _MOST_VIEWS:
            self._views.remove(min(self._views, key=lambda one: one.used))
        return view

    def admits(self, id: str, cookies: str | None) -> bool:
        self._forget()
        view = next((one for one in self._views if _same(one.id, id)), None)
        if view is None or not _same(view.secret, _secret(cookies)):
            return False
        view.used = self._clock()
        return True

    def looked(self, id: str) -> None:
        """A page of this view, admitted before, is still open."""
        for view in self._views:
            if view.id == id:
                view.used = self._clock()

    def _forget(self) -> None:
        now = self._clock()
        self._links = {code: until for code, until in self._links.items() if until > now}
        self._views = [view for view in self._views if now - view.used <= UNUSED_SECONDS]


def _same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode(), other.encode())


def _secret(cookies: str | None) -> str:
    """The first of ours: a browser sends the one of the longest path first. Those of other servers on this host come
    along in any form, and must not hide it."""
    for cookie in (cookies or "").split(";"):
        name, _, value = cookie.strip().partition("=")
        if name == COOKIE:
            return value
    return ""
