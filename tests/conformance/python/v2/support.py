# SPDX-License-Identifier: Apache-2.0
"""What the tests of alibabacloud-oss-v2 share: each runs with signatures of V1 and of V4."""
import os
import unittest

import alibabacloud_oss_v2 as oss

STORE, KEY_ID, KEY_SECRET = (os.environ[name] for name in ("STORE", "KEY_ID", "KEY_SECRET"))
REGION = "cn-hangzhou"
NAMES = ["v2/plain", "v2/a b+c%2F&=", "v2/中文/é", "v2/(x)!*'~", "v2//double"]


def client(version, key_id=KEY_ID, secret=KEY_SECRET, **more):
    return oss.Client(oss.config.Config(
        region=REGION, endpoint=STORE, signature_version=version.lower(), retry_max_attempts=2,
        credentials_provider=oss.credentials.StaticCredentialsProvider(key_id, secret), **more))


class Case(unittest.TestCase):
    """A test of subclasses made by both_versions(): self.client, and self.bucket, a new bucket's name."""

    version = None
    maxDiff = None
    count = 0

    def setUp(self):
        Case.count += 1
        self.client = client(self.version)
        self.bucket = f"python-{self.version.lower()}-{Case.count}"
        self.client.put_bucket(oss.PutBucketRequest(bucket=self.bucket))

    def put(self, key, body=b"x", **more):
        return self.client.put_object(oss.PutObjectRequest(bucket=self.bucket, key=key, body=body, **more))

    def get(self, key, **more):
        result = self.client.get_object(oss.GetObjectRequest(bucket=self.bucket, key=key, **more))
        with result.body as body:
            return body.read()

    def head(self, key, **more):
        return self.client.head_object(oss.HeadObjectRequest(bucket=self.bucket, key=key, **more))

    def refused(self, code, call, *args, **more):
        with self.assertRaises(oss.exceptions.OperationError) as caught:
            call(*args, **more)
        refusal = caught.exception.unwrap()
        self.assertEqual(refusal.code, code)
        self.assertTrue(refusal.request_id)
        return refusal


def both_versions(case, into):
    """The class once with V1 and once with V4, in the module's names `into`."""
    for version in ("V1", "V4"):
        name = case.__name__ + version
        into[name] = type(name, (case,), {"version": version, "__module__": case.__module__})
