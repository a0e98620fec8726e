"""`rectify policy`: is a city's policy or ladder sound, what does it say, what would it do, and its publication."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from commands.installation import Data, Stop, database, run
from commands.publishing import ListFile, Yes
from commands.publishing import preview as foretell
from commands.publishing import publish as go_ahead
from directory.rules import BadRules, parse_rules, rules_table
from domain.limits import Limit
from domain.policy import Ladder, Policy, Rung, When
from domain.words import ACTIONS, AUDIENCES, CLOCKS, Words

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncEngine

    from upkeep.preview import NewRules

app = typer.Typer(no_args_is_help=True, help="政策与升级阶梯 Policies and ladders of escalation.")


@app.callback()
def policy() -> None:
    """政策与升级阶梯 Policies and ladders of escalation."""


File = Annotated[Path, typer.Argument(metavar="FILE", help=r"TOML: \[policy], [\[rung]]; JSON")]
Next = Annotated[bool, typer.Option("--next", help="自动编为下一版 number it as the next version")]


@app.command()
def check(file: File) -> None:
    """检查政策或阶梯文件 Check a file and say what it means. Exit 1: problems; 2: unreadable."""
    for line in _lines(*_read(file)):
        typer.echo(line)


@app.command()
def publish(file: File, number: Next = False, yes: Yes = False, list_file: ListFile = None, data: Data = None) -> None:
    """预览、询问、发布 Foretell, ask, publish: for new cases and all running ones. Safe to repeat and to interrupt.

    Running cases keep their rectification limits, which are their condition's. Exit 1: not published, or some cases
    did not answer.
    """
    found = _read(file)
    go_ahead(lambda opened: _following(opened, *found, number=number), yes=yes, list_file=list_file, data=data)


@app.command()
def preview(file: File, number: Next = False, list_file: ListFile = None, data: Data = None) -> None:
    """只预览，不发布 What publishing it would do to the running cases. Changes nothing."""
    found = _read(file)
    foretell(lambda opened: _following(opened, *found, number=number), list_file, data)


@app.command()
def show(
    data: Data = None,
    as_json: Annotated[bool, typer.Option("--json", help="可编辑的文件 as a file to edit")] = False,
) -> None:
    """显示现行政策与阶梯 Show the policy and the ladder in force."""

    async def work() -> tuple[Policy, Ladder]:
        async with database(data) as opened:
            return await _newest(opened)

    current = run(work)
    typer.echo(
        json.dumps(rules_table(*current), ensure_ascii=False, indent=2) if as_json else "\n".join(_lines(*current))
    )


def _read(file: Path) -> tuple[Policy | None, Ladder | None]:
    try:
        return parse_rules(file.read_text(encoding="utf-8-sig"))
    except BadRules as bad:
        for problem in bad.problems:
            typer.echo(str(problem), err=True)
        raise typer.Exit(1) from None
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        typer.echo(f"无法读取文件 {file}。 cannot read it: {reason}", err=True)
        raise typer.Exit(2) from None


async def _newest(opened: "AsyncEngine") -> tuple[Policy, Ladder]:
    from store.rules import ladder, policy

    found = await policy(opened), await ladder(opened)
    if found[0] is None or found[1] is None:
        raise Stop("还没有政策。 there is no policy yet")
    return found[0], found[1]


async def _following(
    opened: "AsyncEngine", policy: Policy | None, ladder: Ladder | None, *, number: bool
) -> "NewRules":
    """As they would be in force. Raises Stop for a version that is not the next one, or for another id."""
    from store.rules import NotInForce, NotNext, check_rules
    from upkeep.preview import NewRules
    from upkeep.publications import numbered

    present = await _newest(opened)
    if number:
        policy = policy and numbered(policy, present[0])
        ladder = ladder and numbered(ladder, present[1])
    try:
        return NewRules(*await check_rules(opened, policy, ladder))
    except NotNext as error:
        raise Stop(f"不能发布（可用 --next 自动编号）。 cannot publish, perhaps use --next: {error}") from None
    except NotInForce as error:
        raise Stop(f"不能发布，请沿用现行的 id。 cannot publish, keep the id: {error}") from None


def _lines(policy: Policy | None, ladder: Ladder | None) -> Iterator[str]:
    yield from _policy_lines(policy)
    yield from _ladder_lines(ladder)


def _policy_lines(policy: Policy | None) -> Iterator[str]:
    if policy is None:
        return
    yield f"政策 {policy.id} 第 {policy.version} 版 · policy, version {policy.version}"
    yield f"  工作日算法 work day: {policy.work_day_reading}"
    yield f"  免核实来源 trusted sources: {', '.join(policy.trusted_sources) or '无 none'}"
    limits = policy.limits
    for name in ("intake", "dispatch", "acceptance", "inspection"):
        stage = getattr(limits, name)
        yield f"  {_both(CLOCKS[name])}: {_limit(stage.work)}; 紧急 urgent {_limit(stage.urgent)}"
    yield f"  {_both(CLOCKS['window'])}: {_limit(limits.window)}"
    yield f"  返工时限 rework: 原时限的 {policy.rework.share:.0%} of the limit"
    expiry = (
        ("视为签收", "counts as accepted") if policy.acceptance.on_expiry == "deem_accepted" else ("只升级", "climbs")
    )
    yield f"  签收超时 silence on dispatch: {_both(expiry)}"
    yield from _count_lines(policy)


def _count_lines(policy: Policy) -> Iterator[str]:
    returns, suspensions, evidence = policy.returns, policy.suspensions, policy.evidence
    after = "签收后可退回 even after acceptance" if returns.in_rectification else "签收后不可退回 not after acceptance"
    yield f"  退回 returns: {returns.final_after} 次后终局 then final; {after}"
    yield f"  延期 extensions: 至多 at most {policy.extensions.max_granted}"
    yield f"  挂账 suspensions: 至多 at most {suspensions.max_granted}, {suspensions.max_days} 天 days"
    yield (
        f"  照片 photos: 上报 open {evidence.open}, 反馈 submit {evidence.submit}, "
        f"核查 inspect {evidence.inspect}, 自行处置 self-handled {evidence.self_handled}"
    )


def _ladder_lines(ladder: Ladder | None) -> Iterator[str]:
    if ladder is None:
        return
    yield f"阶梯 {ladder.id} 第 {ladder.version} 版, {len(ladder.rungs)} 级 · ladder, version {ladder.version}"
    for rung in ladder.rungs:
        yield f"  {rung.id}: {_trigger(rung)} → {_both(ACTIONS[rung.action])}, {_told(rung)} (级别 level {rung.level})"


def _trigger(rung: Rung) -> str:
    when = _when(rung.when)
    chinese, english = CLOCKS[rung.clock]
    clock = "" if rung.when.counted else f"{chinese} {english}: "
    return clock + when + (f", 每 every {_limit(rung.repeat)}" if rung.repeat else "")


def _when(when: When) -> str:
    if when.used is not None:
        return f"时限用去 {when.used:.0%} used"
    if when.overdue is not None:
        return f"超期 overdue by {_limit(when.overdue)}"
    if when.returns is not None:
        return f"退回 {when.returns} 次 returns"
    return f"核查不通过 {when.failed_inspections} 次 failed inspections"


def _told(rung: Rung) -> str:
    return "、".join(_both(AUDIENCES[audience]) for audience in rung.notify) or "不通知 nobody"


def _limit(limit: Limit) -> str:
    return f"{limit.describe('zh')} {limit.describe('en')}"


def _both(words: Words) -> str:
    return " ".join(words)
