"""The city that chaos happens to: the demonstration city, under limits of seconds, with a token for each of its people.

Founded before the first start, through the same doors that `rectify up` uses for its own city.
"""

from decimal import Decimal
from pathlib import Path

from directory.calendars import default_calendar
from directory.demo_city import OFFICER_HOMES, demo_directory, officer_home
from directory.model import Category, Directory
from directory.rules import parse_ladder, parse_policy
from domain.limits import Limit, LimitUnit
from store import directory, migrate, tokens
from store.database import open_engine

RULES = Path(__file__).with_name("city.toml")

#: What is reported, and within how many hours it must be put right: 9 s, 14 s, a minute, an hour.
#: E0501 has a co-unit, E0302 needs a plan, and no routing row names a unit for E0602.
LIMITS = {"E0110": "0.0025", "E0103": "0.004", "E0501": "0.016", "E0302": "1", "E0602": "0.004"}
PLANNED = "E0302"
#: Where the three officers are, so that one may inspect what another has opened: (longitude, latitude).
PLACES = tuple(officer_home(officer)[1:] for officer in OFFICER_HOMES)
#: Users by what they do here.
OFFICERS = tuple(OFFICER_HOMES)
UNITS = ("unit-sanitation", "unit-roads", "unit-water", "unit-drainage", "unit-housing")


async def found(url: str) -> dict[str, str]:
    """Makes tables and city in an empty database. Every user's token."""
    migrate.upgrade(url)
    engine = open_engine(url)
    try:
        rules = RULES.read_text("utf-8")
        await directory.save(engine, city(), default_calendar(), parse_policy(rules), parse_ladder(rules))
        return {user.id: await tokens.issue(engine, user.id) for user in city().users}
    finally:
        await engine.dispose()


def city() -> Directory:
    demo = demo_directory()
    return demo.model_copy(update={"categories": tuple(_hurried(each) for each in demo.categories)})


def _hurried(category: Category) -> Category:
    hours = LIMITS.get(category.code)
    if hours is None:
        return category
    limit = Limit(value=Decimal(hours), unit=LimitUnit.URGENT_HOUR)
    changes = {"limit": limit, "milestones": (), "needs_plan": category.code == PLANNED}
    hurried = [each.model_copy(update=changes) for each in category.conditions]
    return category.model_copy(update={"conditions": tuple(hurried)})
