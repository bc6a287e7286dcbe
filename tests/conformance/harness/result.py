# SPDX-License-Identifier: Apache-2.0
"""What a suite gives: results, and the list of what it is expected to skip."""
import re
from collections import namedtuple
from pathlib import Path

HERE = Path(__file__).resolve().parent.parent
ROOT = HERE.parent.parent
BUILD = ROOT / "build" / "conformance"

# status is pass, fail or skip; detail says why, in one line or, of a failure, in several.
Result = namedtuple("Result", "name status detail")


class Unavailable(Exception):
    """The software cannot be had here: no package, no network."""


def skip_list(suite):
    """{test: reason} of skips/SUITE: lines of a test's name and the reason; # begins a comment."""
    path = HERE / "skips" / suite
    skips = {}
    for number, line in enumerate(path.read_text().splitlines() if path.exists() else [], 1):
        if not line.strip() or line.startswith("#"):
            continue
        name, _, reason = line.partition(" ")
        if not reason.strip() or name in skips:
            raise SystemExit(f"{path}:{number}: a test's name, once, and the reason to skip it")
        skips[name] = reason.strip()
    return skips


def split(suite, names, everything=False):
    """Which of `names` to run, and the results of the others: skips/SUITE names tests, or what stands
    before a dot of their names."""
    skips = skip_list(suite)
    used, wanted, skipped = set(), [], []
    for name in names:
        words = name.split(".")
        above = [".".join(words[:n]) for n in range(len(words), 0, -1)]
        found = next((word for word in above if word in skips), None)
        used.add(found)
        if found is None or everything:
            wanted.append(name)
        else:
            skipped.append(Result(name, "skip", skips[found]))
    stale = sorted(set(skips) - used)
    if stale:
        raise SystemExit(f"skips/{suite}: no such test: {' '.join(stale)}")
    return wanted, skipped


def from_tap(text):
    """Results of the tests in a TAP log that have no tests below them."""
    results, open_at = [], {}
    for line in text.splitlines():
        match = re.match(r"^( *)(not )?ok \d+ *(?:- )?(.*)$", line)
        if not match:
            if results and results[-1].status == "fail" and line.strip():
                last = results[-1]
                results[-1] = last._replace(detail=(last.detail + "\n" + re.sub("^ *# ?", "", line))[:2000])
            continue
        depth, bad, name = len(match[1]), match[2], match[3]
        below = [open_at.pop(d) for d in list(open_at) if d > depth]
        open_at[depth] = True
        name, _, directive = name.partition(" # ")
        if below and not bad:
            continue
        if below and any(result.status == "fail" for result in results):
            continue
        status = "fail" if bad else "skip" if directive.upper().startswith("SKIP") else "pass"
        results.append(Result(name.strip(), status, directive[5:] if status == "skip" else ""))
    return results
