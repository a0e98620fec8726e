"""Notices reach whom they are meant for, when they may, and once in the ordinary run of things."""

import asyncio
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from prometheus_client import REGISTRY

from domain import commands as c
from domain.limits import Limit, LimitUnit
from domain.policy import Severity
from notices.deliverer import Patience
from store import channels, notices
from store.database import open_engine
from tests.notices.office import Office
from tests.notices.receiver import Receiver
from tests.support.records import UNIT

LUNCH_ENDS = timedelta(hours=4)


class TestANotice:
    async def test_reaches_the_channel_of_its_unit(self, office: Office, receiver: Receiver) -> None:
        await office.channel("roads", receiver, unit="roads")
        (life,) = await office.dispatch()
        await office.deliver(office.deliverer(public_url="https://city.example/"))
        (message,) = receiver.messages
        assert message["title"] == f"【新派遣】{life.case.id} dispatched to you"
        for part in ("井盖丢失", "manhole", "清和市 › 云澜区 › 青石街道", "Qingshi", "2026-03-02 10:00"):
            assert part in message["message"]
        assert f"https://city.example/api/v1/cases/{life.case.id}" in message["message"]
        (told,) = await notices.of_case(office.engine, life.case.id, office.now)
        assert [(each.channel, each.status, each.attempts) for each in told.sendings] == [("roads", "delivered", 1)]

    async def test_tells_nothing_of_people_and_doors(self, office: Office, receiver: Receiver) -> None:
        await office.channel("roads", receiver)
        await office.dispatch(description="王家门前", address="槐荫巷三号", external_ref="13800000000")
        await office.deliver()
        said = str(receiver.messages)
        assert "RC-0001" in said
        for secret in ("王家", "槐荫巷", "13800000000", "officer"):
            assert secret not in said

    async def test_reaches_nobody_else(self, office: Office, receiver: Receiver) -> None:
        await office.channel("water", receiver, unit="water")
        await office.channel("city", receiver, "city")
        await office.channel("elsewhere", receiver, "supervisor", area="/qinghe/songquan")
        await office.dispatch()
        await office.deliver()
        assert receiver.messages == []

    async def test_for_a_role_reaches_the_channels_of_its_area(self, office: Office, receiver: Receiver) -> None:
        await office.channel("district", receiver, "dispatcher", area="/qinghe/yunlan")
        await office.channel("elsewhere", receiver, "dispatcher", area="/qinghe/songquan")
        (life,) = await office.dispatch()
        office.now += timedelta(minutes=10)
        await office.recorder.record(life.give(c.Return(reason="非本单位职责"), UNIT).record(life.case.version - 1))
        await office.deliver()
        assert receiver.titles == ["【退回待派】RC-0001 returned, to be dispatched anew"]

    async def test_of_before_the_channel_is_not_sent(self, office: Office, receiver: Receiver) -> None:
        await office.dispatch(3)
        await office.channel("roads", receiver)
        await office.deliver()
        assert await office.statuses() == []

    async def test_of_a_past_told_anew_is_not_sent(self, office: Office, receiver: Receiver) -> None:
        await office.channel("roads", receiver)
        before = office.now - timedelta(days=2)
        await office.dispatch(2, opened_at=before, discovered_at=before)
        await office.deliver()
        assert await office.statuses() == []

    async def test_that_nobody_sent_for_a_week_is_let_be(self, office: Office, receiver: Receiver) -> None:
        await office.channel("roads", receiver)
        await office.dispatch()
        office.now += timedelta(days=8)
        await office.deliver()
        assert (await office.statuses(), receiver.messages) == ([], [])

    async def test_of_a_step_that_was_missed_for_longer_is_sent_while_the_case_is_late(
        self, office: Office, receiver: Receiver
    ) -> None:
        """Nobody worked for a fortnight, and then the case caught up."""
        await office.channel("roads", receiver)
        (life,) = await office.dispatch()
        office.now += timedelta(days=14)
        await office.recorder.record(life.wait(timedelta(days=14)).record(2))
        await office.deliver()
        assert await office.statuses() == ["delivered"]
        assert "RungFired" in {event.fact.type for event in life.events[2:]}


class TestQuietHours:
    async def test_hold_what_can_wait(self, office: Office, receiver: Receiver) -> None:
        await office.channel("roads", receiver)
        office.now += timedelta(hours=2, minutes=1)  # over lunch
        await office.dispatch()
        await office.deliver()
        assert (await office.statuses(), receiver.messages) == (["held"], [])
        assert (await office.listed("roads")).held == 1
        office.now += timedelta(hours=2)
        await office.deliver()
        assert (await office.statuses(), len(receiver.messages)) == (["delivered"], 1)

    @pytest.mark.parametrize(
        "report",
        [
            {"severity": Severity.URGENT},
            {"limit": Limit(value=Decimal(2), unit=LimitUnit.URGENT_HOUR)},
        ],
        ids=["a severity", "a limit"],
    )
    async def test_do_not_hold_what_is_urgent_by(
        self, office: Office, receiver: Receiver, report: dict[str, Any]
    ) -> None:
        await office.channel("roads", receiver)
        office.now += timedelta(hours=11)
        await office.dispatch(**report)
        await office.deliver()
        assert len(receiver.messages) == 1


