# SPDX-License-Identifier: Apache-2.0
"""The tests that come with the Go SDKs.

Their tests sleep a lot, because changes to a real bucket take a while to be seen everywhere. So
they run in many processes at once, a few tests in each, each with a server and a folder of its own.
"""
import os
import re
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor

from .result import BUILD, HERE, Result, Unavailable, skip_list
from .sdk import ScriptSuite
from .server import KEY_ID, KEY_SECRET, Server

PROCESSES = 12
TESTS_A_PROCESS = 5
SECONDS = 300
ACCOUNT = "postern"
SAMPLE_TIME = 1450348983  # a whole second: a test counts the digits


def go(*command, **environment):
    """What a go command prints."""
    folder = environment.pop("folder", None)
    try:
        return subprocess.run(["go", *command], cwd=folder, env={**os.environ, **environment}, check=True,
                              capture_output=True, text=True).stdout
    except FileNotFoundError:
        raise Unavailable("there is no go") from None
    except subprocess.CalledProcessError as error:
        raise Unavailable(f"go {command[0]}: {error.stderr.strip()[-500:]}") from None


class GoSuite:
    """Base: `package` is the import path of the tests, `name` that of the suite."""

    tests_a_process = TESTS_A_PROCESS

    def __init__(self, name, title, package):
        self.name, self.title, self.package = name, title, package
        self.home = BUILD / name
        self.program = self.home / "tests"

    def run(self, choose=None, everything=False):
        """Runs the tests that `choose` takes; with `everything` also those that are to be skipped."""
        shutil.rmtree(self.home / "work", ignore_errors=True)
        self.home.mkdir(parents=True, exist_ok=True)
        self.build()
        names = [name for name in self.list() if choose is None or choose(name)]
        skips = skip_list(self.name)
        stale = sorted(set(skips) - set(self.list()))
        if stale:
            raise SystemExit(f"skips/{self.name}: no such test: {' '.join(stale)}")
        wanted = [name for name in names if everything or name not in skips]
        with ThreadPoolExecutor(PROCESSES) as pool:
            parts = pool.map(self.run_part, *zip(*enumerate(self.parts(wanted))))
            results = [result for part in parts for result in part]
        results += [Result(name, "skip", skips[name]) for name in names if name in skips and name not in wanted]
        return results

    def run_part(self, number, names):
        folder = self.home / "work" / str(number)
        (folder / "oss").mkdir(parents=True)
        os.symlink(self.samples(), folder / "sample")
        with Server() as server:
            environment = {**os.environ, "OSS_TEST_ENDPOINT": server.store, "OSS_TEST_ACCESS_KEY_ID": KEY_ID,
                           "OSS_TEST_ACCESS_KEY_SECRET": KEY_SECRET, "OSS_TEST_REGION": "cn-hangzhou",
                           "OSS_TEST_ACCOUNT_ID": ACCOUNT, **self.environment(server)}
            try:
                done = subprocess.run([str(self.program), *self.arguments(names)], cwd=folder / "oss",
                                      env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                      stderr=subprocess.STDOUT, timeout=SECONDS)
                output = done.stdout
            except subprocess.TimeoutExpired as error:
                output = (error.stdout or b"") + b"\nThe time is up.\n"
            output = output.decode(errors="replace")
            (folder / "output").write_text(output)
            (folder / "server.log").write_text(server.log())
        found = self.results(output)
        return [found.get(name, Result(name, "fail", "it did not run:\n" + output[-1500:])) for name in names]

    def parts(self, names):
        """Lists of a few tests each."""
        count = self.tests_a_process
        return [names[i:i + count] for i in range(0, len(names), count)]

    def environment(self, server):
        return {}


class CheckSuite(GoSuite):
    """Tests written with gopkg.in/check.v1: Suite.Test."""

    def list(self):
        listed = subprocess.run([str(self.program), "-check.list"], cwd=self.home, check=True,
                                capture_output=True, text=True).stdout
        return [line for line in listed.splitlines() if "." in line]

    def parts(self, names):
        """By suite, for the set-up of each takes five seconds."""
        by_suite = {}
        for name in names:
            by_suite.setdefault(name.split(".")[0], []).append(name)
        return [part for tests in by_suite.values() for part in super(CheckSuite, self).parts(tests)]

    def arguments(self, names):
        return ["-check.vv", "-check.f", "^(" + "|".join(re.escape(name) for name in names) + ")$"]

    def results(self, output):
        found, started = {}, {}
        for match in re.finditer(r"^(START|PASS|FAIL|SKIP|MISS|PANIC): \S+?: (\S+)(.*)$", output, re.MULTILINE):
            what, name = match[1], match[2]
            if what == "START":
                started[name] = match.end()
            elif what == "PASS":
                found[name] = Result(name, "pass", "")
            elif what == "SKIP":
                found[name] = Result(name, "skip", "the test itself: " + match[3].strip(" ()"))
            else:
                found[name] = Result(name, "fail", f"{what}\n{output[started.get(name, 0):match.start()].strip()[-1500:]}")
        return found


