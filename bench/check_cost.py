#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What checking stored bytes costs: the server's CPU time for a GET, of two builds in turns.

    bench/check_cost.py WITHOUT WITH [SECONDS]

WITHOUT and WITH are postern executables, of before and after a change; each serves a folder of its
own on the loopback. Objects of 4 KiB, 64 KiB, 1 MiB and 64 MiB are read over one connection, from
memory: "again" is one object all the time, "first" are objects that were not read in the seconds
before, so that nothing is known of them. The figure is user and system time of the whole process,
the least of nine rounds: what else the machine does only adds to it.
"""
import base64
import email.utils
import hashlib
import hmac
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time

SIZES = [4 << 10, 64 << 10, 1 << 20, 64 << 20]
ROUNDS = 9
FIRST_BYTES = 128 << 20  # of objects, read once each in a round
FORGOTTEN_SECONDS = 2.2  # LIMIT_CHECKED_MS, and a little more
KEY_ID, SECRET = "bench-key-id", "bench-key-secret-0123456789"


def count_of(size):
    """How many objects of that size there are."""
    return max(2, min(200, FIRST_BYTES // size))


class Server:
    def __init__(self, binary):
        self.folder = tempfile.TemporaryDirectory(prefix="postern-bench-")
        self.process = subprocess.Popen(
            [binary, "store", "--data", self.folder.name, "--store-listen", "127.0.0.1:0",
             "--console-listen", "127.0.0.1:0"],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
            env={**os.environ, "POSTERN_ACCESS_KEY_ID": KEY_ID,
                 "POSTERN_ACCESS_KEY_SECRET": SECRET})
        for line in self.process.stdout:
            found = re.search(r"object store +http://127.0.0.1:(\d+)", line)
            if found:
                self.port = int(found[1])
                break
        self.put("/bench/", b"", "x-oss-acl:public-read\n")
        for size in SIZES:
            for i in range(count_of(size)):
                self.put(f"/bench/{size}/{i}", os.urandom(size))
        time.sleep(FORGOTTEN_SECONDS)
        self.socket = socket.create_connection(("127.0.0.1", self.port))

    def put(self, path, body, acl=""):
        date = email.utils.formatdate(usegmt=True)
        text = f"PUT\n\n\n{date}\n{acl}{path}"
        digest = hmac.new(SECRET.encode(), text.encode(), hashlib.sha1).digest()
        head = (f"PUT {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nDate: {date}\r\n"
                f"Content-Length: {len(body)}\r\nConnection: close\r\n"
                + (acl.strip() + "\r\n" if acl else "")
                + f"Authorization: OSS {KEY_ID}:{base64.b64encode(digest).decode()}\r\n\r\n")
        with socket.create_connection(("127.0.0.1", self.port)) as connection:
            connection.sendall(head.encode() + body)
            answer = b""
            while piece := connection.recv(65536):
                answer += piece
        if not answer.startswith(b"HTTP/1.1 200"):
            raise SystemExit(answer.decode())

    def get(self, size, i, buffer):
        self.socket.sendall(f"GET /bench/{size}/{i} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
        head = b""
        while b"\r\n\r\n" not in head:
            head += self.socket.recv(65536)
        left = size - (len(head) - head.index(b"\r\n\r\n") - 4)
        while left:
            got = self.socket.recv_into(buffer)
            if not got:
                raise SystemExit("the connection broke off")
            left -= got

    def cpu_seconds(self):
        """From the scheduler, of all threads: /proc/PID/stat counts in whole ticks."""
        total = 0
        for task in os.listdir(f"/proc/{self.process.pid}/task"):
            with open(f"/proc/{self.process.pid}/task/{task}/schedstat") as text:
                total += int(text.read().split()[0])
        return total / 1e9

    def again(self, size, seconds, buffer):
        self.get(size, 0, buffer)
        began, cpu, count = time.monotonic(), self.cpu_seconds(), 0
        while time.monotonic() - began < seconds:
            self.get(size, 0, buffer)
            count += 1
        return (self.cpu_seconds() - cpu) / count * 1e6

    def first(self, size, _, buffer):
        time.sleep(FORGOTTEN_SECONDS)
        cpu, count = self.cpu_seconds(), count_of(size)
        for i in range(count):
            self.get(size, i, buffer)
        return (self.cpu_seconds() - cpu) / count * 1e6

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait()
        self.folder.cleanup()


def main():
    seconds = float(sys.argv[3]) if len(sys.argv) > 3 else 0.5
    servers = [Server(binary) for binary in sys.argv[1:3]]
    buffer = bytearray(4 << 20)
    print("| GET of | | without, us | with, us | |\n|---|---|---:|---:|---:|")
    for size in SIZES:
        for how in ("again", "first"):
            rounds = [[getattr(server, how)(size, seconds, buffer) for server in servers]
                      for _ in range(ROUNDS)]
            without, checked = (min(column) for column in zip(*rounds))
            name = f"{size >> 20} MiB" if size >= 1 << 20 else f"{size >> 10} KiB"
            print(f"| {name} | {how} | {without:.1f} | {checked:.1f} | "
                  f"{(checked / without - 1) * 100:+.0f} % |", flush=True)
    for server in servers:
        server.stop()


if __name__ == "__main__":
    if len(sys.argv) < 3:
        raise SystemExit(__doc__)
    main()
