"""The seven scenarios, as data: what is reported, who does what when, and what must come of it.

Each takes the present instant, because a case's time can only be moved forwards: it begins on the next working
morning, or on the next day of the season that it needs. Days are counted in working days of its calendar.
"""

from collections.abc import Callable, Iterator
from datetime import date, datetime, time, timedelta
from hashlib import sha256

from demo.diary import Diary, next_date, next_morning, versions, with_national_day, working_day
from demo.play import Check, Give, Publish, Scenario
from directory.demo_city import officer_home
from directory.reporting import Position, Report
from domain import events as e
from domain.case import Outcome, Snapshot, Stage
from domain.life import provisional
from store.case_files import CaseFile

_DAY = timedelta(days=1)
_FULL_MARKS = 5
_SUMMONED = 5  # the level of the last rung
_RETURNS = 2  # after so many the next assignment is final


def all_scenarios(now: datetime) -> tuple[Scenario, ...]:
    return tuple(make(now) for make in _ALL)


def _report(condition: str, description: str) -> Report:
    _, lon, lat = officer_home("officer-1")
    return Report(
        category=condition.rsplit("-", 1)[0],
        condition=condition,
        description=description,
        location=Position(lon=lon, lat=lat),
        evidence=_photo(description),
    )


def _photo(of: str) -> tuple[str, ...]:
    """A photo is known to a case by its digest alone."""
    return (sha256(of.encode()).hexdigest(),)


# --- commands ---


def _accept(at: datetime, by: str) -> Give:
    return Give(at, by, "accept")


def _submit(at: datetime, by: str, note: str) -> Give:
    return Give(at, by, "submit", {"note": note, "evidence": _photo(f"{at} {note}")})


def _inspect(at: datetime, by: str, result: str, note: str) -> Give:
    return Give(at, by, "inspect", {"result": result, "note": note, "evidence": _photo(f"{at} {note}")})


# --- checks ---


def _case(zh: str, en: str, holds: Callable[[Snapshot], bool]) -> Check:
    return Check((zh, en), lambda file: holds(file.case))


def _facts(file: CaseFile) -> Iterator[e.Fact]:
    return (entry.event.fact for entry in file.entries)


def _count(file: CaseFile, kind: type) -> int:
    return sum(isinstance(fact, kind) for fact in _facts(file))


def _actions(file: CaseFile) -> list[str]:
    return [fact.action.value for fact in _facts(file) if isinstance(fact, e.RungFired)]


_ARCHIVED = _case(
    "整改完成并归档",
    "rectified and archived",
    lambda case: case.outcome is Outcome.RECTIFIED and case.stage is Stage.ARCHIVED,
)
_IN_TIME = _case("没有超期", "never overdue", lambda case: not case.overdue)


# --- scenarios ---


def happy_path(now: datetime) -> Scenario:
    diary, unit = next_morning(now), "unit-roads"
    return Scenario(
        name="happy-path",
        title=("一切顺利", "The happy path"),
        by="resident",
        report=_report("C0137-1", "小区门口的路灯三天没亮 The lamp at the gate has been out for three days"),
        opened=diary.opened,
        calendar=diary.calendar,
        steps=(
            Give(diary.at(0, "09:40"), "officer-1", "verify", {"note": "情况属实 It is as reported"}),
            _accept(diary.at(0, "10:30"), unit),
            _submit(diary.at(1, "15:20"), unit, "已更换灯泡和镇流器 Bulb and ballast replaced"),
            _inspect(diary.at(1, "16:40"), "officer-2", "pass", "灯已亮 It burns again"),
            Give(
                diary.at(1, "20:05"),
                "resident",
                "rate",
                {"score": _FULL_MARKS, "comment": "很快，谢谢 Quick, thank you"},
            ),
        ),
        checks=(
            _ARCHIVED,
            _IN_TIME,
            _case(
                "群众打了 5 分",
                "rated 5 by the resident",
                lambda case: bool(case.rating and case.rating.score == _FULL_MARKS),
            ),
        ),
    )


_WHOLE_LADDER = ["remind", "warn", "urge", "supervise", "yellow_card", "red_card", "summon"]


def late_unit(now: datetime) -> Scenario:
    diary, unit = next_morning(now), "unit-sanitation"
    return Scenario(
        name="late-unit",
        title=("超期直至约谈", "A late unit, up to a summons"),
        by="officer-1",
        report=_report("E0135-1", "旧沙发堆在楼道口 An old sofa blocks the entrance"),
        opened=diary.opened,
        calendar=diary.calendar,
        steps=(
            _submit(diary.at(8, "10:00"), unit, "沙发已清走 The sofa is gone"),
            _inspect(diary.at(8, "15:00"), "officer-2", "pass", "楼道口已清空 The entrance is clear"),
        ),
        checks=(
            _ARCHIVED,
            _case(
                "超期留痕", "the overdue mark stays", lambda case: case.overdue and case.escalation_level == _SUMMONED
            ),
            Check(("每一级恰好触发一次", "each rung fired exactly once"), lambda file: _actions(file) == _WHOLE_LADDER),
            Check(
                ("未签收视为签收", "silence counted as acceptance"),
                lambda file: any(isinstance(fact, e.CaseAccepted) and fact.deemed for fact in _facts(file)),
            ),
        ),
    )


