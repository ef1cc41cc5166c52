"""The matrix: a cell is one fault on one side, met by one client on one kind of turn. It is judged by what the client
sees without rlmc.

Rule: a cell that has not met its fault is no cell. Where the draft was not asked, or the verdict was not, it fails.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from tests.faults.catalogue import FAULTS, Answer, Fault, Side, good, spoken
from tests.faults.clients import Asking, Client, Raw, request
from tests.faults.proxy import Proxy
from tests.faults.seen import TIMEOUT, Seen
from tests.faults.upstream import Ask, Delivery, FaultUpstream, Json, Lane
from tests.support.speaking import Saying

# What the kinds mean is told in docs/reliability.md.
DRAFT_KINDS = ("drafted", "translated", "words")
VERIFY_KINDS = ("direct", "recovers", "skipped", "verified", "verdict", "brief")

VERIFY_SAYS = Saying("Look there.", (("Read", {"file_path": "b.py"}),))
DRAFT_SAYS = Saying("I read on.", (("Read", {"file_path": "c.py"}),))
DRAFT_WORDS = Saying("I think it is fixed.")
UNSAFE = Saying("I clean up.", (("Bash", {"command": "rm -r build"}),))
LONG = Saying("What I found in these files, at length. " * 60)
_OTHER = {"anthropic": "chat", "chat": "anthropic", "responses": "chat"}
_HOME = {"anthropic": "anthropic", "chat": "openai", "responses": "openai"}
_POLICIES = {"words": "paper", "brief": "economy"}
_DRAFT_SECONDS = 1.0
_LET_GO_SECONDS = 5.0
_TRIES = 3
_UNMET = "the fault was not met"


@dataclass(frozen=True, slots=True)
class Cell:
    side: Side
    fault: Fault
    client: Client
    kind: str
    streamed: bool

    @property
    def title(self) -> str:
        form = "streamed" if self.streamed else "whole"
        return f"{self.side:6} {self.fault.name:26} {self.client.name:20} {self.kind:10} {form:8}"

    @property
    def protocol(self) -> str:
        """What the faulty side speaks."""
        return _OTHER[self.client.protocol] if self.kind == "translated" else self.client.protocol

    @property
    def delivery(self) -> Delivery | None:
        """What the faulty side sends; drafts are streamed where the client streams."""
        return self.fault.make(Answer(self.protocol, self.streamed, self.saying, self.side))

    @property
    def saying(self) -> Saying:
        """The good answer of the side at fault."""
        if self.side == "verify":
            return VERIFY_SAYS
        return DRAFT_WORDS if self.kind == "words" else DRAFT_SAYS


@dataclass(frozen=True, slots=True)
class Verdict:
    """`difference` is empty where the cell is as specified; `note` is how, where that is not the plain way."""

    cell: Cell
    difference: str
    requests: int
    seconds: float
    note: str = ""

    @property
    def line(self) -> str:
        return f"{self.cell.title} {f'DIFFERENT: {self.difference}' if self.difference else f'as specified{self.note}'}"


def cells(clients: Iterable[Client], faults: Iterable[Fault] = FAULTS) -> Iterator[Cell]:
    for fault in faults:
        for client in clients:
            for kind in (*DRAFT_KINDS, *VERIFY_KINDS):
                for streamed in (True, False):
                    side: Side = "draft" if kind in DRAFT_KINDS else "verify"
                    cell = Cell(side, fault, client, kind, streamed)
                    if _is_one(cell) and cell.delivery is not None:
                        yield cell


def _is_one(cell: Cell) -> bool:
    if cell.kind == "words":
        return cell.streamed
    if cell.kind == "recovers":
        return not isinstance(cell.client, Raw) and not cell.fault.refuses
    if cell.kind == "skipped":
        return isinstance(cell.client, Raw)  # nothing of the verify side is met: once is enough
    # An address either refuses every call or none.
    return not (cell.kind in ("verdict", "brief") and cell.fault.refuses)


class _Run:
    """One cell under way."""

    def __init__(self, cell: Cell, up: FaultUpstream, proxy: Proxy) -> None:
        assert isinstance(cell.client, Asking)
        self.cell, self.up, self.proxy, self.asking = cell, up, proxy, cell.client.ask
        self.turn = {"words": "plain", "direct": "first", "recovers": "first"}.get(cell.kind, "read")
        self.body = self.request(self.turn)
        # A hang is over when the client's own time is; behind a draft that hangs, the answer is still to come.
        self.timeout = 8.0 if cell.side == "draft" else 2.0
        self.lanes: list[Lane] = []

    def request(self, turn: str) -> Json:
        body = request(self.cell.client.protocol, turn, stream=self.cell.streamed)
        # Beside a prompt as short as this one a brief verification would not pay; of an unknown price nobody can tell.
        return body | ({"model": "of-unknown-price"} if self.cell.kind == "brief" else {})

    def lane(self, script: Callable[[Ask], Delivery]) -> Lane:
        made = self.up.lane(script)
        self.lanes.append(made)
        return made

    def alone(self, *, faulty: bool) -> tuple[Seen, Lane]:
        """What the client sees where it asks the verify model itself."""
        lane = self.lane(self.faulty if faulty else _verify_answers)
        url = self.up.nowhere if faulty and self.cell.fault.refuses else lane.url
        return self.asking(url, self.body, self.timeout), lane

    def behind(self, *, draft_fails: bool, verify_fails: bool) -> tuple[Seen, Lane, Lane]:
        """What it sees behind rlmc, with the requests that the verify and the draft model got."""
        cell = self.cell
        verify = self.lane(self.verify_script(verify_fails))
        draft = self.lane(self.faulty if draft_fails else self.draft_answers)
        refuses = cell.fault.refuses
        name, suffix = f"d-{draft.url.rpartition('/')[2]}", {"anthropic": ""}
        home = _HOME[cell.client.protocol]
        spoken_there = _OTHER[cell.client.protocol] if cell.kind == "translated" else cell.client.protocol
        verify_url = self.up.nowhere if verify_fails and refuses else verify.url
        draft_url = self.up.nowhere if draft_fails and refuses else draft.url
        slow = draft_fails and cell.fault.name in ("hang before headers", "hang mid-stream", "slow drip")
        overrides = {
            f"upstream.{home}.base-url": verify_url + suffix.get(cell.client.protocol, "/v1"),
            f"upstream.{name}.base-url": draft_url + suffix.get(spoken_there, "/v1"),
            f"upstream.{name}.protocol": spoken_there,
            "draft-model": f"{name}/cheap",
            "draft-timeout": str(_DRAFT_SECONDS if slow else 20),
            "policy": _POLICIES.get(cell.kind, "balanced"),
        }
        base_url = self.proxy.session(cell.client.protocol, overrides)
        if cell.kind == "brief":
            # No draft is put to the verify model so on a session's first turn.
            self.asking(base_url, self.request("first"), self.timeout)
        return self.asking(base_url, self.body, self.timeout), verify, draft

    def verify_script(self, fails: bool) -> Callable[[Ask], Delivery]:
        if not fails:
            return _verify_answers
        if self.cell.kind == "brief":
            return lambda ask: self.faulty(ask) if ask.number else _verify_answers(ask)
        if self.cell.kind != "verdict":
            return self.faulty
        return lambda ask: self.faulty(ask) if _judges(ask) else _verify_answers(ask)

    def faulty(self, ask: Ask) -> Delivery:
        if self.cell.kind == "recovers" and ask.number > 0:
            return _verify_answers(ask)
        told = self.cell.fault.make(spoken(ask, self.cell.saying, self.cell.side))
        return told if told is not None else good(spoken(ask, self.cell.saying))

    def draft_answers(self, ask: Ask) -> Delivery:
        if self.cell.kind in ("verified", "verdict"):
            return good(spoken(ask, LONG))
        if self.cell.kind == "brief":
            return good(spoken(ask, UNSAFE))
        return good(spoken(ask, DRAFT_WORDS if self.cell.kind == "words" else DRAFT_SAYS))

    def kept(self) -> str:
        """Connections that hang must be let go by whoever has given up on them."""
        deadline = time.monotonic() + _LET_GO_SECONDS
        while any(lane.held > lane.let_go for lane in self.lanes):
            if time.monotonic() > deadline:
                return "a connection to the provider is kept"
            time.sleep(0.05)
        return ""


def _verify_answers(ask: Ask) -> Delivery:
    return good(spoken(ask, VERIFY_SAYS))


def _judges(ask: Ask) -> bool:
    return b"ACCEPT-" in ask.body


def run(cell: Cell, up: FaultUpstream, proxy: Proxy) -> Verdict:
    """On a machine that is busy a draft's time can be over before it was asked for: such a cell is tried again."""
    began = time.perf_counter()
    for _ in range(_TRIES):
        this = _Run(cell, up, proxy)
        difference, note = _JUDGES[cell.kind](this)
        if not difference.startswith(_UNMET):
            break
    difference = difference or this.kept()
    requests = sum(len(lane.asks) for lane in this.lanes)
    return Verdict(cell, difference, requests, time.perf_counter() - began, note and f" ({note})")


