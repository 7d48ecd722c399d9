"""Python pseud as a server or a client of the bench: peer.py ROLE IN_FLIGHT SIZE HANDLER SERVER LIFETIME

It obeys the commands of job.rs, one JSON line each, and ends when its input does.
"""

import asyncio
import json
import os
import resource
import sys
import threading
import time

import pseud
import zmq

SETTINGS = "Python pseud 1.0.1, asyncio, NULL; call time-out 5 s"


def usage():
    used = resource.getrusage(resource.RUSAGE_SELF)
    with open("/proc/self/status") as status:
        rss = next(line for line in status if line.startswith("VmRSS:"))
    return {
        "cpu_seconds": used.ru_utime + used.ru_stime,
        "rss_bytes": int(rss.split()[1]) * 1024,
    }


def say(answer):
    print(json.dumps(answer), flush=True)


def say_ready(endpoint):
    say({"ready": {"endpoint": endpoint, "settings": SETTINGS}})


async def commands():
    """Whatever is not about usage, until the end of the input."""
    loop, queue = asyncio.get_running_loop(), asyncio.Queue()

    def read():
        for line in sys.stdin:
            command = json.loads(line)
            if command == "usage":
                say({"usage": usage()})
            else:
                loop.call_soon_threadsafe(queue.put_nowait, command)
        os._exit(0)

    threading.Thread(target=read, daemon=True).start()
    while True:
        yield await queue.get()


async def serve(micros):
    server = pseud.Server(b"service")

    def echo(body):
        until = time.perf_counter() + micros / 1e6
        while micros and time.perf_counter() < until:
            pass
        return body

    server.register_rpc(echo)
    server.bind("tcp://127.0.0.1:*")
    await server.start()
    endpoint = server.socket.getsockopt(zmq.LAST_ENDPOINT).rstrip(b"\0").decode()
    say_ready(endpoint.removeprefix("tcp://"))
    async for _ in commands():
        pass


async def drive(in_flight, size, server):
    client = pseud.Client(b"service")
    client.connect("tcp://" + server)
    await client.start()
    body = b"\7" * size
    await client.echo(body)
    say_ready("")
    timed_every = 16 if in_flight > 4 else 1

    async def calls(until):
        count, latencies = 0, []
        while time.perf_counter() < until:
            started = time.perf_counter()
            await client.echo(body)
            if count % timed_every == 0:
                latencies.append(time.perf_counter() - started)
            count += 1
        return count, latencies

    async for command in commands():
        before, started = usage(), time.perf_counter()
        until = started + command["run"]["seconds"]
        done = await asyncio.gather(*(calls(until) for _ in range(in_flight)))
        seconds = time.perf_counter() - started
        latencies = sorted(latency for _, some in done for latency in some)

        def at(part):
            return latencies[round((len(latencies) - 1) * part)] * 1e6

        say({"ran": {
            "calls": sum(count for count, _ in done),
            "seconds": seconds,
            "p50_micros": at(0.5),
            "p99_micros": at(0.99),
            "before": before,
            "after": usage(),
        }})


def main():
    role, in_flight, size, micros, server, lifetime = sys.argv[1:]
    threading.Timer(int(lifetime), os._exit, [1]).start()
    if role == "server":
        asyncio.run(serve(int(micros)))
    else:
        asyncio.run(drive(int(in_flight), int(size), server))


main()
