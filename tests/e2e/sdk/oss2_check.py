# SPDX-License-Identifier: Apache-2.0
"""What the official Python SDK does with a store: python oss2_check.py STORE KEY_ID KEY_SECRET

Prints one line for each step. oss2 compares CRC-64 and parses every answer strictly by itself."""
import sys

import oss2
from oss2.models import BucketCors, CorsRule

STORE, KEY_ID, KEY_SECRET = sys.argv[1:]
NAMES = ["py/plain", "py/a b+c%2F&=", "py/中文/é", "py/(x)!*'~"]


def check(condition, what):
    if not condition:
        sys.exit(f"not true: {what}")


def raises(error, call, *args):
    try:
        call(*args)
    except error as e:
        return e
    sys.exit(f"{call} raised no {error}")


def objects(bucket):
    for name in NAMES:
        for size in (0, 10, 3_000_000):
            content = (name.encode() * (size // 4))[:size]
            put = bucket.put_object(name, content, headers={"x-oss-meta-who": "me", "Content-Type": "text/x"})
            check(put.status == 200 and put.crc is not None, name)
            got = bucket.get_object(name)
            check(got.read() == content, name)
            check(got.headers["x-oss-meta-who"] == "me", name)
        check(bucket.get_object(name, byte_range=(4, 8)).read() == content[4:9], name)
        head = bucket.head_object(name)
        check(head.content_length == size and head.content_type == "text/x", name)
        put = bucket.sign_url("PUT", name, 60, headers={"Content-Type": "text/y"}, slash_safe=True)
        check(bucket.put_object_with_url(put, b"signed", headers={"Content-Type": "text/y"}).status == 200, put)
        check(bucket.get_object_with_url(bucket.sign_url("GET", name, 60)).read() == b"signed", name)
    listed = [entry.key for entry in oss2.ObjectIterator(bucket, prefix="py/", max_keys=2)]
    check(sorted(listed) == sorted(NAMES), listed)
    folders = bucket.list_objects(prefix="py/", delimiter="/")
    check(folders.prefix_list == ["py/中文/"], folders.prefix_list)
    for name in NAMES:
        check(bucket.delete_object(name).status == 204, name)
        raises(oss2.exceptions.NoSuchKey, bucket.get_object, name)
        raises(oss2.exceptions.NotFound, bucket.head_object, name)


def cors(bucket):
    bucket.create_bucket(oss2.BUCKET_ACL_PRIVATE)
    raises(oss2.exceptions.NoSuchCors, bucket.get_bucket_cors)
    rule = CorsRule(["https://*.example.com"], ["GET", "POST"], ["*"], ["ETag"], 600)
    bucket.put_bucket_cors(BucketCors([rule]))
    got = bucket.get_bucket_cors().rules[0]
    check((got.allowed_origins, got.allowed_methods, got.allowed_headers, got.expose_headers, got.max_age_seconds)
          == (rule.allowed_origins, rule.allowed_methods, rule.allowed_headers, rule.expose_headers, 600), "CORS")
    bucket.delete_bucket_cors()


def main():
    for name, auth, more in (("V1", oss2.Auth(KEY_ID, KEY_SECRET), {}),
                             ("V4", oss2.AuthV4(KEY_ID, KEY_SECRET), {"region": "cn-hangzhou"})):
        objects(oss2.Bucket(auth, STORE, "uploads", **more))
        print(f"objects {name}")
        cors(oss2.Bucket(auth, STORE, f"python-{name.lower()}", **more))
        print(f"cors {name}")
        wrong = type(auth)(KEY_ID, "wrong")
        error = raises(oss2.exceptions.SignatureDoesNotMatch, oss2.Bucket(wrong, STORE, "uploads", **more).get_object, "k")
        check(error.status == 403 and error.request_id, "refusal")
        print(f"refusal {name}")


main()
