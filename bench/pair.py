#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Measures two builds of postern beside each other: what a change costs.

    bench/pair.py BEFORE AFTER [ROW]    two binaries; the load generators are those of this tree

ROW is a part of the names of the rows that are wanted, such as "4 KiB"; all without it.

Each row is run with one, then with the other, BENCH_ROUNDS (5) times for BENCH_SECONDS (2), after
one run of each to warm up. A ratio is AFTER by BEFORE of each pair; the median is told, and the
lowest and the highest. A row that is worse is one whose median is worse by more than 3 % and whose
pairs all are: less is the spread of the machine.
"""

import pathlib
import re
import statistics
import sys
import tempfile

sys.dont_write_bytecode = True
import rest  # noqa: E402
import servers  # noqa: E402
from measure import SECONDS, Sample, alternate, load, run  # noqa: E402

COUNT = 2000


def tokens(server, path):
    before = server.cpu_seconds()
    text = run(["wrk", "-t", "2", "-c", "64", "-d", SECONDS, server.app.rstrip("/") + path])
    cpu = server.cpu_seconds() - before
    count = int(re.search(r"(\d+) requests in", text)[1])
    rate = float(re.search(r"Requests/sec: +([0-9.]+)", text)[1])
    return Sample(rate, 0, 0, cpu / count * 1e6)


class Build:
    """A running server of one binary, with objects to read."""

    def __init__(self, binary, folder):
        servers.POSTERN = binary
        self.server = servers.Postern(folder)
        self.rest = rest.Rest(self.server)
        self.form = str(folder / "form")
        servers.write_form(pathlib.Path(self.form))
        self.runs = 0
        self.rest.fill("get-4k", 4 << 10, COUNT)
        self.rest.fill("get-64k", 64 << 10, COUNT)
        self.rest.fill("get-1m", 1 << 20, 64)

    def upload(self, size, connections):
        self.runs += 1
        port, path = self.server.upload_target()
        arguments = [port, path, self.form, size, connections, SECONDS, 1 << 60, self.runs]
        return load(self.server, "upload_load", arguments)

    def list(self):
        return self.rest.load("GET", "?prefix=get-4k&max-keys=1000", 0, 8)


ROWS = {
    "GET / (token), 64 connections": lambda b: tokens(b.server, "/"),
    "GET /grant, 64 connections": lambda b: tokens(b.server, "/grant"),
    "form upload 4 KiB, 8 connections": lambda b: b.upload(4 << 10, 8),
    "form upload 4 KiB, 64 connections": lambda b: b.upload(4 << 10, 64),
    "form upload 1 MiB, 8 connections": lambda b: b.upload(1 << 20, 8),
    "PUT 4 KiB, 8 connections": lambda b: b.rest.put(4 << 10, 8),
    "PUT 4 KiB, 64 connections": lambda b: b.rest.put(4 << 10, 64),
    "GET 4 KiB, 8 connections": lambda b: b.rest.get("get-4k", COUNT, 8),
    "GET 4 KiB, 64 connections": lambda b: b.rest.get("get-4k", COUNT, 64),
    "GET 64 KiB, 8 connections": lambda b: b.rest.get("get-64k", COUNT, 8),
    "GET 1 MiB, 8 connections": lambda b: b.rest.get("get-1m", 64, 8),
    "list of 1,000, 8 connections": lambda b: b.list(),
    "DELETE, 8 connections": lambda b: b.rest.delete(5000),
}


def ratios(pairs, what):
    values = [getattr(after, what) / getattr(before, what) for before, after in pairs]
    return statistics.median(values), min(values), max(values)


def main():
    if len(sys.argv) not in (3, 4):
        sys.exit(__doc__)
    with tempfile.TemporaryDirectory(prefix="postern-bench-") as folder:
        builds = []
        for name, binary in zip(("before", "after"), sys.argv[1:3]):
            builds.append(Build(str(pathlib.Path(binary).resolve()), pathlib.Path(folder) / name))
        print("| | before | after | rate is | of pairs | CPU each is | of pairs | |")
        print("|---|---:|---:|---:|---|---:|---|---|")
        wanted = sys.argv[3] if len(sys.argv) == 4 else ""
        for name, work in ((n, w) for n, w in ROWS.items() if wanted in n):
            samples = alternate({i: lambda i=i: work(builds[i]) for i in (0, 1)})
            pairs = list(zip(samples[0], samples[1]))
            rate, slowest, fastest = ratios(pairs, "rate")
            cpu, least, most = ratios(pairs, "cpu_us")
            worse = (rate < 0.97 and fastest < 1) or (cpu > 1.03 and least > 1)
            before, after = (statistics.median(s.rate for s in samples[i]) for i in (0, 1))
            cells = [name, f"{before:,.0f}", f"{after:,.0f}"]
            cells += [f"{rate:.3f}", f"{slowest:.2f} to {fastest:.2f}"]
            cells += [f"{cpu:.3f}", f"{least:.2f} to {most:.2f}", "worse" if worse else ""]
            print("| " + " | ".join(cells) + " |", flush=True)
        for build in builds:
            build.server.stop()


if __name__ == "__main__":
    try:
        main()
    finally:
        for server in list(servers.RUNNING):
            server.stop()
