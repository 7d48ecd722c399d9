"""Authentication plug-ins of pseud 1.0.1, whose package has only those that do nothing."""

import asyncio

import pseud.interfaces
import pseud.utils
import zope.component
import zope.interface

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
