# SPDX-License-Identifier: Apache-2.0
"""What alibabacloud-oss-v2 signs, in the four ways there are."""
import unittest
from urllib.parse import urlsplit

import alibabacloud_oss_v2 as oss
import signatures
from alibabacloud_oss_v2 import credentials
from alibabacloud_oss_v2.signer import SignerV1, SignerV4
from alibabacloud_oss_v2.types import HttpRequest, SigningContext
from support import KEY_ID, KEY_SECRET, REGION, STORE, client


def sign(signer, in_url):
    def signed(asked):
        query = asked.query()
        request = HttpRequest(asked.method, STORE + asked.path() + ("?" + query if query else ""),
                              headers=dict(asked.headers))
        context = SigningContext(product="oss", region=REGION, bucket="uploads", key=asked.key, request=request,
                                 credentials=credentials.Credentials(KEY_ID, KEY_SECRET),
                                 additional_headers=asked.more)
        context.auth_method_query = in_url
        signer.sign(context)
        url = urlsplit(request.url)
        return asked.method, url.path + ("?" + url.query if url.query else ""), dict(request.headers)
    return signed


class Signatures(unittest.TestCase):
    def setUp(self):
        client("V1").put_bucket(oss.PutBucketRequest(bucket="uploads"))

    def test_v1_header(self):
        signatures.check(self, STORE, sign(SignerV1(), False), True, 4)

    def test_v1_url(self):
        signatures.check(self, STORE, sign(SignerV1(), True), True, 5)

    def test_v4_header(self):
        signatures.check(self, STORE, sign(SignerV4(), False), False, 6)

    def test_v4_url(self):
        signatures.check(self, STORE, sign(SignerV4(), True), False, 7)
