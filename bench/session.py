# SPDX-License-Identifier: Apache-2.0
"""One measuring from its beginning to its end: a folder for it, what machine this is, and a file of results."""

import datetime
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time

import servers
from measure import CORES, ROOT, ROUNDS, Report


def first_line(command):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    return (done.stdout.splitlines() or [""])[0].strip()


def git(*words):
    return first_line(["git", "-C", str(ROOT), *words])


def describe(report, folder, commit, tools):
    cpu = re.search(r"model name\s*: (.*)", pathlib.Path("/proc/cpuinfo").read_text())
    memory = re.search(r"MemTotal: +(\d+)", pathlib.Path("/proc/meminfo").read_text())
    system = first_line(["findmnt", "-n", "-o", "FSTYPE,OPTIONS", "-T", str(folder)])
    report.add(f"# postern {commit}, {datetime.date.today()}")
    report.add()
    report.add(f"- {cpu[1] if cpu else 'unknown CPU'}, {CORES} cores, {int(memory[1]) >> 20} GiB")
    report.add(f"- Linux {os.uname().release}; data on {' '.join(system.split())}")
    report.add("- " + "; ".join(first_line(tool).partition(" Copy")[0] for tool in tools))
    report.add(f"- Python {sys.version.split()[0]}; {first_line(['gcc', '--version'])}")
    report.add(f"- load of the machine before: {os.getloadavg()[0]:.2f}")
    report.add(f"- median of {ROUNDS} rounds, in turns; load generator and servers share the cores")
    report.add()


def hold(kind, free_gib, tools, measure):
    """
    Calls measure(report, folder), ends all servers, and writes bench/results/DATE-COMMIT-KIND.md. `tools`
    are commands that say of what version something is.
    """
    base = ROOT / "build/bench"
    base.mkdir(parents=True, exist_ok=True)
    commit = git("rev-parse", "--short", "HEAD") or "unknown"
    if git("status", "--porcelain", "--untracked-files=no"):
        commit += "-changed"
    if shutil.disk_usage(base).free < free_gib << 30:
        sys.exit(f"bench: needs {free_gib} GiB of free disk")
    report = Report()
    folder = pathlib.Path(tempfile.mkdtemp(dir=base))
    folder.chmod(0o755)
    start = time.monotonic()
    busy = os.getloadavg()[0] > CORES
    try:
        describe(report, folder, commit, tools)
        measure(report, folder)
    finally:
        # Those that stand on others, which were started first, end first.
        for server in reversed(list(servers.RUNNING)):
            server.stop()
        shutil.rmtree(folder)
    report.add(f"All this took {time.monotonic() - start:.0f} s.")
    if busy:
        report.add("The machine was busy with other things: trust the CPU times, not the rates.")
    name = "-".join(word for word in (str(datetime.date.today()), commit, kind) if word)
    results = servers.HERE / "results" / f"{name}.md"
    results.parent.mkdir(exist_ok=True)
    results.write_text("\n".join(report.lines) + "\n")
    print(f"\nwritten to {results.relative_to(ROOT)}")
