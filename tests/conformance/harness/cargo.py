# SPDX-License-Identifier: Apache-2.0
"""opendal, a crate: rust/ is a program that uses its service `oss`."""
import re
import shutil
import subprocess

from .operations import send
from .result import BUILD, HERE, Unavailable
from .sdk import ScriptSuite
from .server import KEY_ID, KEY_SECRET, Server

BUILD_SECONDS = 1500
BUCKET = "opendal"


class Opendal(ScriptSuite):
    FOLDER = HERE / "rust"

    def __init__(self):
        version = re.search(r'opendal = \{ version = "=(.*?)"', (self.FOLDER / "Cargo.toml").read_text())[1]
        super().__init__("opendal", "opendal's service oss, crate", version)
        self.home = BUILD / self.name

    def build(self):
        """Sources that do not compile are a failure; a compiler that is too old is not to be had."""
        if not shutil.which("cargo"):
            raise Unavailable("there is no cargo")
        try:
            done = subprocess.run(["cargo", "build", "--quiet", "--locked", "--manifest-path",
                                   str(self.FOLDER / "Cargo.toml"), "--target-dir", str(self.home)],
                                  stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=BUILD_SECONDS)
        except subprocess.TimeoutExpired:
            raise Unavailable("cargo does not come to an end") from None
        if done.returncode == 0:
            return
        if "could not compile `conformance`" in done.stderr:
            raise RuntimeError(done.stderr[-4000:])
        raise Unavailable("cargo: " + " ".join(done.stderr.split())[:300])

    def run(self, choose=None, everything=False):
        self.build()
        with Server() as server:
            status, code = send(server, "PUT", f"/{BUCKET}/")
            if status != 200:
                raise RuntimeError(f"the bucket of the tests: {status} {code}")
            results = self.tap([str(self.home / "debug" / "conformance")], STORE=server.store, KEY_ID=KEY_ID,
                               KEY_SECRET=KEY_SECRET)
        return [result for result in results if choose is None or choose(result.name)]
