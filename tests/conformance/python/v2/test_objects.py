# SPDX-License-Identifier: Apache-2.0
"""Objects: all that can be done with one that is put whole. The SDK compares CRC-64 by itself."""
import datetime
import io
import os
import tempfile

import alibabacloud_oss_v2 as oss
import requests

from support import NAMES, Case, both_versions


class Objects(Case):
    def test_put_get_head_delete(self):
        for name in NAMES:
            for size in (0, 10, 3_000_000):
                content = (name.encode() * (size // 4))[:size]
                put = self.put(name, content, metadata={"who": "me"}, content_type="text/x", cache_control="no-cache")
                self.assertTrue(put.hash_crc64)
                self.assertEqual(self.get(name), content)
            self.assertEqual(self.get(name, range_header="bytes=4-8"), content[4:9])
            head = self.head(name)
            self.assertEqual((head.content_length, head.content_type, head.object_type, head.cache_control),
                             (size, "text/x", "Normal", "no-cache"))
            self.assertEqual(head.metadata["who"], "me")
            meta = self.client.get_object_meta(oss.GetObjectMetaRequest(bucket=self.bucket, key=name))
            self.assertEqual((meta.content_length, meta.etag), (size, head.etag))
            self.assertTrue(self.client.is_object_exist(self.bucket, name))
            self.client.delete_object(oss.DeleteObjectRequest(bucket=self.bucket, key=name))
            self.assertFalse(self.client.is_object_exist(self.bucket, name))
            self.refused("NoSuchKey", self.get, name)

    def test_streams_and_files(self):
        content = os.urandom(1_500_000)
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "a.txt")
            with open(path, "wb") as file:
                file.write(content)
            self.client.put_object_from_file(oss.PutObjectRequest(bucket=self.bucket, key="f"), path)
            self.client.get_object_to_file(oss.GetObjectRequest(bucket=self.bucket, key="f"), path + ".got")
            with open(path + ".got", "rb") as file:
                self.assertEqual(file.read(), content)
        self.put("g", io.BytesIO(content))
        with self.client.open_file(self.bucket, "g") as file:
            file.seek(1_000_000)
            self.assertEqual(file.read(1000), content[1_000_000:1_001_000])
        got = self.client.downloader(part_size=300_000, parallel_num=3)
        sink = io.BytesIO()
        got.download_to(oss.GetObjectRequest(bucket=self.bucket, key="g"), sink)
        self.assertEqual(sink.getvalue(), content)

    def test_lists(self):
        names = sorted([*NAMES, "v2/\x01", "v2/<&\">"], key=lambda name: name.encode())
        for name in names:
            self.put(name, b"123")
        for paginator, request in ((self.client.list_objects_paginator, oss.ListObjectsRequest),
                                   (self.client.list_objects_v2_paginator, oss.ListObjectsV2Request)):
            pages = paginator(limit=2).iter_page(request(bucket=self.bucket, prefix="v2/"))
            self.assertEqual([entry.key for page in pages for entry in page.contents or []], names)
        folders = self.client.list_objects_v2(oss.ListObjectsV2Request(bucket=self.bucket, prefix="v2/", delimiter="/"))
        self.assertEqual([entry.prefix for entry in folders.common_prefixes], ["v2//", "v2/中文/"])
        deleted = self.client.delete_multiple_objects(oss.DeleteMultipleObjectsRequest(
            bucket=self.bucket, objects=[oss.DeleteObject(key=name) for name in NAMES], encoding_type="url"))
        self.assertEqual(sorted(entry.key for entry in deleted.deleted_objects), sorted(NAMES))
        left = self.client.list_objects_v2(oss.ListObjectsV2Request(bucket=self.bucket)).contents
        self.assertEqual([entry.key for entry in left], ["v2/\x01", "v2/<&\">"])

    def test_conditions(self):
        etag = self.put("k").etag
        self.refused("PreconditionFailed", self.get, "k", if_match='"other"')
        with self.assertRaises(oss.exceptions.OperationError) as caught:
            self.get("k", if_none_match=etag)
        self.assertEqual(caught.exception.unwrap().status_code, 304)
        self.assertEqual(self.get("k", if_match=etag), b"x")
        self.refused("FileAlreadyExists", self.put, "k", b"y", forbid_overwrite=True)
        self.refused("InvalidDigest", self.put, "k", b"y", content_md5="1B2M2Y8AsgTpgAmY7PhCfg==")
        self.assertEqual(self.get("k", range_header="bytes=5-9"), b"x")
        self.refused("InvalidRange", self.get, "k", range_header="bytes=5-9", range_behavior="standard")

    def test_copy_and_metadata(self):
        source = "v2/中文/é b+c%2F"
        self.put(source, b"copied", metadata={"a": "1"}, content_type="text/a")

        def copy(**more):
            more.setdefault("source_key", source)
            self.client.copy_object(oss.CopyObjectRequest(bucket=self.bucket, key="copy", **more))

        copy()
        self.assertEqual(self.head("copy").metadata["a"], "1")
        copy(metadata_directive="REPLACE", metadata={"b": "2"})
        self.assertEqual(dict(self.head("copy").metadata), {"b": "2"})
        self.assertEqual(self.get("copy"), b"copied")
        self.refused("PreconditionFailed", copy, if_match='"other"')
        self.refused("NoSuchKey", copy, source_key="none")

    def test_presigned(self):
        for name in NAMES:
            put = self.client.presign(oss.PutObjectRequest(bucket=self.bucket, key=name, content_type="text/y"),
                                      expires=datetime.timedelta(seconds=60))
            done = requests.request(put.method, put.url, headers=put.signed_headers, data=b"signed", timeout=10)
            self.assertEqual(done.status_code, 200, done.text)
            get = self.client.presign(oss.GetObjectRequest(bucket=self.bucket, key=name,
                                                           response_content_disposition="attachment"))
            got = requests.get(get.url, timeout=10)
            self.assertEqual((got.content, got.headers["Content-Disposition"]), (b"signed", "attachment"))


both_versions(Objects, globals())
del Objects
