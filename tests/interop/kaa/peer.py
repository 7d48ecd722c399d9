"""A kaa.rpc peer, driven by JSON lines as `../peer.py` is.

Its first argument is the directory that holds kaa-base. JSON text is Python 2's `unicode`; `$bytes` is
`str` there and `bytes` in Python 3. Names of commands and of keywords are `str`, as programs write them.
"""

import datetime
import json
import logging
import os
import site
import sys
import threading

site.addsitedir(sys.argv[1])

import kaa
import kaa.base.rpc as rpc

logging.basicConfig(stream=sys.stderr)
PYTHON3 = sys.version_info[0] == 3
TEXT = str if PYTHON3 else type(u"")
INTEGERS = (int,) if PYTHON3 else (int, long)  # noqa: F821


def unhex(text):
    return bytes(bytearray.fromhex(text))


def encode(value):
    if isinstance(value, (bytes, bytearray)):
        return {"$bytes": "".join("%02x" % byte for byte in bytearray(value))}
    if isinstance(value, INTEGERS) and not isinstance(value, bool) and abs(value) >= 2 ** 53:
        return {"$int": str(value)}
    if isinstance(value, (list, tuple)):
        return [encode(item) for item in value]
    if isinstance(value, (set, frozenset)):
        return {"$" + type(value).__name__: sorted(encode(item) for item in value)}
    if isinstance(value, complex):
        return {"$complex": [value.real, value.imag]}
    if isinstance(value, dict):
        pairs = [[encode(k), encode(v)] for k, v in value.items()]
        # Python 3 compares no texts with numbers.
        return {"$map": sorted(pairs, key=lambda pair: (isinstance(pair[0], TEXT), json.dumps(pair)))}
    if isinstance(value, (datetime.datetime, datetime.date)):
        return {"$date": value.isoformat()}
    return value


def decode(value):
    if isinstance(value, list):
        return [decode(item) for item in value]
    if not isinstance(value, dict):
        return value
    (tag, inner), = value.items()
    return {
        "$bytes": lambda: unhex(inner),
        "$int": lambda: int(inner),
        "$set": lambda: set(decode(inner)),
        "$complex": lambda: complex(*inner),
        "$tuple": lambda: tuple(decode(inner)),
        "$map": lambda: dict((decode(k), decode(v)) for k, v in inner),
        "$date": lambda: datetime.datetime(*inner),
    }[tag]()


class CustomError(Exception):
    pass


def exception_named(name, *args):
    builtins = sys.modules["builtins" if PYTHON3 else "__builtin__"]
    return getattr(builtins, name, CustomError)(*args)


class Service(object):
    """What both a server and a client serve."""

    def __init__(self, name):
        self.name = name
        self.held = {}

    @rpc.expose()
    def add(self, a, b):
        return a + b

    @rpc.expose("who")
    def who_is_it(self):
        return self.name

    @rpc.expose()
    def echo(self, *args, **kwargs):
        return [list(args), kwargs]

    @rpc.expose()
    def fail(self, name, *args):
        raise exception_named(name, *args)

    @rpc.expose(coroutine=True)
    def fail_later(self, name, *args):
        yield kaa.NotFinished
        raise exception_named(name, *args)

    @rpc.expose()
    def text(self, size):
        return TEXT("x") * size

    @rpc.expose()
    def held_until(self, key):
        return self.held.setdefault(key, kaa.InProgress())

    @rpc.expose()
    def let_go(self, key):
        self.held.setdefault(key, kaa.InProgress()).finish(key)

    @rpc.expose(add_client=True, coroutine=True)
    def call_back(self, client, method, *args):
        result = yield client.rpc(str(method), *args)
        yield [u"called back", result]

    @rpc.expose()
    def kinds(self):
        return [
            None, True, 7, -7, 2 ** 40, 2 ** 80, -(2 ** 80), 1.5, TEXT("text"), u"\xe9\u20ac", b"ascii",
            b"\xff\x00", bytearray(b"ab"), (1, (2,)), {1: u"one"}, set([1]), frozenset([2]), 1 + 2j,
            datetime.datetime(2003, 9, 27, 9, 40, 1, 521290), datetime.date(2003, 9, 27),
        ]

    @rpc.expose()
    def types(self, *args):
        return [type(arg).__name__ for arg in args]

    @rpc.expose()
    def opaque(self):
        return CustomError(u"as a value")


