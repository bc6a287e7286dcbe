# SPDX-License-Identifier: Apache-2.0
"""What alibabacloud-oss-go-sdk-v2 signs, in the four ways there are; go/signer does it."""
import http.client
import json
import os
import subprocess
import unittest
from urllib.parse import urlsplit

import signatures

STORE = os.environ["STORE"]
COMMON = {"Bucket": "uploads", "Region": "cn-hangzhou", "ID": os.environ["KEY_ID"], "Secret": os.environ["KEY_SECRET"]}


class Signatures(unittest.TestCase):
    def setUp(self):
        self.signer = subprocess.Popen([os.environ["SIGNER"]], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.addCleanup(self.end)
        method, target, headers = self.signed("V4", False, "PUT", "/uploads/", "", {}, [])
        connection = http.client.HTTPConnection(urlsplit(STORE).netloc)
        connection.request(method, target, headers=headers)
        self.assertEqual(connection.getresponse().status, 200)
        connection.close()

    def end(self):
        self.signer.stdin.close()
        self.signer.wait(10)
        self.signer.stdout.close()

    def signed(self, version, in_url, method, target, key, headers, more):
        asked = {**COMMON, "Version": version, "InURL": in_url, "Method": method, "URL": STORE + target, "Key": key,
                 "Headers": headers, "More": sorted(more)}
        self.signer.stdin.write(json.dumps(asked) + "\n")
        self.signer.stdin.flush()
        answer = json.loads(self.signer.stdout.readline())
        # Go spells names its own way; in lower case a changed header takes the place of the one it changes.
        return method, answer["Target"], {name.lower(): value for name, value in answer["Headers"].items()}

    def sign(self, version, in_url):
        def sign(asked):
            query = asked.query()
            target = asked.path() + ("?" + query if query else "")
            return self.signed(version, in_url, asked.method, target, asked.key, asked.headers, asked.more)
        return sign

    def test_v1_header(self):
        signatures.check(self, STORE, self.sign("V1", False), True, 8)

    def test_v1_url(self):
        signatures.check(self, STORE, self.sign("V1", True), True, 9)

    def test_v4_header(self):
        signatures.check(self, STORE, self.sign("V4", False), False, 10)

    def test_v4_url(self):
        signatures.check(self, STORE, self.sign("V4", True), False, 11)
