"""Growth: lives lived in a row at three numbers, on the floor, by us and by the peer; a history by its commands.

An exponent of 1 for the time of lives says that the last one takes as long as the first; one above it, that something
gets slower with what lies there already. The herd, the restart, the long case and the reads keep their own exponents.
"""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import ExitStack
from functools import partial

from temporalio.client import Client

from bench.cost import Teller, urged
from bench.figures import Json, exponent
from bench.load import Bare, Hands, Log, People, at_once, run
from bench.openings import changed_policy, connect
from bench.peer.compare import Peer, Store, peer_running
from bench.progress import say
from bench.results import Outcome
from bench.stack import Stack, embedded, new_database, postgres
from bench.workers import floor_worker

LIVES, LIVES_QUICK = (150, 450, 1_350), (20, 40, 80)
URGES, URGES_QUICK = (10, 30, 100), (3, 6, 12)
_AT_ONCE = 30


def measure(*, quick: bool) -> Outcome:
    lives, urges = (LIVES_QUICK, URGES_QUICK) if quick else (LIVES, URGES)
    with ExitStack() as running:
        stack = running.enter_context(embedded())
        running.enter_context(floor_worker(stack.temporal))
        database = new_database(running.enter_context(postgres()))
        peer = running.enter_context(peer_running(Store(database, database), stack.folder / "peer.log"))
        found = run(_measure(stack, peer, lives, urges))
    size: Json = {"lives": lives[-1], "urges": urges[-1], "at_once": _AT_ONCE}
    return Outcome(size, {}, found)


async def _measure(stack: Stack, peer: int, lives: Sequence[int], urges: Sequence[int]) -> Json:
    people = People(stack)
    await people.prepare()
    bare = Bare(await Client.connect(stack.temporal))
    sides: dict[str, Hands] = {"floor": bare, "ours": people, "dbos_postgres": Peer(peer)}
    for hands in sides.values():
        await at_once(_AT_ONCE, _AT_ONCE, partial(hands.live, Log()))
    by_side = {name: await _seconds(name, partial(hands.live, Log()), lives) for name, hands in sides.items()}
    history = await _histories(stack, people, urges)
    people.close()
    return {
        "lives": lives_table(lives, by_side),
        "lives_exponent": {name: exponent(lives, seconds) for name, seconds in by_side.items()},
        "history": history,
        "history_exponent": {
            what: exponent(urges, [float(str(each[what])) for each in history.values()])
            for what in ("events", "history_bytes", "actions")
        },
    }


def lives_table(lives: Sequence[int], by_side: dict[str, list[float]]) -> Json:
    """Lives a second."""
    return {
        str(count): {name: round(count / seconds[index], 2) for name, seconds in by_side.items()}
        for index, count in enumerate(lives)
    }


async def _seconds(name: str, life: Callable[[], Awaitable[None]], lives: Sequence[int]) -> list[float]:
    seconds = []
    for count in lives:
        seconds.append(await at_once(count, _AT_ONCE, life))
        say(f"growth, {name}: {count} lives, {count / seconds[-1]:.1f} a second")
    return seconds


async def _histories(stack: Stack, people: People, urges: Sequence[int]) -> dict[str, Json]:
    client, engine = await connect(stack)
    rules = changed_policy({"limits": {"window": {"value": "0.00002", "unit": "natural_day"}}})
    teller = Teller(stack, people, client, engine, rules)
    return {str(count): await teller.told(partial(urged, count), 3) for count in urges}
