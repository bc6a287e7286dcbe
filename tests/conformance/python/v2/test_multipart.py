# SPDX-License-Identifier: Apache-2.0
"""Uploads in parts, the SDK's uploader and copier, and appending. It compares CRC-64 by itself."""
import io
import os

import alibabacloud_oss_v2 as oss

from support import NAMES, Case, both_versions

PART = 102_400


class Multipart(Case):
    def begin(self, key, **more):
        return self.client.initiate_multipart_upload(
            oss.InitiateMultipartUploadRequest(bucket=self.bucket, key=key, **more)).upload_id

    def part(self, key, upload, number, body):
        result = self.client.upload_part(oss.UploadPartRequest(
            bucket=self.bucket, key=key, upload_id=upload, part_number=number, body=body))
        return oss.UploadPart(part_number=number, etag=result.etag)

    def complete(self, key, upload, parts=None, **more):
        return self.client.complete_multipart_upload(oss.CompleteMultipartUploadRequest(
            bucket=self.bucket, key=key, upload_id=upload,
            complete_multipart_upload=oss.CompleteMultipartUpload(parts=parts) if parts else None, **more))

    def test_parts(self):
        for name in NAMES:
            pieces = [os.urandom(PART), os.urandom(1_300_000), b"the end"]
            upload = self.begin(name, content_type="text/x", metadata={"who": "me"})
            parts = [self.part(name, upload, number, piece) for number, piece in enumerate(pieces, 1)]
            listed = list(self.client.list_parts_paginator(limit=2).iter_page(
                oss.ListPartsRequest(bucket=self.bucket, key=name, upload_id=upload)))
            self.assertEqual([p.part_number for page in listed for p in page.parts], [1, 2, 3])
            done = self.complete(name, upload, parts)
            self.assertEqual((done.bucket, done.key), (self.bucket, name))
            self.assertEqual(self.get(name), b"".join(pieces))
            head = self.head(name)
            self.assertEqual((head.object_type, head.content_type, head.metadata["who"], head.etag, head.hash_crc64),
                             ("Multipart", "text/x", "me", done.etag, done.hash_crc64))
            self.assertEqual(self.get(name, range_header=f"bytes={PART - 3}-{PART + 3}"), pieces[0][-3:] + pieces[1][:4])
            self.refused("NoSuchUpload", self.complete, name, upload, parts)

    def test_uploads_are_listed_and_aborted(self):
        uploads = sorted((key, self.begin(key)) for key in ("a/1", "a/2", "b 中") for _ in range(2))
        listed = self.client.list_multipart_uploads_paginator(limit=2).iter_page(
            oss.ListMultipartUploadsRequest(bucket=self.bucket))
        self.assertEqual([(u.key, u.upload_id) for page in listed for u in page.uploads or []], uploads)
        for key, upload in uploads:
            self.client.abort_multipart_upload(
                oss.AbortMultipartUploadRequest(bucket=self.bucket, key=key, upload_id=upload))
        self.refused("NoSuchUpload", self.client.list_parts,
                     oss.ListPartsRequest(bucket=self.bucket, key=uploads[0][0], upload_id=uploads[0][1]))

    def test_part_copy(self):
        content = os.urandom(3 * PART)
        self.put("source 中", content)
        upload = self.begin("copied")
        for number, given in enumerate((f"bytes=0-{2 * PART - 1}", f"bytes={2 * PART}-"), 1):
            self.client.upload_part_copy(oss.UploadPartCopyRequest(
                bucket=self.bucket, key="copied", upload_id=upload, part_number=number, source_bucket=self.bucket,
                source_key="source 中", source_range=given))
        self.complete("copied", upload, complete_all="yes")
        self.assertEqual(self.get("copied"), content)

    def test_uploader(self):
        content = os.urandom(2_345_678)
        uploader = self.client.uploader(part_size=300_000, parallel_num=4)
        uploader.upload_from(oss.PutObjectRequest(bucket=self.bucket, key="up"), io.BytesIO(content))
        self.assertEqual(self.head("up").object_type, "Multipart")
        self.assertEqual(self.get("up"), content)
        copier = self.client.copier(part_size=500_000, multipart_copy_threshold=500_000)
        copier.copy(oss.CopyObjectRequest(bucket=self.bucket, key="copy", source_bucket=self.bucket, source_key="up"))
        self.assertEqual(self.get("copy"), content)

    def test_append(self):
        def append(position, body, **more):
            return self.client.append_object(oss.AppendObjectRequest(
                bucket=self.bucket, key="grows", position=position, body=body, **more))

        first = append(0, b"first ", content_type="text/x")
        self.assertEqual(first.next_position, 6)
        self.assertEqual(append(6, b"second").next_position, 12)
        self.assertEqual(self.get("grows"), b"first second")
        self.assertEqual(self.head("grows").object_type, "Appendable")
        self.refused("PositionNotEqualToLength", append, 5, b"x")
        with self.client.append_file(self.bucket, "grows") as file:
            file.write(b" third")
        self.assertEqual(self.get("grows"), b"first second third")


both_versions(Multipart, globals())
del Multipart
