"""A ZAP handler (RFC 27): one answer to everybody, unless `judge` is another."""

import asyncio

import zmq

ADDRESS = "inproc://zeromq.zap.01"


class Zap:
    """Bound for the life of the program: libzmq may refuse to bind the address anew."""

    def __init__(self, context):
        self.socket = context.socket(zmq.ROUTER)
        self.socket.bind(ADDRESS)
        self.received = []
        self.task = asyncio.create_task(self.serve())

    def answer_with(self, log, status, user_id):
        """From now on the answer to everybody, and where to log what was asked."""
        self.received = log
        self.answer = [status, b"said the handler", user_id, b""]

    def judge(self, asked):
        """The status, its text, the user id and metadata."""
        return self.answer

    async def serve(self):
        while True:
            # version, request id, domain, address, identity, mechanism, credentials ...
            peer, _, version, request, *asked = await self.socket.recv_multipart()
            self.received.append(asked)
            await self.socket.send_multipart([peer, b"", version, request, *self.judge(asked)])
