"""The defaults of what lies in histories never change.

`workflows/conversion.py` leaves out what is at its default, so a changed default would change what old cases were told.
`make histories` adds the defaults of new fields to the list; it never alters a line.
"""

import json

import pytest

from tests.support.defaults import LISTED, defaults

LESSON = """The default of {field} was {old!r} when cases were written without it; {new!r} would change their past.
Give the new meaning a field of a new name."""


def check(listed: dict[str, object], present: dict[str, object]) -> None:
    for field in listed.keys() & present.keys():
        if listed[field] != present[field]:
            pytest.fail(LESSON.format(field=field, old=listed[field], new=present[field]))


class TestDefaults:
    def test_are_what_they_were(self) -> None:
        listed = json.loads(LISTED.read_text())
        check(listed, defaults())
        assert len(listed) > 100

    def test_of_new_fields_are_listed(self) -> None:
        assert defaults().keys() <= json.loads(LISTED.read_text()).keys(), "run `make histories`"

    def test_that_changed_are_noticed(self) -> None:
        with pytest.raises(pytest.fail.Exception, match="would change their past"):
            check({"Returns.final_after": 2}, {"Returns.final_after": 3})