class TestADeadReceiver:
    async def test_that_never_answers_delays_no_other(
        self, office: Office, receiver: Receiver, other: Receiver
    ) -> None:
        receiver.hangs = True
        await office.channel("dead", receiver)
        await office.channel("well", other)
        await office.dispatch(2)
        deliverer = office.deliverer(patience=Patience(answer=timedelta(seconds=0.4)))
        await deliverer.look()
        await asyncio.to_thread(other.arrived.acquire, timeout=5)
        await asyncio.to_thread(other.arrived.acquire, timeout=5)
        assert (len(other.messages), len(receiver.messages)) == (2, 1)
        await deliverer.settle()
        assert (await office.listed("dead")).error == "no answer in time"
        assert ((await office.listed("well")).due, (await office.listed("dead")).due) == (0, 2)

    async def test_is_left_alone_for_longer_each_time(self, office: Office, receiver: Receiver) -> None:
        receiver.status = 500
        await office.channel("roads", receiver)
        await office.dispatch()
        rests = []
        for _ in range(4):
            await office.deliver()
            await office.deliver()  # too early: nothing is sent
            listed = await office.listed("roads")
            assert listed.resume_at is not None
            rests.append((listed.resume_at - office.now).total_seconds())
            office.now = listed.resume_at
        assert (rests, len(receiver.messages)) == ([5, 10, 20, 40], 4)
        assert (listed.error, listed.failures) == ("HTTP 500", 4)

    async def test_is_given_up_after_a_day_and_asked_again_when_told_to(
        self, office: Office, receiver: Receiver
    ) -> None:
        receiver.status = 500
        await office.channel("roads", receiver)
        await office.dispatch()
        for _ in range(5):
            await office.deliver()
            office.now += timedelta(hours=6)
        assert (await office.statuses(), (await office.listed("roads")).failed) == (["failed"], 1)
        receiver.status = 200
        assert await channels.retry(office.engine, "roads", office.now) == 1
        await office.deliver()
        assert (await office.statuses(), (await office.listed("roads")).error) == (["delivered"], None)

    async def test_that_refuses_one_notice_for_ever_gets_the_others(self, office: Office, receiver: Receiver) -> None:
        def picky(_url: str, title: str, _body: str) -> str | None:
            return "code 1" if "RC-0001" in title else None

        await office.channel("roads", receiver)
        await office.dispatch(3)
        for _ in range(2):
            await office.deliver(office.deliverer(send=picky))
            office.now += timedelta(minutes=1)
        assert await office.statuses() == ["pending", "delivered", "delivered"]


class TestTheCountOfRefusals:
    async def test_begins_at_none(self, office: Office, receiver: Receiver) -> None:
        await office.channel("never-refused", receiver)
        await office.dispatch()
        await office.deliver()
        assert REGISTRY.get_sample_value("rectify_notices_failed_total", {"channel": "never-refused"}) == 0


