"""The key ring's file: who may read it, and that it is never half written."""

import json
from pathlib import Path

import pytest

from encryption.ring import BadRing, Key, Ring, edit, load


class TestAFile:
    def test_is_for_its_owner_alone(self, ring: Path) -> None:
        assert ring.stat().st_mode & 0o777 == 0o600

    @pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644])
    def test_that_others_may_read_is_refused(self, ring: Path, mode: int) -> None:
        ring.chmod(mode)
        with pytest.raises(BadRing, match="chmod 600"):
            load(ring)

    def test_may_be_for_reading_only(self, ring: Path) -> None:
        ring.chmod(0o400)
        assert load(ring).current

    @pytest.mark.parametrize(
        "damage",
        [
            "",
            "[]",
            '{"current": "k-20260101-00000000", "keys": []}',
            '{"keys": [{"id": "k-20260101-00000000", "created": "2026-01-01T00:00:00Z", "secret": "c2hvcnQ="}]}',
            '{"keys": [{"id": "k-20260101-00000000", "created": "2026-01-01T00:00:00Z", "secret": "***"}]}',
            '{"keys": [{"id": "mine", "created": "2026-01-01T00:00:00Z", "secret": ""}]}',
        ],
    )
    def test_that_is_damaged_is_refused_in_one_line(self, ring: Path, damage: str) -> None:
        ring.write_text(damage)
        with pytest.raises(BadRing) as refused:
            load(ring)
        assert "\n" not in str(refused.value)
        assert "c2hvcnQ" not in str(refused.value)

    def test_with_one_id_twice_is_refused(self, ring: Path) -> None:
        content = json.loads(ring.read_text())
        ring.write_text(json.dumps({**content, "keys": content["keys"] * 2}))
        with pytest.raises(BadRing, match="same id"):
            load(ring)

    def test_that_is_not_there_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(BadRing, match="No such file"):
            load(tmp_path / "none.json")


class TestAChange:
    def test_is_whole_or_not_at_all(self, ring: Path) -> None:
        before = ring.read_bytes()

        def fail(_: Ring) -> Ring:
            raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            edit(ring, fail)
        assert ring.read_bytes() == before
        assert list(ring.parent.iterdir()) == [ring]

    def test_does_not_meet_another_one(self, ring: Path) -> None:
        """Else one of two new keys would be lost, and what it has encrypted."""

        def meet(before: Ring) -> Ring:
            with pytest.raises(BadRing, match="being changed"):
                edit(ring, lambda keys: keys.with_key(Key.new()))
            return before.with_key(Key.new())

        assert len(edit(ring, meet).keys) == 2
        assert len(load(ring).keys) == 2

    def test_where_nobody_may_write_says_so(self, tmp_path: Path) -> None:
        with pytest.raises(BadRing, match="cannot write"):
            edit(tmp_path / "nowhere" / "ring.json", lambda keys: keys)


class TestAKey:
    def test_is_never_shown(self) -> None:
        key = Key.new()
        shown = repr(Ring(current=key.id, keys=(key,)))
        assert key.id in shown
        assert repr(key.secret.get_secret_value()) not in shown
