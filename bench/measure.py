# SPDX-License-Identifier: Apache-2.0
"""Samples of what servers do under load, taken in turns, and tables of them."""

import os
import statistics
import subprocess
import sys

import servers

ROUNDS = int(os.environ.get("BENCH_ROUNDS", "5"))
SECONDS = os.environ.get("BENCH_SECONDS", "2")
ROOT = servers.HERE.parent
BUILD = ROOT / "build/release/bench"


class Sample:
    """What one run of a load generator showed."""

    def __init__(self, rate, p50_us, p99_us, cpu_us):
        self.rate, self.p50_us, self.p99_us, self.cpu_us = rate, p50_us, p99_us, cpu_us


def run(command):
    """What a command prints; its failure ends everything."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if done.returncode != 0:
        sys.exit(f"bench: {' '.join(command)} failed:\n{done.stdout}{done.stderr}")
    return done.stdout


def alternate(loads):
    """Each of `loads` (name -> function) in turn, ROUNDS times and once before that to warm up."""
    samples = {name: [] for name in loads}
    for i in range(ROUNDS + 1):
        for name, load in loads.items():
            sample = load()
            if i > 0:
                samples[name].append(sample)
    return samples


def load(server, program, arguments, scale=1):
    """Runs a load generator of ours, whose requests count as `scale` of what is measured."""
    before = server.cpu_seconds()
    words = run([str(BUILD / program), *(str(a) for a in arguments)]).split()
    cpu = server.cpu_seconds() - before
    n, took, p50, p99 = (float(words[i]) for i in (1, 3, 7, 9))
    return Sample(n * scale / took, p50, p99, cpu / (n * scale) * 1e6)


def median(samples, what):
    return statistics.median(getattr(s, what) for s in samples)


class Report:
    def __init__(self):
        self.lines = []

    def add(self, line=""):
        print(line, flush=True)
        self.lines.append(line)

    def table(self, samples, ours, unit, scale=1.0, digits=0):
        """`ours` is set against each other: the ratio of each round, of which the median counts."""
        self.add(f"| | {unit} | lowest to highest | p50 us | p99 us | server CPU us each | {ours} is |")
        self.add("|---|---:|---:|---:|---:|---:|---:|")
        for name, all_of_it in samples.items():
            rates = [s.rate * scale for s in all_of_it]
            ratio = ""
            if name != ours:
                pairs = zip(samples[ours], all_of_it)
                ratio = f"{statistics.median(a.rate / b.rate for a, b in pairs):.2f}x"
            cells = [name, f"{statistics.median(rates):,.{digits}f}"]
            cells.append(f"{min(rates):,.{digits}f} to {max(rates):,.{digits}f}")
            cells += [f"{median(all_of_it, what):,.0f}" for what in ("p50_us", "p99_us")]
            cells += [f"{median(all_of_it, 'cpu_us'):,.1f}", ratio]
            self.add("| " + " | ".join(cells) + " |")
        self.add()
