"""Another system that follows the feed, page by page, through the same bad network as everybody."""

import asyncio

import httpx

from chaos.judge.evidence import Feed, Heard

_PAUSE = 0.2
_PAGE = 500


class Follower:
    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client
        self._heard: list[Heard] = []
        self._position = 0

    def through(self, client: httpx.AsyncClient) -> None:
        """Goes on by another line."""
        self._client = client

    async def follow(self) -> None:
        """For ever."""
        while True:
            if not await self.listen():
                await asyncio.sleep(_PAUSE)

    async def listen(self) -> bool:
        """Whether there was anything to hear. What did not arrive whole is asked for again from the same position."""
        after = self._position
        try:
            answer = await self._client.get("/events", params={"after": after, "limit": _PAGE})
            page = answer.raise_for_status().json()
        except (httpx.HTTPError, ValueError):
            return False
        items = page["items"]
        self._heard += [Heard(after, each["position"], each["case"], each["seq"], each["type"]) for each in items]
        self._position = page["next_after"]
        return bool(items)

    def heard(self) -> Feed:
        return Feed(tuple(self._heard), self._position)
