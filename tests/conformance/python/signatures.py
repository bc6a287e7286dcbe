# SPDX-License-Identifier: Apache-2.0
"""Requests of all kinds for tests of signatures: what an SDK signs must be taken, and must not be once
the request is another. SIGNATURE_ROUNDS and SIGNATURE_SEED choose how many there are, and which."""
import http.client
import os
import random
import re
from urllib.parse import quote, urlsplit

ROUNDS = int(os.environ.get("SIGNATURE_ROUNDS", "100"))
SEED = int(os.environ.get("SIGNATURE_SEED", "1"))
PIECES = ["a", "Z", "9", " ", "+", "%", "%2B", "%20", "&", "=", "/", "//", ";", ":", ",", "!", "'", "(", ")", "*",
          "~", "-", "_", ".", "@", "$", '"', "<", "|", "中", "é", "😀", "\u00a0", "e\u0301"]
# What V1 signs of a query. A request that is for no operation at all is answered before it is known
# whose it is: so these are for all methods, and those of OPERATIONS come with theirs.
SIGNED = ["versionId", "response-content-type", "response-expires", "response-cache-control",
          "response-content-language", "response-content-disposition", "response-content-encoding"]
OPERATIONS = {"GET": ["", "", "acl", "tagging"], "HEAD": [""], "PUT": ["", "", "acl", "tagging"],
              "DELETE": ["", "tagging"], "POST": ["append"]}
OTHER_METHOD = {"GET": "PUT", "PUT": "GET", "DELETE": "GET", "HEAD": "GET"}


class Asked:
    """One request as a program would ask an SDK for it."""

    def __init__(self, chance):
        def text(most):
            return "".join(chance.choice(PIECES) for _ in range(chance.randint(0, most)))

        self.method = chance.choice(list(OPERATIONS))
        operation = chance.choice(OPERATIONS[self.method])
        self.key = "k" + text(8)
        self.params = {operation: ""} if operation else {}
        if operation == "append":
            self.params["position"] = "0"
        for _ in range(chance.randint(0, 3)):
            self.params[chance.choice(SIGNED)] = text(5)
        for _ in range(chance.randint(0, 3)):
            self.params["q" + text(2)] = text(5)
        # Names in lower case: the SDKs sort them as they were given.
        self.headers = {f"x-oss-meta-{chance.choice('abc')}{n}": ("v" + text(6)).strip()
                        for n in range(chance.randint(0, 3))}
        if chance.random() < 0.5:
            self.headers["content-type"] = chance.choice(["text/plain", "text/html; charset=utf-8", "a/b+c"])
        if chance.random() < 0.3:
            self.headers["content-md5"] = "1B2M2Y8AsgTpgAmY7PhCfg=="
        self.more = {"cache-control"} if chance.random() < 0.5 else set()
        if self.more:
            self.headers["cache-control"] = "no-cache"

    def is_ambiguous(self):
        """V1 signs decoded text: what could be read as another request is refused whoever signed it."""
        signed = [value for name, value in self.params.items() if name in SIGNED]
        return any(mark in text for text in signed + [self.key] for mark in "&?") or any(
            mark in name for name in self.params for mark in "&=?")

    def path(self):
        return "/uploads/" + quote(self.key, safe="/~")

    def query(self):
        return "&".join(quote(name, safe="~") + ("=" + quote(value, safe="~") if value else "")
                        for name, value in self.params.items())


def changes(method, target, headers):
    """The same request with one thing changed, by what it is."""
    made = {"another key": (method, target.replace("/uploads/k", "/uploads/K", 1), headers),
            "a header more": (method, target, {**headers, "x-oss-meta-added": "1"}),
            "another header": (method, target, {**headers, "content-type": "text/changed"})}
    if method in OTHER_METHOD:
        made["another method"] = (OTHER_METHOD[method], target, headers)
    more = [name for name in SIGNED if name not in target]
    if more:
        mark = "&" if "?" in target else "?"
        made["a sub-resource more"] = (method, f"{target}{mark}{more[0]}=0000000000000009", headers)

    def turn(text):
        return re.sub(r"((?:Signature|signature)=|OSS [^:]+:)([^&])",
                      lambda found: found[1] + ("1" if found[2] == "0" else "0"), text)

    name = next((name for name in headers if name.lower() == "authorization"), None)
    made["another signature"] = (method, target, {**headers, name: turn(headers[name])}) if name else (
        method, turn(target), headers)
    return made


class Wire:
    """Sends requests as they are, over one connection."""

    def __init__(self, store):
        self.host = urlsplit(store).netloc
        self.connection = http.client.HTTPConnection(self.host)

    def close(self):
        self.connection.close()

    def send(self, method, target, headers):
        """Status and code; a HEAD is answered without a code."""
        self.connection.putrequest(method, target, skip_accept_encoding=True)
        for name, value in headers.items():
            if value is not None:
                self.connection.putheader(name, value.encode() if isinstance(value, str) else value)
        self.connection.putheader("Content-Length", "0")
        self.connection.endheaders()
        with self.connection.getresponse() as response:
            body = response.read().decode()
            found = re.search(r"<Code>(\w+)", body)
            return response.status, found[1] if found else "", body


def check(case, store, sign, is_v1, number):
    """`sign` takes an Asked and gives method, target and headers as they go onto the wire."""
    chance = random.Random(SEED * 16 + number)
    wire = Wire(store)
    case.addCleanup(wire.close)
    taken = 0
    for at in range(ROUNDS):
        asked = Asked(chance)
        sent = sign(asked)
        ambiguous = is_v1 and asked.is_ambiguous()
        if not ambiguous:
            status, code, body = wire.send(*sent)
            case.assertNotIn(status, (401, 403), f"round {at}: {vars(asked)} as {sent}: {body}")
            case.assertTrue(status < 500 or code == "NotImplemented", f"round {at}: {sent}: {body}")
            taken += 1
        what, made = chance.choice(sorted(changes(*sent).items()))
        status, code, body = wire.send(*made)
        case.assertEqual(status, 403, f"round {at}, {what}: {made}: {body}")
        if made[0] != "HEAD" and not ambiguous:
            case.assertEqual(code, "SignatureDoesNotMatch", f"round {at}, {what}: {made}: {body}")
    case.assertGreater(taken, ROUNDS / 2)
