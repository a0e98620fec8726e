"""All the checks, and one line that says how they went."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from chaos.judge import commands, mergers, projection
from chaos.judge.co_units import wrong_lateness
from chaos.judge.evidence import Evidence, Finding, Truth
from chaos.judge.ladder import Rules, wrong_rungs
from chaos.judge.lean import DEFAULTS
from chaos.judge.states import ENDED, Life
from chaos.judge.timers import overslept

#: `stuck`: a case that does not answer; nothing else is asked about it. `lost`: acknowledged, and not there.
#: `duplicated`: there more than once. `ghosts`: refused, and there all the same.
#: `unanswered`: never answered, however often asked. `wrong_answers`: refusals that cannot be. `rungs_twice`,
#: `rungs_wrong`: a rung, or the lateness of a co-unit, came again; not, or for another time than it was due.
#: `out_of_order`: of one case or of the
#: feed. `illegal`: against the table of states. `differing`: lists, notices or feed other than Temporal.
KINDS = (
    "stuck",
    "lost",
    "duplicated",
    "ghosts",
    "unanswered",
    "wrong_answers",
    "rungs_twice",
    "rungs_wrong",
    "out_of_order",
    "illegal",
    "differing",
)
#: What no waiting mends: it is so in the truth itself, or has been said to a client.
FINAL = frozenset({"lost", "ghosts", "wrong_answers", "rungs_twice", "illegal"})
#: Seconds by which a rung may be late in a case that goes on running, before it counts as not fired.
LATENESS = 5.0


@dataclass(frozen=True, slots=True)
class Verdict:
    """`findings` empty: every promise was kept."""

    findings: tuple[Finding, ...]
    figures: dict[str, int]

    @property
    def counts(self) -> dict[str, int]:
        found = Counter(finding.kind for finding in self.findings)
        return {kind: found[kind] for kind in KINDS}

    @property
    def clean(self) -> bool:
        return not self.findings

    @property
    def suspects(self) -> frozenset[str]:
        return frozenset(finding.case for finding in self.findings if finding.case is not None)

    @property
    def hopeless(self) -> bool:
        return any(finding.kind in FINAL for finding in self.findings)

    def line(self) -> str:
        return " ".join(f"{name}={number}" for name, number in (self.figures | self.counts).items())


def judge(evidence: Evidence, rules: Rules) -> Verdict:
    findings = [*_stuck(evidence), *commands.judge(evidence), *mergers.judge(evidence), *projection.judge(evidence)]
    dumb = {truth.case for truth in evidence.truths.values() if truth.stuck}
    findings = [finding for finding in findings if finding.case not in dumb or finding.kind in {"stuck", "unanswered"}]
    for truth in (each for each in evidence.truths.values() if not each.stuck):
        findings += _lawful(truth)
        by = truth.at - LATENESS
        wrong = [*wrong_rungs(truth.log, rules, by), *wrong_lateness(truth.log, by), *overslept(truth, rules)]
        findings += [Finding(kind, truth.case, what) for kind, what in wrong]
    return Verdict(tuple(findings), _figures(evidence))


def _stuck(evidence: Evidence) -> Iterator[Finding]:
    for truth in evidence.truths.values():
        if truth.stuck:
            yield Finding("stuck", truth.case, truth.stuck)


def _lawful(truth: Truth) -> Iterator[Finding]:
    life = Life()
    for complaint in life.walk(truth.log):
        yield Finding("illegal", truth.case, complaint)
    for name, mine in (
        ("stage", life.stage),
        ("round", life.round),
        ("lead_unit", life.lead),
        ("co_units", life.helpers),
    ):
        theirs = truth.snapshot.get(name, DEFAULTS.get(name))
        if theirs != mine:
            yield Finding("illegal", truth.case, f"{name} is {theirs}, by its events {mine}")
    if truth.running == (life.stage in ENDED):
        yield Finding("illegal", truth.case, f"running: {truth.running}, by its events in {life.stage}")


def _figures(evidence: Evidence) -> dict[str, int]:
    acknowledged = sum(told.acknowledged for told in evidence.told)
    refused = sum(told.status is not None and not told.acknowledged for told in evidence.told)
    rungs = sum(event["fact"]["type"] == "RungFired" for truth in evidence.truths.values() for event in truth.log)
    return {
        "acknowledged": acknowledged,
        "refused": refused,
        "repeated": sum(told.attempts > 1 for told in evidence.told),
        "cases": len(evidence.truths),
        "ended": sum(not truth.running for truth in evidence.truths.values()),
        "events": sum(len(truth.log) for truth in evidence.truths.values()),
        "rungs": rungs,
        "taken_back": len(projection.withdrawn(evidence.feed, evidence.lists.events)),
    }


def worst(findings: Sequence[Finding], most: int = 20) -> Iterator[str]:
    """A few of each kind, for people."""
    shown: Counter[str] = Counter()
    for finding in findings:
        shown[finding.kind] += 1
        if shown[finding.kind] <= most:
            yield f"{finding.kind}: {finding.case or '-'}: {finding.what}"
