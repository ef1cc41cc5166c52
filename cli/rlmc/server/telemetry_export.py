"""What sends to a collector: a booked turn as spans and metrics, handed to OpenTelemetry's SDK, which sends them in
threads of its own with bounded queues.

Rule: imported only where an endpoint is set. Spans are made afterwards, with the times of the books. A turn's span has
ids made from the turn's own, so that a call booked later still finds its parent. The SDK says nothing by itself.
"""

from __future__ import annotations

import hashlib
import logging
import threading
from collections.abc import Callable, Sequence

import requests
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import MetricExportResult, MetricsData, PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExportResult
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.trace import NonRecordingSpan, SpanContext, SpanKind, Status, StatusCode, TraceFlags

import rlmc
from rlmc.domain.record import CallRecord, TurnRecord
from rlmc.server.books import Booked
from rlmc.server.labels import Models
from rlmc.server.sessions import Session, Sessions
from rlmc.server.telemetry_facts import (
    Attributes,
    Caller,
    call_attributes,
    caller,
    error_type,
    provider_name,
    turn_attributes,
    usage_counts,
)

log = logging.getLogger("rlmc.telemetry")

SCOPE = "rlmc"
BUCKETS = tuple(round(0.01 * 2**n, 2) for n in range(14))
SPAN_SECONDS, METRIC_SECONDS = 2.0, 15.0
_TIMEOUT_SECONDS = 5.0
_QUEUE, _BATCH = 4096, 256


class Health:
    """Whether the collector takes what it is sent. Told by the SDK's threads; a change for the worse is logged once."""

    def __init__(self, endpoint: str) -> None:
        self._endpoint = endpoint
        self._lock = threading.Lock()
        self._failing: frozenset[str] = frozenset()

    @property
    def error(self) -> str | None:
        if not self._failing:
            return None
        return f"{self._endpoint} does not take {' and '.join(sorted(self._failing))}; turns are not held up by it"

    def note(self, what: str, ok: bool) -> None:
        with self._lock:
            before = self._failing
            self._failing = before - {what} if ok else before | {what}
            if self._failing and not before:
                log.warning("%s", self.error)


class _Spans(OTLPSpanExporter):
    health: Health

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        result = super().export(spans)
        self.health.note("traces", result is SpanExportResult.SUCCESS)
        return result


class _Metrics(OTLPMetricExporter):
    health: Health

    def export(
        self, metrics_data: MetricsData, timeout_millis: float | None = 10_000, **kwargs: object
    ) -> MetricExportResult:
        result = super().export(metrics_data, timeout_millis, **kwargs)
        self.health.note("metrics", result is MetricExportResult.SUCCESS)
        return result


class _Ids(RandomIdGenerator):
    """Random ids, except for the next ones where they are set."""

    trace_id: int | None = None
    span_id: int | None = None

    def generate_trace_id(self) -> int:
        found, self.trace_id = self.trace_id, None
        return found or int(super().generate_trace_id())

    def generate_span_id(self) -> int:
        found, self.span_id = self.span_id, None
        return found or int(super().generate_span_id())


