# SPDX-License-Identifier: Apache-2.0
"""Buckets and their settings."""
import oss2
from oss2.models import BucketCors, CorsRule

from support import REGION, STORE, Case, auth, both_versions, client


class Buckets(Case):
    def test_service(self):
        service = oss2.Service(auth(self.version), STORE, region=REGION if self.version == "V4" else None)
        listed = {bucket.name: bucket for bucket in oss2.BucketIterator(service, max_keys=2)}
        mine = listed[self.bucket.bucket_name]
        self.assertEqual(mine.storage_class, "Standard")
        self.assertEqual(mine.location, f"oss-{REGION}")
        self.assertGreater(mine.creation_date, 1_700_000_000)
        page = service.list_buckets(prefix=self.bucket.bucket_name, max_keys=1)
        self.assertEqual([bucket.name for bucket in page.buckets], [self.bucket.bucket_name])

    def test_info_location_and_acl(self):
        info = self.bucket.get_bucket_info()
        self.assertEqual(info.name, self.bucket.bucket_name)
        self.assertEqual(info.acl.grant, "private")
        self.assertTrue(info.owner.id)
        self.assertEqual(self.bucket.get_bucket_location().location, f"oss-{REGION}")
        for acl in (oss2.BUCKET_ACL_PUBLIC_READ, oss2.BUCKET_ACL_PUBLIC_READ_WRITE, oss2.BUCKET_ACL_PRIVATE):
            self.bucket.put_bucket_acl(acl)
            self.assertEqual(self.bucket.get_bucket_acl().acl, acl)
        self.bucket.create_bucket(oss2.BUCKET_ACL_PUBLIC_READ)
        self.assertEqual(self.bucket.get_bucket_acl().acl, oss2.BUCKET_ACL_PUBLIC_READ)

    def test_refusals(self):
        self.raises(oss2.exceptions.NoSuchBucket, client(self.version, "no-such-bucket").get_bucket_info)
        self.bucket.put_object("k", b"x")
        self.raises(oss2.exceptions.BucketNotEmpty, self.bucket.delete_bucket)
        wrong = client(self.version, self.bucket.bucket_name, auth=auth(self.version, secret="wrong"))
        refusal = self.raises(oss2.exceptions.SignatureDoesNotMatch, wrong.get_object, "k")
        self.assertEqual(refusal.status, 403)
        self.assertTrue(refusal.details["StringToSign"])
        stranger = client(self.version, self.bucket.bucket_name, auth=auth(self.version, key_id="stranger"))
        self.raises(oss2.exceptions.ServerError, stranger.get_object, "k")
        nobody = client(self.version, self.bucket.bucket_name, auth=oss2.AnonymousAuth())
        self.raises(oss2.exceptions.AccessDenied, nobody.get_object, "k")
        self.bucket.put_bucket_acl(oss2.BUCKET_ACL_PUBLIC_READ)
        self.assertEqual(nobody.get_object("k").read(), b"x")
        self.raises(oss2.exceptions.AccessDenied, nobody.put_object, "k", b"y")

    def test_cors(self):
        self.raises(oss2.exceptions.NoSuchCors, self.bucket.get_bucket_cors)
        rule = CorsRule(["https://*.example.com"], ["GET", "POST"], ["*"], ["ETag"], 600)
        self.bucket.put_bucket_cors(BucketCors([rule]))
        got = self.bucket.get_bucket_cors().rules[0]
        self.assertEqual(vars(got), vars(rule))
        self.bucket.delete_bucket_cors()
        self.raises(oss2.exceptions.NoSuchCors, self.bucket.get_bucket_cors)


both_versions(Buckets, globals())
del Buckets
