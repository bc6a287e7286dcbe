# SPDX-License-Identifier: Apache-2.0
"""The real server on free ports of the loopback, with a data folder of its own."""
import os
import re
import shutil
import subprocess
import tempfile
import time

from .result import ROOT

BINARY = os.environ.get("POSTERN_BIN", str(ROOT / "build" / "postern"))
START_SECONDS = 60
STOP_SECONDS = 60
KEY_ID = "conformancekeyid"
KEY_SECRET = "conformance-key-secret-0123456789"


class Server:
    """with Server() as server: server.store is the URL of the object store.

    Server(POSTERN_STORE_REGION="x") sets options by the environment. With Server.ephemeral it is the
    store in memory.
    """
    ephemeral = False
    command, more = "store", []

    def __init__(self, **environment):
        self.environment = environment

    def __enter__(self):
        self.data = tempfile.mkdtemp(prefix="postern-conformance-")
        self.log_path = os.path.join(self.data, "log")
        with open(self.log_path, "wb") as log:
            self.process = subprocess.Popen(
                [BINARY, self.command, *self.more, *(["--ephemeral"] if self.ephemeral else ["--data", self.data + "/data"]),
                 "--store-listen", "127.0.0.1:0", "--console-listen", "127.0.0.1:0"],
                env={**os.environ, "POSTERN_ACCESS_KEY_ID": KEY_ID, "POSTERN_ACCESS_KEY_SECRET": KEY_SECRET,
                     "POSTERN_STORE_CALLBACK_ALLOW": "127.0.0.1", **self.environment},
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        deadline = time.monotonic() + START_SECONDS
        while True:
            found = re.search(r"object store +(http\S+?)/?\n", self.log())
            if found and "console" in self.log():
                self.store = found[1]
                self.operations = self.url("console")
                return self
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError("the server did not start:\n" + self.log())
            time.sleep(0.02)

    def __exit__(self, *_):
        early = self.process.poll()
        self.process.terminate()
        try:
            status = self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            status = self.process.wait()
        log = self.log()
        shutil.rmtree(self.data, ignore_errors=True)
        if early is not None or status != 0:
            raise RuntimeError(f"the server died ({status}):\n{log[-4000:]}")

    def url(self, name):
        return re.search(rf"{name} +(http\S+?)/?\n", self.log())[1]

    def log(self):
        with open(self.log_path, encoding="utf-8", errors="replace") as log:
            return log.read()


class WholeServer(Server):
    """With the application server: server.app."""
    command, more = "serve", ["--app-listen", "127.0.0.1:0"]

    def __enter__(self):
        super().__enter__()
        self.app = self.url("application server")
        return self
