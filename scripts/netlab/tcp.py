"""The kernel's TCP as a measure: `tcp.py receive FILE`, and `tcp.py send FILE HOST PORT CONTROL`.

The receiver writes the bytes to a file, as `stt listen` does, and answers with their SHA-256 once they are on disk. The
sender's time runs from the dial to that answer. Results are JSON lines.
"""

import hashlib
import json
import os
import socket
import sys
import time

PIECE = 1 << 16


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


def send(path, host, port, control):
    with open(path, "rb") as file:
        content = file.read()
    with socket.socket() as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, control.encode())
        started = time.monotonic()
        connection.connect((host, int(port)))
        connected = time.monotonic()
        connection.sendall(content)
        connection.shutdown(socket.SHUT_WR)
        answer = b""
        while piece := connection.recv(64):
            answer += piece
        ended = time.monotonic()
    if answer != hashlib.sha256(content).digest():
        sys.exit("the receiver got other bytes")
    say(event="sent", bytes=len(content), connectMs=(connected - started) * 1e3, ms=(ended - connected) * 1e3)


if __name__ == "__main__":
    {"receive": receive, "send": send}[sys.argv[1]](*sys.argv[2:])
