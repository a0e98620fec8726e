"""The one thing that a case takes from the world without Temporal's knowing: see `CaseWorkflow._clock`."""

from datetime import UTC, datetime


def machine_time() -> datetime:
    """By the clock of the worker's machine. Another one in replay: nothing that replay compares may rest on it."""
    return datetime.now(UTC)
