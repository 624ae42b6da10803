"""Opens idle connections and measures what they cost: python3 idle_clients.py REST_URL PID TOKEN."""

import socket
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

CONNECTIONS = 10_000
READS = 500
# Generous: a machine that does other things must not fail this, a leak must.
MOST_BYTES = 64 * 1024
MOST_SECONDS = 0.25


def resident(pid):
    """Bytes of memory that a process has in use."""
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        line = next(line for line in status if line.startswith("VmRSS:"))
    return int(line.split()[1]) * 1024


def ask(connection, path, token=None):
    """Sends a request and reads its response; gives the status."""
    authorization = f"authorization: Bearer {token}\r\n" if token else ""
    connection.sendall(f"GET {path} HTTP/1.1\r\nhost: x\r\n{authorization}\r\n".encode())
    answer = b""
    while b"\r\n\r\n" not in answer:
        answer += received(connection)
    head, _, body = answer.partition(b"\r\n\r\n")
    fields = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:])
    while len(body) < int(fields[b"content-length"]):
        body += received(connection)
    return int(head.split()[1])


def received(connection):
    chunk = connection.recv(65_536)
    if not chunk:
        raise EOFError("the gateway hung up")
    return chunk


def reads(address, token):
    """Times of reads through the whole house, sorted."""
    times = []
    with socket.create_connection(address, 10) as connection:
        for _ in range(READS):
            began = time.perf_counter()
            assert ask(connection, "/api/v1/widgets", token) == 200
            times.append(time.perf_counter() - began)
    return sorted(times)


def said(name, times):
    p50, p99 = times[len(times) // 2], times[len(times) * 99 // 100]
    print(f"{name}: p50 {p50 * 1e3:.2f} ms, p99 {p99 * 1e3:.2f} ms")
    return p99


def opened(address):
    connection = socket.create_connection(address, 30)
    assert ask(connection, "/nowhere") == 404
    return connection


def main(rest, pid, token):
    url = urlsplit(rest)
    address = (url.hostname, url.port)
    said("reads alone", reads(address, token))
    before = resident(pid)
    with ThreadPoolExecutor(32) as pool:
        idle = list(pool.map(opened, [address] * CONNECTIONS))
    each = (resident(pid) - before) / CONNECTIONS
    print(f"{CONNECTIONS} idle connections: {each:.0f} bytes each")
    p99 = said("reads among them", reads(address, token))
    assert each < MOST_BYTES, "an idle connection costs too much memory"
    assert p99 < MOST_SECONDS, "reads are slow among idle connections"
    asked_again = [ask(connection, "/nowhere") for connection in idle[::100]]
    assert set(asked_again) == {404}, "an idle connection was not served again"
    for connection in idle:
        connection.close()


main(*sys.argv[1:])
