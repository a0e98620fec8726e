"""What is measured of notices on their way; shown where RECTIFY_NOTICES_METRICS_ADDRESS says."""

from datetime import datetime

from prometheus_client import Counter, Gauge

from store.notices import Waiting

PENDING = Gauge("rectify_notices_pending", "Notices that could be sent now and are not yet delivered.")
HELD = Gauge("rectify_notices_held", "Notices that wait for working hours.")
AGE = Gauge("rectify_notice_age_seconds", "How long the oldest notice that could be sent has been waiting; 0: none.")
SENT = Counter("rectify_notices_sent_total", "Notices that a receiver took.", ["channel"])
FAILED = Counter("rectify_notices_failed_total", "Notices that a receiver refused, at each attempt.", ["channel"])


def know(channel: str) -> None:
    """Before it refuses anything: a counter that begins at its first failure never rose."""
    FAILED.labels(channel)


def show(waiting: Waiting, now: datetime) -> None:
    PENDING.set(waiting.due)
    HELD.set(waiting.held)
    AGE.set((now - waiting.oldest).total_seconds() if waiting.oldest else 0)
