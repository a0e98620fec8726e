"""Policies and ladders as files: the shipped ones, and everything that can be wrong with a city's own."""

from decimal import Decimal
from importlib.resources import files

import pytest

from directory.rules import (
    BadRules,
    default_ladder,
    default_policy,
    default_rules,
    parse_ladder,
    parse_policy,
    parse_rules,
)
from domain.commands import Opening
from domain.limits import DayReading
from domain.policy import Acceptance, EvidenceRules, Rules, Source
from tests.support.cases import CALENDAR, limit, opening

POLICY = (files("directory") / "data" / "policy.toml").read_text(encoding="utf-8")
RUNG = '[[rung]]\nid = "a"\nwhen = { used = 0.5 }\naction = "remind"\nlevel = 0\nnotify = ["unit"]\n'


def problems(text: str) -> dict[str, str]:
    with pytest.raises(BadRules) as caught:
        parse_rules(text)
    return {problem.key: f"{problem.zh} {problem.en}" for problem in caught.value.problems}


class TestTheShippedFiles:
    def test_hold_the_values_they_are_known_for(self) -> None:
        policy = default_policy()
        assert policy.work_day_reading is DayReading.HOURS
        assert policy.limits.window == limit("7 natural_day")
        assert policy.limits.dispatch.urgent == limit("0.25 urgent_hour")
        assert policy.rework.share == Decimal("0.5")
        assert policy.acceptance == Acceptance(on_expiry="deem_accepted")
        assert (policy.returns.final_after, policy.extensions.max_granted) == (2, 2)
        assert (policy.suspensions.max_granted, policy.suspensions.max_days) == (1, 366)
        assert policy.evidence == EvidenceRules(open=0, submit=1, inspect=0, self_handled=2)

    def test_do_not_trust_residents_and_the_hotline(self) -> None:
        assert {Source.RESIDENT, Source.HOTLINE}.isdisjoint(default_policy().trusted_sources)

    def test_only_the_last_step_of_the_ladder_repeats(self) -> None:
        assert [rung.id for rung in default_ladder().rungs if rung.repeat] == ["summon"]
        assert len(default_ladder().rungs) == 14

    def test_equal_rules_have_equal_digests(self) -> None:
        rules = default_rules(CALENDAR)
        again = Rules.model_validate_json(rules.model_dump_json())
        assert again == rules
        assert again.digest == rules.digest
        other = Rules(policy=rules.policy, ladder=rules.ladder, calendar=CALENDAR.model_copy(update={"version": 2}))
        assert other.digest != rules.digest

    def test_a_limit_follows_the_kind_of_the_condition_s_own(self) -> None:
        intake = default_policy().limits.intake
        assert intake.for_(limit("2 natural_day")) == intake.urgent
        assert intake.for_(limit("2 work_day")) == intake.work


class TestReading:
    def test_one_file_may_hold_both(self) -> None:
        policy, ladder = parse_rules(POLICY + RUNG)
        assert policy == default_policy()
        assert ladder is not None
        assert (ladder.id, ladder.version, len(ladder.rungs)) == ("local", 1, 1)

    @pytest.mark.parametrize(
        "text", ['"7 natural_day"', '"7 自然日"', '"7自然日"', '{ value = 7, unit = "natural_day" }']
    )
    def test_a_limit_may_be_written_as_people_do(self, text: str) -> None:
        assert parse_policy(POLICY.replace('"7 natural_day"', text)) == default_policy()

    def test_what_is_asked_for_must_be_there(self) -> None:
        with pytest.raises(BadRules, match=r"\[policy\]"):
            parse_policy(RUNG)
        with pytest.raises(BadRules, match=r"\[\[rung\]\]"):
            parse_ladder(POLICY)


class TestProblems:
    @pytest.mark.parametrize(
        ("text", "key", "says"),
        [
            ("x = [", "TOML", "not a TOML file"),
            ("", "policy", "neither"),
            ("[polcy]", "polcy", "unknown key"),
            ("policy = 3", "policy", "表"),
            ("ladder = 3", "ladder", "表"),
            ("rung = [3]", "rung[1]", "表"),
            (RUNG.replace("0.5", "1.5"), "rung[a].when.used", "不得大于 1"),
            (RUNG.replace("level", "lvl"), "rung[a].lvl", "unknown key"),
            (RUNG.replace("level", "lvl"), "rung[a].level", "missing"),
            (RUNG.replace("remind", "shout"), "rung[a].action", "'remind', 'warn'"),
            (RUNG.replace('"unit"]', '"unit", "press"]'), "rung[a].notify[2]", "不是允许的值"),
            (RUNG.replace("used = 0.5", "used = 0.5, returns = 2"), "rung[a].when", "used, returns"),
            (RUNG.replace("used = 0.5", 'overdue = "two days"'), "rung[a].when.overdue", "2 work_hour"),
            (RUNG + 'repeat = "5 work_day"\n', "ladder", "overdue"),
            (RUNG + RUNG, "ladder", "重复"),
            (POLICY.replace("share = 0.5", "share = 0"), "policy.rework.share", "须大于 0"),
            (POLICY.replace("final_after", "final_afer"), "policy.returns.final_afer", "in_rectification"),
            (POLICY.replace('work = "1 work_day"', 'work = "1 workday"'), "policy.limits.inspection.work", "work_day"),
            (POLICY.replace("version = 2", ""), "policy.version", "补上"),
        ],
    )
    def test_each_names_its_key_and_a_remedy(self, text: str, key: str, says: str) -> None:
        assert says in problems(text)[key]

    def test_all_are_told_at_once(self) -> None:
        text = POLICY.replace("share = 0.5", "share = 0").replace("version = 2", "") + RUNG.replace("0.5", "2")
        assert set(problems(text)) == {"policy.rework.share", "policy.version", "rung[a].when.used"}


class TestTheRulesOfManyCases:
    def test_are_one_object_once_they_are_read_back(self) -> None:
        first, second = (Opening.model_validate_json(opening().model_dump_json()) for _ in range(2))
        assert first.rules is second.rules
        assert first.rules == opening().rules
