"""Ticking heartbeat plug-ins of pseud 1.0.1, whose package has only those that do nothing.

As those of its own tests: a client says HEARTBEAT ten times a second; a server takes every message for a
sign of life, and gives up who has sent none for 0.2 s. But the client ticks in a task of its own: the
reference's waits in its reader for ever.
"""

import asyncio

import pseud.interfaces
import pseud.utils
import zope.component
import zope.interface

TICK = 0.1  # seconds
SILENCE = 0.2


class Gone:
    """A log as those of `peer.py`, which imports this."""

    def __init__(self):
        self.entries = []
        self.grew = asyncio.Event()

    def append(self, entry):
        self.entries.append(entry)
        self.grew.set()

    async def holding(self, count, timeout):
        async with asyncio.timeout(timeout):
            while len(self.entries) < count:
                self.grew.clear()
                await self.grew.wait()
        return self.entries


class Ticking:
    name = "ticking"

    def __init__(self, rpc):
        self.rpc = rpc
        self.gone = Gone()
        self.task = None

    def configure(self):
        if self.task is None:  # it is called at each bind
            self.task = asyncio.get_running_loop().create_task(self.tick())

    async def handle_timeout(self, user_id, routing_id):
        pass

    async def handle_heartbeat(self, user_id, routing_id):
        pass

    async def stop(self):
        self.task.cancel()


def backend(side):
    def register(cls):
        cls = zope.interface.implementer(pseud.interfaces.IHeartbeatBackend)(cls)
        return pseud.utils.register_heartbeat_backend(zope.component.adapter(side)(cls))

    return register


@backend(pseud.interfaces.IClient)
class TickingClient(Ticking):
    async def tick(self):
        kind = pseud.interfaces.HEARTBEAT
        peer = self.rpc.peer_routing_id
        while True:
            await asyncio.sleep(TICK)
            frames = [peer, b"", pseud.interfaces.VERSION, b"", kind, b""]
            await self.rpc.send_message(frames)


@backend(pseud.interfaces.IServer)
class TickingServer(Ticking):
    def __init__(self, rpc):
        super().__init__(rpc)
        self.heard = {}  # routing id to time

    async def handle_heartbeat(self, user_id, routing_id):
        self.heard[routing_id] = asyncio.get_running_loop().time()

    async def tick(self):
        while True:
            await asyncio.sleep(TICK / 2)
            now = asyncio.get_running_loop().time()
            for routing_id, heard in list(self.heard.items()):
                if now - heard > SILENCE:
                    del self.heard[routing_id]
                    self.gone.append([routing_id.hex(), now - heard])
                    await self.handle_timeout(b"", routing_id)
