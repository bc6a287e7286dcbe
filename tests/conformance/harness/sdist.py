# SPDX-License-Identifier: Apache-2.0
"""The tests that come with oss2: they are in the source package that PyPI has.

They sleep now and then, as changes to a real bucket take a while to be seen everywhere. So they run
in several processes, a module in each, each with a server and a folder of its own.
"""
import os
import shutil
import subprocess
import tarfile
from concurrent.futures import ThreadPoolExecutor

from .result import BUILD, HERE, Result, Unavailable, from_tap, split
from .sdk import PythonSdk
from .server import KEY_ID, KEY_SECRET, Server

PROCESSES = 6
SECONDS = 600
TAP = str(HERE / "python" / "oss2_tests.py")
# Modules whose tests talk to no server.
OFFLINE = ["mock_bucket", "mock_multipart", "mock_object", "crc64_combine", "credentials_provider", "crypto", "init",
           "utils"]


class SdistTests(PythonSdk):
    def __init__(self):
        super().__init__("oss2", "2.19.1", "")
        self.name, self.title = "oss2-tests", "oss2's own tests, from PyPI's source package"
        self.source = BUILD / f"oss2-{self.version}-source"
        self.tree = self.source / f"oss2-{self.version}"
        self.home, self.besides = BUILD / f"oss2-{self.version}-tests", ["mock"]
        self.python = str(self.home / "bin" / "python")

    def build(self):
        """The package as installed, and its source for the tests."""
        super().build()
        try:
            if not (self.source / ".unpacked").exists():
                shutil.rmtree(self.source, ignore_errors=True)
                self.pip("download", "--no-deps", "--no-binary", ":all:", "--dest", str(self.source),
                         f"oss2=={self.version}")
                with tarfile.open(next(self.source.glob("*.tar.gz"))) as archive:
                    archive.extractall(self.source)
                # What is tested is the package that is installed.
                shutil.rmtree(self.tree / "oss2")
                (self.source / ".unpacked").touch()
        except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
            raise Unavailable(f"oss2's source cannot be had: {(error.stderr or '')[-300:]}") from None

    def run(self, choose=None, everything=False):
        self.build()
        names = [name for name in self.list() if choose is None or choose(name)]
        wanted, skipped = split(self.name, names, everything) if choose is None else (names, [])
        modules = {}
        for name in wanted:
            modules.setdefault(name.split(".")[1], []).append(name)
        shutil.rmtree(self.source / "work", ignore_errors=True)
        with ThreadPoolExecutor(PROCESSES) as pool:
            parts = pool.map(self.run_module, modules, modules.values())
            return [result for part in parts for result in part] + skipped

    def list(self):
        ignored = tuple(f"tests.test_{module}." for module in OFFLINE)
        listed = subprocess.run([self.python, TAP, "--list", "tests"], cwd=self.tree, check=True, capture_output=True,
                                text=True).stdout.split()
        return [name for name in listed if name.startswith("tests.") and not name.startswith(ignored)]

    def run_module(self, module, names):
        folder = self.source / "work" / module
        folder.mkdir(parents=True)
        os.symlink(self.tree / "tests", folder / "tests")
        os.symlink(self.tree / "unittests", folder / "unittests")
        with Server(POSTERN_STORE_REGION="cn-hangzhou") as server:
            environment = {**os.environ, "OSS_TEST_ENDPOINT": server.store, "OSS_TEST_ACCESS_KEY_ID": KEY_ID,
                           "OSS_TEST_ACCESS_KEY_SECRET": KEY_SECRET, "OSS_TEST_REGION": "cn-hangzhou",
                           "OSS_TEST_UID": "postern", "OSS_TEST_BUCKET": "tests-", "PYTHONDONTWRITEBYTECODE": "1"}
            with open(folder / "log", "wb") as log:
                try:
                    output = subprocess.run([self.python, TAP, "--names", *names], cwd=folder, env=environment,
                                            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log,
                                            timeout=SECONDS).stdout
                except subprocess.TimeoutExpired as error:
                    output = error.stdout or b""
            output = output.decode(errors="replace")
            (folder / "output").write_text(output)
            (folder / "server.log").write_text(server.log())
        found = {result.name: result for result in from_tap(output)}
        return [found.get(name, Result(name, "fail", "it did not run")) for name in names]
