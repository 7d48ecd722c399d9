"""Registries of pseud 1.0.1 and predicates: what is served, under which names, to whom."""

import pseud.interfaces
import pseud.utils
import zope.component
import zope.interface


def broken(user):
    raise RuntimeError("as this predicate does")


# Besides `default` and `restricted`, which the package has.
PREDICATES = {
    "open": lambda user: True,
    "ajar": lambda user: True,
    "closed": lambda user: False,
    "known": lambda user: user is not None,
    "broken": broken,
}


def register_predicate(domain, accepts):
    @pseud.utils.register_predicate
    @zope.component.adapter(pseud.interfaces.IRPCCallable)
    @zope.interface.implementer(pseud.interfaces.IPredicate)
    class Predicate:
        name = domain

        def __init__(self, rpc_call):
            pass

        def test(self, user=None):
            return accepts(user)


for domain, accepts in PREDICATES.items():
    register_predicate(domain, accepts)


class Registries:
    """Commands about registries: `global`, those of the servers by their names, free-standing ones."""

    def __init__(self):
        self.registries = {"global": pseud.utils.registry}

    async def registry(self, name):
        """A free-standing registry, for servers to share."""
        self.registries[name] = pseud.utils.create_local_registry(name)

    def registry_of(self, name):
        return self.registries[name] if name in self.registries else self.named[name].rpc.registry

    async def offer(self, registry, method, domain="default", answer=None):
        """Serves `method` there: it says `answer`, or without one who calls (`with_identity`)."""
        says = (lambda user_id: user_id) if answer is None else (lambda: answer)
        pseud.utils.register_rpc(
            says,
            name=method,
            domain=domain,
            registry=self.registry_of(registry),
            with_identity=answer is None,
        )

    async def withdraw(self, registry, method, domain="default"):
        """Serves it there no more; says whether it was served. pseud has no word for that, zope has."""
        route, key = pseud.interfaces.IRPCRoute, f"{method}:{domain}"
        return self.registry_of(registry).unregisterUtility(provided=route, name=key)
