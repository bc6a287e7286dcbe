# SPDX-License-Identifier: Apache-2.0
"""Buckets and their settings."""
import alibabacloud_oss_v2 as oss

from support import REGION, Case, both_versions, client


class Buckets(Case):
    def test_service(self):
        names = [bucket.name for page in self.client.list_buckets_paginator(limit=2).iter_page(
            oss.ListBucketsRequest()) for bucket in page.buckets]
        self.assertIn(self.bucket, names)
        page = self.client.list_buckets(oss.ListBucketsRequest(prefix=self.bucket))
        self.assertEqual(page.buckets[0].storage_class, "Standard")
        self.assertEqual(page.buckets[0].location, f"oss-{REGION}")

    def test_info_location_and_acl(self):
        info = self.client.get_bucket_info(oss.GetBucketInfoRequest(bucket=self.bucket)).bucket_info
        self.assertEqual((info.name, info.acl, info.storage_class), (self.bucket, "private", "Standard"))
        location = self.client.get_bucket_location(oss.GetBucketLocationRequest(bucket=self.bucket))
        self.assertEqual(location.location, f"oss-{REGION}")
        for acl in ("public-read", "public-read-write", "private"):
            self.client.put_bucket_acl(oss.PutBucketAclRequest(bucket=self.bucket, acl=acl))
            self.assertEqual(self.client.get_bucket_acl(oss.GetBucketAclRequest(bucket=self.bucket)).acl, acl)
        self.assertTrue(self.client.is_bucket_exist(self.bucket))
        self.assertFalse(self.client.is_bucket_exist("no-such-bucket"))

    def test_refusals(self):
        self.refused("NoSuchBucket", self.client.get_bucket_info, oss.GetBucketInfoRequest(bucket="no-such-bucket"))
        self.put("k")
        self.refused("BucketNotEmpty", self.client.delete_bucket, oss.DeleteBucketRequest(bucket=self.bucket))
        ask = oss.GetObjectRequest(bucket=self.bucket, key="k")
        self.refused("SignatureDoesNotMatch", client(self.version, secret="wrong").get_object, ask)
        self.refused("InvalidAccessKeyId", client(self.version, key_id="stranger").get_object, ask)
        self.client.delete_object(oss.DeleteObjectRequest(bucket=self.bucket, key="k"))
        self.client.delete_bucket(oss.DeleteBucketRequest(bucket=self.bucket))

    def test_cors(self):
        self.refused("NoSuchCORSConfiguration", self.client.get_bucket_cors,
                     oss.GetBucketCorsRequest(bucket=self.bucket))
        rule = oss.CORSRule(allowed_origins=["https://*.example.com"], allowed_methods=["GET", "POST"],
                            allowed_headers=["*"], expose_headers=["ETag"], max_age_seconds=600)
        self.client.put_bucket_cors(oss.PutBucketCorsRequest(
            bucket=self.bucket, cors_configuration=oss.CORSConfiguration(cors_rules=[rule], response_vary=True)))
        got = self.client.get_bucket_cors(oss.GetBucketCorsRequest(bucket=self.bucket)).cors_configuration
        self.assertTrue(got.response_vary)
        self.assertEqual(got.cors_rules[0].allowed_origins, rule.allowed_origins)
        self.assertEqual(got.cors_rules[0].max_age_seconds, 600)
        allowed = self.client.option_object(oss.OptionObjectRequest(
            bucket=self.bucket, key="k", origin="https://www.example.com", access_control_request_method="POST",
            access_control_request_headers="x-a"))
        self.assertEqual(allowed.access_control_allow_origin, "https://www.example.com")
        self.client.delete_bucket_cors(oss.DeleteBucketCorsRequest(bucket=self.bucket))


both_versions(Buckets, globals())
del Buckets
