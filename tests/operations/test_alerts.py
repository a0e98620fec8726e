"""Every alert goes by metrics that exist, fires beyond its threshold and not before, and says what to do."""

import re
from collections.abc import AsyncIterator, Iterator
from functools import reduce
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]  # only tests read the rules; stubs would be one more dependency
from temporalio.testing import WorkflowEnvironment

from activities import metrics as names
from notices import metrics as notices
from tests.operations.moves import Move, rises, stands, takes, vanishes
from tests.operations.promql import fires
from tests.operations.test_worker_metrics import bug
from tests.operations.watched import Sample, Watched, read
from tests.support.engine import Desk
from tests.support.stack import Stack
from workflows import case

ROOT = Path(__file__).parents[2]
RULES: list[dict[str, Any]] = [
    rule
    for group in yaml.safe_load((ROOT / "deploy" / "alerts.yaml").read_text("utf-8"))["groups"]
    for rule in group["rules"]
]
GUIDE = (ROOT / "docs" / "operations.md").read_text("utf-8")
#: What an expression may contain that is no metric.
WORDS = {"absent", "sum", "by", "rate", "increase", "max", "histogram_quantile", "and", "le"}
_WAITING, _FAILURES, _REFUSED = names.WAITING, names.FAILURES, "rectify_notices_failed_total"
_PENDING, _AGE = "rectify_notices_pending", "rectify_notice_age_seconds"
_UNANSWERED, _STUCK = "rectify_http_requests_total", "temporal_workflow_task_execution_failed"
_TO_START = "temporal_workflow_task_schedule_to_start_latency"
#: Of each alert: what it is silent about, and what it tells of.
SILENT_AND_LOUD: dict[str, tuple[tuple[list[Move], ...], tuple[list[Move], ...]]] = {
    "RectifyNoWorker": (([],), ([vanishes("temporal_worker_start")],)),
    "RectifyCaseStuck": (([],), ([rises(_STUCK, 1)],)),
    "RectifyDeadlineUnnoticed": (
        ([stands("rectify_deadlines_unnoticed", 0)],),
        ([stands("rectify_deadlines_unnoticed", 1)],),
    ),
    "RectifyCommandsUnanswered": (  # of five minutes
        ([rises(_UNANSWERED, 15, status="503", route="/readyz")], [rises(_UNANSWERED, 900, status="200")]),
        ([rises(_UNANSWERED, 16, status="503", route="/readyz")],),
    ),
    "RectifyWorkersBehind": (([takes(_TO_START, 900)],), ([takes(_TO_START, 1_500)],)),
    "RectifyOutboxFull": (
        ([rises(_FAILURES, 3), stands(_WAITING, 0)], [stands(_WAITING, 1)]),
        ([rises(_FAILURES, 1), stands(_WAITING, 1)],),
    ),
    "RectifyListsBehind": (([takes(names.LAG, 4)],), ([takes(names.LAG, 6)],)),
    "RectifyNoticesFailing": (([],), ([rises(_REFUSED, 1)],)),
    "RectifyNoticesLate": (
        ([stands(_AGE, 901), stands(_PENDING, 0)], [stands(_AGE, 900), stands(_PENDING, 9)]),
        ([stands(_AGE, 901), stands(_PENDING, 1)],),
    ),
}
ids = pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])


def selectors(expression: str) -> Iterator[tuple[str, set[str]]]:
    """Each metric with the labels it is chosen by."""
    bare = re.sub(r'"[^"]*"|\[\w+\]|by \([^)]*\)', "", expression)
    for name, chosen in re.findall(r"\b([a-z]\w+)(?:\{([^}]*)\})?", bare):
        if name not in WORDS:
            yield name, set(re.findall(r"(\w+)=", chosen))


def grouped(expression: str) -> set[str]:
    return {label.strip() for labels in re.findall(r"by \(([^)]*)\)", expression) for label in labels.split(",")}


@pytest.fixture(scope="module")
async def shown(temporal: WorkflowEnvironment, stack: Stack) -> AsyncIterator[list[Sample]]:
    """Everything at the endpoints of worker and API, after a case got stuck and the database was away."""
    notices.know("none")
    watched, desk = Watched.of(temporal), Desk(temporal)
    with stack.without_database():
        await read(f"{stack.url}/readyz")
    await read(f"{stack.url}/metrics")
    async with watched.working(desk.fakes, desk.task_queue):
        handle = await desk.open()
        await desk.fakes.until(lambda: bool(desk.fakes.facts(handle.id)))
        with pytest.MonkeyPatch.context() as broken:
            broken.setattr(case.CaseWorkflow, "_hand_over", bug)
            await desk.open()
            await watched.until("temporal_workflow_task_execution_failed", 1)
        yield [*await watched.metrics(), *await read(f"{stack.url}/metrics")]


