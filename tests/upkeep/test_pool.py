"""Jobs give way to people."""

import asyncio

from upkeep.pool import Pace, each


class TestPace:
    def test_slackens_while_jobs_are_slow_and_picks_up_again(self) -> None:
        pace = Pace(most=8, slow=1.0)
        rests = [pace.took(3.0) for _ in range(20)]
        assert rests == [2.0] * 20
        assert pace.allowed == 1.0
        assert [pace.took(0.1) for _ in range(60)] == [0.0] * 60
        assert pace.allowed == 8.0

    def test_rests_for_some_seconds_at_most(self) -> None:
        assert Pace(slow=1.0).took(600.0) == 5.0

    async def test_lets_so_many_work_at_a_time(self) -> None:
        pace, working, most = Pace(most=3), 0, 0

        async def job(_item: int) -> None:
            nonlocal working, most
            async with pace.turn():
                working += 1
                most = max(most, working)
                await asyncio.sleep(0)
                working -= 1

        await each(range(20), job)
        assert most == 3
