# SPDX-License-Identifier: Apache-2.0
"""What the server says to the operations of the OSS API that it does not have.

Nothing may be accepted and ignored: the answer is 501 NotImplemented, or of a configuration that
is read or deleted, that there is none.
"""
import base64
import datetime
import hashlib
import hmac
import http.client
import re
import urllib.parse
from collections import namedtuple

from .result import HERE, ROOT, Result
from .server import KEY_ID, KEY_SECRET, Server

BUCKET, KEY = "operations", "key"
# What is asked for by a header as well.
HEADERS = {"x-oss-copy-source:": {"x-oss-copy-source": f"/{BUCKET}/{KEY}"}}

Operation = namedtuple("Operation", "group name method level query headers")


def listed():
    """The operations of operations.txt."""
    operations, group = [], None
    for line in (HERE / "operations.txt").read_text().splitlines():
        if line.startswith("# ") and " " not in line[2:]:
            group = line[2:]
        elif line and not line.startswith("#"):
            name, method, level, query = re.match(r"(.+?) +([A-Z]+) +(service|bucket|object) +(.+)$", line).groups()
            words = query.split()
            headers = {k: v for word in words if word in HEADERS for k, v in HEADERS[word].items()}
            query = "&".join(word for word in words if word not in HEADERS and word != "-")
            operations.append(Operation(group, name, method, level, query, headers))
    return operations


def implemented():
    """The names of the operations of src/ops/operations.def."""
    table = (ROOT / "src" / "ops" / "operations.def").read_text()
    names = set()
    for path in (ROOT / "src" / "ops").rglob("*.c"):
        for symbol, body in re.findall(r"^const struct op (\w+) = \{(.*?)^\};", path.read_text(),
                                       re.MULTILINE | re.DOTALL):
            if f"OPERATION({symbol.removeprefix('op_')})" in table:
                names.add(re.search(r'\.name = "(\w+)"', body)[1])
    return names


def never_set():
    """Those of configurations that the store has not got: src/ops/bucket/never_set.def."""
    rows = (ROOT / "src" / "ops" / "bucket" / "never_set.def").read_text()
    return set(re.findall(r"^NEVER_SET_\w+\((\w+),", rows, re.MULTILINE))


def send(server, method, path, query="", body=b"", headers=None):
    """Status and error code of a signed request (V4)."""
    now = datetime.datetime.now(datetime.timezone.utc)
    stamp = now.strftime("%Y%m%dT%H%M%SZ")
    scope = f"{stamp[:8]}/cn-hangzhou/oss/aliyun_v4_request"
    headers = {**(headers or {}), "x-oss-date": stamp, "x-oss-content-sha256": "UNSIGNED-PAYLOAD"}
    if method in ("PUT", "POST"):
        headers["content-md5"] = base64.b64encode(hashlib.md5(body).digest()).decode()
    parameters = sorted(urllib.parse.quote(part.partition("=")[0], "") + "".join(
        "=" + urllib.parse.quote(value, "") for value in part.split("=")[1:]) for part in query.split("&"))
    signed = "".join(f"{name}:{value}\n" for name, value in sorted(headers.items()))
    canonical = "\n".join([method, path, "&".join(parameters), signed, "", "UNSIGNED-PAYLOAD"])
    text = "\n".join(["OSS4-HMAC-SHA256", stamp, scope, hashlib.sha256(canonical.encode()).hexdigest()])
    key = b"aliyun_v4" + KEY_SECRET.encode()
    for part in [*scope.split("/"), text]:
        key = hmac.digest(key, part.encode(), "sha256")
    headers["Authorization"] = f"OSS4-HMAC-SHA256 Credential={KEY_ID}/{scope},Signature={key.hex()}"
    connection = http.client.HTTPConnection(urllib.parse.urlsplit(server.store).netloc, timeout=30)
    try:
        connection.request(method, path + ("?" + query if query else ""), body, headers)
        answer = connection.getresponse()
        content = answer.read().decode(errors="replace")
    finally:
        connection.close()
    code = re.search("<Code>(.*?)</Code>", content)
    return answer.status, code[1] if code else ""


class Operations:
    """All results of the probe are in `answers`: {operation: text}, for the document."""

    name, title, version = "operations", "operations that are not there", ""
    PATHS = {"service": "/", "bucket": f"/{BUCKET}/", "object": f"/{BUCKET}/{KEY}"}

    def run(self, choose=None, everything=False):
        there = implemented()
        operations = listed()
        self.absent = never_set()
        unknown = (there | self.absent) - {operation.name for operation in operations}
        results = [Result(name, "fail", "is not in operations.txt") for name in sorted(unknown)]
        self.answers = {}
        with Server() as server:
            for method, path in (("PUT", self.PATHS["bucket"]), ("PUT", self.PATHS["object"])):
                status, code = send(server, method, path)
                if status != 200:
                    raise RuntimeError(f"{method} {path}: {status} {code}")
            for operation in operations:
                if operation.name in there:
                    self.answers[operation.name] = None
                else:
                    results.append(self.ask(server, operation))
        return results

    def ask(self, server, operation):
        status, code = send(server, operation.method, self.PATHS[operation.level], operation.query,
                            headers=operation.headers)
        unset = operation.method in ("GET", "DELETE") and status == 404 and code.startswith("NoSuch")
        if operation.name in self.absent:
            unset = unset or status == {"GET": 200, "DELETE": 204}[operation.method]
            code = code or "never set"
        self.answers[operation.name] = f"{status} {code}"
        if unset or (status, code) == (501, "NotImplemented"):
            return Result(operation.name, "pass", "")
        return Result(operation.name, "fail", f"{operation.method} ?{operation.query}: {status} {code}")
