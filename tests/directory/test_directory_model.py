import pytest
from pydantic import ValidationError

from directory.model import Area, AreaLevel, Directory, RoutingRow, Unit, User
from domain.actors import Role


def area(area_id: str, parent: str | None) -> Area:
    return Area(id=area_id, parent=parent, level=AreaLevel.STREET, name_zh="地", name_en="Area")


TREE = (area("g1", "d1"), area("city", None), area("d1", "city"), area("d10", "city"))


def directory(
    areas: tuple[Area, ...] = TREE,
    units: tuple[Unit, ...] = (),
    users: tuple[User, ...] = (),
    routing: tuple[RoutingRow, ...] = (),
) -> Directory:
    return Directory(
        city_zh="试验市",
        city_en="Testville",
        zone="Asia/Shanghai",
        areas=areas,
        units=units,
        users=users,
        categories=(),
        routing=routing,
    )


class TestTree:
    def test_a_path_leads_from_the_root(self) -> None:
        assert directory().path("g1") == "/city/d1/g1"
        assert directory().path("city") == "/city"

    def test_ancestors_start_with_the_area_itself(self) -> None:
        assert directory().ancestors("g1") == ("g1", "d1", "city")

    def test_an_area_lies_within_itself_and_what_is_above(self) -> None:
        assert all(directory().within("g1", above) for above in ("g1", "d1", "city"))

    def test_an_area_does_not_lie_within_what_is_below_or_beside(self) -> None:
        assert not directory().within("d1", "g1")
        assert not directory().within("g1", "d10")

    def test_ids_with_a_common_beginning_are_not_confused(self) -> None:
        assert not directory().within("d10", "d1")

    def test_an_unknown_area_lies_nowhere_and_has_no_path(self) -> None:
        assert not directory().within("atlantis", "city")
        with pytest.raises(KeyError):
            directory().path("atlantis")


class TestSoundness:
    def test_an_area_inside_itself_is_refused(self) -> None:
        with pytest.raises(ValidationError, match="area a lies inside itself"):
            directory((area("a", "b"), area("b", "a")))

    def test_an_area_given_twice_is_refused(self) -> None:
        with pytest.raises(ValidationError, match="area given twice: city"):
            directory((area("city", None), area("city", None)))

    @pytest.mark.parametrize("area_id", ["", "City", "a/b", "云澜", "a" * 65, "a\n"])
    def test_an_id_that_is_no_slug_is_refused(self, area_id: str) -> None:
        with pytest.raises(ValidationError):
            area(area_id, None)

    def test_a_parent_that_is_not_there_is_refused(self) -> None:
        with pytest.raises(ValidationError, match="parent of an area not known: b"):
            directory((area("a", "b"),))

    def test_a_user_of_an_unknown_unit_is_refused(self) -> None:
        with pytest.raises(ValidationError, match="unit of a user not known: ghosts"):
            directory(users=(User(id="u", role=Role.UNIT, unit="ghosts", name="U"),))

    def test_a_row_for_an_unknown_co_unit_is_refused(self) -> None:
        unit = Unit(id="one", name_zh="一", name_en="One", area="city")
        with pytest.raises(ValidationError, match="co-unit of a routing row not known: ghosts"):
            directory(units=(unit,), routing=(RoutingRow(id="r", unit="one", co_units=("ghosts",)),))


class TestValue:
    def test_it_survives_json(self) -> None:
        assert Directory.model_validate_json(directory().model_dump_json()) == directory()

    def test_a_changed_copy_has_its_own_index(self) -> None:
        before = directory()
        assert before.path("g1") == "/city/d1/g1"
        moved = (area("g1", "d10"), *TREE[1:])
        assert Directory(**{**before.model_dump(), "areas": moved}).path("g1") == "/city/d10/g1"
