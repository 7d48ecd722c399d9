"""A CURVE socket of libzmq 4.1, loaded by ctypes from the wheel that carries it.

    libzmq41.py LIBRARY SIDE COUNT SECRET PUBLIC SERVER-KEY [ENDPOINT]

`server` is a ROUTER that binds, and prints where; `client` is a DEALER that connects to ENDPOINT. Keys
are Z85. Each sends COUNT messages `theirs`, number, padding (the ROUTER to whoever comes first), and
sends back what begins with `ours`, until it is killed or nothing has come for 20 seconds.
"""

import ctypes
import sys

ROUTER, DEALER = 6, 5
RCVMORE, LINGER, RCVTIMEO, LAST_ENDPOINT = 13, 17, 27, 32
CURVE_SERVER, CURVE_PUBLICKEY, CURVE_SECRETKEY, CURVE_SERVERKEY = 47, 48, 49, 50
SNDMORE = 2
PADDINGS = [0, 1, 222, 223, 4096]

path, side, count, secret, public, server_key, *endpoint = sys.argv[1:]
zmq = ctypes.CDLL(path)
zmq.zmq_ctx_new.restype = zmq.zmq_socket.restype = ctypes.c_void_p
zmq.zmq_strerror.restype = ctypes.c_char_p
BUFFER = ctypes.create_string_buffer(1 << 20)


def checked(result):
    if result < 0:
        sys.exit(zmq.zmq_strerror(zmq.zmq_errno()).decode())
    return result


version = [ctypes.c_int() for _ in range(3)]
zmq.zmq_version(*map(ctypes.byref, version))
assert [part.value for part in version[:2]] == [4, 1], version
kind = ROUTER if side == "server" else DEALER
socket = ctypes.c_void_p(zmq.zmq_socket(ctypes.c_void_p(zmq.zmq_ctx_new()), kind))


def set_number(option, value):
    number = ctypes.c_int(value)
    checked(zmq.zmq_setsockopt(socket, option, ctypes.byref(number), ctypes.sizeof(number)))


def set_key(option, z85):
    checked(zmq.zmq_setsockopt(socket, option, z85.encode(), 40))


def get(option, size):
    length = ctypes.c_size_t(size)
    checked(zmq.zmq_getsockopt(socket, option, BUFFER, ctypes.byref(length)))
    return ctypes.string_at(BUFFER, length.value)


def receive():
    parts = []
    while not parts or any(get(RCVMORE, 4)):
        size = checked(zmq.zmq_recv(socket, BUFFER, len(BUFFER), 0))
        parts.append(ctypes.string_at(BUFFER, size))
    return parts


def send(parts):
    for index, part in enumerate(parts):
        flags = SNDMORE if index + 1 < len(parts) else 0
        checked(zmq.zmq_send(socket, part, len(part), flags))


set_number(LINGER, 0)
set_number(RCVTIMEO, 20_000)
set_key(CURVE_SECRETKEY, secret)
if side == "server":
    set_number(CURVE_SERVER, 1)
    checked(zmq.zmq_bind(socket, b"tcp://127.0.0.1:*"))
    print(get(LAST_ENDPOINT, 256).rstrip(b"\0").decode(), flush=True)
    first = receive()
    route = first[:1]
else:
    set_key(CURVE_PUBLICKEY, public)
    set_key(CURVE_SERVERKEY, server_key)
    checked(zmq.zmq_connect(socket, endpoint[0].encode()))
    first, route = None, []

for number in range(int(count)):
    send(route + [b"theirs", b"%d" % number, b"x" * PADDINGS[number % len(PADDINGS)]])
while True:
    message, first = first or receive(), None
    if message[len(route)] == b"ours":
        send(message)
