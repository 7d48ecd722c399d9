"""A Python pseud peer, driven over stdin and stdout by JSON lines.

A command is one line `{"id": 7, "cmd": "call", ...}`; its answer is one line
`{"id": 7, "ok": ...}` or `{"id": 7, "err": {"class", "module", "message"}}`.
Commands run concurrently, answers come in any order. The program ends when its
stdin does. Every command is a method of `Commands`, its keywords are the
command's fields. Values travel as tagged JSON, see `encode` and `decode`.
"""

import asyncio
import builtins
import collections
import concurrent.futures
import contextlib
import datetime as dt
import functools
import json
import math
import os
import platform
import sys
import zoneinfo

import dateutil.tz
import msgpack
import pseud
import pseud.interfaces
import pytz
import zmq
import zmq.asyncio
import zmq.utils.monitor

import heartbeats  # noqa: F401  registers them
import plugins  # noqa: F401  the same
import registries
from zap import Zap

LINE_MAX = 1 << 28  # bytes of one command, values are hex
LOG_MAX = 512  # entries kept of each log; the count goes on
WAIT = 10.0  # seconds a command waits for something to happen


# Tagged JSON -----------------------------------------------------------------
# None, booleans, strings, finite floats, lists and 64-bit ints are themselves.


def encode(value):
    """A Python value as JSON that says exactly what it is."""
    match value:
        case None | bool() | str():
            return value
        case int():
            return value if -(1 << 63) <= value < 1 << 64 else {"$int": str(value)}
        case float():
            return value if math.isfinite(value) else {"$float": str(value)}
        case bytes() | bytearray():
            return {"$bytes": value.hex()}
        case msgpack.ExtType():  # a namedtuple, so before tuple
            return {"$ext": [value.code, value.data.hex()]}
        case tuple():
            return {"$tuple": [encode(item) for item in value]}
        case list():
            return [encode(item) for item in value]
        case dict():
            return {"$map": [[encode(k), encode(v)] for k, v in value.items()]}
        case dt.datetime():  # a date, so before date
            naive = value.replace(tzinfo=None, fold=0).isoformat()
            return {"$datetime": naive, "fold": value.fold, "tz": encode(value.tzinfo)}
        case dt.date():
            return {"$date": value.isoformat()}
        case dt.timedelta():
            return {"$timedelta": [value.days, value.seconds, value.microseconds]}
        case dt.timezone():
            offset, *name = value.__getinitargs__()
            return {"$timezone": [encode(offset)["$timedelta"], name[0] if name else None]}
        case zoneinfo.ZoneInfo():
            return {"$zoneinfo": value.key}
    return {"$repr": repr(value)}


def decode(value):
    """The Python value behind tagged JSON."""
    match value:
        case list():
            return [decode(item) for item in value]
        case {"$int": digits}:
            return int(digits)
        case {"$float": text}:
            return float(text)
        case {"$bytes": digits}:
            return bytes.fromhex(digits)
        case {"$ext": [code, digits]}:
            return msgpack.ExtType(code, bytes.fromhex(digits))
        case {"$tuple": items}:
            return tuple(decode(item) for item in items)
        case {"$map": pairs}:
            return {decode(k): decode(v) for k, v in pairs}
        case {"$datetime": iso, **more}:
            zone = decode(more.get("tz"))
            naive = dt.datetime.fromisoformat(iso)
            return naive.replace(fold=more.get("fold", 0), tzinfo=zone)
        case {"$date": iso}:
            return dt.date.fromisoformat(iso)
        case {"$timedelta": [days, seconds, microseconds]}:
            return dt.timedelta(days, seconds, microseconds)
        case {"$zoneinfo": key}:
            return zoneinfo.ZoneInfo(key)
        case {"$pytz": [iso, key, is_dst]}:
            return pytz.timezone(key).localize(dt.datetime.fromisoformat(iso), is_dst=is_dst)
        case {"$dateutil": key}:
            return dateutil.tz.gettz(key)
        case {"$tzlocal": _}:
            return dateutil.tz.tzlocal()
        case {"$timezone": [offset, name]}:
            delta = dt.timedelta(*offset)
            return dt.timezone(delta) if name is None else dt.timezone(delta, name)
        case dict():
            raise ValueError(f"no tag in {value!r}")
    return value