def rework_twice(now: datetime) -> Scenario:
    diary, unit = next_morning(now), "unit-roads"
    return Scenario(
        name="rework-twice",
        title=("返工两次", "Rework, twice"),
        by="officer-1",
        report=_report("C0181-1", "盲道缺了六块砖 Six tactile tiles are missing"),
        opened=diary.opened,
        calendar=diary.calendar,
        steps=(
            _accept(diary.at(0, "10:05"), unit),
            _submit(diary.at(2, "11:30"), unit, "已补砖 Tiles laid"),
            _inspect(diary.at(2, "16:00"), "officer-2", "fail", "只补了四块 Only four were laid"),
            _submit(diary.at(3, "17:10"), unit, "六块全部补齐 All six are laid"),
            _inspect(diary.at(4, "09:00"), "officer-3", "fail", "有两块松动 Two of them are loose"),
            _submit(diary.at(5, "10:20"), unit, "已重新灌浆固定 Bedded in mortar again"),
            _inspect(diary.at(5, "15:45"), "officer-2", "pass", "平整牢固 Level and firm"),
        ),
        checks=(
            _ARCHIVED,
            _case("三轮", "three rounds", lambda case: (case.round, case.failed_inspections) == (3, 2)),
            Check(
                ("两次不通过即督办一次", "supervised once, for two failures"),
                lambda file: _actions(file).count("supervise") == 1,
            ),
        ),
    )


def final_assignment(now: datetime) -> Scenario:
    diary = next_morning(now)
    first, second = "unit-city-mgmt-yunlan", "unit-sanitation"
    return Scenario(
        name="final-assignment",
        title=("两次退回，终局派遣", "Two returns, then a final assignment"),
        by="officer-1",
        report=_report("E0604-1", "饭店门前油污成片 Grease all over the pavement of a restaurant"),
        opened=diary.opened,
        calendar=diary.calendar,
        steps=(
            Give(diary.at(0, "09:40"), "dispatcher", "assign", {"unit": "city-mgmt-yunlan"}),
            Give(
                diary.at(0, "10:30"),
                first,
                "return",
                {"reason": "属保洁范围 A matter of cleaning", "suggested_unit": "sanitation"},
            ),
            Give(diary.at(0, "11:00"), "dispatcher", "assign", {"unit": "sanitation"}),
            Give(diary.at(0, "14:30"), second, "return", {"reason": "应由商户自行清理 The shop has to clean it"}),
            Give(
                diary.at(0, "15:20"),
                "dispatcher",
                "assign",
                {"unit": "city-mgmt-yunlan", "reason": "门前责任由城管督促 Shop-front duties are theirs to enforce"},
            ),
            Give(
                diary.at(0, "15:50"),
                first,
                "return",
                {"reason": "仍认为不属本单位 Still not ours"},
                refused="assignment_is_final",
            ),
            _accept(diary.at(0, "16:10"), first),
            _submit(diary.at(1, "09:05"), first, "商户已冲洗干净 The shop has washed it off"),
            _inspect(diary.at(1, "11:20"), "officer-3", "pass", "地面干净 The pavement is clean"),
        ),
        checks=(
            _ARCHIVED,
            _IN_TIME,
            _case(
                "两次退回，终局派遣",
                "returned twice, then final",
                lambda k: (k.returns, k.final_assignment) == (_RETURNS, True),
            ),
            Check(
                ("第三次退回没有记录", "the third return left no trace"),
                lambda file: _count(file, e.CaseReturned) == _RETURNS,
            ),
        ),
    )


def extensions(now: datetime) -> Scenario:
    diary, unit = next_morning(now), "unit-parks"
    return Scenario(
        name="extensions",
        title=("延期：同意一次，不同意一次", "An extension granted, another refused"),
        by="officer-1",
        report=_report("C0146-1", "漫步机横梁锈断 The beam of the walking machine has rusted through"),
        opened=diary.opened,
        calendar=diary.calendar,
        steps=(
            _accept(diary.at(0, "11:00"), unit),
            Give(diary.at(3, "09:30"), unit, "request-extension", {"reason": "配件须定制 The part is made to order"}),
            Give(
                diary.at(3, "14:20"),
                "supervisor",
                "decide-extension",
                {"grant": True, "reason": "厂家已出具证明 The maker has confirmed it"},
            ),
            Give(diary.at(7, "10:00"), unit, "request-extension", {"reason": "安装工人不足 Too few fitters"}),
            Give(
                diary.at(7, "15:10"),
                "dispatcher",
                "decide-extension",
                {"grant": False, "reason": "可自行调配 You can arrange that yourselves"},
            ),
            _submit(diary.at(9, "16:30"), unit, "已换新横梁 A new beam is in place"),
            _inspect(diary.at(10, "09:15"), "officer-2", "pass", "使用正常 It works"),
        ),
        checks=(
            _ARCHIVED,
            _IN_TIME,
            Check(
                ("同意一次，不同意一次", "one granted, one refused"),
                lambda file: (_count(file, e.ExtensionGranted), _count(file, e.ExtensionRefused)) == (1, 1),
            ),
            _case("不同意的不计次数", "a refusal does not count", lambda case: case.extensions == 1),
        ),
    )


