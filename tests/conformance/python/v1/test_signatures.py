# SPDX-License-Identifier: Apache-2.0
"""What oss2 signs, in the four ways there are."""
import unittest
from urllib.parse import urlsplit

import oss2
import signatures
from support import REGION, STORE, auth, client


def sign(version, in_url):
    def signed(asked):
        request = oss2.http.Request(asked.method, STORE + asked.path(), params=dict(asked.params),
                                    headers=dict(asked.headers), region=REGION, product="oss")
        more = [asked.more] if version == "V4" and in_url else []
        if not in_url:
            auth(version)._sign_request(request, "uploads", asked.key, *more)
            query = "&".join(oss2.auth._param_to_quoted_query(*pair) for pair in request.params.items())
            return asked.method, asked.path() + ("?" + query if query else ""), dict(request.headers)
        url = urlsplit(auth(version)._sign_url(request, "uploads", asked.key, 600, *more))
        return asked.method, f"{url.path}?{url.query}", dict(asked.headers)
    return signed


class Signatures(unittest.TestCase):
    def setUp(self):
        client("V1", "uploads").create_bucket()

    def test_v1_header(self):
        signatures.check(self, STORE, sign("V1", False), True, 0)

    def test_v1_url(self):
        signatures.check(self, STORE, sign("V1", True), True, 1)

    def test_v4_header(self):
        signatures.check(self, STORE, sign("V4", False), False, 2)

    def test_v4_url(self):
        signatures.check(self, STORE, sign("V4", True), False, 3)
