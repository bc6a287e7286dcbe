# SPDX-License-Identifier: Apache-2.0
"""Tests that Maven builds and runs: java/FOLDER. The software under test comes from Maven's repository."""
import os
import re
import shutil
import subprocess
from xml.etree import ElementTree

from .operations import send
from .result import BUILD, HERE, Result, Unavailable, skip_list
from .server import KEY_ID, KEY_SECRET, Server, WholeServer

BUILD_SECONDS = 900
SECONDS = 1500


class MavenSuite:
    more = ()

    def __init__(self, name, title, folder):
        self.name, self.title, self.folder = name, title, HERE / "java" / folder
        self.version = re.search(r"<sdk\.version>(.*?)<", (self.folder / "pom.xml").read_text())[1]
        self.home = BUILD / name

    def mvn(self, *arguments, seconds, check=True, **environment):
        command = ["mvn", "-B", "-q", "-f", str(self.folder / "pom.xml"), f"-Dbuild.folder={self.home}",
                   f"-Dsdk.version={self.version}", *self.more, *arguments]
        return subprocess.run(command, env={**os.environ, **environment}, stdin=subprocess.DEVNULL, check=check,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=seconds)

    def build(self):
        """Only what cannot be had is no failure; sources that do not compile are one."""
        for program in ("java", "mvn"):
            if not shutil.which(program):
                raise Unavailable(f"there is no {program}")
        shutil.rmtree(self.home, ignore_errors=True)
        try:
            done = self.mvn("test-compile", seconds=BUILD_SECONDS, check=False)
        except subprocess.TimeoutExpired:
            raise Unavailable("Maven does not come to an end") from None
        if done.returncode == 0:
            return
        if "COMPILATION ERROR" in done.stdout:
            raise RuntimeError(done.stdout[-4000:])
        lines = [line for line in done.stdout.splitlines() if line.startswith("[ERROR]")]
        raise Unavailable("Maven: " + " ".join(lines)[:300])

    def server(self):
        return Server()

    def environment(self, server):
        return {"STORE": server.store, "OPERATIONS": server.operations, "KEY_ID": KEY_ID, "KEY_SECRET": KEY_SECRET}

    def run(self, choose=None, everything=False):
        self.build()
        skips = skip_list(self.name)
        chosen = ["-Dtest=" + ",".join("!" + test.replace(".", "#") for test in skips)] if skips and not everything else []
        with self.server() as server:
            done = self.mvn("surefire:test", "-Dmaven.test.failure.ignore=true", f"-Dsurefire.timeout={SECONDS}", *chosen,
                            seconds=SECONDS + 120, check=False, **self.environment(server))
            (self.home / "server.log").write_text(server.log())
        (self.home / "output").write_text(done.stdout)
        results = self.reports()
        if not results or "There was a timeout" in done.stdout:
            results += [Result(self.name, "fail", f"status {done.returncode}\n{done.stdout[-2000:]}")]
        skipped = [] if everything else [Result(test, "skip", reason) for test, reason in skips.items()]
        return [result for result in results if choose is None or choose(result.name)] + skipped

    def reports(self):
        results = []
        for path in sorted((self.home / "surefire-reports").glob("TEST-*.xml")):
            for case in ElementTree.parse(path).iter("testcase"):
                name = case.get("classname").split(".")[-1] + "." + case.get("name")
                wrong = case.find("failure") if case.find("failure") is not None else case.find("error")
                skipped = case.find("skipped")
                if wrong is not None:
                    results.append(Result(name, "fail", (wrong.text or wrong.get("message") or "").strip()[:1500]))
                elif skipped is not None:
                    why = " ".join((skipped.get("message") or "").split())
                    results.append(Result(name, "skip", f"the test itself: {why[:200]}"))
                else:
                    results.append(Result(name, "pass", ""))
        return results


class Hadoop(MavenSuite):
    """hadoop-aliyun under Hadoop's contract tests. It asks by a host name that stands for the bucket."""

    HOST, BUCKET = "oss.test", "hadoop"

    def __init__(self):
        super().__init__("hadoop-aliyun", "hadoop-aliyun under Hadoop's contract tests, Maven", "hadoop")

    def server(self):
        return Server(POSTERN_STORE_HOSTS=f"{self.HOST}={self.BUCKET}")

    def environment(self, server):
        (self.home / "hosts").write_text(f"127.0.0.1 {self.HOST} localhost\n")
        status, code = send(server, "PUT", f"/{self.BUCKET}/")
        if status != 200:
            raise RuntimeError(f"the bucket of the tests: {status} {code}")
        return super().environment(server)


class OkHttp(MavenSuite):
    """What Android applications send with, posting forms of the application server."""

    def __init__(self, version):
        super().__init__(f"okhttp-{version[0]}", "OkHttp, posting forms, Maven", "okhttp")
        self.version = version
        self.more = ["-Dokhttp.artifact=" + ("okhttp" if version < "5" else "okhttp-jvm")]

    def server(self):
        return WholeServer()

    def environment(self, server):
        return {**super().environment(server), "APP": server.app}