def to_bytes(value):
    """An id or a frame: text stands for its UTF-8 bytes."""
    value = decode(value)
    return value.encode() if isinstance(value, str) else value


def secrets(security):
    """Keywords of a Server or Client: all but the plug-ins' names are bytes."""
    named = lambda key: key.endswith("_plugin")
    return {k: v if named(k) else to_bytes(v) for k, v in (security or {}).items()}


def property_of(frame, key):
    """A metadata property of a message, None where the peer sent none."""
    with contextlib.suppress(zmq.ZMQError):
        return frame.get(key)


def describe(error):
    """An exception: `message` is its one string argument, not the repr `str(KeyError)` gives."""
    single = len(error.args) == 1 and isinstance(error.args[0], str)
    message = error.args[0] if single else str(error)
    kind = type(error)
    return {"class": kind.__name__, "module": kind.__module__, "message": message}


# What is kept by name --------------------------------------------------------


class Log:
    """The last entries of something, and a way to wait for more."""

    def __init__(self):
        self.entries = collections.deque(maxlen=LOG_MAX)
        self.total = 0
        self.grew = asyncio.Event()

    def append(self, entry):
        self.entries.append(entry)
        self.total += 1
        self.grew.set()

    async def when(self, enough, timeout):
        """The entries as soon as `enough(self)`; TimeoutError with the entries if it never is."""
        try:
            async with asyncio.timeout(timeout):
                while not enough(self):
                    self.grew.clear()
                    await self.grew.wait()
        except TimeoutError:
            raise TimeoutError(f"only {self.total}: {list(self.entries)}") from None
        return list(self.entries)

    def holding(self, count, timeout):
        return self.when(lambda log: log.total >= count, timeout)


class Named:
    """A socket with its monitor."""

    def __init__(self, socket, options=None, monitor=False):
        self.socket = socket
        self.events = Log()
        for option, value in (options or {}).items():
            value = to_bytes(value) if isinstance(value, (str, dict)) else value
            socket.setsockopt(getattr(zmq, option), value)
        self.watcher = None
        if monitor:  # attached here and now: before the first connect
            self.watcher = asyncio.create_task(self.watch(socket.get_monitor_socket()))

    async def watch(self, monitor):
        while True:
            event = await zmq.utils.monitor.recv_monitor_message(monitor)
            kind, endpoint = zmq.Event(event["event"]).name, event["endpoint"].decode()
            self.events.append({"event": kind, "value": event["value"], "endpoint": endpoint})

    def endpoint(self):
        return self.socket.getsockopt(zmq.LAST_ENDPOINT).rstrip(b"\0").decode()

    async def close(self):
        if self.watcher is not None:
            self.watcher.cancel()
            if not self.socket.closed:  # pseud closes its own
                self.socket.disable_monitor()
        self.socket.close(linger=0)


class Rpc(Named):
    """A pseud Server or Client with its handlers, and logs of all that reached it."""

    def __init__(self, rpc, options=None, monitor=False):
        rpc.socket = rpc.context.socket(rpc.socket_type)  # pseud keeps a socket it finds
        super().__init__(rpc.socket, options, monitor)
        self.rpc = rpc
        self.received, self.calls = Log(), Log()
        self.later = []
        handle = rpc.on_socket_ready

        async def recorded(frames):
            self.received.append([encode(bytes(frame)) for frame in frames])
            await handle(frames)

        rpc.on_socket_ready = recorded
        for name, handler in handlers(self).items():
            self.serve(name, handler, with_identity=name == "whoami")

    def serve(self, name, handler, **how):
        def logged(*args, **kwargs):
            self.calls.append({"method": name, "args": encode(args), "kwargs": encode(kwargs)})
            return handler(*args, **kwargs)

        self.rpc.register_rpc(logged, name=name, **how)

    def caller(self):
        """Routing id of the request being handled: the reader handles one at a time."""
        return decode(self.received.entries[-1][0])

    def call(self, to, method, args, kwargs):
        return self.rpc.send_work(to, method, *args, **kwargs)

    def reader(self):
        """The state of the reader task, which nothing restarts once it died."""
        task = self.rpc.reader
        if task is None or not task.done():
            return {"reader": "idle" if task is None else "running", "error": None}
        return {"reader": "dead", "error": describe(task.exception())}

    async def close(self):
        try:
            await self.rpc.stop()  # raises what the reader died of
        finally:
            await super().close()


