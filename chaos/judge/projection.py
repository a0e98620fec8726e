"""Order is kept, the read model equals the truth, and who follows the feed hears everything once, in order."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence

from chaos.judge.evidence import CaseLine, EventLine, Evidence, Feed, Finding, Json, Lists, NoticeLine, Truth
from chaos.judge.states import RUNNING

#: Who is always told, beside the rungs, which name their own audience.
_TOLD: dict[str, tuple[str, ...]] = {
    "CaseDispatched": ("unit",),
    "CaseUrged": ("unit",),
    "CaseReturned": ("dispatcher",),
    "InspectionPassed": ("reporter",),
    "CoUnitLate": ("unit", "dispatcher"),
    "PlanSubmitted": ("dispatcher",),
    "PlanApproved": ("unit",),
    "PlanRefused": ("unit",),
    "ReportJoined": ("reporter",),
}


def judge(evidence: Evidence) -> Iterator[Finding]:
    lists = evidence.lists
    rows, notices = _rows(lists), _notices(lists)
    stuck = {case for case, truth in evidence.truths.items() if truth.stuck}
    for case in (evidence.truths.keys() | lists.cases.keys() | rows.keys()) - stuck:
        yield from _case(evidence.truths.get(case), lists.cases.get(case), rows.get(case, []), case)
        if case in evidence.truths:
            yield from _told(evidence.truths[case], notices.get(case, []))
    yield from _feed(evidence.feed, lists.events)


def _rows(lists: Lists) -> dict[str, list[EventLine]]:
    rows: dict[str, list[EventLine]] = defaultdict(list)
    for row in lists.events:
        rows[row.case].append(row)
    return rows


def _notices(lists: Lists) -> dict[str, list[NoticeLine]]:
    notices: dict[str, list[NoticeLine]] = defaultdict(list)
    for notice in lists.notices:
        notices[notice.case].append(notice)
    return notices


def _case(truth: Truth | None, line: CaseLine | None, rows: Sequence[EventLine], case: str) -> Iterator[Finding]:
    if truth is None:
        yield Finding("differing", case, "is in the lists and not in Temporal")
        return
    yield from _numbered("Temporal", case, [event["seq"] for event in truth.log])
    yield from _numbered("the lists", case, [row.seq for row in rows])
    instants = [event["at"] for event in truth.log]
    if instants != sorted(instants):
        yield Finding("out_of_order", case, "its events go back in time")
    yield from _events(case, truth.log, rows)
    yield from _row(truth, line)


def _numbered(where: str, case: str, seqs: Sequence[int]) -> Iterator[Finding]:
    """Rows come by position, so that this also says that a case's positions rise with its own numbers."""
    for seq, times in Counter(seqs).items():
        if times > 1:
            yield Finding("duplicated", case, f"event {seq} is there {times} times in {where}")
    once = list(dict.fromkeys(seqs))
    if once != sorted(once):
        yield Finding("out_of_order", case, f"{where}: {once}")
    elif once != list(range(1, len(once) + 1)):
        yield Finding("differing", case, f"there are holes in {where}: {once}")


def _events(case: str, log: Sequence[Json], rows: Sequence[EventLine]) -> Iterator[Finding]:
    recorded = {row.seq: row for row in rows}
    for event in log:
        row = recorded.pop(event["seq"], None)
        what = f"event {event['seq']} {event['fact']['type']}"
        if row is None:
            yield Finding("differing", case, f"{what} is missing from the lists")
        elif row.data != event or (row.type, row.command_id) != (event["fact"]["type"], event.get("command_id")):
            yield Finding("differing", case, f"{what} is another in the lists")
    for seq in recorded:
        yield Finding("differing", case, f"event {seq} of the lists never happened")


def _row(truth: Truth, line: CaseLine | None) -> Iterator[Finding]:
    shown = truth.snapshot
    if shown["version"] != len(truth.log):
        yield Finding("differing", truth.case, f"version {shown['version']} after {len(truth.log)} events")
    if line is None:
        yield Finding("differing", truth.case, "is missing from the lists")
        return
    for name in sorted(shown.keys() | line.snapshot.keys()):
        if shown.get(name) != line.snapshot.get(name):
            listed = line.snapshot.get(name)
            yield Finding("differing", truth.case, f"{name} is {shown.get(name)!r:.80}, the lists say {listed!r:.80}")
    wanted = (shown["version"], shown["stage"], shown["stage"] in RUNNING)
    if (line.version, line.stage, line.running) != wanted:
        yield Finding("differing", truth.case, f"its columns say {line.version}, {line.stage}, {line.running}")
    if truth.running != line.running:
        yield Finding("differing", truth.case, f"running in Temporal: {truth.running}, in the lists: {line.running}")


