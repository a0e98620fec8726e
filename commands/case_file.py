"""A case file on paper: what it is about, its log with every deadline as it was set or moved, how it ended.

Takes what `store/case_files.py` read and nothing else, so what is printed was recorded. Aligned by `rich`.
"""

from collections.abc import Iterator
from datetime import datetime
from itertools import groupby

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from commands.case_lines import OUTCOMES, SOURCES, Names, both, hours, moment, notes, title, used
from domain import life
from domain.alarms import due_at, stage_due_at
from domain.case import Case, Snapshot, Stage
from domain.events import RectificationSubmitted, RungFired
from domain.passages import clock_kind
from domain.words import CLOCKS, STAGES, Words
from store.case_files import CaseFile


def shown(file: CaseFile, names: Names) -> RenderableType:
    """The whole file, for `Console.print`."""
    return Group(_header(file, names), Text(), _log(file, names), Text(), _ending(file, names))


def rows(*lines: tuple[str, str]) -> Table:
    """Labels and what they say, in two columns."""
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="bold", no_wrap=True)
    grid.add_column(overflow="fold")
    for label, text in lines:
        grid.add_row(label, text)
    return grid


def _header(file: CaseFile, names: Names) -> Table:
    case = file.case
    category, condition = names.problem(case.category, case.condition)
    return rows(
        ("案卷 case", case.id),
        ("问题 problem", category),
        ("立案条件 condition", condition),
        ("地点 where", _where(case, names)),
        ("责任单位 unit", names.unit(case.lead_unit)),
        ("处置时限 limit", f"{case.limit.describe()} {case.limit.describe('en')}"),
        ("来源 source", f"{both(SOURCES[case.source])} · {names.user(case.reporter)}"),
        ("发现 discovered", moment(case.discovered_at, names.zone)),
    )


def _where(case: Snapshot, names: Names) -> str:
    place = case.location
    at = f" ({place.wgs84_lon:.5f}, {place.wgs84_lat:.5f})" if place else ""
    return f"{case.address + ' · ' if case.address else ''}{names.area(case.area)}{at}"


def _log(file: CaseFile, names: Names) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column("时间 time", no_wrap=True)
    table.add_column("谁 who", max_width=30)
    table.add_column("事项 what", max_width=30)
    table.add_column("说明 note", overflow="fold")
    for _, group in groupby(file.entries, key=lambda entry: (entry.event.at, entry.event.by)):
        step = list(group)
        for entry in step:
            event = entry.event
            after = _deadlines(step[0].before, entry.after, names) if entry is step[-1] else ()
            style = "red" if isinstance(event.fact, RungFired) and event.fact.level else ""
            what, note = Text(title(event.fact), style=style), "\n".join([*notes(event.fact, names), *after])
            table.add_row(moment(event.at, names.zone), names.who(event.by), what, note)
    return table


def _deadlines(before: Case | None, after: Case, names: Names) -> Iterator[str]:
    """The deadlines that one step (all that one command, or one instant, made happen) set or moved."""
    was, now = (due_at(before) if before else None), due_at(after)
    if now is not None and (now != was or before is None or _what_is_due(before) != _what_is_due(after)):
        due = f"⏱ {_what_is_due(after)} {moment(now, names.zone)}"
        yield f"{due}{_standing(before, after)}{_moved(before, after, names)}"
    if _entered(before, after, Stage.ASSIGNMENT) and after.lead_unit and (accept_by := stage_due_at(after)):
        yield f"⏱ {_due(CLOCKS['acceptance'])} {moment(accept_by, names.zone)}"
    if _entered(before, after, Stage.CLOSURE) and (window := stage_due_at(after)):
        yield f"⏱ {_due(CLOCKS['window'])} {moment(window, names.zone)}"


def _standing(before: Case | None, after: Case) -> str:
    """That a deadline is provisional, and that it no longer is."""
    if life.provisional(after):
        return " 暂定 provisional"
    same = before is not None and _what_is_due(before) == _what_is_due(after)
    return " 正式 official" if same and before and life.provisional(before) else ""


def _moved(before: Case | None, after: Case, names: Names) -> str:
    was = due_at(before) if before else None
    if before is None or was is None or _what_is_due(before) != _what_is_due(after) or before.round != after.round:
        return ""
    return f"\n　 原为 was {moment(was, names.zone)}{_standing(None, before)}"


def _entered(before: Case | None, after: Case, stage: Stage) -> bool:
    """Whether the stage, or a new unit's turn in it, has begun."""
    fresh = before is None or (before.stage, before.dispatches) != (after.stage, after.dispatches)
    return fresh and after.stage is stage


def _what_is_due(case: Case) -> str:
    kind = "unit" if case.lead_unit and case.stage in {Stage.ASSIGNMENT, Stage.RECTIFICATION} else clock_kind(case)
    return _due(CLOCKS[kind]) if kind else "时限 due"


def _due(words: Words) -> str:
    return f"{words[0]}时限 {words[1]} due"


def _ending(file: CaseFile, names: Names) -> Table:
    case = file.case
    lines = [("结果 outcome", _outcome(case, names))]
    if case.closed_at:
        lines.append(("全程 whole life", f"{life_time(case)}（发现至结案 from discovery to closure）"))
    lines += [("处置用时 working", text) for text in _used(file)]
    lines.append(("核对 check", _agreement(file)))
    return rows(*lines)


def _outcome(case: Snapshot, names: Names) -> str:
    parts = [both(STAGES[case.stage])]
    if case.outcome and case.closed_at:
        parts.insert(0, f"{both(OUTCOMES[case.outcome])}，结案 closed {moment(case.closed_at, names.zone)}")
    if case.overdue_since:
        parts.append(f"曾超期 overdue since {moment(case.overdue_since, names.zone)}")
    parts.append(f"升级 level {case.escalation_level}")
    return " · ".join(parts)


def life_time(case: Snapshot) -> str:
    """From discovery to closure (to its last event while it is open), on the clock that nothing pauses."""
    end: datetime = case.closed_at or case.updated_at
    whole = end - case.discovered_at
    return f"{whole.days} 天 d {hours(whole.seconds)} h"


def rounds(file: CaseFile) -> Iterator[tuple[int, str]]:
    """Each submission: its round, and what it used of the limit."""
    for entry in file.entries:
        fact = entry.event.fact
        if isinstance(fact, RectificationSubmitted):
            late = "超期 late" if entry.after.round_overdue else "按时 in time"
            yield entry.after.round, f"{used(fact)} {late}"


def _used(file: CaseFile) -> Iterator[str]:
    kind = "昼夜计时 day and night" if file.case.limit.continuous else "工作时间 working time"
    return (f"第 {number} 轮 round {number}: {text}（{kind}）" for number, text in rounds(file))


def _agreement(file: CaseFile) -> str:
    events = f"{len(file.entries)} 条记录 events"
    if file.agrees:
        return f"{events}，重演日志与案卷一致 the log, told again, ends in the recorded case"
    return f"{events}，重演日志与案卷不一致 the log, told again, does NOT end in the recorded case"
