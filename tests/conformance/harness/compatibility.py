# SPDX-License-Identifier: Apache-2.0
"""Writes docs/compatibility.md. The rows of suites that did not run stay as they are."""
import re

from . import operations
from .result import HERE, ROOT, Result, skip_list

PATH = ROOT / "docs" / "compatibility.md"
ROW = re.compile(r"^\| (\S+) \| (.*?) \| (.*?) \| (\d+) \| (\d+) \| (\d+) \|$", re.MULTILINE)
HEAD = """# Compatibility

`make conformance` wrote this page: it runs software that others wrote, unmodified, against the
real server. Where an SDK's package has tests of its own, they are run; of the others, a script that
uses everything they have is in `tests/conformance/`.

"""


def write(outcomes):
    """`outcomes`: {suite: results} of the suites that ran."""
    rows = {row[0]: row for row in ROW.findall(PATH.read_text())} if PATH.exists() else {}
    text = PATH.read_text() if PATH.exists() else ""
    table = None
    for suite, results in outcomes.items():
        if isinstance(suite, operations.Operations):
            table = operation_table(suite.answers)
            continue
        counts = [str(sum(result.status == status for result in results)) for status in ("pass", "fail", "skip")]
        rows[suite.name] = (suite.name, suite.title, suite.version, *counts)
    old = re.search(r"^## Operations\n.*", text, re.MULTILINE | re.DOTALL)
    parts = [HEAD, sdk_table(rows), (HERE / "notes.md").read_text(), "\n", skipped(rows),
             table or (old[0] if old else "")]
    PATH.write_text("".join(parts))


def check_operations(answers):
    """Whether the page tells of the operations what the server does."""
    good = PATH.exists() and operation_table(answers) in PATH.read_text()
    return Result(PATH.name, "pass" if good else "fail", "" if good else
                  "it is not what the store does: tests/conformance/run operations")


def sdk_table(rows):
    lines = ["| suite | software | version | pass | fail | skip |", "|---|---|---|---|---|---|"]
    return "\n".join(lines + ["| " + " | ".join(rows[name]) + " |" for name in sorted(rows)]) + "\n\n"


def skipped(rows):
    """Each suite's list, by reason."""
    text = "## What is skipped, and why\n\n"
    for name in sorted(rows):
        reasons = {}
        for test, reason in skip_list(name).items():
            reasons.setdefault(reason, []).append(test)
        if not reasons:
            continue
        text += f"### {name}\n\n| why | tests |\n|---|---|\n"
        for reason, tests in sorted(reasons.items()):
            text += f"| {reason} | {', '.join(tests)} |\n"
        text += "\n"
    return text


def operation_table(answers):
    text = "## Operations\n\nOf those that are not there, the answer.\n"
    group = None
    for operation in operations.listed():
        if operation.group != group:
            group = operation.group
            text += f"\n### {group}\n\n| operation | |\n|---|---|\n"
        text += f"| {operation.name} | {answers[operation.name] or 'yes'} |\n"
    return text
