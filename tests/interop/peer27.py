"""A pseud 0.0.5 peer on Python 2.7, driven by JSON lines as `peer.py` is.

Its first argument is the directory that holds pseud. Values travel as in `peer.py`,
as far as this Python has them: JSON text is `unicode`, `$bytes` is `str`. What is
written as `str` in a Python 2 program, names and keywords, is `str` here as well.
"""

import datetime
import json
import os
import site
import sys

site.addsitedir(sys.argv[1])  # it reads the .pth files of zope, PYTHONPATH does not

import dateutil.tz
import pseud
import tornado.gen
import tornado.ioloop
import tornado.iostream
import zmq
from zmq.eventloop import zmqstream
from zmq.utils.monitor import parse_monitor_message


def encode(value):
    if isinstance(value, str):
        return {"$bytes": value.encode("hex")}
    if isinstance(value, (list, tuple)):
        return [encode(item) for item in value]
    if isinstance(value, dict):
        return {"$map": sorted([encode(k), encode(v)] for k, v in value.items())}
    if isinstance(value, datetime.datetime):
        return {"$datetime": value.isoformat()}
    return value


def decode(value):
    if isinstance(value, list):
        return [decode(item) for item in value]
    if not isinstance(value, dict):
        return value
    if "$bytes" in value:
        return value["$bytes"].decode("hex")
    naive = datetime.datetime(*value["$datetime"])
    hours = value.get("hours")
    zone = hours if hours is None else dateutil.tz.tzoffset("LATER", hours * 3600)
    return naive.replace(tzinfo=zone)


def exception_named(name, message):
    known = getattr(__builtins__, name, None)
    return (known or type(str(name), (Exception,), {}))(message)


def fail(name, message):
    raise exception_named(name, message)


HANDLERS = {
    "add": lambda a, b: a + b,
    "draw.me": lambda what: "drawn " + what,
    "echo": lambda *args, **kwargs: [args, kwargs],
    "fail": fail,
    "hello": lambda name: u"Hello " + name,
}


def secrets(security):
    """Keywords of a Server or Client."""
    return dict((str(key), str(value)) for key, value in (security or {}).items())


class Commands(object):
    def __init__(self, loop):
        self.loop = loop
        self.named = {}

    def about(self):
        version = ".".join(map(str, sys.version_info[:3]))
        return {"pid": os.getpid(), "python": version, "libzmq": zmq.zmq_version()}

    def serve(self, name, rpc):
        for method, handler in HANDLERS.items():
            rpc.register_rpc(name=method)(handler)
        self.named[name] = rpc

    @tornado.gen.coroutine
    def server(self, name, user_id, endpoint, security=None, users=None):
        """Binds and starts a Server; says the endpoint it got. `users`: passwords by login."""
        rpc = pseud.Server(str(user_id), io_loop=self.loop, **secrets(security))
        for login, password in (users or {}).items():
            rpc.auth_backend.user_map[str(login)] = str(password)
        self.serve(name, rpc)
        rpc.bind(endpoint)
        bound = rpc.socket.LAST_ENDPOINT.rstrip("\0")
        yield rpc.start()
        raise tornado.gen.Return({"endpoint": bound})

    @tornado.gen.coroutine
    def client(self, name, peer_id, endpoint, identity=None, security=None):
        """Connects a Client; returns after its handshake: it drops at once what it cannot send."""
        identity = identity if identity is None else str(identity)
        secured = secrets(security)
        rpc = pseud.Client(str(peer_id), io_loop=self.loop, identity=identity, **secured)
        self.serve(name, rpc)
        rpc.socket = rpc.context.socket(rpc.socket_type)  # pseud keeps a socket it finds
        shaken = self.handshake(rpc.socket)
        rpc.connect(endpoint)
        yield rpc.start()
        yield shaken

    def handshake(self, socket):
        shaken = tornado.gen.Future()
        monitor = socket.get_monitor_socket(zmq.EVENT_HANDSHAKE_SUCCEEDED)
        stream = zmqstream.ZMQStream(monitor, io_loop=self.loop)

        def seen(frames):
            stream.stop_on_recv()
            shaken.set_result(parse_monitor_message(frames))

        stream.on_recv(seen)
        return shaken

    @tornado.gen.coroutine
    def call(self, name, method, args=(), kwargs=None, to=None):
        """One call's outcome, `{"result"}` or `{"error"}`. `to`: a routing id, or who has logged in."""
        rpc = self.named[name]
        to = rpc.peer_identity if to is None else str(to)
        args = [decode(arg) for arg in args]
        kwargs = dict((str(key), decode(value)) for key, value in (kwargs or {}).items())
        started = self.loop.time()
        try:
            result = yield rpc.send_work(to, str(method), *args, **kwargs)
            ended = {"result": encode(result)}
        except Exception as error:
            ended = {"error": {"class": type(error).__name__, "message": unicode(error)}}
        ended["seconds"] = self.loop.time() - started
        raise tornado.gen.Return(ended)


@tornado.gen.coroutine
def answer(commands, line, out):
    fields = dict((str(key), value) for key, value in json.loads(line).items())
    ident, command = fields.pop("id"), fields.pop("cmd")
    try:
        ok = yield tornado.gen.maybe_future(getattr(commands, command)(**fields))
        reply = {"ok": ok}
    except Exception as error:
        reply = {"err": {"class": type(error).__name__, "message": unicode(error)}}
    reply["id"] = ident
    out.write(json.dumps(reply) + "\n")
    out.flush()


@tornado.gen.coroutine
def main(loop):
    commands, lines = Commands(loop), tornado.iostream.PipeIOStream(os.dup(0))
    out = os.fdopen(os.dup(1), "w")
    sys.stdout = sys.stderr  # a remote ERROR can name `print`
    try:
        while True:
            line = yield lines.read_until(b"\n")
            loop.add_callback(answer, commands, line, out)
    except tornado.iostream.StreamClosedError:
        os._exit(0)


if __name__ == "__main__":
    loop = tornado.ioloop.IOLoop.instance()
    loop.add_callback(main, loop)
    loop.start()
