"""Cases that had ended before they came here, as another system's ledger tells of them.

Two facts, both with the ledger's own times, and nothing that nobody has seen: no dispatch, no submission, no
inspection. Such a case never runs; its events are its archive from the first day.
"""

from datetime import datetime

from domain import events as e
from domain.commands import Opening
from domain.decisions import opened_by
from domain.errors import Invalid
from domain.events import Event
from domain.evolve import begin, evolve
from domain.life import Step


def ended_case(report: Opening, ended: e.CaseImported, at: datetime) -> Step:
    """The case that ended `at`. Invalid("closed_before_opened") if that was before its discovery."""
    if at < report.discovered_at:
        raise Invalid("closed_before_opened")
    first = Event(seq=1, at=report.discovered_at, by=report.actor, fact=opened_by(report, trusted=True))
    last = Event(seq=2, at=at, by=report.actor, fact=ended)
    return evolve(begin(report.rules, first), last), (first, last)
