"""`rectify audit`: does the read model say what the running cases say?"""

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

import typer

from commands.installation import AsJson, Data, installation, progress, run

if TYPE_CHECKING:
    from upkeep.audit import Report


def audit(data: Data = None, as_json: AsJson = False) -> None:
    """核对读模型 Compare the lists with the running cases. Exit 0: equal; 1: differences; 2: cannot be asked."""

    async def work() -> "Report":
        from upkeep.audit import audit as compare

        async with installation(data) as (engine, database):
            with progress("核对 auditing") as shown:
                return await compare(engine, database, progress=shown)

    report = run(work)
    show(report, as_json)
    raise typer.Exit(bool(report.differences))


def show(report: "Report", as_json: bool, **more: object) -> None:
    lines = [asdict(difference) for difference in report.differences]
    if as_json:
        result = {**more, "clean": not lines, "cases": report.cases, "differences": lines}
        typer.echo(json.dumps(result, ensure_ascii=False))
        return
    for difference in report.differences:
        typer.echo(str(difference))
    if lines:
        cases = len({difference.case for difference in report.differences})
        typer.echo(
            f"核对案卷 {report.cases} 件，{cases} 件不一致，共 {len(lines)} 处。 "
            f"compared {report.cases} cases: {len(lines)} differences in {cases}"
        )
    else:
        typer.echo(f"核对案卷 {report.cases} 件，全部一致。 compared {report.cases} cases: no difference")
