# SPDX-License-Identifier: Apache-2.0
"""SDKs that come without tests: scripts of real use, below tests/conformance/."""
import os
import subprocess

from .result import BUILD, HERE, ROOT, Result, Unavailable, from_tap, skip_list
from .server import KEY_ID, KEY_SECRET, Server

SECONDS = 600


class ScriptSuite:
    """Base: `command` gives TAP of tests."""

    def __init__(self, name, title, version):
        self.name, self.title, self.version = name, title, version

    def tap(self, command, **environment):
        try:
            done = subprocess.run(command, cwd=ROOT, env={**os.environ, **environment}, stdin=subprocess.DEVNULL,
                                  capture_output=True, text=True, timeout=SECONDS)
        except subprocess.TimeoutExpired:
            return [Result(self.name, "fail", "the time is up")]
        results = from_tap(done.stdout)
        if done.returncode != 0 and not any(result.status == "fail" for result in results):
            results.append(Result(self.name, "fail", f"status {done.returncode}\n{done.stderr[-2000:]}"))
        return results


class PythonSdk(ScriptSuite):
    """A package of PyPI in an environment of its own, and tests in python/FOLDER."""

    def __init__(self, package, version, folder):
        super().__init__(package, f"{package}, PyPI", version)
        self.package, self.folder = package, folder
        self.home = BUILD / f"{package}-{version}"
        self.besides = []  # what its tests need

    def pip(self, *arguments):
        subprocess.run([str(self.home / "bin" / "python"), "-m", "pip", "-q", "--disable-pip-version-check", *arguments],
                       check=True, capture_output=True, text=True, timeout=300)

    def build(self):
        if (self.home / ".installed").exists():
            return
        try:
            subprocess.run(["python3", "-m", "venv", "--clear", str(self.home)], check=True, capture_output=True,
                           text=True)
            self.pip("install", f"{self.package}=={self.version}", *self.besides)
        except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
            raise Unavailable(f"{self.name} cannot be installed: {(error.stderr or '')[-300:]}") from None
        (self.home / ".installed").touch()

    def run(self, choose=None, everything=False):
        self.build()
        with Server() as server:
            return self.tap([str(self.home / "bin" / "python"), str(HERE / "python" / "tap.py"),
                             str(HERE / "python" / self.folder)], STORE=server.store, OPERATIONS=server.operations,
                            KEY_ID=KEY_ID, KEY_SECRET=KEY_SECRET, PYTHONDONTWRITEBYTECODE="1")


class NodeSdk(ScriptSuite):
    """Tests of node:test in FOLDER, with the packages of tests/node_modules."""

    def __init__(self, package, folder):
        with open(ROOT / "tests" / "node_modules" / package / "package.json", encoding="utf-8") as file:
            version = __import__("json").load(file)["version"]
        super().__init__(package, f"{package}, npm", version)
        self.folder = HERE / folder

    def run(self, choose=None, everything=False):
        files = sorted(str(path) for path in self.folder.glob("*.test.js"))
        return self.tap(["node", "--test", "--test-reporter=tap", *files],
                        NODE_OPTIONS="--dns-result-order=ipv4first")
