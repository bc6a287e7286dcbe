# SPDX-License-Identifier: Apache-2.0
"""Objects: all that can be done with one that is put whole. oss2 compares CRC-64 by itself."""
import os
import tempfile
import time

import oss2
import requests

from support import NAMES, Case, auth, both_versions, client


class Objects(Case):
    def test_put_get_head_delete(self):
        for name in NAMES:
            for size in (0, 10, 3_000_000):
                content = (name.encode() * (size // 4))[:size]
                put = self.bucket.put_object(name, content, headers={"x-oss-meta-who": "me", "Content-Type": "text/x",
                                                                     "Cache-Control": "no-cache"})
                self.assertIsNotNone(put.crc)
                got = self.bucket.get_object(name)
                self.assertEqual(got.read(), content)
                self.assertEqual(got.headers["x-oss-meta-who"], "me")
                self.assertEqual(got.headers["Cache-Control"], "no-cache")
            self.assertEqual(self.bucket.get_object(name, byte_range=(4, 8)).read(), content[4:9])
            self.assertEqual(self.bucket.get_object(name, byte_range=(None, 3)).read(), content[-3:])
            head = self.bucket.head_object(name)
            self.assertEqual((head.content_length, head.content_type, head.object_type), (size, "text/x", "Normal"))
            meta = self.bucket.get_object_meta(name)
            self.assertEqual((meta.content_length, meta.etag), (size, head.etag))
            self.assertTrue(self.bucket.object_exists(name))
            self.assertEqual(self.bucket.delete_object(name).status, 204)
            self.assertFalse(self.bucket.object_exists(name))
            self.raises(oss2.exceptions.NoSuchKey, self.bucket.get_object, name)
            self.raises(oss2.exceptions.NotFound, self.bucket.head_object, name)

    def test_streams_and_files(self):
        content = os.urandom(1_500_000)
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "a.txt")
            with open(path, "wb") as file:
                file.write(content)
            seen = []
            self.bucket.put_object_from_file("f", path, progress_callback=lambda done, total: seen.append((done, total)))
            self.assertEqual(seen[-1], (len(content), len(content)))
            self.assertEqual(self.bucket.head_object("f").content_type, "text/plain")
            self.bucket.get_object_to_file("f", path + ".got")
            with open(path + ".got", "rb") as file:
                self.assertEqual(file.read(), content)
        self.bucket.put_object("g", (content[i:i + 100_000] for i in range(0, len(content), 100_000)))
        self.assertEqual(b"".join(self.bucket.get_object("g")), content)

    def test_names_with_control_characters_are_listed(self):
        for name in ("ctl/\x01", "ctl/<&\">", "ctl/ ", "ctl/\t\n"):
            self.bucket.put_object(name, b"x")
        listed = [entry.key for entry in oss2.ObjectIterator(self.bucket, prefix="ctl/")]
        self.assertEqual(listed, ["ctl/\x01", "ctl/\t\n", "ctl/ ", "ctl/<&\">"])
        self.assertEqual(self.bucket.batch_delete_objects(listed[2:]).deleted_keys, listed[2:])

    def test_lists(self):
        names = sorted(NAMES, key=lambda name: name.encode())
        for name in names:
            self.bucket.put_object(name, b"123")
        for iterator in (oss2.ObjectIterator, oss2.ObjectIteratorV2):
            listed = list(iterator(self.bucket, prefix="py/", max_keys=2))
            self.assertEqual([entry.key for entry in listed], names)
            self.assertTrue(all(entry.size == 3 and entry.type == "Normal" for entry in listed))
        folders = self.bucket.list_objects(prefix="py/", delimiter="/")
        self.assertEqual(folders.prefix_list, ["py/../", "py//", "py/中文/"])
        after = self.bucket.list_objects_v2(start_after=names[2], fetch_owner=True)
        self.assertEqual([entry.key for entry in after.object_list], names[3:])
        self.assertTrue(after.object_list[0].owner.id)
        deleted = self.bucket.batch_delete_objects([*names, "never was"])
        self.assertEqual(sorted(deleted.deleted_keys), sorted([*names, "never was"]))
        self.assertEqual(self.bucket.list_objects().object_list, [])

    def test_conditions(self):
        put = self.bucket.put_object("k", b"x")
        modified = self.bucket.get_object("k").headers["Last-Modified"]
        future = oss2.http_date(int(time.time()) + 3600)
        past = oss2.http_date(int(time.time()) - 3600)
        etag = f'"{put.etag}"'
        for headers in ({"If-None-Match": etag}, {"If-Modified-Since": modified}):
            self.raises(oss2.exceptions.NotModified, self.bucket.get_object, "k", headers=headers)
        for headers in ({"If-Match": '"other"'}, {"If-Unmodified-Since": past}):
            self.raises(oss2.exceptions.PreconditionFailed, self.bucket.get_object, "k", headers=headers)
        for headers in ({"If-Match": etag}, {"If-Unmodified-Since": future}, {"If-Modified-Since": past}):
            self.assertEqual(self.bucket.get_object("k", headers=headers).read(), b"x")
        self.raises(oss2.exceptions.ServerError, self.bucket.put_object, "k", b"y",
                    headers={"x-oss-forbid-overwrite": "true"})
        self.raises(oss2.exceptions.InvalidDigest, self.bucket.put_object, "k", b"y",
                    headers={"Content-MD5": oss2.utils.content_md5(b"z")})
        self.assertEqual(self.bucket.get_object("k").read(), b"x")

    def test_ranges(self):
        self.bucket.put_object("k", b"0123456789")
        wrong = self.bucket.get_object("k", headers={"Range": "bytes=20-30"})
        self.assertEqual((wrong.status, wrong.read()), (200, b"0123456789"))
        self.raises(oss2.exceptions.ServerError, self.bucket.get_object, "k",
                    headers={"Range": "bytes=20-30", "x-oss-range-behavior": "standard"})

    def test_copy_and_metadata(self):
        source = "py/中文/é b+c%2F"
        self.bucket.put_object(source, b"copied", headers={"x-oss-meta-a": "1", "Content-Type": "text/a"})
        self.bucket.copy_object(self.bucket.bucket_name, source, "copy")
        head = self.bucket.head_object("copy")
        self.assertEqual((head.headers["x-oss-meta-a"], head.content_type), ("1", "text/a"))
        self.bucket.copy_object(self.bucket.bucket_name, source, "copy", headers={
            "x-oss-metadata-directive": "REPLACE", "x-oss-meta-b": "2", "Content-Type": "text/b"})
        head = self.bucket.head_object("copy")
        self.assertEqual((head.headers.get("x-oss-meta-a"), head.headers["x-oss-meta-b"]), (None, "2"))
        self.bucket.update_object_meta("copy", {"x-oss-meta-c": "3"})
        self.assertEqual(self.bucket.head_object("copy").headers["x-oss-meta-c"], "3")
        self.assertEqual(self.bucket.get_object("copy").read(), b"copied")
        self.raises(oss2.exceptions.PreconditionFailed, self.bucket.copy_object, self.bucket.bucket_name, source,
                    "copy", headers={"x-oss-copy-source-if-match": '"other"'})
        self.raises(oss2.exceptions.NoSuchKey, self.bucket.copy_object, self.bucket.bucket_name, "none", "copy")

    def test_signed_urls(self):
        # The HTTP library of Python resolves /../ by itself.
        for name in [name for name in NAMES if "/../" not in name]:
            url = self.bucket.sign_url("PUT", name, 60, headers={"Content-Type": "text/y"}, slash_safe=True)
            self.bucket.put_object_with_url(url, b"signed", headers={"Content-Type": "text/y"})
            url = self.bucket.sign_url("GET", name, 60)
            self.assertEqual(self.bucket.get_object_with_url(url).read(), b"signed")
        url = self.bucket.sign_url("GET", NAMES[1], 60, params={"response-content-type": "a/b",
                                                               "response-content-disposition": "attachment"})
        got = requests.get(url, timeout=10)
        self.assertEqual((got.headers["Content-Type"], got.headers["Content-Disposition"]), ("a/b", "attachment"))
        other = client(self.version, self.bucket.bucket_name, auth=auth(self.version, secret="wrong"))
        self.assertEqual(requests.get(other.sign_url("GET", NAMES[1], 60), timeout=10).status_code, 403)


both_versions(Objects, globals())
del Objects
