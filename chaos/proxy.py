"""The network between clients and API: a port of our own that passes on, and can be cut between request and answer."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Literal

#: `whole`: passes on. `cut`: requests arrive, their answers do not, and the line goes dead. `silent`: likewise, but
#: nobody is told: the client has to notice by himself that he waits too long.
Mood = Literal["whole", "cut", "silent"]

_PIECE = 65_536


class Proxy:
    def __init__(self, host: str, port: int) -> None:
        self._target = (host, port)
        self._healed = asyncio.Event()
        self._writers: set[asyncio.StreamWriter] = set()
        self.mood: Mood = "whole"
        self.dropped = 0

    @contextlib.asynccontextmanager
    async def listening(self, host: str) -> AsyncIterator[int]:
        """Its port."""
        server = await asyncio.start_server(self._connected, host, 0)
        try:
            yield server.sockets[0].getsockname()[1]
        finally:
            self.heal()
            server.close()
            for writer in self._writers:
                writer.close()

    def spoil(self, mood: Mood) -> None:
        self.mood = mood
        self._healed.clear()

    def heal(self) -> None:
        self.mood = "whole"
        self._healed.set()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            there, back = await asyncio.open_connection(*self._target)
        except OSError:
            writer.close()
            self._writers.discard(writer)
            return
        both = [asyncio.create_task(self._requests(reader, back)), asyncio.create_task(self._answers(there, writer))]
        await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        for task in both:
            task.cancel()
        for end in (back, writer):
            end.close()
        self._writers.discard(writer)

    async def _requests(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while piece := await reader.read(_PIECE):
                writer.write(piece)
                await writer.drain()

    async def _answers(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while piece := await reader.read(_PIECE):
                if self.mood != "whole":
                    self.dropped += 1
                    if self.mood == "silent":
                        await self._healed.wait()
                    return
                writer.write(piece)
                await writer.drain()
