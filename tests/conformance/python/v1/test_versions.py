# SPDX-License-Identifier: Apache-2.0
"""Buckets that keep versions."""
import oss2
from oss2.models import BatchDeleteObjectVersion, BatchDeleteObjectVersionList, BucketVersioningConfig

from support import Case, both_versions


class Versions(Case):
    def keep(self, status="Enabled"):
        config = BucketVersioningConfig()
        config.status = status
        self.bucket.put_bucket_versioning(config)

    def remove(self, bucket):
        listed = bucket.list_object_versions()
        for version in [*listed.versions, *listed.delete_marker]:
            bucket.delete_object(version.key, params={"versionId": version.versionid})
        super().remove(bucket)

    def test_versions(self):
        self.assertIsNone(self.bucket.get_bucket_versioning().status)
        self.bucket.put_object("k", b"before")
        self.keep()
        self.assertEqual(self.bucket.get_bucket_versioning().status, "Enabled")
        first = self.bucket.put_object("k", b"first").versionid
        second = self.bucket.put_object("k", b"second").versionid
        self.assertEqual(self.bucket.get_object("k").read(), b"second")
        for version, content in ((first, b"first"), (second, b"second"), ("null", b"before")):
            got = self.bucket.get_object("k", params={"versionId": version})
            self.assertEqual((got.read(), got.versionid), (content, version))
            head = self.bucket.head_object("k", params={"versionId": version})
            self.assertEqual(head.content_length, len(content))
        deleted = self.bucket.delete_object("k")
        self.assertTrue(deleted.delete_marker)
        self.raises(oss2.exceptions.NoSuchKey, self.bucket.get_object, "k")
        listed = self.bucket.list_object_versions(prefix="k")
        self.assertEqual([version.versionid for version in listed.versions], [second, first, "null"])
        self.assertEqual([(marker.versionid, marker.is_latest) for marker in listed.delete_marker],
                         [(deleted.versionid, True)])
        self.bucket.delete_object("k", params={"versionId": deleted.versionid})
        self.assertEqual(self.bucket.get_object("k").read(), b"second")
        self.bucket.delete_object("k", params={"versionId": second})
        self.assertEqual(self.bucket.get_object("k").read(), b"first")
        refusal = self.raises(oss2.exceptions.ServerError, self.bucket.get_object, "k", params={"versionId": second})
        self.assertEqual((refusal.status, refusal.code), (404, "NoSuchVersion"))

    def test_pages(self):
        self.keep()
        for _ in range(3):
            for name in ("p/a", "p/b", "p/d/e"):
                self.bucket.put_object(name, b"x")
        seen, markers = [], {}
        while True:
            page = self.bucket.list_object_versions(prefix="p/", max_keys=2, **markers)
            seen += [version.key for version in page.versions]
            if not page.is_truncated:
                break
            markers = {"key_marker": page.next_key_marker, "versionid_marker": page.next_versionid_marker}
        self.assertEqual(seen, ["p/a"] * 3 + ["p/b"] * 3 + ["p/d/e"] * 3)
        folders = self.bucket.list_object_versions(prefix="p/", delimiter="/")
        self.assertEqual((len(folders.versions), folders.common_prefix), (6, ["p/d/"]))

    def test_several_at_once(self):
        self.keep()
        versions = [self.bucket.put_object("k", b"x").versionid for _ in range(2)]
        marker = self.bucket.batch_delete_objects(["k"]).delete_versions[0]
        self.assertTrue(marker.delete_marker)
        wanted = BatchDeleteObjectVersionList([BatchDeleteObjectVersion("k", versions[0]),
                                               BatchDeleteObjectVersion("k", marker.delete_marker_versionid)])
        self.bucket.delete_object_versions(wanted)
        listed = self.bucket.list_object_versions()
        self.assertEqual([version.versionid for version in listed.versions], versions[1:])
        self.assertEqual(listed.delete_marker, [])

    def test_suspended(self):
        self.keep()
        kept = self.bucket.put_object("k", b"kept").versionid
        self.keep("Suspended")
        self.bucket.put_object("k", b"one")
        self.bucket.put_object("k", b"two")
        listed = self.bucket.list_object_versions()
        self.assertEqual([version.versionid for version in listed.versions], ["null", kept])
        self.assertEqual(self.bucket.get_object("k").read(), b"two")

    def test_copy_of_a_version(self):
        self.keep()
        first = self.bucket.put_object("k", b"first").versionid
        self.bucket.put_object("k", b"second")
        self.bucket.copy_object(self.bucket.bucket_name, "k", "copy", params={"versionId": first})
        self.assertEqual(self.bucket.get_object("copy").read(), b"first")


both_versions(Versions, globals())
del Versions
