"""Unmodified nodes of PyPI's `kademlia`, driven over stdin and stdout by JSON lines, as `peer.py` is.

    kademlia_net.py PACKAGES
"""

import asyncio
import os
import sys

import peer  # it makes the packages importable

from kademlia.network import Server  # noqa: E402


class Commands:
    def __init__(self):
        self.nodes = []

    async def nodes_from(self, bootstrap, count):
        """So many nodes on the loopback, one after the other; each bootstraps from that address alone."""
        host, port = bootstrap.rsplit(":", 1)
        found = []
        for _ in range(count):
            node = Server()
            await node.listen(0, interface="127.0.0.1")
            found.append(len(await node.bootstrap([(host, int(port))])))
            self.nodes.append(node)
        return found

    async def address(self, node):
        host, port = self.nodes[node].transport.get_extra_info("sockname")[:2]
        return "%s:%i" % (host, port)

    async def set(self, node, key, value):
        return await self.nodes[node].set(key, peer.decode(value))

    async def get(self, node, key):
        return peer.encode(await self.nodes[node].get(key))

    async def neighbors(self, node, port):
        """Whether that port is in the node's routing table."""
        buckets = self.nodes[node].protocol.router.buckets
        return any(known.port == port for bucket in buckets for known in bucket.get_nodes())

    async def stun(self, node, to):
        host, port = to.rsplit(":", 1)
        answered, value = await self.nodes[node].protocol.stun((host, int(port)))
        return [answered, peer.encode(value)]


if __name__ == "__main__":
    asyncio.run(peer.main(Commands(), sys.stdin, sys.stdout))
    os._exit(0)
