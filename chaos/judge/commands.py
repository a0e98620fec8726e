"""Nothing acknowledged is lost, nothing is done twice, nothing refused is done, and no answer was wrong in itself."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from chaos.judge.evidence import Evidence, Finding, Json, Told, Truth
from chaos.judge.mergers import without_copies
from chaos.judge.words import EFFECTS, MERGE, WITHOUT_TEXT, author, marks

#: Refusals that no well-behaved client may ever be given.
_IMPOSSIBLE = {401: "was good and is not", 422: "was well formed"}
_KEY_REUSED = "idempotency_key_reused"
#: What was well formed when it was first sent.
_TOO_LATE = frozenset({"suspension_in_the_past"})
#: Updates that are no command of a client.
_UPKEEP = frozenset({"recalendar", "reproject"})


def judge(evidence: Evidence) -> Iterator[Finding]:
    effects = without_copies(evidence.told, _effects(evidence.truths))
    for told in evidence.told:
        if told.command not in WITHOUT_TEXT | {MERGE}:
            yield from _marked(told, effects.get(told.key, []))
        yield from _answer(told)
    yield from _unmarked(evidence)
    yield from _order(evidence.told, effects)
    for truth in evidence.truths.values():
        yield from _histories(truth)


def _effects(truths: Mapping[str, Truth]) -> dict[str, list[tuple[str, Json]]]:
    """For each mark the events that carry it, with their case."""
    found: dict[str, list[tuple[str, Json]]] = defaultdict(list)
    for truth in truths.values():
        for event in truth.log:
            for key in marks(event):
                found[key].append((truth.case, event))
    return found


def _marked(told: Told, effects: Sequence[tuple[str, Json]]) -> Iterator[Finding]:
    what = f"{told.command} {told.key} of {told.user}, answered {told.status}"
    if len(effects) > 1:
        yield Finding("duplicated", told.case, f"{what}, happened {len(effects)} times")
    if told.status is None:
        yield Finding("unanswered", told.case, f"{told.command} {told.key} of {told.user}, {told.attempts} attempts")
    elif not told.acknowledged:
        if effects:
            yield Finding("ghosts", told.case, f"{what}, and yet it happened")
    elif not any(_fits(told, case, event) for case, event in effects):
        yield Finding("lost", told.case, what)


def _fits(told: Told, case: str, event: Json) -> bool:
    known_by_then = told.version is None or event["seq"] <= told.version
    right = event["fact"]["type"] in EFFECTS[told.command] and author(event) == told.user
    return case == told.case and right and known_by_then


def _answer(told: Told) -> Iterator[Finding]:
    if told.code == _KEY_REUSED:
        yield Finding("wrong_answers", told.case, f"{told.command} {told.key}: its own key was taken for another's")
    elif told.status in _IMPOSSIBLE and told.code not in _TOO_LATE:
        yield Finding("wrong_answers", told.case, f"{told.command} {told.key}: what {_IMPOSSIBLE[told.status]}")


def _unmarked(evidence: Evidence) -> Iterator[Finding]:
    """At least as many as were acknowledged, each no later than its answer says; at most as many as were asked for."""
    asked: dict[tuple[str, str, str], list[Told]] = defaultdict(list)
    for told in evidence.told:
        if told.command in WITHOUT_TEXT and told.case is not None:
            asked[told.case, told.user, told.command].append(told)
    for (case, user, command), wanted in asked.items():
        truth = evidence.truths.get(case)
        yield from _counted(case, f"{command} of {user}", wanted, _done(truth, user, command))


def _done(truth: Truth | None, user: str, command: str) -> list[int]:
    if truth is None:
        return []
    return [e["seq"] for e in truth.log if author(e) == user and e["fact"]["type"] in EFFECTS[command]]


def _counted(case: str, what: str, wanted: Sequence[Told], done: Sequence[int]) -> Iterator[Finding]:
    acknowledged = sorted(told.version or 1 << 62 for told in wanted if told.acknowledged)
    open_ended = sum(told.status is None for told in wanted)
    for nth, version in enumerate(acknowledged):
        if nth >= len(done) or done[nth] > version:
            yield Finding("lost", case, f"{what}, the {nth + 1}th, acknowledged at version {version}")
    for _ in range(len(done) - len(acknowledged) - open_ended):
        yield Finding("duplicated", case, f"{what}: {len(done)} times, acknowledged {len(acknowledged)} times")
    for _ in range(open_ended):
        yield Finding("unanswered", case, what)


def _order(told: Iterable[Told], effects: Mapping[str, Sequence[tuple[str, Json]]]) -> Iterator[Finding]:
    """What was acknowledged before the next was sent comes before it in the case."""
    by_case: dict[str, list[tuple[Told, int]]] = defaultdict(list)
    for each in told:
        if each.acknowledged and each.case is not None and effects.get(each.key):
            by_case[each.case].append((each, effects[each.key][0][1]["seq"]))
    for case, lines in by_case.items():
        answered = sorted(lines, key=lambda line: line[0].answered or 0.0)
        for later, seq in lines:
            before = [line for line in answered if (line[0].answered or 0.0) < later.sent]
            for earlier, earlier_seq in before:
                if earlier_seq >= seq and earlier is not later:
                    yield Finding("out_of_order", case, f"{earlier.key} was answered before {later.key} was sent")


def _histories(truth: Truth) -> Iterator[Finding]:
    """What Temporal answered with success is in the case's own log, and nothing else that claims to be a command."""
    carried = Counter(update.id for update in truth.updates if update.carried_out and update.name not in _UPKEEP)
    logged = {event["command_id"]: event["seq"] for event in truth.log if "command_id" in event}
    opening = {event.get("command_id") for event in truth.log if event["fact"]["type"] == "CaseOpened"}
    for update in carried.keys() - logged.keys():
        yield Finding("lost", truth.case, f"update {update} is in the history and not in the log")
    known = {update.id for update in truth.updates}
    for command_id in logged.keys() - known - opening:
        yield Finding("illegal", truth.case, f"event {logged[command_id]} of {command_id}, which the history lacks")
