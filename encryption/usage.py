"""Which runs that Temporal still keeps hold payloads under a key: only then may it be thrown away.

Looks for the key's id in the bytes of the histories. An id is random and stands in clear in every payload under it, so
none is overlooked; should somebody write an id into a text, a run too many is found.
"""

from collections.abc import AsyncIterator, Callable, Collection

from temporalio.client import Client

_PAGE = 500


async def holders(
    client: Client, query: str, keys: Collection[str], looked: Callable[[int], None]
) -> AsyncIterator[frozenset[str]]:
    """For each run of the visibility query that holds payloads under any of the keys: under which.

    `looked` is told how many runs have been looked at.
    """
    number = 0
    async for run in client.list_workflows(query):
        found = await _held(client, run.id, run.run_id, {key: key.encode() for key in keys})
        number += 1
        looked(number)
        if found:
            yield found


async def _held(client: Client, case: str, run: str, keys: dict[str, bytes]) -> frozenset[str]:
    found: set[str] = set()
    events = client.get_workflow_handle(case, run_id=run).fetch_history_events(page_size=_PAGE)
    async for event in events:
        content = event.SerializeToString()
        found |= {name for name, text in keys.items() if text in content}
        if len(found) == len(keys):
            break
    return frozenset(found)