class DebianSdk(CheckSuite):
    """golang-github-aliyun-aliyun-oss-go-sdk-dev. The package leaves out the pictures its tests use."""

    TREE = "/usr/share/gocode"
    SAMPLES = {"BingWallpaper-2015-11-07.jpg": 482048, "The Go Programming Language.html": 150923}

    def __init__(self):
        super().__init__("go-sdk-debian", "aliyun-oss-go-sdk, Debian's package",
                         "github.com/aliyun/aliyun-oss-go-sdk/oss")

    def build(self):
        if not os.path.isdir(f"{self.TREE}/src/{self.package}"):
            raise Unavailable("the package golang-github-aliyun-aliyun-oss-go-sdk-dev is not installed")
        go("test", "-vet=off", "-c", "-o", str(self.program), self.package, GO111MODULE="off", GOFLAGS="",
           GOPATH=f"{self.home}/gopath:{self.TREE}")
        self.make_samples()
        self.version = subprocess.run(
            ["dpkg-query", "-W", "-f", "${Version}", "golang-github-aliyun-aliyun-oss-go-sdk-dev"], check=True,
            capture_output=True, text=True).stdout

    def samples(self):
        return self.home / "sample"

    def make_samples(self):
        """Files of the same size and name as those of the SDK's repository, of other content."""
        folder = self.samples()
        folder.mkdir(exist_ok=True)
        for name, size in self.SAMPLES.items():
            (folder / name).write_bytes(bytes(i * i % 251 for i in range(size)))
            os.utime(folder / name, (SAMPLE_TIME, SAMPLE_TIME))


class Module:
    """A suite whose package is a Go module; go/go.mod says which version."""

    MODULES = HERE / "go"

    def build(self):
        module = self.package.rsplit("/oss", 1)[0]
        flags = {"folder": self.MODULES, "GO111MODULE": "on", "GOFLAGS": "-mod=readonly", "GOTOOLCHAIN": "local"}
        go("test", "-vet=off", "-tags", "integration", "-c", "-o", str(self.program), self.package, **flags)
        self.version, self.folder = go("list", "-m", "-f", "{{.Version}} {{.Dir}}", module, **flags).split()
        self.version = self.version.removeprefix("v").removesuffix("+incompatible")

    def samples(self):
        return self.folder + "/sample"


class ModuleSdk(Module, CheckSuite):
    """The last version of the same SDK."""

    def __init__(self):
        super().__init__("go-sdk", "aliyun-oss-go-sdk, Go module", "github.com/aliyun/aliyun-oss-go-sdk/oss")


class SdkV2(Module, GoSuite):
    """alibabacloud-oss-go-sdk-v2: the tests that talk to a server."""

    tests_a_process = 1  # one that panics takes the others of its process with it

    def __init__(self):
        super().__init__("go-sdk-v2", "alibabacloud-oss-go-sdk-v2", "github.com/aliyun/alibabacloud-oss-go-sdk-v2/oss")

    def list(self):
        names = []
        for path in sorted(os.listdir(self.folder + "/oss")):
            if re.match(r"client_integration.*_test\.go$", path):
                with open(f"{self.folder}/oss/{path}", encoding="utf-8") as file:
                    names += re.findall(r"^func (Test\w+)\(", file.read(), re.MULTILINE)
        return names

    def samples(self):
        return self.folder

    def arguments(self, names):
        return ["-test.v", "-test.run", "^(" + "|".join(names) + ")$"]

    def results(self, output):
        found = {}
        started = 0
        words = {"PASS": "pass", "FAIL": "fail", "SKIP": "skip"}
        for match in re.finditer(r"^(?:=== RUN +(\S+)|--- (PASS|FAIL|SKIP): (\S+) .*)$", output, re.MULTILINE):
            if match[1]:
                started = match.end() if "/" not in match[1] else started
                continue
            status = words[match[2]]
            detail = output[started:match.start()].strip()[-1500:] if status == "fail" else ""
            found[match[3]] = Result(match[3], status, "the test itself" if status == "skip" else detail)
        return found


class Signatures(ScriptSuite):
    """Requests that the signer of alibabacloud-oss-go-sdk-v2 signs: go/signer, and tests in python/go."""

    def __init__(self):
        super().__init__("go-signatures", "alibabacloud-oss-go-sdk-v2, its signer", "")
        self.program = BUILD / self.name

    def run(self, choose=None, everything=False):
        flags = {"folder": HERE / "go", "GO111MODULE": "on", "GOFLAGS": "-mod=readonly", "GOTOOLCHAIN": "local"}
        go("build", "-o", str(self.program), "./signer", **flags)
        module = "github.com/aliyun/alibabacloud-oss-go-sdk-v2"
        self.version = go("list", "-m", "-f", "{{.Version}}", module, **flags).strip().removeprefix("v")
        with Server() as server:
            return self.tap(["python3", str(HERE / "python" / "tap.py"), str(HERE / "python" / "go")],
                            STORE=server.store, SIGNER=str(self.program), KEY_ID=KEY_ID, KEY_SECRET=KEY_SECRET,
                            PYTHONDONTWRITEBYTECODE="1")
