# SPDX-License-Identifier: Apache-2.0
"""Settings of buckets, and what was never set."""
import datetime

import oss2
import requests
from oss2.models import (AbortMultipartUpload, BucketLifecycle, BucketReferer, LifecycleExpiration, LifecycleRule,
                         NoncurrentVersionExpiration, Tagging, TaggingRule)

from support import Case, both_versions


class Settings(Case):
    def test_tags(self):
        self.assertEqual(self.bucket.get_bucket_tagging().tag_set.tagging_rule, {})
        rule = TaggingRule()
        rule.add("a", "1")
        rule.add("中", "é")
        self.bucket.put_bucket_tagging(Tagging(rule))
        self.assertEqual(self.bucket.get_bucket_tagging().tag_set.tagging_rule, {"a": "1", "中": "é"})
        self.bucket.delete_bucket_tagging()

    def test_lifecycle(self):
        self.raises(oss2.exceptions.NoSuchLifecycle, self.bucket.get_bucket_lifecycle)
        rules = [LifecycleRule("r1", "logs/", expiration=LifecycleExpiration(days=3)),
                 LifecycleRule("r2", "tmp/", status=LifecycleRule.DISABLED,
                               expiration=LifecycleExpiration(created_before_date=datetime.date(2024, 1, 1))),
                 LifecycleRule("r3", "up/", abort_multipart_upload=AbortMultipartUpload(days=1)),
                 LifecycleRule("r4", "v/", noncurrent_version_expiration=NoncurrentVersionExpiration(7))]
        self.bucket.put_bucket_lifecycle(BucketLifecycle(rules))
        got = {rule.id: rule for rule in self.bucket.get_bucket_lifecycle().rules}
        self.assertEqual(got["r1"].expiration.days, 3)
        self.assertEqual((got["r2"].prefix, got["r2"].status), ("tmp/", "Disabled"))
        self.assertEqual(got["r3"].abort_multipart_upload.days, 1)
        self.assertEqual(got["r4"].noncurrent_version_expiration.noncurrent_days, 7)
        self.bucket.delete_bucket_lifecycle()
        self.raises(oss2.exceptions.NoSuchLifecycle, self.bucket.get_bucket_lifecycle)

    def test_referer(self):
        self.assertTrue(self.bucket.get_bucket_referer().allow_empty_referer)
        self.bucket.put_bucket_acl(oss2.BUCKET_ACL_PUBLIC_READ)
        self.bucket.put_object("k", b"x")
        self.bucket.put_bucket_referer(BucketReferer(False, ["http://*.example.com", "https://b.test"]))
        got = self.bucket.get_bucket_referer()
        self.assertEqual((got.allow_empty_referer, got.referers), (False, ["http://*.example.com", "https://b.test"]))
        url = f"{self.bucket.endpoint}/{self.bucket.bucket_name}/k"
        self.assertEqual(requests.get(url, timeout=10).status_code, 403)
        self.assertEqual(requests.get(url, headers={"Referer": "http://a.example.com"}, timeout=10).status_code, 200)
        self.assertEqual(requests.get(url, headers={"Referer": "http://evil.test"}, timeout=10).status_code, 403)
        self.bucket.put_bucket_referer(BucketReferer(True, []))
        self.assertEqual(requests.get(url, timeout=10).status_code, 200)

    def test_stat(self):
        self.bucket.put_object("k", b"12345")
        self.bucket.init_multipart_upload("m")
        stat = self.bucket.get_bucket_stat()
        self.assertEqual((stat.storage_size_in_bytes, stat.object_count, stat.multi_part_upload_count), (5, 1, 1))

    def test_never_set(self):
        for code, call in (("NoSuchWebsiteConfiguration", self.bucket.get_bucket_website),
                           ("NoSuchBucketPolicy", self.bucket.get_bucket_policy),
                           ("NoSuchServerSideEncryptionRule", self.bucket.get_bucket_encryption)):
            self.assertEqual(self.raises(oss2.exceptions.NotFound, call).code, code)


both_versions(Settings, globals())
del Settings
