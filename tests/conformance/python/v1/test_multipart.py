# SPDX-License-Identifier: Apache-2.0
"""Uploads in parts, resumable transfers, and appending. oss2 compares CRC-64 by itself."""
import os
import tempfile

import oss2
from oss2.models import PartInfo

from support import NAMES, Case, both_versions, client

PART = 102_400


class Multipart(Case):
    def test_parts(self):
        for name in NAMES:
            pieces = [os.urandom(PART), os.urandom(1_300_000), b"the end"]
            upload = self.bucket.init_multipart_upload(name, headers={"Content-Type": "text/x", "x-oss-meta-who": "me"}).upload_id
            parts = []
            for number, piece in enumerate(pieces, 1):
                result = self.bucket.upload_part(name, upload, number, piece)
                parts.append(PartInfo(number, result.etag, size=len(piece), part_crc=result.crc))
            listed = self.bucket.list_parts(name, upload)
            self.assertEqual([(p.part_number, p.etag, p.size) for p in listed.parts],
                             [(p.part_number, p.etag, p.size) for p in parts])
            self.assertIn((name, upload), [(u.key, u.upload_id) for u in oss2.MultipartUploadIterator(self.bucket)])
            done = self.bucket.complete_multipart_upload(name, upload, parts)
            self.assertRegex(done.etag, r"^[0-9A-F]{32}-3$")
            got = self.bucket.get_object(name)
            self.assertEqual(got.read(), b"".join(pieces))
            self.assertEqual((got.content_type, got.object_type, got.headers["x-oss-meta-who"]), ("text/x", "Multipart", "me"))
            self.assertEqual(self.bucket.get_object(name, byte_range=(PART - 3, PART + 3)).read(),
                             pieces[0][-3:] + pieces[1][:4])
            self.raises(oss2.exceptions.NoSuchUpload, self.bucket.list_parts, name, upload)

    def test_pages_and_abort(self):
        keys = ["a/1", "a/2", "b 中", "c\x01"]
        uploads = sorted((key, self.bucket.init_multipart_upload(key).upload_id) for key in keys for _ in range(2))
        self.assertEqual([(u.key, u.upload_id) for u in oss2.MultipartUploadIterator(self.bucket, max_uploads=3)], uploads)
        rolled = self.bucket.list_multipart_uploads(delimiter="/")
        self.assertEqual((rolled.prefix_list, len(rolled.upload_list)), (["a/"], 4))
        self.assertEqual([u.upload_id for u in oss2.ObjectUploadIterator(self.bucket, "a/2", max_uploads=1)],
                         [upload for key, upload in uploads if key == "a/2"])
        key, upload = uploads[0]
        for number in (1, 5, 10_000):
            self.bucket.upload_part(key, upload, number, b"x")
        self.assertEqual([p.part_number for p in oss2.PartIterator(self.bucket, key, upload, max_parts=1)], [1, 5, 10_000])
        parts = [PartInfo(p.part_number, p.etag) for p in self.bucket.list_parts(key, upload).parts]
        refused = self.raises(oss2.exceptions.ServerError, self.bucket.complete_multipart_upload, key, upload, parts)
        self.assertEqual(refused.code, "EntityTooSmall")
        for key, upload in uploads:
            self.assertEqual(self.bucket.abort_multipart_upload(key, upload).status, 204)
        self.raises(oss2.exceptions.NoSuchUpload, self.bucket.abort_multipart_upload, *uploads[0])

    def test_part_copy_and_complete_all(self):
        content = os.urandom(3 * PART)
        self.bucket.put_object("source 中", content)
        upload = self.bucket.init_multipart_upload("copied").upload_id
        self.bucket.upload_part_copy(self.bucket.bucket_name, "source 中", (0, 2 * PART - 1), "copied", upload, 1)
        self.bucket.upload_part_copy(self.bucket.bucket_name, "source 中", (2 * PART, None), "copied", upload, 2)
        self.bucket.complete_multipart_upload("copied", upload, None, headers={"x-oss-complete-all": "yes"})
        self.assertEqual(self.bucket.get_object("copied").read(), content)

    def test_resumable(self):
        content = os.urandom(2_345_678)
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "a.bin")
            with open(path, "wb") as file:
                file.write(content)
            store = oss2.ResumableStore(root=folder)
            oss2.resumable_upload(self.bucket, "resumed 中", path, store=store, multipart_threshold=PART, part_size=300_000,
                                  num_threads=4)
            self.assertEqual(self.bucket.get_object("resumed 中").read(), content)
            oss2.resumable_download(self.bucket, "resumed 中", path + ".got", multiget_threshold=PART, part_size=400_000,
                                    num_threads=3, store=oss2.ResumableDownloadStore(root=folder))
            with open(path + ".got", "rb") as file:
                self.assertEqual(file.read(), content)

    def test_append(self):
        first = self.bucket.append_object("grows", 0, b"first ", headers={"Content-Type": "text/x"}, init_crc=0)
        self.assertEqual(first.next_position, 6)
        second = self.bucket.append_object("grows", first.next_position, b"second", init_crc=first.crc)
        self.assertEqual(second.next_position, 12)
        got = self.bucket.get_object("grows")
        self.assertEqual((got.read(), got.content_type, got.object_type), (b"first second", "text/x", "Appendable"))
        refused = self.raises(oss2.exceptions.PositionNotEqualToLength, self.bucket.append_object, "grows", 5, b"x")
        self.assertEqual(refused.next_position, 12)
        self.bucket.put_object("plain", b"x")
        self.raises(oss2.exceptions.ObjectNotAppendable, self.bucket.append_object, "plain", 1, b"x")


both_versions(Multipart, globals())
del Multipart
