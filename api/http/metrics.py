"""The counters and gauges that /metrics exports for Prometheus."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics

disable_created_metrics()  # type: ignore[no-untyped-call]

SECONDS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10)


class Metrics:
    """The counters of one application; a registry of its own, since a process may hold several."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._answers: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}
        self.requests = Counter(
            "sauda_api_requests", "Requests answered.", ("method", "route", "status"), registry=self.registry
        )
        self.seconds = Histogram(
            "sauda_api_request_seconds", "From the head of a request to the end of its answer.", ("method", "route"),
            buckets=SECONDS, registry=self.registry,
        )  # fmt: skip
        self.in_flight = Gauge("sauda_api_requests_in_flight", "Requests under way.", registry=self.registry)
        self.body_bytes = Gauge("sauda_api_body_bytes", "Bytes of bodies that are held.", registry=self.registry)

    def answered(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count an answer. Looking up its counters by their labels would take longer than counting."""
        counters = self._answers.get((method, route, status))
        if counters is None:
            counters = self.requests.labels(method, route, status), self.seconds.labels(method, route)
            self._answers[method, route, status] = counters
        counters[0].inc()
        counters[1].observe(seconds)

    def counter(self, name: str, description: str, labels: Sequence[str] = ()) -> Counter:
        """A counter of a domain."""
        return Counter(f"sauda_api_{name}", description, labels, registry=self.registry)

    def gauge(self, name: str, description: str, value: Callable[[], float]) -> None:
        """A figure that is asked for when /metrics is read."""
        Gauge(f"sauda_api_{name}", description, registry=self.registry).set_function(value)