def _drafted(this: _Run) -> tuple[str, str]:
    """Whatever the draft side does, the client gets what the verify model answers alone."""
    expected, reference = this.alone(faulty=False)
    seen, verify, draft = this.behind(draft_fails=True, verify_fails=False)
    met = "" if this.cell.fault.refuses else _met(draft.asks) or _count("the draft model", draft.asks, 1)
    apart = seen.difference(expected, exactly=True)
    if not apart or met:
        return met or _same_requests(verify.asks, reference.asks), ""
    if _whole_anyway(this.cell):
        expected, *_ = this.behind(draft_fails=False, verify_fails=False)
        return seen.difference(expected, exactly=False), "the draft was whole"
    return apart, ""


def _whole_anyway(cell: Cell) -> bool:
    """Nothing is missing of a stream that has said why it stopped: its usage and a mark of its end come after that."""
    if cell.fault.harmless:
        return True
    told = cell.delivery
    if not cell.fault.name.startswith("clean EOF") or told is None:
        return False
    return re.search(rb'"(stop_reason|finish_reason)": "|"response.completed"', b"".join(told.pieces)) is not None


def _direct(this: _Run) -> tuple[str, str]:
    """A fault of the verify side on a direct turn, for good or once, reaches the client exactly as without rlmc."""
    expected, reference = this.alone(faulty=True)
    seen, verify, draft = this.behind(draft_fails=False, verify_fails=True)
    apart = seen.difference(expected, exactly=True)
    return apart or _count("the draft model", draft.asks, 0) or _same_requests(verify.asks, reference.asks), ""


