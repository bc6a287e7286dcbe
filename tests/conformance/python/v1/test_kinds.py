# SPDX-License-Identifier: Apache-2.0
"""Objects that grow, symbolic links, and what belongs to an object: ACL and tags."""
import oss2
from oss2.models import Tagging, TaggingRule

from support import Case, both_versions, client


def tagging(**tags):
    rule = TaggingRule()
    for key, value in tags.items():
        rule.add(key, value)
    return Tagging(rule)


class Kinds(Case):
    def test_append(self):
        first = self.bucket.append_object("a", 0, b"123", headers={"Content-Type": "text/x"})
        self.assertEqual(first.next_position, 3)
        second = self.bucket.append_object("a", 3, b"4567", init_crc=first.crc)
        self.assertEqual(second.next_position, 7)
        self.assertEqual(self.bucket.get_object("a").read(), b"1234567")
        head = self.bucket.head_object("a")
        self.assertEqual((head.object_type, head.content_type), ("Appendable", "text/x"))
        wrong = self.raises(oss2.exceptions.PositionNotEqualToLength, self.bucket.append_object, "a", 3, b"8")
        self.assertEqual(wrong.next_position, 7)
        self.bucket.put_object("n", b"x")
        self.raises(oss2.exceptions.ObjectNotAppendable, self.bucket.append_object, "n", 1, b"y")
        for position in range(7, 7 + 20):
            self.bucket.append_object("a", position, b"z")
        self.assertEqual(self.bucket.get_object("a").read(), b"1234567" + b"z" * 20)
        self.bucket.put_object("a", b"normal")
        self.assertEqual(self.bucket.head_object("a").object_type, "Normal")

    def test_symlink(self):
        target = "kinds/中文 target+"
        self.bucket.put_object(target, b"target")
        self.bucket.put_symlink(target, "link")
        self.assertEqual(self.bucket.get_symlink("link").target_key, target)
        self.assertEqual(self.bucket.get_object("link").read(), b"target")
        self.assertEqual(self.bucket.head_object("link").object_type, "Symlink")
        self.bucket.put_symlink("none", "link")
        self.raises(oss2.exceptions.ServerError, self.bucket.get_object, "link")

    def test_acl(self):
        self.bucket.put_object("k", b"x")
        self.assertEqual(self.bucket.get_object_acl("k").acl, oss2.OBJECT_ACL_DEFAULT)
        nobody = client(self.version, self.bucket.bucket_name, auth=oss2.AnonymousAuth())
        self.raises(oss2.exceptions.AccessDenied, nobody.get_object, "k")
        self.bucket.put_object_acl("k", oss2.OBJECT_ACL_PUBLIC_READ)
        self.assertEqual(self.bucket.get_object_acl("k").acl, oss2.OBJECT_ACL_PUBLIC_READ)
        self.assertEqual(nobody.get_object("k").read(), b"x")
        self.raises(oss2.exceptions.NoSuchKey, self.bucket.put_object_acl, "none", oss2.OBJECT_ACL_PRIVATE)

    def test_tags(self):
        self.bucket.put_object("k", b"x", headers={"x-oss-tagging": "a=1&b%2Fc=%2B%20"})
        self.assertEqual(self.bucket.get_object_tagging("k").tag_set.tagging_rule, {"a": "1", "b/c": "+ "})
        self.assertEqual(self.bucket.get_object("k").headers["x-oss-tagging-count"], "2")
        self.bucket.put_object_tagging("k", tagging(b="2"))
        self.assertEqual(self.bucket.get_object_tagging("k").tag_set.tagging_rule, {"b": "2"})
        self.bucket.copy_object(self.bucket.bucket_name, "k", "copy")
        self.assertEqual(self.bucket.get_object_tagging("copy").tag_set.tagging_rule, {"b": "2"})
        self.bucket.delete_object_tagging("k")
        self.assertEqual(self.bucket.get_object_tagging("k").tag_set.tagging_rule, {})


both_versions(Kinds, globals())
del Kinds
