"""Authentication plug-ins of pseud 1.0.1, whose package has only those that do nothing."""

import asyncio
import collections

import pseud.interfaces
import pseud.utils
import zope.component
import zope.interface
import zmq
import zmq.utils.z85

import zap


class Gate(zap.Zap):
    """A ZAP handler that admits who shows known credentials, and names them."""

    def __init__(self, context, known):
        super().__init__(context)
        self.known = known

    def judge(self, asked):
        # domain, address, identity, mechanism, credentials ...
        user_id = self.known.get(tuple(asked[4:]))
        if user_id is None:
            return [b"400", b"nobody we know", b"", b""]
        return [b"200", b"", user_id, b""]


class Backend:
    """What both sides of both mechanisms do alike: mostly nothing."""

    def __init__(self, rpc):
        self.rpc = rpc

    async def stop(self):
        pass

    async def handle_hello(self, *args):
        pass

    async def handle_authenticated(self, message):
        pass

    async def handle_authentication(self, user_id, routing_id, message_uuid):
        pass

    def is_authenticated(self, user_id):
        return True

    def save_last_work(self, message):
        pass

    def get_predicate_arguments(self, user_id):
        return {}

    def get_routing_id(self, user_id):
        return user_id

    def register_routing_id(self, user_id, routing_id):
        pass


class User:
    """What predicates are shown of who calls."""

    def __init__(self, permissions):
        self.permissions = permissions

    def has_permission(self, permission):
        return permission in self.permissions


class ServerBackend(Backend):
    """Asks the gate about peers, and finds those it admitted by their user ids."""

    def __init__(self, rpc):
        super().__init__(rpc)
        self.known = {}  # credentials to user id
        self.users = {}  # user id to User
        self.routing_ids = {}
        self.gate = None

    def configure(self):
        if self.gate is None:  # it is called at each bind
            self.gate = Gate(self.rpc.context, self.known)

    async def stop(self):
        if self.gate is not None:
            self.gate.task.cancel()
            await asyncio.wait([self.gate.task])
            self.gate.socket.close(linger=0)

    def get_predicate_arguments(self, user_id):
        return {"user": self.users[user_id]} if user_id in self.users else {}

    def get_routing_id(self, user_id):
        return self.routing_ids[user_id]

    def register_routing_id(self, user_id, routing_id):
        self.routing_ids[user_id] = routing_id


def backend(side, name):
    """Registers a class as the plug-in of that name for that side."""

    def register(cls):
        cls = zope.interface.implementer(pseud.interfaces.IAuthenticationBackend)(cls)
        cls.name = name
        return pseud.utils.register_auth_backend(zope.component.adapter(side)(cls))

    return register


@backend(pseud.interfaces.IClient, "plain")
class PlainClient(Backend):
    def configure(self):
        self.rpc.socket.plain_username = self.rpc.user_id
        if self.rpc.password:  # libzmq takes no empty one; unset, that is what it sends
            self.rpc.socket.plain_password = self.rpc.password


@backend(pseud.interfaces.IServer, "plain")
class PlainServer(ServerBackend):
    def configure(self):
        super().configure()
        self.rpc.socket.plain_server = True


@backend(pseud.interfaces.IClient, "trusted_curve")
class CurveClient(Backend):
    def configure(self):
        self.rpc.socket.curve_serverkey = self.rpc.peer_public_key
        self.rpc.socket.curve_publickey = self.rpc.public_key
        self.rpc.socket.curve_secretkey = self.rpc.secret_key


@backend(pseud.interfaces.IServer, "trusted_curve")
class CurveServer(ServerBackend):
    def configure(self):
        super().configure()
        self.rpc.socket.curve_secretkey = self.rpc.secret_key
        self.rpc.socket.curve_server = True


class AnyName(Gate):
    """Admits whoever shows a name, whatever the password, as that name."""

    def judge(self, asked):
        return [b"200", b"", asked[4], b""]


@backend(pseud.interfaces.IServer, "trusted_peer")
class TrustedPeerServer(PlainServer):
    """The seed's: peers are who they say they are. (The reference's serves one handshake and dies.)"""

    def configure(self):
        if self.gate is None:
            self.gate = AnyName(self.rpc.context, self.known)
        self.rpc.socket.plain_server = True


class AnyKey(Gate):
    """Admits any key: as its user where it is trusted, else as the key itself, in Z85."""

    def __init__(self, context, trusted):
        super().__init__(context, {})
        self.trusted = trusted

    def judge(self, asked):
        key = asked[4]
        return [b"200", b"", self.trusted.get(key, zmq.utils.z85.encode(key)), b""]


@backend(pseud.interfaces.IServer, "untrusted_curve")
class UntrustedCurveServer(CurveServer):
    """Any key connects; its first WORK is challenged; the key is trusted once it has logged in.

    As the reference's, but that a HELLO that nothing has asked for is handled, not a KeyError.
    """

    def __init__(self, rpc):
        super().__init__(rpc)
        self.trusted = {}  # raw key to login

    def configure(self):
        if self.gate is None:
            self.gate = AnyKey(self.rpc.context, self.trusted)
        self.rpc.socket.curve_secretkey = self.rpc.secret_key
        self.rpc.socket.curve_server = True

    def is_authenticated(self, user_id):
        # The connection that said HELLO keeps its key as its user id.
        keys = [zmq.utils.z85.encode(key) for key in self.trusted]
        return user_id in self.trusted.values() or user_id in keys

    async def answer(self, routing_id, message_uuid, kind, text):
        frames = [routing_id, b"", pseud.interfaces.VERSION, message_uuid, kind, text.encode()]
        await self.rpc.send_message(frames)

    async def handle_authentication(self, user_id, routing_id, message_uuid):
        text = "Authentication Required"
        await self.answer(routing_id, message_uuid, pseud.interfaces.UNAUTHORIZED, text)

    async def handle_hello(self, user_id, routing_id, message_uuid, message):
        login, password = self.rpc.packer.unpackb(message)
        if self.known.get((login,)) != password:
            text = "Authentication Error"
            return await self.answer(
                routing_id, message_uuid, pseud.interfaces.UNAUTHORIZED, text
            )
        self.trusted[zmq.utils.z85.decode(user_id)] = login
        self.routing_ids[login] = routing_id
        text = f"Welcome {login!r}"
        await self.answer(routing_id, message_uuid, pseud.interfaces.AUTHENTICATED, text)


@backend(pseud.interfaces.IClient, "untrusted_curve")
class UntrustedCurveClient(CurveClient):
    """Says HELLO when it is challenged, twice in its life at most, and sends its oldest WORK again."""

    max_retries = 2

    def __init__(self, rpc):
        super().__init__(rpc)
        self.counter = 0
        self.last_messages = collections.deque()

    async def handle_authentication(self, user_id, routing_id, message_uuid):
        if self.counter >= self.max_retries:
            error = pseud.interfaces.UnauthorizedError("Max authentication retries reached")
            if message_uuid in self.rpc.future_pool:
                self.rpc.future_pool[message_uuid].set_exception(error)
            return
        self.counter += 1
        hello = self.rpc.packer.packb((self.rpc.user_id, self.rpc.password))
        kind = pseud.interfaces.HELLO
        frames = [routing_id, b"", pseud.interfaces.VERSION, message_uuid, kind, hello]
        await self.rpc.send_message(frames)

    async def handle_authenticated(self, message):
        await self.rpc.send_message(self.last_messages.popleft())

    def save_last_work(self, message):
        self.last_messages.append(message)
