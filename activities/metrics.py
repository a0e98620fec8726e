"""Measures how cases get written down. Served with the worker's other metrics; their names stand in deploy/alerts.yaml.

Knows nothing of what is written. Every command passes here, so a good record costs two calls.
"""

import time

from temporalio.common import MetricMeter

FAILURES = "rectify_record_failures_total"
WAITING = "rectify_records_waiting"
LAG = "rectify_record_lag_seconds"
#: Upper bounds of what `LAG` is counted in, in seconds.
LAG_BUCKETS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0, 3600.0)
#: Longer than a failed record waits before it is tried again, attempt included. Who was silent for so long here has
#: been taken up by another worker.
_FORGOTTEN_AFTER = 60.0


class RecordMetrics:
    """`WAITING`: cases whose latest record failed here and has not been written since."""

    def __init__(self, meter: MetricMeter) -> None:
        self._failures = meter.create_counter(FAILURES, "Attempts to write a case's record down that failed.")
        self._waiting = meter.create_gauge(WAITING, "Cases with a record that could not be written down yet.")
        self._lag = meter.create_histogram_float(
            LAG, "From what somebody did in a case to its being written down.", "s"
        )
        self._failed: dict[str, float] = {}
        self._failures.add(0)  # a counter that begins at its first failure never rose
        self._waiting.set(0)

    def failed(self, case: str) -> None:
        self._failures.add(1)
        self._failed[case] = time.monotonic()
        self._count()

    def written(self, case: str, happened_at: float | None) -> None:
        """`happened_at`: since 1970; None where there is no lag to tell of. A case's own clock may be ahead of ours."""
        if happened_at is not None:
            self._lag.record(max(time.time() - happened_at, 0.0))
        if self._failed:
            self._failed.pop(case, None)
            self._count()

    def _count(self) -> None:
        forgotten = time.monotonic() - _FORGOTTEN_AFTER
        self._failed = {case: at for case, at in self._failed.items() if at > forgotten}
        self._waiting.set(len(self._failed))
