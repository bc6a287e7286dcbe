# SPDX-License-Identifier: Apache-2.0
"""The real server on free ports of the loopback, with a data folder of its own."""
import os
import re
import subprocess
import tempfile
import time
from contextlib import ExitStack

from .gateways import cluster, free_port, in_turns
from .result import ROOT

BINARY = os.environ.get("POSTERN_BIN", str(ROOT / "build" / "postern"))
START_SECONDS = 60
STOP_SECONDS = 60
KEY_ID = "conformancekeyid"
KEY_SECRET = "conformance-key-secret-0123456789"


class Process:
    """One process of postern, with a data folder below `home`, and its log."""

    def __init__(self, home, command, environment):
        os.makedirs(home, exist_ok=True)
        self.log_path = os.path.join(home, "log")
        with open(self.log_path, "wb") as log:
            self.process = subprocess.Popen(
                [BINARY, *command, "--store-listen", "127.0.0.1:0", "--console-listen", "127.0.0.1:0"],
                env={**os.environ, "POSTERN_ACCESS_KEY_ID": KEY_ID, "POSTERN_ACCESS_KEY_SECRET": KEY_SECRET,
                     "POSTERN_STORE_CALLBACK_ALLOW": "127.0.0.1", **environment},
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def wait_until_ready(self):
        deadline = time.monotonic() + START_SECONDS
        while not (self.url("object store") and self.url("console")):
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError("the server did not start:\n" + self.log())
            time.sleep(0.02)

    def stop(self):
        """Ends it. Raises if it had ended before, or does not end well."""
        early = self.process.poll()
        self.process.terminate()
        try:
            status = self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            status = self.process.wait()
        if early is not None or status != 0:
            raise RuntimeError(f"the server died ({status}):\n{self.log()[-4000:]}")

    def url(self, name):
        """The address that it has said."""
        found = re.search(rf"{name} +(http\S+?)/?\n", self.log())
        return found and found[1]

    def log(self):
        with open(self.log_path, encoding="utf-8", errors="replace") as log:
            return log.read()


class Server:
    """with Server() as server: server.store is the URL of the object store.

    Server(POSTERN_STORE_REGION="x") sets options by the environment. With Server.ephemeral it is the
    store in memory; with Server.gateways it is so many gateways on a Ceph cluster, behind Server.proxy.
    """
    ephemeral = False
    gateways = 0
    proxy = "nginx"
    command, more = "store", []

    def __init__(self, **environment):
        self.environment = environment

    def __enter__(self):
        with ExitStack() as started:
            home = started.enter_context(tempfile.TemporaryDirectory(
                prefix="postern-conformance-", ignore_cleanup_errors=True))
            environment = self.environment
            if self.gateways:
                port = free_port()
                environment = {**environment, **self.behind(f"http://127.0.0.1:{port}"),
                               **started.enter_context(cluster(home))}
            self.processes = []
            for number in range(self.gateways or 1):
                process = Process(f"{home}/{number}", self.arguments(f"{home}/{number}/data"), environment)
                started.callback(process.stop)
                self.processes.append(process)
            for process in self.processes:
                process.wait_until_ready()
            self.store = self.processes[0].url("object store")
            if self.gateways:
                addresses = [[process.url(name).removeprefix("http://") for name in ("object store", "console")]
                             for process in self.processes]
                started.enter_context(in_turns(home, port, addresses, self.proxy))
                self.store = f"http://127.0.0.1:{port}"
            self.operations = self.processes[0].url("console")
            self.started = started.pop_all()
        return self

    def __exit__(self, *_):
        self.started.close()

    def behind(self, proxy):
        """What gateways are told of the URL under which they are asked."""
        return {"POSTERN_STORE_CALLBACK_KEY_URL": f"{proxy}/-/callback_pub_key_v1.pem"}

    def arguments(self, data):
        return [self.command, *self.more, *(["--ephemeral"] if self.ephemeral else ["--data", data])]

    def log(self):
        return "".join(process.log() for process in self.processes)


class WholeServer(Server):
    """With the application server: server.app."""
    command, more = "serve", ["--app-listen", "127.0.0.1:0"]

    def behind(self, proxy):
        return {**super().behind(proxy), "POSTERN_APP_HOST": f"{proxy}/uploads",
                "POSTERN_APP_KEY_URLS": f"{proxy}/-/callback_pub_key_v1.pem"}

    def __enter__(self):
        super().__enter__()
        self.app = self.processes[0].url("application server")
        return self
