"""A ZAP handler (RFC 27): one answer to everybody."""

import asyncio

import zmq

ADDRESS = "inproc://zeromq.zap.01"


class Zap:
    """Answers with `status` and `user_id`, and logs what it was asked as lists of bytes."""

    def __init__(self, context, log, status, user_id):
        self.socket = context.socket(zmq.ROUTER)
        self.socket.bind(ADDRESS)
        self.received = log
        self.answer = [status, b"said the handler", user_id, b""]
        self.task = asyncio.create_task(self.serve())

    async def serve(self):
        while True:
            # version, request id, domain, address, identity, mechanism, credentials ...
            peer, _, version, request, *asked = await self.socket.recv_multipart()
            self.received.append(asked)
            await self.socket.send_multipart([peer, b"", version, request, *self.answer])

    async def close(self):
        self.task.cancel()
        self.socket.close(linger=0)