class TestTheRate:
    async def test_leaves_a_handful_a_message_each(self, office: Office, receiver: Receiver) -> None:
        await office.channel("roads", receiver)
        await office.dispatch(3)
        await office.deliver()
        assert len(receiver.messages) == 3
        await office.dispatch(4)
        await office.deliver()
        assert receiver.titles[3:] == ["【整改案卷】4 条通知 4 notices"]

    async def test_bundles_what_is_more_into_one_list(self, office: Office, receiver: Receiver) -> None:
        await office.channel("roads", receiver)
        await office.dispatch(30)
        await office.deliver()
        (message,) = receiver.messages
        assert message["title"] == "【整改案卷】30 条通知 30 notices"
        assert all(life.case.id in message["message"] for life in office.lives)
        assert await office.statuses() == ["delivered"] * 30

    async def test_is_kept_over_every_minute(self, office: Office, receiver: Receiver) -> None:
        await office.channel("roads", receiver, per_minute=3)
        sent: list[int] = []
        for _ in range(10):
            await office.dispatch()
            await office.deliver()
            sent.append(len(receiver.messages))
            office.now += timedelta(seconds=10)
        assert sent == [1, 2, 3, 3, 3, 3, 4, 5, 6, 6]
        assert receiver.titles[3] == "【整改案卷】4 条通知 4 notices"

    async def test_leaves_for_the_next_message_what_one_has_no_room_for(
        self, office: Office, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("notices.services.longest", lambda _service: 2000)
        await office.channel("roads", receiver)
        await office.dispatch(60)
        await office.deliver()
        assert len(receiver.messages) > 1
        assert all(len((each["title"] + each["message"]).encode()) <= 2000 for each in receiver.messages)
        named = [sum(life.case.id in each["message"] for each in receiver.messages) for life in office.lives]
        assert named == [1] * 60

    async def test_lets_the_urgent_go_first(self, office: Office, receiver: Receiver) -> None:
        await office.channel("roads", receiver)
        await office.dispatch(21)
        (urgent,) = await office.dispatch(severity=Severity.URGENT)
        await office.deliver()
        assert receiver.messages[0]["message"].splitlines()[1].startswith(urgent.case.id)


class TestTwoSenders:
    async def test_send_each_notice_once(self, office: Office, receiver: Receiver) -> None:
        await office.channel("roads", receiver)
        await office.channel("again", receiver, unit="roads")
        second = open_engine(office.engine.url.render_as_string(hide_password=False))
        deliverers = (office.deliverer(), Office(second, office.recorder, office.now).deliverer())
        for _ in range(4):
            await office.dispatch(2)
            await asyncio.gather(*(office.deliver(each) for each in deliverers))
            await asyncio.gather(*(office.deliver(each) for each in deliverers))
        await second.dispose()
        assert sorted(receiver.titles) == sorted(
            f"【新派遣】{life.case.id} dispatched to you" for life in office.lives for _ in range(2)
        )
        assert await office.statuses() == ["delivered"] * 16


class TestASenderThatDies:
    async def test_between_the_receivers_yes_and_its_own_mark_sends_again(
        self, office: Office, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """At least once: this is the price, and the lease says how long it takes."""
        await office.channel("roads", receiver)
        await office.dispatch()
        dying = office.deliverer()

        async def die(*_: object) -> None:
            await asyncio.Event().wait()

        with monkeypatch.context() as patched:
            patched.setattr(notices, "delivered", die)
            await dying.look()
            await asyncio.to_thread(receiver.arrived.acquire, timeout=5)
            for task in dying._serving.values():
                task.cancel()
            await dying.settle()
        await office.deliver()
        assert (len(receiver.messages), await office.statuses()) == (1, ["pending"])
        office.now += timedelta(seconds=61)
        await office.deliver()
        assert (len(receiver.messages), await office.statuses()) == (2, ["delivered"])

    async def test_does_not_mark_as_failed_what_another_is_sending(self, office: Office, receiver: Receiver) -> None:
        await office.channel("roads", receiver)
        await office.dispatch()
        await office.deliverer()._plan()
        minute = timedelta(minutes=1)
        late = await notices.claim(office.engine, "roads", office.now, minute)
        office.now += minute
        fresh = await notices.claim(office.engine, "roads", office.now, minute)
        assert late is not None
        assert fresh is not None
        ids = [item.delivery for item in late.items]
        await notices.failed(office.engine, late, ids, office.now, "HTTP 500", office.now + minute)
        assert (await office.listed("roads")).failures == 0
        await notices.delivered(office.engine, late, ids, office.now)
        assert await office.statuses() == ["delivered"]
        assert await notices.claim(office.engine, "roads", office.now, minute) is None


class TestARemovedChannel:
    async def test_gets_nothing_more_and_forgets_its_address(self, office: Office, receiver: Receiver) -> None:
        await office.channel("roads", receiver)
        await office.dispatch()
        deliverer = office.deliverer()
        await deliverer._plan()
        assert await channels.remove(office.engine, "roads", office.now)
        await office.dispatch()
        await office.deliver()
        assert (await office.statuses(), receiver.messages) == (["failed"], [])
        assert await channels.get(office.engine, "roads") is None
        assert not await channels.remove(office.engine, "roads", office.now)

    async def test_that_comes_back_begins_anew(self, office: Office, receiver: Receiver) -> None:
        await office.channel("roads", receiver)
        await channels.remove(office.engine, "roads", office.now)
        await office.dispatch()
        await office.channel("roads", receiver)
        await office.dispatch()
        await office.deliver()
        assert receiver.titles == ["【新派遣】RC-0002 dispatched to you"]


class TestAnotherAddress:
    async def test_keeps_what_waits(self, office: Office, receiver: Receiver, other: Receiver) -> None:
        receiver.status = 500
        await office.channel("roads", receiver)
        await office.dispatch()
        await office.deliver()
        await office.channel("roads", other)
        await office.deliver()
        assert other.titles == ["【新派遣】RC-0001 dispatched to you"]