class Sync:
    """A SyncClient on a thread and a loop of its own."""

    def __init__(self, timeout):
        self.thread = concurrent.futures.ThreadPoolExecutor(max_workers=1)
        self.rpc = pseud.SyncClient(timeout=timeout, loop=asyncio.new_event_loop())

    def run(self, function, *args):
        return asyncio.get_running_loop().run_in_executor(self.thread, function, *args)

    def call(self, to, method, args, kwargs):
        return self.run(lambda: self.rpc.send_work(to, method, *args, **kwargs))

    async def close(self):
        await self.run(self.rpc.stop)


# What a peer serves ----------------------------------------------------------


def exception_named(name, message):
    """The class called `name`, or a new one where no such exception takes one string."""
    known = getattr(builtins, name, None) or getattr(pseud.interfaces, name, None)
    if isinstance(known, type) and issubclass(known, Exception):
        with contextlib.suppress(TypeError):
            return known(message)
    return type(name, (Exception,), {})(message)


def handlers(peer):
    """The callables of every Server and Client, by name."""

    def fail(name, message):
        raise exception_named(name, message)

    def later(method, *args):
        """Calls the caller back from a task: inside the handler its reader would wait for itself."""
        work = functools.partial(peer.call, peer.caller(), method, args, {})
        peer.later.append(asyncio.create_task(outcome(work)))

    async def nested(method, *args):
        """Calls the caller back and waits for it: the reader, which waits for this, does not hear it."""
        return await peer.call(peer.caller(), method, args, {})

    return {
        "echo": lambda *args, **kwargs: [args, kwargs],
        "hello": lambda name: f"Hello {name}",
        "add": lambda a, b: a + b,
        "fail": fail,
        "sleep": lambda seconds: asyncio.sleep(seconds, result=seconds),
        "big": lambda count: b"x" * count,
        "whoami": lambda user_id: user_id,  # registered with_identity
        "later": later,
        "nested": nested,
    }


async def outcome(call):
    """How a call ended: `{"result"}` or `{"error"}`, and the seconds it took."""
    clock = asyncio.get_running_loop().time
    started = clock()
    try:
        ended = {"result": encode(await call())}
    except Exception as error:
        ended = {"error": describe(error)}
    return ended | {"seconds": clock() - started}


# Commands --------------------------------------------------------------------