def _told(truth: Truth, notices: Sequence[NoticeLine]) -> Iterator[Finding]:
    """Every notice tells of an event, once; and of the events that always concern somebody there is one."""
    kinds = {event["seq"]: event["fact"]["type"] for event in truth.log}
    for (seq, audience, who), times in Counter((each.seq, each.audience, each.recipient) for each in notices).items():
        if times > 1:
            yield Finding("duplicated", truth.case, f"{audience} {who} was told {times} times of event {seq}")
    for notice in notices:
        if kinds.get(notice.seq) != notice.kind:
            yield Finding("differing", truth.case, f"a notice of {notice.kind} for event {notice.seq}")
    there = {(notice.seq, notice.audience) for notice in notices}
    for seq, audience in _wanted(truth.log):
        if (seq, audience) not in there:
            yield Finding("differing", truth.case, f"{audience} was not told of event {seq} {kinds[seq]}")
    for seq, audience, who in _named(truth.log):
        if not any((each.seq, each.audience, each.recipient) == (seq, audience, who) for each in notices):
            yield Finding("differing", truth.case, f"{audience} {who} was not told of event {seq} {kinds[seq]}")


def _named(log: Sequence[Json]) -> Iterator[tuple[int, str, str]]:
    """Whom an event itself names: co-units with a part of their own, new reporters."""
    for event in log:
        fact = event["fact"]
        match fact["type"]:
            case "CaseDispatched" if fact.get("tasks"):
                yield from ((event["seq"], "unit", unit) for unit in fact["co_units"])
            case "CoUnitLate":
                yield event["seq"], "unit", fact["unit"]
            case "ReportJoined":
                yield from ((event["seq"], "reporter", user) for user in fact["reporters"])


def _wanted(log: Sequence[Json]) -> Iterator[tuple[int, str]]:
    """A case without a unit has none to tell."""
    unit = None
    for event in log:
        fact = event["fact"]
        unit = {"CaseDispatched": fact.get("unit"), "CaseReturned": None}.get(fact["type"], unit)
        audiences = fact["notify"] if fact["type"] == "RungFired" else _TOLD.get(fact["type"], ())
        for audience in audiences:
            if audience != "unit" or unit is not None:
                yield event["seq"], audience


def _feed(feed: Feed, events: Sequence[EventLine]) -> Iterator[Finding]:
    heard: Mapping[int, tuple[str, int, str]] = {h.position: (h.case, h.seq, h.type) for h in feed.heard}
    positions = [each.position for each in feed.heard]
    for position, times in Counter(positions).items():
        if times > 1:
            yield Finding("duplicated", heard[position][0], f"the feed told position {position} {times} times")
    if list(dict.fromkeys(positions)) != sorted(set(positions)):
        yield Finding("out_of_order", None, "the feed went back")
    if any(each.position <= each.asked_after for each in feed.heard):
        yield Finding("out_of_order", None, "the feed told what had been read before")
    there = {row.position: (row.case, row.seq, row.type) for row in events if row.position <= feed.position}
    for position in there.keys() - heard.keys():
        yield Finding("out_of_order", there[position][0], f"position {position} came after the feed had passed it")
    for position in heard.keys() - there.keys() - withdrawn(feed, events):
        yield Finding(
            "differing", heard[position][0], f"the feed told position {position}, which is not there any more"
        )
    for position in heard.keys() & there.keys():
        if heard[position] != there[position]:
            yield Finding("differing", heard[position][0], f"the feed told position {position} otherwise")


def withdrawn(feed: Feed, events: Sequence[EventLine]) -> set[int]:
    """Positions that were told and then taken back: the case went on, further behind in the feed, from that number.

    docs/reliability.md: an event with a number that a case has had takes back what was told of it from there on.
    """
    there = {row.position for row in events}
    lowest: dict[str, int] = {}
    found = set()
    for each in reversed(feed.heard):
        if each.position not in there and lowest.get(each.case, each.seq + 1) <= each.seq:
            found.add(each.position)
        lowest[each.case] = min(each.seq, lowest.get(each.case, each.seq))
    return found