class Commands(object):
    def __init__(self):
        self.channels = {}
        self.servers = {}
        self.services = {}
        self.closed = {}

    def about(self):
        return {"pid": os.getpid(), "python": ".".join(map(str, sys.version_info[:3]))}

    def service(self, name):
        return self.services.setdefault(name, Service(TEXT(name)))

    def watch(self, name, channel):
        self.channels[name] = channel
        self.closed.setdefault(name, 0)
        channel.signals["closed"].connect(lambda *args: self.count_closed(name))

    def count_closed(self, name):
        self.closed[name] += 1

    def server(self, name, address, secret):
        """Listens; its newest client is called by the same name."""
        server = rpc.Server(str(address), str(secret))
        server.register(self.service(name))
        server.signals["client-connected"].connect(lambda client: self.watch(name, client))
        self.servers[name] = server
        bound = server._socket._channel.getsockname()
        return {"address": bound if isinstance(bound, str) else "127.0.0.1:%d" % bound[1]}

    def client(self, name, address, secret, retry=None):
        """Connects, and does not wait for it."""
        client = rpc.Client(str(address), str(secret), retry=retry)
        client.register(self.service(name))
        self.watch(name, client)

    def open(self, name):
        """Ends once the client is authenticated, or could not connect."""
        return kaa.inprogress(self.channels[name])

    def is_open(self, name):
        return name in self.channels and bool(self.channels[name].connected)

    def times_closed(self, name):
        return self.closed.get(name, 0)

    def close(self, name):
        self.channels[name].close()

    def stop(self, name):
        """Closes the listening socket and the newest client's."""
        self.servers.pop(name).close()
        if name in self.channels:
            self.channels[name].close()

    def call(self, name, method, args=(), kwargs=None):
        args = [decode(arg) for arg in args]
        kwargs = dict((str(key), decode(value)) for key, value in (kwargs or {}).items())
        return self.channels[name].rpc(str(method), *args, **kwargs)


LOCK = threading.Lock()


def tell(ident, **reply):
    with LOCK:
        sys.stdout.write(json.dumps(dict(reply, id=ident)) + "\n")
        sys.stdout.flush()


def raised(ident, kind, error):
    # The class of a remote exception is made on the fly, around that which was raised.
    inner = getattr(error, "_kaa_exc", error)
    args = inner.args
    message = args[0] if len(args) == 1 and isinstance(args[0], (TEXT, str)) else repr(args)
    is_text = PYTHON3 or all(ord(char) < 128 for char in message)
    text = str(error) if is_text else ""
    told = {"class": type(inner).__name__, "message": message, "text": text}
    told["is_caught"] = isinstance(error, type(inner))
    tell(ident, err=told)


def run(commands, line):
    fields = dict((str(key), value) for key, value in json.loads(line).items())
    ident, command = fields.pop("id"), fields.pop("cmd")
    try:
        result = getattr(commands, command)(**fields)
    except Exception as error:
        return raised(ident, type(error), error)
    if not isinstance(result, kaa.InProgress):
        return tell(ident, ok=encode(result))

    def failed(kind, error, traceback):
        raised(ident, kind, error)
        return False

    encoded = (lambda value: None) if command == "open" else encode
    result.exception.connect(failed)
    result.connect(lambda value: tell(ident, ok=encoded(value)))


def read(commands):
    on_main = kaa.MainThreadCallable(run)
    for line in iter(sys.stdin.readline, ""):
        on_main(commands, line)
    os._exit(0)


def main():
    commands = Commands()
    reader = threading.Thread(target=read, args=(commands,))
    reader.daemon = True
    kaa.OneShotTimer(reader.start).start(0)
    kaa.main.run()


main()