def _skipped(this: _Run) -> tuple[str, str]:
    """A turn the draft answers needs no verify model."""
    expected, *_ = this.behind(draft_fails=False, verify_fails=False)
    seen, verify, draft = this.behind(draft_fails=False, verify_fails=True)
    apart = seen.difference(expected, exactly=False)
    return apart or _count("the draft model", draft.asks, 1) or _count("the verify model", verify.asks, 0), ""


def _verified(this: _Run) -> tuple[str, str]:
    """The verify model fails in its verdict and in the direct call after it: one fault, as of a direct turn."""
    expected, reference = this.alone(faulty=True)
    seen, verify, _ = this.behind(draft_fails=False, verify_fails=True)
    apart, note = _own_step(this, seen, expected)
    if apart or note or this.cell.fault.refuses:
        return apart, note
    verdicts = [ask for ask in verify.asks if _judges(ask)]
    return _met(verdicts) or _count("the verdict", verdicts, len(reference.asks)), ""


def _verdict(this: _Run) -> tuple[str, str]:
    """Only the verdict fails: a direct call follows, or, where it was an answer by then, that answer's own fault."""
    healthy, _ = this.alone(faulty=False)
    seen, verify, _ = this.behind(draft_fails=False, verify_fails=True)
    if unmet := _met([ask for ask in verify.asks if _judges(ask)]):
        return unmet, ""
    if not seen.difference(healthy, exactly=False):
        return "", "a direct call followed"
    expected, _ = this.alone(faulty=True)
    return _own_step(this, seen, expected)


def _brief(this: _Run) -> tuple[str, str]:
    """The verify model fails on the short question about a draft, and then in the direct call as well."""
    expected, reference = this.alone(faulty=True)
    seen, verify, _ = this.behind(draft_fails=False, verify_fails=True)
    unmet = _met([ask for ask in verify.asks if _judges(ask)])
    if this.cell.fault.name.startswith("hang"):
        # It is the question that hangs: the client has nothing yet, and waits as long as it waits for any answer.
        waited = seen.end == TIMEOUT or "Timeout" in seen.end
        return unmet or ("" if waited else f"{seen.end} instead of a client's timeout"), "the question hung"
    direct = [ask for ask in verify.asks[1:] if not _judges(ask)]
    return seen.difference(expected, exactly=True) or unmet or _same_requests(direct, reference.asks), ""


def _own_step(this: _Run, seen: Seen, expected: Seen) -> tuple[str, str]:
    """A step of the verify model's own fails as a direct answer would. Where its stream ends too early, the client's
    breaks off, whether or not the provider's ended as if it were whole."""
    apart = seen.difference(expected, exactly=False)
    if not apart:
        return "", ""
    if _whole_anyway(this.cell):
        healthy, _ = this.alone(faulty=False)
        return seen.difference(healthy, exactly=False), "the answer was whole"
    if seen.unfinished and expected.unfinished and seen.end != TIMEOUT and seen.heard.text and seen.begins(expected):
        return "", "its own step broke off"
    return apart, ""


_JUDGES = {
    "drafted": _drafted,
    "translated": _drafted,
    "words": _drafted,
    "direct": _direct,
    "recovers": _direct,
    "skipped": _skipped,
    "verified": _verified,
    "verdict": _verdict,
    "brief": _brief,
}


def _met(asks: list[Ask]) -> str:
    return "" if asks else _UNMET


def _count(who: str, asks: list[Ask], wanted: int) -> str:
    return "" if len(asks) == wanted else f"{who} was asked {len(asks)} times instead of {wanted}"


def _same_requests(asks: list[Ask], reference: list[Ask]) -> str:
    """The provider gets as many requests as without rlmc, each with the same body."""
    if len(asks) != len(reference):
        return _count("the verify model", asks, len(reference))
    same = all(mine.body == theirs.body for mine, theirs in zip(asks, reference, strict=True))
    return "" if same else "the request's body is another one"