class OtlpExport:
    """`endpoint` is the collector's base URL."""

    def __init__(self, endpoint: str, sessions: Sessions) -> None:
        # Its own words would come with every failed attempt; `Health` says the same once.
        logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)
        self._sessions = sessions
        self._models = Models()
        self._health = Health(endpoint)
        resource = Resource({"service.name": "rlmc", "service.version": rlmc.__version__})
        self._ids = _Ids()
        self._traces = TracerProvider(resource=resource, id_generator=self._ids, shutdown_on_exit=False)
        spans = _Spans(endpoint=f"{endpoint}/v1/traces", timeout=_TIMEOUT_SECONDS, session=_session())
        spans.health = self._health
        self._traces.add_span_processor(BatchSpanProcessor(spans, _QUEUE, SPAN_SECONDS * 1000, _BATCH))
        metrics = _Metrics(endpoint=f"{endpoint}/v1/metrics", timeout=_TIMEOUT_SECONDS, session=_session())
        metrics.health = self._health
        reader = PeriodicExportingMetricReader(metrics, METRIC_SECONDS * 1000)
        self._meters = MeterProvider([reader], resource, shutdown_on_exit=False)
        self._tracer = self._traces.get_tracer(SCOPE, rlmc.__version__)
        self._instruments = _Instruments(self._meters)

    @property
    def error(self) -> str | None:
        return self._health.error

    def send(self, booked: Booked) -> None:
        turn, session = booked.turn, self._sessions.by_id(booked.turn.session_id)
        simulated = booked.simulated
        above = caller(booked.traceparent)
        parent = self._turn(booked, above, simulated) if booked.first else _context(turn, above)
        within = trace.set_span_in_context(NonRecordingSpan(parent))
        for call in booked.calls:
            shown = self._models.label(call, session)
            span = self._tracer.start_span(
                f"chat {shown} ({call.role})",
                within,
                SpanKind.CLIENT,
                call_attributes(call, _base_url(call, session)),
                start_time=call.started_at * 1000,
            )
            if call.error is not None:
                span.set_status(Status(StatusCode.ERROR))
            span.end(call.started_at * 1000 + round(call.latency_ms * 1_000_000))
            self._instruments.record(call, shown, simulated)

    def _turn(self, booked: Booked, above: Caller | None, simulated: bool) -> SpanContext:
        turn, own = booked.turn, _context(booked.turn, above)
        context = None
        if above is not None:
            flags = TraceFlags(TraceFlags.SAMPLED if above.sampled else TraceFlags.DEFAULT)
            parent = SpanContext(above.trace_id, above.span_id, is_remote=True, trace_flags=flags)
            context = trace.set_span_in_context(NonRecordingSpan(parent))
        self._ids.trace_id, self._ids.span_id = (own.trace_id if above is None else None), own.span_id
        span = self._tracer.start_span(
            "rlmc turn",
            context,
            SpanKind.SERVER,
            turn_attributes(turn, booked.client, simulated),
            start_time=turn.started_at * 1000,
        )
        if turn.ending in ("error", "upstream-error"):
            span.set_status(Status(StatusCode.ERROR))
        span.end(turn.started_at * 1000 + round(turn.latency_ms * 1_000_000))
        return own

    def close(self) -> None:
        """Sends what waits; takes as long as the collector does."""
        closers: tuple[Callable[[], None], ...] = (self._traces.shutdown, self._meters.shutdown)
        for close in closers:
            try:
                close()
            except Exception:
                log.exception("telemetry could not be closed")


class _Instruments:
    def __init__(self, meters: MeterProvider) -> None:
        meter = meters.get_meter(SCOPE, rlmc.__version__)
        self._usage = {
            name: meter.create_counter(f"gen_ai.client.inference.usage.{name}", "{token}", meaning)
            for name, meaning in (
                ("input_tokens", "Tokens of prompts, with those read from and written to caches"),
                ("output_tokens", "Tokens of answers, with reasoning"),
                ("cache_read.input_tokens", "Tokens of prompts that were read from a cache"),
                ("cache_write.input_tokens", "Tokens of prompts that were written to a cache"),
                ("reasoning.output_tokens", "Tokens of answers that are reasoning"),
            )
        }
        self._duration = meter.create_histogram(
            "gen_ai.client.operation.duration",
            "s",
            "Time a model call takes",
            explicit_bucket_boundaries_advisory=BUCKETS,
        )
        self._first = meter.create_histogram(
            "gen_ai.client.operation.time_to_first_chunk",
            "s",
            "Time to the first piece of a model call's answer",
            explicit_bucket_boundaries_advisory=BUCKETS,
        )

    def record(self, call: CallRecord, model: str, simulated: bool) -> None:
        base: Attributes = {
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": provider_name(call.provider),
            "gen_ai.request.model": model,
            "rlmc.role": call.role,
            "rlmc.simulated": simulated,
        }
        tokens = {**base, "gen_ai.token.modality": "text"}
        for name, count in usage_counts(call).items():
            if count:
                self._usage[name].add(count, tokens)
        if call.ttfb_ms is not None:
            self._first.record(call.ttfb_ms / 1000, base)
        failed = {} if call.error is None else {"error.type": error_type(call)}
        self._duration.record(call.latency_ms / 1000, {**base, **failed})


def _session() -> requests.Session:
    """Without what the library would find in the user's folders: a .netrc's password is not for a collector."""
    session = requests.Session()
    session.trust_env = False
    return session


def _context(turn: TurnRecord, above: Caller | None) -> SpanContext:
    """Of a turn's span, the same whenever it is asked for."""
    digest = hashlib.blake2b(turn.id.encode(), digest_size=24, person=b"rlmc spans").digest()
    trace_id, span_id = int.from_bytes(digest[:16]) or 1, int.from_bytes(digest[16:]) or 1
    if above is None:
        return SpanContext(trace_id, span_id, is_remote=False, trace_flags=TraceFlags(TraceFlags.SAMPLED))
    flags = TraceFlags(TraceFlags.SAMPLED if above.sampled else TraceFlags.DEFAULT)
    return SpanContext(above.trace_id, span_id, is_remote=False, trace_flags=flags)


def _base_url(call: CallRecord, session: Session | None) -> str | None:
    provider = None if session is None else session.parts.providers.get(call.provider)
    return None if provider is None or call.provider == "sim" else provider.base_url