class Commands(registries.Registries):
    def __init__(self):
        super().__init__()
        self.context = zmq.asyncio.Context.instance()  # the one pseud uses
        self.context.setsockopt(zmq.LINGER, 0)
        self.named = {}

    async def about(self):
        """Process id and versions."""
        return {
            "pid": os.getpid(),
            "python": platform.python_version(),
            "libzmq": zmq.zmq_version(),
            "msgpack": ".".join(map(str, msgpack.version)),
        }

    async def quit(self, status=0):
        """Ends the program at once, without an answer."""
        os._exit(status)

    async def server(
        self, name, user_id, endpoint, timeout=5.0, security=None, known=(), permissions=None,
        registry=None, **socket,
    ):  # fmt: skip
        """Binds and starts a Server; says the endpoint it got.

        `security`: a plug-in and what it needs; `known`: whom it admits, lists of the
        credentials and then the user id; `permissions`: what those users may do, lists by
        their ids; `registry`: a free-standing one instead of its own.
        """
        secured = secrets(security) | {"registry": registry and self.registries[registry]}
        peer = Rpc(pseud.Server(to_bytes(user_id), timeout=timeout, **secured), **socket)
        for *credentials, user in known:
            shown = tuple(map(to_bytes, credentials))
            peer.rpc.auth_backend.known[shown] = to_bytes(user)
        for user, allowed in (permissions or {}).items():
            peer.rpc.auth_backend.users[to_bytes(user)] = plugins.User(allowed)
        peer.rpc.bind(endpoint)
        return await self.started(name, peer)

    async def client(self, name, peer_id, endpoint, timeout=5.0, security=None, **socket):
        """Connects and starts a Client; `security` is a plug-in and what it needs."""
        secured = secrets(security)
        peer = Rpc(pseud.Client(to_bytes(peer_id), timeout=timeout, **secured), **socket)
        peer.rpc.connect(endpoint)
        return await self.started(name, peer)

    async def started(self, name, peer):
        self.named[name] = peer
        await peer.rpc.start()
        return {"endpoint": peer.endpoint()}

    async def sync_client(self, name, endpoint, timeout=5.0):
        """Connects a SyncClient; of the commands only `call` and `stop` know it."""
        peer = self.named[name] = Sync(timeout)
        await peer.run(peer.rpc.connect, endpoint)

    async def register(self, name, method, handler, domain="default", with_identity=False):
        """Serves a handler under another name (dots allowed)."""
        peer = self.named[name]
        peer.serve(method, handlers(peer)[handler], domain=domain, with_identity=with_identity)

    async def serve_value(self, name, method, value):
        """Serves a handler that returns that value."""
        value = decode(value)
        self.named[name].serve(method, lambda: value)

    async def spy(self, name, path):
        """Serves `inline` and `later`; they write the number of each call that they run to a file."""
        report = open(path, "ab", buffering=0)  # nothing is lost, however this process ends

        def inline(number, padding):
            report.write(b"%d\n" % number)
            return [number * 0x9E3779B97F4A7C15 % (1 << 64) >> 1, padding]

        async def later(number, padding):
            answer = inline(number, padding)
            await asyncio.sleep(0.001)
            return answer

        for handler in inline, later:
            self.named[name].rpc.register_rpc(handler, name=handler.__name__)

    async def call(self, name, method, args=(), kwargs=None, to=None):
        """One call's outcome. `to`: a routing id; without it, a client's peer."""
        peer = self.named[name]
        to = peer.rpc.peer_routing_id if to is None else to_bytes(to)
        args = [decode(arg) for arg in args]
        kwargs = {key: decode(value) for key, value in (kwargs or {}).items()}
        return await outcome(functools.partial(peer.call, to, decode(method), args, kwargs))

    async def send_to(self, name, to, method, args=()):
        """The outcome of `send_to(to).dotted.method(*args)`, as servers call their clients."""
        rpc = self.named[name].rpc
        chain = lambda: functools.reduce(getattr, method.split("."), rpc.send_to(to_bytes(to)))
        return await outcome(lambda: chain()(*map(decode, args)))

    async def call_many(self, name, calls, to=None):
        """The outcomes of calls made all at once, in their order."""
        return await asyncio.gather(*(self.call(name, to=to, **fields) for fields in calls))

    async def hello(self, name, to=None):
        """Liveness: does the other side answer, and does our reader live to hear it?"""
        return await self.call(name, "hello", ["again"], to=to)

    async def outcomes(self, name):
        """How the calls that the handler `later` made have ended."""
        return await asyncio.gather(*self.named[name].later)

    async def alive(self):
        """The reader of each Server and Client: `idle`, `running`, or `dead` and of what."""
        peers = self.named.items()
        return {name: peer.reader() for name, peer in peers if isinstance(peer, Rpc)}

    async def dead(self, name, timeout=WAIT):
        """The reader's state as soon as it died, or after `timeout` seconds."""
        await asyncio.wait([self.named[name].rpc.reader], timeout=timeout)
        return self.named[name].reader()

    async def calls(self, name, count=0, timeout=WAIT):
        """Handlers called so far, once there are `count`."""
        return await self.named[name].calls.holding(count, timeout)

    async def gone(self, name, count=0, timeout=WAIT):
        """Whom a ticking server has given up so far: routing ids, and seconds of their silence."""
        return await self.named[name].rpc.heartbeat_backend.gone.holding(count, timeout)

    async def received(self, name, count=0, timeout=WAIT):
        """Messages received so far as lists of frames, routing id first; a probe has two."""
        return await self.named[name].received.holding(count, timeout)

    async def events(self, name, event=None, timeout=WAIT):
        """Monitor events so far, once `event` is among them (ask for `monitor` on creation)."""
        names = lambda log: [entry["event"] for entry in log.entries]
        seen = lambda log: event is None or event in names(log)
        return await self.named[name].events.when(seen, timeout)

    async def raw(self, name, type, bind=None, connect=None, **socket):
        """A socket of `type` with `options` {"PROBE_ROUTER": 1, ...}; says its endpoint."""
        peer = self.named[name] = Named(self.context.socket(getattr(zmq, type)), **socket)
        if bind is not None:
            peer.socket.bind(bind)
        if connect is not None:
            peer.socket.connect(connect)
        return {"endpoint": peer.endpoint()}

    async def raw_send(self, name, frames):
        """Sends one message of frames in hex."""
        await self.named[name].socket.send_multipart(list(map(bytes.fromhex, frames)))

    async def raw_recv(self, name, timeout=WAIT, metadata=()):
        """Receives one message: frames in hex, and the `metadata` properties it has."""
        async with asyncio.timeout(timeout):
            frames = await self.named[name].socket.recv_multipart(copy=False)
        found = {key: property_of(frames[-1], key) for key in metadata}
        return {"frames": [bytes(frame).hex() for frame in frames], "metadata": found}

    async def zap(self, name, status, user_id=""):
        """The ZAP handler of all sockets: from now on it answers everybody with that status."""
        if name not in self.named:
            self.named[name] = Zap(self.context)
        self.named[name].answer_with(Log(), to_bytes(status), to_bytes(user_id))

    async def asked(self, name, count=0, timeout=WAIT):
        """What the ZAP handler was asked so far: the mechanism and its credentials."""
        entries = await self.named[name].received.holding(count, timeout)
        return [[encode(field) for field in entry[3:]] for entry in entries]

    async def disconnect(self, name, endpoint):
        """Closes the connection."""
        self.named[name].socket.disconnect(endpoint)

    async def connect_again(self, name, endpoint):
        """Opens it again, on the same socket."""
        self.named[name].socket.connect(endpoint)

    async def stop(self, name):
        """Closes and forgets it; an error is what the reader died of."""
        await self.named.pop(name).close()


# The program -----------------------------------------------------------------


async def answer(commands, line, out):
    fields = json.loads(line)
    ident, command = fields.pop("id"), fields.pop("cmd")
    try:
        reply = {"ok": await getattr(commands, command)(**fields)}
    except Exception as error:
        reply = {"err": describe(error)}
    out.write(json.dumps({"id": ident, **reply}) + "\n")
    out.flush()


async def main(stdin, out):
    lines = asyncio.StreamReader(limit=LINE_MAX)
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), stdin)
    commands, running = Commands(), set()
    while line := await lines.readline():
        task = asyncio.create_task(answer(commands, line, out))
        running.add(task)
        task.add_done_callback(running.discard)


if __name__ == "__main__":
    # A v1 peer calls any builtin a remote ERROR names, `print` and `input` too:
    # they must not reach the pipes of the commands.
    pipes = sys.stdin, sys.stdout
    sys.stdin, sys.stdout = open(os.devnull), sys.stderr
    try:
        asyncio.run(main(*pipes))
    except SystemExit:  # a remote ERROR named `exit`
        os._exit(1)
    os._exit(0)  # waits for no thread and no socket
