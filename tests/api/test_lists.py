"""Lists: filters and pages that cannot be, and cursors that lead somewhere; and the language of it all."""

from typing import Any

import pytest

from tests.api.answers import refused
from tests.api.lives import LEAD
from tests.support.stack import Stack

BAD_FILTERS: dict[str, tuple[str, dict[str, Any], str]] = {
    "unknown stage": ("/cases", {"stage": "limbo"}, "field_invalid"),
    "unknown area": ("/cases", {"area": "atlantis"}, "unknown_area"),
    "unknown order": ("/cases", {"sort": "beauty"}, "field_invalid"),
    "no level": ("/cases", {"level": 10}, "field_invalid"),
    "no truth": ("/cases", {"overdue": "perhaps"}, "field_invalid"),
    "a time without zone": ("/cases", {"opened_from": "2026-01-01T00:00:00"}, "field_invalid"),
    "control characters": ("/cases", {"q": "a\u0000"}, "field_invalid"),
    "an empty page": ("/cases", {"limit": 0}, "field_invalid"),
    "too long a page": ("/tasks", {"limit": 201}, "field_invalid"),
    "unknown area of the board": ("/overdue", {"area": "atlantis"}, "unknown_area"),
    "unknown grouping": ("/overdue", {"group_by": "mood"}, "field_invalid"),
    "no cursor": ("/cases", {"cursor": "abc"}, "cursor_invalid"),
    "no cursor of tasks": ("/tasks", {"cursor": "长"}, "cursor_invalid"),
    "no cursor of the board": ("/overdue", {"cursor": "e30"}, "cursor_invalid"),
}


class TestAList:
    @pytest.mark.parametrize("name", BAD_FILTERS)
    async def test_is_refused_where_it_cannot_be(self, stack: Stack, name: str) -> None:
        path, params, code = BAD_FILTERS[name]
        refused(await stack.client("supervisor").get(path, params=params), 422, code)

    async def test_takes_times_at_the_ends_of_time(self, stack: Stack) -> None:
        params = {"opened_from": "0001-01-01T00:00:00+14:00", "opened_to": "9999-12-31T23:59:59-12:00"}
        assert (await stack.client("supervisor").get("/cases", params=params)).status_code == 200

    async def test_refuses_the_cursor_of_another(self, stack: Stack) -> None:
        for _ in range(2):
            await stack.recorded(await stack.open(external_ref="two-pages"))
        client = stack.client(LEAD)
        asked: dict[str, Any] = {"q": "two-pages", "limit": 1}
        cursor = (await client.get("/cases", params=asked)).json()["next_cursor"]
        others: list[tuple[str, dict[str, Any]]] = [
            ("/cases", {"sort": "due_at"}),
            ("/cases", {"q": "other"}),
            ("/tasks", {}),
        ]
        for path, params in others:
            refused(await client.get(path, params={**params, "cursor": cursor}), 422, "cursor_invalid")
        second = (await client.get("/cases", params={**asked, "cursor": cursor})).json()
        assert (len(second["items"]), second["next_cursor"]) == (1, None)

    async def test_shows_each_case_once_page_by_page(self, stack: Stack) -> None:
        ours = {(await stack.recorded(await stack.open(external_ref="five-pages")))["id"] for _ in range(5)}
        for sort in ("opened_at", "-opened_at", "due_at", "-due_at", "updated_at", "-updated_at"):
            params: dict[str, Any] = {"q": "five-pages", "limit": 2, "sort": sort}
            seen: list[str] = []
            while True:
                page = (await stack.client(LEAD).get("/cases", params=params)).json()
                seen += [case["id"] for case in page["items"]]
                if page["next_cursor"] is None:
                    break
                params["cursor"] = page["next_cursor"]
            assert (len(seen), set(seen)) == (5, ours)


class TestTheLanguage:
    @pytest.mark.parametrize(
        ("asked", "lang"),
        [
            ("", "zh"),
            ("fr, de", "zh"),
            ("en", "en"),
            ("en-US,en;q=0.9", "en"),
            ("zh-CN,zh;q=0.9,en;q=0.8", "zh"),
            ("zh;q=0.1, en;q=0.7", "en"),
            ("en;q=0", "zh"),
            ("en;q=nan, zh;q=x, ;;;", "zh"),
        ],
    )
    async def test_is_what_the_caller_likes_best(self, stack: Stack, asked: str, lang: str) -> None:
        refused(
            await stack.client().get("/tasks", headers={"Accept-Language": asked}), 401, "unauthenticated", lang=lang
        )
