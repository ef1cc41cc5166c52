"""A stand-in for an OpenTelemetry collector: takes OTLP over HTTP and keeps what it was sent, decoded."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import KeyValue


class Collector:
    def __init__(self) -> None:
        self.status = 200
        self.headers: list[dict[str, str]] = []
        self.bodies: list[bytes] = []
        self.spans: list[Any] = []
        self.resources: list[dict[str, Any]] = []
        self.metrics: dict[str, Any] = {}
        self.url = ""

    def take(self, path: str, headers: dict[str, str], body: bytes) -> int:
        if self.status == 200:
            self.headers.append(headers)
            self.bodies.append(body)
            match path:
                case "/v1/traces":
                    for of_resource in ExportTraceServiceRequest.FromString(body).resource_spans:
                        self.resources.append(attributes(of_resource.resource.attributes))
                        self.spans += [span for scope in of_resource.scope_spans for span in scope.spans]
                case "/v1/metrics":
                    for of_meter in ExportMetricsServiceRequest.FromString(body).resource_metrics:
                        found = [metric for scope in of_meter.scope_metrics for metric in scope.metrics]
                        self.metrics |= {metric.name: metric for metric in found}
                case _:
                    return 404
        return self.status

    def named(self, part: str) -> list[Any]:
        return [span for span in self.spans if part in span.name]


def attributes(pairs: Iterator[KeyValue]) -> dict[str, Any]:
    return {pair.key: _value(pair.value) for pair in pairs}


def _value(value: Any) -> Any:
    kind = value.WhichOneof("value")
    return [_value(one) for one in value.array_value.values] if kind == "array_value" else getattr(value, kind)


@contextmanager
def collector() -> Iterator[Collector]:
    mine = Collector()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            status = mine.take(self.path, {k.lower(): v for k, v in self.headers.items()}, body)
            self.send_response(status)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    mine.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield mine
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