def national_day(now: datetime) -> Scenario:
    """Over the next National Day week; where its table is not published yet, over one that is assumed."""
    eve = next_date(now, 9, 28)
    calendar, remark = with_national_day(eve.year)
    while not calendar.is_working_day(eve):
        eve -= _DAY
    diary, unit = Diary(calendar, eve), "unit-roads"
    until = working_day(calendar, date(eve.year, 10, 8))
    return Scenario(
        name="national-day",
        title=("国庆期间挂账，到期自动恢复", "Suspended over the National Day week, resumed by itself"),
        by="officer-1",
        report=_report("W-ALY-02-1", "巷口铺装松动露土 Loose paving and bare soil at the mouth of the alley"),
        opened=diary.opened,
        calendar=calendar,
        remark=remark,
        steps=(
            _accept(diary.at(0, "10:00"), unit),
            Give(
                diary.at(1, "15:00"),
                "supervisor",
                "suspend",
                {"reason": "石材厂国庆停产 The stone works close for National Day", "until": until.isoformat()},
            ),
            _submit(Diary(calendar, until).at(1, "11:00"), unit, "铺装已补齐 Paving complete"),
            _inspect(Diary(calendar, until).at(1, "16:00"), "officer-2", "pass", "不再露土 No bare soil left"),
        ),
        checks=(
            _ARCHIVED,
            _IN_TIME,
            Check(("到期自动恢复", "it ended by itself"), lambda file: _resumed_on(file, until, diary)),
            Check(
                ("挂账期间不计时", "the clock stood still"),
                lambda file: _worked(file) == timedelta(hours=22, minutes=50),
            ),
        ),
    )


def _resumed_on(file: CaseFile, day: date, diary: Diary) -> bool:
    ended = [fact for fact in _facts(file) if isinstance(fact, e.SuspensionEnded)]
    midnight = datetime.combine(day, time(0), tzinfo=diary.calendar.tz)
    return [(fact.early, fact.resumed_at) for fact in ended] == [(False, midnight)]


def _worked(file: CaseFile) -> timedelta:
    """Working time used at the last submission, to the nearest minute."""
    used = [fact.used_seconds for fact in _facts(file) if isinstance(fact, e.RectificationSubmitted)]
    return timedelta(minutes=round(used[-1] / 60)) if used else timedelta(0)


def holiday_table(now: datetime) -> Scenario:
    """Both versions are the demonstration's own: what the real table will say is nobody's to know."""
    december = next_date(now, 12, 14)
    before, after = versions(december.year)
    diary, unit = Diary(before, working_day(before, december)), "unit-city-mgmt-yunlan"
    return Scenario(
        name="holiday-table",
        title=("办理期间公布放假安排", "A holiday table published while a case runs"),
        by="officer-1",
        report=_report("E0101-2", "屋顶加盖一层彩钢房 A storey of sheet metal has been put on the roof"),
        opened=diary.opened,
        calendar=before,
        remark=(
            f"演示日历：第 1 版只公布到 {december.year} 年底，第 2 版假定次年第一个工作日放假（元旦）",
            f"A demonstration calendar: version 1 ends with {december.year}, version 2 assumes a New Year's holiday",
        ),
        steps=(
            _accept(diary.at(0, "10:00"), unit),
            Publish(diary.at(2, "10:00"), after),
            _submit(diary.at(11, "16:00"), unit, "已依法拆除 Taken down by due process"),
            _inspect(diary.at(12, "10:30"), "officer-2", "pass", "已恢复原貌 As it was before"),
        ),
        checks=(
            _ARCHIVED,
            _IN_TIME,
            Check(("时限顺延", "the deadline moved"), _moved),
            Check(("公布前暂定，公布后正式", "provisional before, official after"), _made_official),
        ),
    )


def _moved(file: CaseFile) -> bool:
    changes = [fact for fact in _facts(file) if isinstance(fact, e.CalendarChanged)]
    return len(changes) == 1 and all(c.due_before and c.due_after and c.due_before < c.due_after for c in changes)


def _made_official(file: CaseFile) -> bool:
    changes = (entry for entry in file.entries if isinstance(entry.event.fact, e.CalendarChanged))
    return all(entry.before and provisional(entry.before) and not provisional(entry.after) for entry in changes)


_ALL = (happy_path, late_unit, rework_twice, final_assignment, extensions, national_day, holiday_table)
