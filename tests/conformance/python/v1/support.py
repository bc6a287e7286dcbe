# SPDX-License-Identifier: Apache-2.0
"""What the tests of oss2 share: each runs with signatures of V1 and of V4."""
import os
import unittest

import oss2

STORE, KEY_ID, KEY_SECRET = (os.environ[name] for name in ("STORE", "KEY_ID", "KEY_SECRET"))
REGION = "cn-hangzhou"
NAMES = ["py/plain", "py/a b+c%2F&=", "py/中文/é", "py/(x)!*'~", "py//double", "py/../dots"]


def auth(version, key_id=KEY_ID, secret=KEY_SECRET):
    return (oss2.AuthV4 if version == "V4" else oss2.Auth)(key_id, secret)


def client(version, name, **more):
    more.setdefault("auth", auth(version))
    return oss2.Bucket(more.pop("auth"), STORE, name, region=REGION if version == "V4" else None, **more)


class Case(unittest.TestCase):
    """A test of subclasses made by both_versions(): self.bucket is a new bucket."""

    version = None
    maxDiff = None
    count = 0

    def setUp(self):
        Case.count += 1
        self.bucket = client(self.version, f"oss2-{self.version.lower()}-{Case.count}")
        self.bucket.create_bucket()
        self.addCleanup(self.remove, self.bucket)

    def remove(self, bucket):
        for upload in oss2.MultipartUploadIterator(bucket):
            bucket.abort_multipart_upload(upload.key, upload.upload_id)
        for entry in oss2.ObjectIterator(bucket):
            bucket.delete_object(entry.key)
        bucket.delete_bucket()

    def raises(self, error, call, *args, **more):
        with self.assertRaises(error) as caught:
            call(*args, **more)
        self.assertTrue(caught.exception.request_id)
        return caught.exception


def both_versions(case, into):
    """The class once with V1 and once with V4, in the module's names `into`."""
    for version in ("V1", "V4"):
        name = case.__name__ + version
        into[name] = type(name, (case,), {"version": version, "__module__": case.__module__})
