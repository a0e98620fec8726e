from collections.abc import Mapping
from inspect import signature
from urllib.parse import parse_qsl, urlsplit

from api.lists import list_cases
from bench.questions import Question, Sample, questions

SAMPLE = Sample("RC-0000-0000-0000", "2025-12-01T00:00:00+00:00", "12345-1", "暴露垃圾", 50, 200)
CURSOR = "WyJkaWdlc3QiLCIyMDI1IiwiUkMiXQ"
#: Not filters: who asks, by what, and the page.
OTHERS = {"services", "actor", "limit"}


def fetched(_question: Question) -> Mapping[str, object]:
    return {"next_cursor": CURSOR}


ASKED = list(questions(SAMPLE, fetched))


def values(parameter: str) -> set[str]:
    addresses = (urlsplit(each.path) for each in ASKED)
    lists = (parse_qsl(each.query) for each in addresses if each.path == "/api/v1/cases")
    return {value for asked in lists for name, value in asked if name == parameter}


class TestQuestions:
    def test_ask_for_whatever_cases_can_be_filtered_by(self) -> None:
        """A filter that comes later is not slow unseen."""
        filters = signature(list_cases).parameters.keys() - OTHERS
        assert {name for name in filters if not values(name)} == set()

    def test_ask_for_both_sides_of_what_is_yes_or_no(self) -> None:
        assert all(values(name) == {"true", "false"} for name in ("overdue", "recurrent", "provisional"))

    def test_ask_every_list(self) -> None:
        routes = {urlsplit(each.path).path.removeprefix("/api/v1/") for each in ASKED}
        assert routes == {"cases", "tasks", "overdue", "events", "notices"}

    def test_have_each_a_name_of_its_own(self) -> None:
        names = [each.name for each in ASKED]
        assert len(set(names)) == len(names)
