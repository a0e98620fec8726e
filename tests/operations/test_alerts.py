"""Every alert goes by a metric that exists, under its true name, and every alert says what to do."""

import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]  # only tests read the rules; stubs would be one more dependency
from temporalio.testing import WorkflowEnvironment

from notices import metrics as notices
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
    """Everything at the endpoints of worker and API, after a case got stuck and a channel refused."""
    notices.FAILED.labels("none").inc(0)
    watched, desk = Watched.of(temporal), Desk(temporal)
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
