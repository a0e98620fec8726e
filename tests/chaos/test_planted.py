"""A judge that finds nothing may be blind: here is what he finds in a stack whose worker is faulty in four ways.

The one run of chaos in the suite: ten seconds of clients at work on the real stack, with the worker killed meanwhile.
"""

from chaos.campaign import Order, run


async def test_every_planted_fault_is_found() -> None:
    plants = ("drop-recording", "rung-twice", "lose-command", "apply-twice")
    said: list[str] = []
    order = Order("sqlite", 9, seed=5, plants=plants, only=frozenset({"kill-worker"}), patience=3)
    outcome = await run(order, said.append)
    counts = outcome.verdict.counts
    assert all(counts[kind] for kind in ("lost", "duplicated", "rungs_twice", "differing")), (counts, said)