@ids
class TestAnAlert:
    def test_goes_by_metrics_and_labels_that_exist(self, rule: dict[str, Any], shown: list[Sample]) -> None:
        named = list(selectors(rule["expr"]))
        assert named
        labels: set[str] = set()
        for name, chosen in named:
            found = [sample for sample in shown if sample.name == name]
            assert found, name
            assert chosen <= found[0].labels.keys()
            labels |= found[0].labels.keys()
        assert grouped(rule["expr"]) <= labels
        mentioned = set(re.findall(r"\$labels\.(\w+)", rule["annotations"]["summary"]))
        assert mentioned <= grouped(rule["expr"])

    def test_fires_when_it_should_and_not_before(self, rule: dict[str, Any], shown: list[Sample]) -> None:
        silent, loud = SILENT_AND_LOUD[rule["alert"]]
        for expected, ways in ((False, silent), (True, loud)):
            for way in ways:
                now = reduce(lambda samples, move: move(samples), way, shown)
                assert fires(rule["expr"], shown, now) is expected

    def test_is_a_rule_as_prometheus_takes_it(self, rule: dict[str, Any]) -> None:
        assert rule.keys() == {"alert", "expr", "for", "labels", "annotations"}
        assert re.fullmatch(r"Rectify[A-Za-z]+", rule["alert"])
        assert re.fullmatch(r"\d+[smh]", rule["for"])
        assert rule["labels"]["severity"] in {"critical", "warning"}
        assert rule["expr"].count("(") == rule["expr"].count(")")

    def test_is_told_in_both_languages(self, rule: dict[str, Any]) -> None:
        assert re.search(r"[一-鿿].*[A-Za-z]{3}", rule["annotations"]["summary"])

    def test_says_what_to_do(self, rule: dict[str, Any]) -> None:
        _, meaning, advice = re.findall(rf"^\| `({rule['alert']})` \| (.+?) \| (.+) \|$", GUIDE, re.MULTILINE)[0]
        assert min(len(meaning), len(advice)) > 20


class TestTheAlerts:
    def test_have_a_name_each(self) -> None:
        assert len({rule["alert"] for rule in RULES}) == len(RULES)

    def test_are_all_that_the_guide_knows(self) -> None:
        assert set(re.findall(r"^\| `(Rectify\w+)` \|", GUIDE, re.MULTILINE)) == {rule["alert"] for rule in RULES}


class TestTheCheckItself:
    def test_reads_expressions(self) -> None:
        expression = 'histogram_quantile(0.9, sum by (le, x) (rate(a_bucket{status="503"}[5m]))) > 5 and max(b_c) > 0'
        assert list(selectors(expression)) == [("a_bucket", {"status"}), ("b_c", set())]
        assert grouped(expression) == {"le", "x"}

    @pytest.mark.parametrize(
        ("expression", "fired"),
        [
            ("absent(b)", True),
            ("absent(a)", False),
            ("a > 3 and a > 5", False),
            ("a > 3 and max(a) > 3", False),
            ("max(a) > 3 and sum(a) > 5", True),
            ('sum by (x) (a{x="2"}) > 3', True),
            ('a{x="1"} > 2', False),
            ("increase(a[5m]) > 2", True),
            ("rate(a[1s]) > 3", False),
            ("histogram_quantile(0.5, sum by (le) (h)) > 1.4", True),
            ("histogram_quantile(0.5, sum by (le) (h)) > 1.6", False),
        ],
    )
    def test_judges_them(self, expression: str, fired: bool) -> None:  # noqa: FBT001 - of a table
        now = [Sample("a", {"x": "1"}, 2), Sample("a", {"x": "2"}, 4)]
        now += [Sample("h", {"le": le}, count) for le, count in (("1", 0), ("2", 10), ("+Inf", 10))]
        before = [Sample("a", {"x": "2"}, 1)]
        assert fires(expression, before, now) is fired

    def test_does_not_take_what_it_does_not_understand(self) -> None:
        with pytest.raises(AssertionError, match="not understood"):
            fires("a > 3 or a > 4", [], [])
