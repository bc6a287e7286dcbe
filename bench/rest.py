# SPDX-License-Identifier: Apache-2.0
"""The REST API: objects put, read, listed, deleted, and uploaded in parts.

nginx puts by WebDAV into files that it does not sync, and serves them as static files; it checks
no signature. Ceph's gateway (radosgw) is asked by S3, signed as postern is.
"""

import base64
import email.utils
import hashlib
import hmac
import http.client
import os
import re

import servers
from measure import SECONDS, alternate, load

MARK, RANDOM = "#" * 16, "~" * 16
SMALL, MIDDLE = 4 << 10, 1 << 20
PART = 16 << 20
PARTS = 64
FOREVER = 1 << 60


class Rest:
    """One server's objects; each run that puts has names of its own."""

    runs = 0

    def __init__(self, server, bucket=None):
        self.server = server
        self.port, self.path, self.sign = server.rest_target()
        if bucket:
            self.path = f"/{bucket}/"

    def make_bucket(self):
        self.ask("PUT", self.path)

    def arguments(self, method, target, size, connections, requests=FOREVER, run=0, keys=0, **how):
        """Those of rest_load."""
        seconds = how.get("seconds", SECONDS)
        arguments = [self.port, method, self.path + target, size, connections, seconds]
        return [*arguments, requests, self.sign, run, keys]

    def load(self, *what, scale=1, **how):
        return load(self.server, "rest_load", self.arguments(*what, **how), scale)

    def put(self, size, connections, requests=FOREVER, seconds=SECONDS):
        Rest.runs += 1
        sample = self.load(
            "PUT", f"put-{MARK}", size, connections, requests, Rest.runs, seconds=seconds
        )
        os.sync()
        return sample

    def overwrite(self, name, size, count, connections):
        return self.load("PUT", f"{name}-{MARK}", size, connections, keys=count)

    def fill(self, name, size, count, connections=8):
        self.load("PUT", f"{name}-{MARK}", size, connections, count, seconds=3600)

    def fill_random(self, name, size, count, run=0):
        """Names that come in an order like chance's; list() is for them."""
        self.load("PUT", f"{name}-{RANDOM}", size, 64, count, run, seconds=3600)

    def get(self, name, count, connections):
        return self.load("GET", f"{name}-{MARK}", 0, connections, keys=count)

    def delete(self, count, connections=8):
        Rest.runs += 1
        run = Rest.runs
        self.load("PUT", f"del-{MARK}", SMALL, 64, count, run, seconds=600)
        return self.load("DELETE", f"del-{MARK}", 0, connections, count, run, seconds=600)

    def list(self, name, connections, count=1000):
        """Keys that are `name` and RANDOM, from places that are different each time."""
        Rest.runs += 1
        target = f"?max-keys={count}&prefix={name}-&marker={name}-{RANDOM}"
        return self.load("GET", target, 0, connections, run=Rest.runs)

    def ask(self, method, target, body=b"", headers=None):
        """One signed request; the answer's body."""
        date = email.utils.formatdate(usegmt=True)
        word, key, secret = self.sign.split(":")
        text = f"{method}\n\n\n{date}\n{target}"
        mac = hmac.new(secret.encode(), text.encode(), hashlib.sha1).digest()
        signature = base64.b64encode(mac).decode()
        connection = http.client.HTTPConnection("127.0.0.1", self.port)
        connection.request(
            method,
            target,
            body,
            {"Date": date, "Authorization": f"{word} {key}:{signature}", **(headers or {})},
        )
        answer = connection.getresponse()
        content = answer.read().decode()
        connection.close()
        if answer.status // 100 != 2:
            raise RuntimeError(f"{method} {target}: {answer.status} {content}")
        return content

    def put_parts(self, etag):
        """One object of PARTS parts; counted as one request of all its bytes."""
        Rest.runs += 1
        scale = 1 / PARTS
        if self.sign == "-":
            return self.load("PUT", f"{Rest.runs}-{MARK}", PART, 4, PARTS, seconds=600, scale=scale)
        name = f"parts-{Rest.runs}"
        begun = self.ask("POST", f"{self.path}{name}?uploads")
        upload = re.search("<UploadId>(.*?)</UploadId>", begun)[1]
        target = f"{name}?partNumber=@@@@@&uploadId={upload}"
        sample = self.load("PUT", target, PART, 4, PARTS, seconds=600, scale=scale)
        part = "<Part><PartNumber>{}</PartNumber><ETag>&quot;{}&quot;</ETag></Part>"
        parts = "".join(part.format(i + 1, etag) for i in range(PARTS))
        body = f"<CompleteMultipartUpload>{parts}</CompleteMultipartUpload>".encode()
        self.ask("POST", f"{self.path}{name}?uploadId={upload}", body)
        self.ask("DELETE", f"{self.path}{name}")
        return sample


def part_etag():
    """The MD5 of a part as rest_load sends it: one MiB of xorshift again and again."""
    x, mib = 88172645463325252, bytearray()
    for _ in range(1 << 20):
        x ^= x << 13 & (1 << 64) - 1
        x ^= x >> 7
        x ^= x << 17 & (1 << 64) - 1
        mib.append(x >> 24 & 255)
    return hashlib.md5(bytes(mib) * (PART >> 20)).hexdigest()


def table(report, title, unit, all_of_them, act, scale=1.0, digits=0):
    report.add(f"### {title}")
    report.add()
    samples = alternate({name: lambda r=rest: act(r) for name, rest in all_of_them.items()})
    report.table(samples, "postern", unit, scale, digits)


def measure(report, folder, postern, nginx):
    ceph = servers.Ceph(folder / "ceph")
    gateway = servers.RadosGwAndCeph(ceph)
    both = {"postern": Rest(postern), "nginx": Rest(nginx)}
    rest = dict(both)
    if gateway.problem:
        report.add(f"Ceph's gateway does not run here: {gateway.problem}")
        report.add()
    else:
        rest["radosgw"] = Rest(gateway)
        rest["radosgw"].make_bucket()
    report.add("All requests to postern and to radosgw (one OSD, one copy) are signed. nginx puts by")
    report.add("WebDAV without syncing, and checks nothing.")
    report.add()
    for size, label in ((SMALL, "4 KiB"), (MIDDLE, "1 MiB")):
        for connections in (1, 8, 64):
            title = f"PutObject of {label}, durable; connections: {connections}"
            table(report, title, "objects/s", rest, lambda r: r.put(size, connections))
    for name, size, count, label in (("s", SMALL, 5000, "4 KiB"), ("m", MIDDLE, 200, "1 MiB")):
        for each in rest.values():
            each.fill(name, size, count)
        for connections in (1, 8, 64):
            title = f"GetObject of {label}; connections: {connections}"
            table(report, title, "objects/s", rest, lambda r: r.get(name, count, connections))
    table(report, "DeleteObject; connections: 8", "objects/s", rest, lambda r: r.delete(5000))
    signed = {name: each for name, each in rest.items() if name != "nginx"}
    table(
        report,
        "ListObjects, 1,000 keys; connections: 8",
        "lists/s",
        signed,
        lambda r: r.load("GET", "?max-keys=1000&prefix=s-", 0, 8),
    )
    etag = part_etag()
    title = f"An object of 1 GiB in {PARTS} parts, 4 at a time (nginx: as many files)"
    table(report, title, "GB/s", rest, lambda r: r.put_parts(etag), PARTS * PART / 1e9, 2)
    ceph.stop()
