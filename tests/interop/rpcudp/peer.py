"""Python rpcudp nodes, driven over stdin and stdout by JSON lines, as `../peer.py` is.

    peer.py PACKAGES

Runs on CPython 3.8 to 3.13, with the packages of that directory. Values travel as tagged JSON: lists are
`$tuple`s there, which is what Rust's side writes for an array.
"""

import asyncio
import datetime as dt
import json
import math
import os
import sys

sys.path.insert(0, sys.argv[1])

import rpcudp.protocol  # noqa: E402
import umsgpack  # noqa: E402

LINE_MAX = 1 << 24  # bytes of one command
WAIT = 10.0  # seconds a command waits for something to happen


def encode(value):
    if value is None or isinstance(value, (bool, str, int)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else {"$float": str(value)}
    if isinstance(value, bytes):
        return {"$bytes": value.hex()}
    if isinstance(value, umsgpack.Ext):
        return {"$ext": [value.type, value.data.hex()]}
    if isinstance(value, (tuple, list)):
        return {"$tuple": [encode(item) for item in value]}
    if isinstance(value, dict):
        return {"$map": [[encode(k), encode(v)] for k, v in value.items()]}
    if isinstance(value, dt.datetime):
        offset = value.utcoffset()
        zone = {"$timezone": [[offset.days, offset.seconds, offset.microseconds], None]}
        return {"$datetime": value.replace(tzinfo=None).isoformat(), "fold": 0, "tz": zone}
    raise TypeError(repr(value))


def decode(value):
    if isinstance(value, list):
        return [decode(item) for item in value]
    if not isinstance(value, dict):
        return value
    if "$datetime" in value:
        moment = dt.datetime.fromisoformat(value["$datetime"])
        if value["tz"] is None:
            return moment
        offset, _ = value["tz"]["$timezone"]
        return moment.replace(tzinfo=dt.timezone(dt.timedelta(*offset)))
    ((tag, inner),) = value.items()
    if tag == "$float":
        return float(inner)
    if tag == "$bytes":
        return bytes.fromhex(inner)
    if tag == "$ext":
        return umsgpack.Ext(inner[0], bytes.fromhex(inner[1]))
    if tag == "$tuple":
        return [decode(item) for item in inner]
    if tag == "$map":
        return {hashable(decode(k)): decode(v) for k, v in inner}
    raise ValueError(tag)


def hashable(key):
    return tuple(map(hashable, key)) if isinstance(key, list) else key


class Node(rpcudp.protocol.RPCProtocol):
    """What it serves. All handlers are coroutines: 4.0 knows no others on some Pythons."""

    def __init__(self, wait_timeout):
        super().__init__(wait_timeout)
        self.runs = 0

    async def rpc_sayhi(self, sender, name):
        return "Hello %s you live at %s:%i" % (name, sender[0], sender[1])

    async def rpc_add(self, sender, a, b):
        return a + b

    async def rpc_echo(self, sender, *args):
        return list(args)

    async def rpc_nothing(self, sender):
        self.runs += 1

    async def rpc_slow(self, sender, seconds, value):
        await asyncio.sleep(seconds)
        return value

    async def rpc_blob(self, sender, size):
        return bytes(size)

    async def rpc_boom(self, sender):
        raise ValueError("boom")

    async def rpc_unpackable(self, sender):
        return {1}

    async def rpc_ask_back(self, sender, method, *args):
        return list(await getattr(self, method)(sender, *args))


class Commands:
    def __init__(self):
        self.nodes = {}

    async def about(self):
        packages = {name: version_of(name) for name in ("rpcudp", "u-msgpack-python")}
        return dict(packages, python=sys.version.split()[0])

    async def node(self, name, wait_timeout=WAIT):
        """A node at a free port of the loopback; where it is."""
        loop = asyncio.get_running_loop()
        address = ("127.0.0.1", 0)
        transport, node = await loop.create_datagram_endpoint(
            lambda: Node(wait_timeout), local_addr=address
        )
        self.nodes[name] = node
        return "%s:%i" % transport.get_extra_info("sockname")[:2]

    async def call(self, name, to, method, args=()):
        """A call: whether an answer came, and which."""
        host, port = to.rsplit(":", 1)
        arguments = [decode(arg) for arg in args]
        answered, value = await getattr(self.nodes[name], method)((host, int(port)), *arguments)
        return [answered, encode(value)]

    async def call_many(self, name, to, method, count):
        """So many calls at once, each with its number."""
        calls = (self.call(name, to, method, [number]) for number in range(count))
        return await asyncio.gather(*calls)

    async def runs(self, name):
        return self.nodes[name].runs


def version_of(name):
    from importlib.metadata import version

    return version(name)


async def answer(commands, line, out):
    fields = json.loads(line)
    ident, command = fields.pop("id"), fields.pop("cmd")
    try:
        reply = {"ok": await getattr(commands, command)(**fields)}
    except Exception as error:
        reply = {"err": {"class": type(error).__name__, "message": str(error)}}
    out.write(json.dumps(dict(id=ident, **reply)) + "\n")
    out.flush()


async def main(commands, stdin, out):
    lines = asyncio.StreamReader(limit=LINE_MAX)
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), stdin)
    running = set()
    while True:
        line = await lines.readline()
        if not line:
            break
        task = asyncio.ensure_future(answer(commands, line, out))
        running.add(task)
        task.add_done_callback(running.discard)


if __name__ == "__main__":
    asyncio.run(main(Commands(), sys.stdin, sys.stdout))
    os._exit(0)
