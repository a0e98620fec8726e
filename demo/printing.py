"""What `rectify demo` shows: each scenario's case file as it was recorded, what it had to prove, and a table of all."""

from collections.abc import Sequence

from rich.console import Console
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from commands.case_file import life_time, rounds, rows, shown
from commands.case_lines import OUTCOMES, Names, both, moment
from demo.play import Played, Refusal
from domain.sentences import sentence
from domain.words import COMMANDS

#: Columns, where there is no terminal to ask.
_PLAIN_WIDTH = 160


def console() -> Console:
    """On a terminal as wide as that, in colour; elsewhere plain."""
    on_terminal = Console()
    width = None if on_terminal.is_terminal else _PLAIN_WIDTH
    return Console(width=width, markup=False, highlight=False, emoji=False)


def print_scenario(out: Console, played: Played, place: str, names: Names) -> None:
    scenario = played.scenario
    out.print()
    out.print(Rule(Text(f"{place} {both(scenario.title)}", style="bold"), align="left", style="dim"))
    if scenario.remark:
        out.print(rows(("说明 remark", "\n".join(scenario.remark))))
    out.print()
    if played.file is not None:
        out.print(shown(played.file, names))
    for refusal in played.refusals:
        out.print(_refused(refusal, names))
    out.print(_checked(played))


def _refused(refusal: Refusal, names: Names) -> Table:
    step, error = refusal.step, refusal.error
    who = names.user(step.by)
    what = both(COMMANDS[step.command])
    said = (sentence(error.code, error.params, "zh"), sentence(error.code, error.params, "en"))
    return rows(("被拒 refused", f"{moment(step.at, names.zone)} {who} {what}\n" + "\n".join(said)))


def _checked(played: Played) -> Table:
    unmet = set(played.unmet)
    grid = rows()
    for check in played.scenario.checks:
        mark = Text("✗ 未达到 FAILED", style="red") if check in unmet else Text("✓ 证实 proved", style="green")
        grid.add_row(mark, both(check.says))
    if played.failure:
        grid.add_row(Text("✗ 中断 BROKE OFF", style="red"), played.failure)
    return grid


def print_summary(out: Console, played: Sequence[Played], seconds: float) -> None:
    out.print()
    out.print(Rule(Text("汇总 Summary", style="bold"), align="left", style="dim"))
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    for heading in ("场景 scenario", "案卷 case", "结果 outcome", "全程 whole life", "处置用时 working", "证实 proved"):
        table.add_column(heading, overflow="fold")
    for each in played:
        table.add_row(*_summary(each))
    out.print(table)
    good = sum(each.good for each in played)
    out.print(f"\n{good} / {len(played)} 个场景符合预期 scenarios as expected，用时 in {seconds:.1f} 秒 s")


def _summary(played: Played) -> tuple[str | Text, ...]:
    total = len(played.scenario.checks)
    proved = Text(f"{total - len(played.unmet)} / {total}", style="green" if played.good else "red")
    if played.file is None:
        return both(played.scenario.title), "—", "—", "—", "—", proved
    case = played.file.case
    outcome = both(OUTCOMES[case.outcome]) if case.outcome else "—"
    late = "，超期 overdue" if case.overdue else ""
    used = "\n".join(text for _, text in rounds(played.file))
    return both(played.scenario.title), case.id, f"{outcome}{late}", life_time(case), used, proved
