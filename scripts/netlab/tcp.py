"""The kernel's TCP as a measure: `tcp.py receive FILE`, and `tcp.py send FILE HOST PORT CONTROL SECONDS`.

The receiver writes the bytes to a file, as `stt listen` does, and answers with their SHA-256 once they are on disk. The
sender's time runs from the dial to that answer. After SECONDS the sender breaks off and says how much had been
acknowledged. Results are JSON lines.
"""

import fcntl
import hashlib
import json
import os
import socket
import struct
import sys
import time

PIECE = 1 << 16
SIOCOUTQ = 0x5411


def say(**facts):
    print(json.dumps(facts), flush=True)


def receive(path):
    server = socket.create_server(("0.0.0.0", 0))
    say(event="listening", port=server.getsockname()[1])
    connection, _ = server.accept()
    digest, total = hashlib.sha256(), 0
    with connection, open(path, "wb") as file:
        while piece := connection.recv(PIECE):
            digest.update(piece)
            file.write(piece)
            total += len(piece)
        file.flush()
        os.fsync(file.fileno())
        connection.sendall(digest.digest())
    say(event="received", bytes=total, sha256=digest.hexdigest())


def unacknowledged(connection):
    return struct.unpack("i", fcntl.ioctl(connection, SIOCOUTQ, b"\0" * 4))[0]


def send(path, host, port, control, seconds):
    with open(path, "rb") as file:
        content = memoryview(file.read())
    with socket.socket() as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, control.encode())
        started = time.monotonic()
        connection.connect((host, int(port)))
        connected = time.monotonic()
        end = started + float(seconds)
        sent, answer = 0, b""
        try:
            while sent < len(content):
                connection.settimeout(max(0.001, end - time.monotonic()))
                sent += connection.send(content[sent:sent + PIECE])
            connection.shutdown(socket.SHUT_WR)
            connection.settimeout(max(0.001, end - time.monotonic()))
            while piece := connection.recv(64):
                answer += piece
            arrived = len(content)
        except TimeoutError:
            arrived = sent - unacknowledged(connection)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        ended = time.monotonic()
    whole = arrived == len(content) and len(answer) > 0
    if whole and answer != hashlib.sha256(content).digest():
        sys.exit("the receiver got other bytes")
    say(event="sent", bytes=arrived, whole=whole, connectMs=(connected - started) * 1e3, ms=(ended - connected) * 1e3)


if __name__ == "__main__":
    {"receive": receive, "send": send}[sys.argv[1]](*sys.argv[2:])
