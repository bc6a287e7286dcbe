# SPDX-License-Identifier: Apache-2.0
"""Samples of what servers do under load, taken in turns, and tables of them."""

import os
import re
import statistics
import subprocess
import sys

import servers

ROUNDS = int(os.environ.get("BENCH_ROUNDS", "5"))
SECONDS = os.environ.get("BENCH_SECONDS", "2")
CORES = len(os.sched_getaffinity(0))
ROOT = servers.HERE.parent
BUILD = ROOT / "build/release/bench"


class Sample:
    """What one run of a load generator showed."""

    def __init__(self, rate, p50_us, p99_us, cpu_us, osd_us=None, operations=None):
        self.rate, self.p50_us, self.p99_us, self.cpu_us = rate, p50_us, p99_us, cpu_us
        self.osd_us, self.operations = osd_us, operations  # of a cluster, if there is one


def run(command):
    """What a command prints; its failure ends everything."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if done.returncode != 0:
        sys.exit(f"bench: {' '.join(command)} failed:\n{done.stdout}{done.stderr}")
    return done.stdout


def alternate(loads, rounds=ROUNDS, warm_up=1):
    """Each of `loads` (name -> function) in turn, `rounds` times after one to warm up."""
    samples = {name: [] for name in loads}
    for i in range(rounds + warm_up):
        for name, load in loads.items():
            sample = load()
            if i >= warm_up:
                samples[name].append(sample)
    return samples


def run_load(program, arguments):
    """Runs a load generator of ours: how many requests there were, seconds, p50 and p99 in us."""
    words = run([str(BUILD / program), *(str(a) for a in arguments)]).split()
    return tuple(float(words[i]) for i in (1, 3, 7, 9))


def load(server, program, arguments, scale=1):
    """The same as a sample of the server, whose requests count as `scale` of what is measured."""
    before = server.counters()
    n, took, p50, p99 = run_load(program, arguments)
    after = server.counters()
    each = {name: (after[name] - before[name]) / (n * scale) for name in after}
    return Sample(n * scale / took, p50, p99, **each)


def microseconds(text):
    number, unit = re.fullmatch(r"([0-9.]+)(us|ms|s)", text).groups()
    return float(number) * {"us": 1, "ms": 1e3, "s": 1e6}[unit]


def load_wrk(server, url, *headers, connections=64):
    """Runs wrk, with these lines as headers."""
    before = server.cpu_seconds()
    threads = str(min(2, CORES))
    lines = [word for header in headers for word in ("-H", header)]
    command = ["wrk", "-t", threads, "-c", str(connections), "-d", SECONDS, "--latency"]
    text = run([*command, *lines, url])
    cpu = server.cpu_seconds() - before
    rate = float(re.search(r"Requests/sec: +([0-9.]+)", text)[1])
    count = int(re.search(r"(\d+) requests in", text)[1])
    if "Non-2xx" in text or count == 0:
        sys.exit(f"bench: {url} does not answer 200:\n{text}")
    p50 = microseconds(re.search(r"50% +(\S+)", text)[1])
    p99 = microseconds(re.search(r"99% +(\S+)", text)[1])
    return Sample(rate, p50, p99, cpu / count * 1e6)


def median(samples, what):
    return statistics.median(getattr(s, what) for s in samples)


def ratio(ours, others, what="rate"):
    """Of samples that were taken in turns: that of each round, of which the median counts."""
    pairs = zip(ours, others)
    return statistics.median(getattr(a, what) / max(getattr(b, what), 1e-9) for a, b in pairs)


class Report:
    def __init__(self):
        self.lines = []

    def add(self, line=""):
        print(line, flush=True)
        self.lines.append(line)

    def table(self, samples, ours, unit, scale=1.0, digits=0):
        """`ours` is set against each other: the ratio of each round, of which the median counts."""
        on_cluster = any(s.osd_us is not None for each in samples.values() for s in each)
        heads = [unit, "lowest to highest", "p50 us", "p99 us", "server CPU us each"]
        heads += ["OSD CPU us each", "RADOS operations each"] if on_cluster else []
        self.add("| | " + " | ".join([*heads, f"{ours} is"]) + " |")
        self.add("|---|" + "---:|" * (len(heads) + 1))
        for name, all_of_it in samples.items():
            rates = [s.rate * scale for s in all_of_it]
            cells = [name, f"{statistics.median(rates):,.{digits}f}"]
            cells.append(f"{min(rates):,.{digits}f} to {max(rates):,.{digits}f}")
            cells += [f"{median(all_of_it, what):,.0f}" for what in ("p50_us", "p99_us")]
            cells.append(f"{median(all_of_it, 'cpu_us'):,.1f}")
            if on_cluster:
                cells.append(f"{median(all_of_it, 'osd_us'):,.1f}")
                cells.append(f"{median(all_of_it, 'operations'):,.2f}")
            cells.append("" if name == ours else f"{ratio(samples[ours], all_of_it):.2f}x")
            self.add("| " + " | ".join(cells) + " |")
        self.add()
