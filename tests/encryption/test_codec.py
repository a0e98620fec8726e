"""The codec alone: what it makes of a payload, and what it refuses to read."""

from pathlib import Path

import pytest
from temporalio.api.common.v1 import Payload
from temporalio.converter import NexusSerializationContext, WorkflowSerializationContext

from encryption.codec import CaseCodec
from encryption.converter import data_converter
from encryption.keys import Keys
from encryption.ring import Key, edit
from encryption.sealed import KEY, OWNER, Damaged, KeyMissing, Misplaced, is_sealed, key_of
from tests.encryption.desks import founded, rotated

PLAIN = Payload(metadata={"encoding": b"json/plain", "messageType": b"x"}, data="槐荫巷三号".encode())


def of(codec: CaseCodec, case: str) -> CaseCodec:
    return codec.with_context(WorkflowSerializationContext(namespace="default", workflow_id=case))


@pytest.fixture
def codec(ring: Path) -> CaseCodec:
    return of(CaseCodec(Keys(ring)), "RC-1")


async def sealed(codec: CaseCodec, payload: Payload = PLAIN) -> Payload:
    (found,) = await codec.encode([payload])
    return found


def changed(payload: Payload, **metadata: bytes) -> Payload:
    return Payload(metadata={**payload.metadata, **metadata}, data=payload.data)


class TestAPayload:
    async def test_comes_back_as_it_was_with_its_own_metadata(self, codec: CaseCodec) -> None:
        assert await codec.decode(await codec.encode([PLAIN, Payload()])) == [PLAIN, Payload()]

    async def test_shows_nothing_of_itself_but_key_and_owner(self, codec: CaseCodec) -> None:
        one = await sealed(codec)
        assert set(one.metadata) == {"encoding", KEY, OWNER}
        assert PLAIN.data not in one.data

    async def test_never_looks_the_same_twice(self, codec: CaseCodec) -> None:
        assert (await sealed(codec)).data != (await sealed(codec)).data

    async def test_in_plain_passes_as_it_is(self, codec: CaseCodec) -> None:
        assert await codec.decode([PLAIN]) == [PLAIN]

    async def test_grows_by_less_than_150_bytes(self, codec: CaseCodec) -> None:
        assert (await sealed(codec)).ByteSize() - PLAIN.ByteSize() < 150


class TestWhatWasChanged:
    @pytest.mark.parametrize("at", [0, 11, 12, -1])
    async def test_in_one_bit_is_refused(self, codec: CaseCodec, at: int) -> None:
        one = await sealed(codec)
        data = bytearray(one.data)
        data[at] ^= 1
        with pytest.raises(Damaged):
            await codec.decode([Payload(metadata=one.metadata, data=bytes(data))])

    @pytest.mark.parametrize("length", [0, 5, 12, 27])
    async def test_by_cutting_it_short_is_refused(self, codec: CaseCodec, length: int) -> None:
        one = await sealed(codec)
        with pytest.raises(Damaged):
            await codec.decode([Payload(metadata=one.metadata, data=one.data[:length])])

    async def test_to_another_key_of_the_ring_is_refused(self, codec: CaseCodec, ring: Path, watchful: None) -> None:
        one = await sealed(codec)
        with pytest.raises(Damaged):
            await codec.decode([changed(one, key=rotated(ring).encode())])

    async def test_to_another_owner_is_refused_with_and_without_context(self, codec: CaseCodec, ring: Path) -> None:
        one = changed(await sealed(codec), workflow=b"RC-2")
        for reader in (of(codec, "RC-2"), CaseCodec(Keys(ring))):
            with pytest.raises(Damaged):
                await reader.decode([one])

    async def test_to_no_owner_is_refused(self, codec: CaseCodec) -> None:
        one = await sealed(codec)
        del one.metadata[OWNER]
        with pytest.raises(Damaged):
            await codec.decode([one])


class TestTheOwner:
    async def test_is_the_only_case_that_reads_it(self, codec: CaseCodec) -> None:
        with pytest.raises(Misplaced):
            await of(codec, "RC-2").decode([await sealed(codec)])

    async def test_need_not_be_known_to_read_it(self, codec: CaseCodec, ring: Path) -> None:
        assert await CaseCodec(Keys(ring)).decode([await sealed(codec)]) == [PLAIN]

    async def test_can_be_nobody_and_then_every_case_reads_it(self, codec: CaseCodec, ring: Path) -> None:
        assert await codec.decode([await sealed(CaseCodec(Keys(ring)))]) == [PLAIN]

    def test_is_not_changed_by_a_context_that_names_no_workflow(self, codec: CaseCodec) -> None:
        assert codec.with_context(NexusSerializationContext(endpoint="e", service="s", operation="o")) is codec


class TestKeys:
    async def test_of_the_past_still_read_after_a_rotation(self, codec: CaseCodec, ring: Path, watchful: None) -> None:
        before = await sealed(codec)
        name = rotated(ring)
        after = await sealed(codec)
        assert key_of(after) == name != key_of(before)
        assert await codec.decode([before, after]) == [PLAIN, PLAIN]

    async def test_that_others_rotated_to_are_found_at_once(self, codec: CaseCodec, ring: Path) -> None:
        """Between two looks at the file: the name that is not known makes it look."""
        rotated(ring)
        after = await sealed(of(CaseCodec(Keys(ring)), "RC-1"))
        assert await codec.decode([after]) == [PLAIN]

    async def test_that_are_lacking_are_named(self, codec: CaseCodec, tmp_path: Path) -> None:
        stranger = await sealed(of(CaseCodec(Keys(founded(tmp_path / "other.json"))), "RC-1"))
        with pytest.raises(KeyMissing) as refused:
            await codec.decode([PLAIN, stranger])
        assert str(refused.value) == f"payload_key_missing: {key_of(stranger)} is not in the key ring"

    async def test_are_lacking_altogether_without_a_ring(self, codec: CaseCodec) -> None:
        plain = data_converter(None)
        assert await plain.decode(await plain.encode(["plain"]), [str]) == ["plain"]
        with pytest.raises(KeyMissing):
            await plain.decode([await sealed(codec)], [str])

    async def test_switched_off_encrypt_nothing_and_read_everything(
        self, codec: CaseCodec, ring: Path, watchful: None
    ) -> None:
        before = await sealed(codec)
        edit(ring, lambda keys: keys.encrypting_with(None))
        after = await sealed(codec)
        assert not is_sealed(after)
        assert await codec.decode([before, after]) == [PLAIN, PLAIN]

    @pytest.mark.parametrize("damage", ["{", None], ids=["damaged", "gone"])
    def test_survive_a_ring_that_cannot_be_read_any_more(self, ring: Path, watchful: None, damage: str | None) -> None:
        keys = Keys(ring)
        before = keys.current()
        ring.write_text(damage) if damage else ring.unlink()
        assert before is not None
        assert keys.current() == before
        assert keys.find(before[0]) is before[1]

    async def test_that_were_retired_are_forgotten(self, codec: CaseCodec, ring: Path, watchful: None) -> None:
        before = await sealed(codec)
        rotated(ring)
        edit(ring, lambda keys: keys.without(key_of(before)))
        with pytest.raises(KeyMissing):
            await codec.decode([before])

    def test_have_256_bits(self) -> None:
        assert len(Key.new().secret.get_secret_value()) == 32
