# SPDX-License-Identifier: Apache-2.0
"""Temporary keys: AssumeRole by aliyun-python-sdk-core, which comes with oss2, and what oss2 does with them."""
import json
import os

import oss2
from aliyunsdkcore.acs_exception.exceptions import ServerException
from aliyunsdkcore.client import AcsClient
from aliyunsdkcore.request import RpcRequest

from support import KEY_ID, KEY_SECRET, Case, both_versions, client

OPERATIONS = os.environ["OPERATIONS"].removeprefix("http://")


def assume_role(policy=None, method="POST", secret=KEY_SECRET):
    """The credentials."""
    request = RpcRequest("Sts", "2015-04-01", "AssumeRole")
    request.set_endpoint(OPERATIONS)
    request.set_protocol_type("http")
    request.set_method(method)
    request.add_query_param("RoleArn", "acs:ram::1234567890123456:role/python")
    request.add_query_param("RoleSessionName", "oss2@test")
    request.add_query_param("DurationSeconds", 900)
    if policy:
        request.add_query_param("Policy", json.dumps(policy, ensure_ascii=False))
    acs = AcsClient(KEY_ID, secret, "cn-hangzhou", auto_retry=False)
    return json.loads(acs.do_action_with_exception(request))["Credentials"]


def sts_auth(version, got):
    return oss2.StsAuth(got["AccessKeyId"], got["AccessKeySecret"], got["SecurityToken"],
                        auth_version=oss2.AUTH_VERSION_4 if version == "V4" else oss2.AUTH_VERSION_1)


class TemporaryKeys(Case):
    def temporary(self, policy=None):
        return client(self.version, self.bucket.bucket_name, auth=sts_auth(self.version, assume_role(policy)))

    def test_objects(self):
        bucket = self.temporary()
        for name in ("a/plain", "a/b c+%/中文"):
            bucket.put_object(name, b"temporary")
            self.assertEqual(bucket.get_object(name).read(), b"temporary")
            url = bucket.sign_url("GET", name, 60, slash_safe=True)
            self.assertEqual(bucket.get_object_with_url(url).read(), b"temporary")
        self.assertEqual(len(list(oss2.ObjectIterator(bucket))), 2)
        self.assertEqual(len(bucket.batch_delete_objects(["a/plain"]).deleted_keys), 1)

    def test_policy(self):
        name = self.bucket.bucket_name
        bucket = self.temporary({"Version": "1", "Statement": [
            {"Effect": "Allow", "Action": ["oss:PutObject", "oss:GetObject"], "Resource": f"acs:oss:*:*:{name}/中 文/*"},
            {"Effect": "Deny", "Action": "oss:GetObject", "Resource": f"acs:oss:*:*:{name}/中 文/secret*"}]})
        bucket.put_object("中 文/a", b"x")
        bucket.put_object("中 文/secret", b"x")
        self.assertEqual(bucket.get_object("中 文/a").read(), b"x")
        for call, *args in ((bucket.get_object, "中 文/secret"), (bucket.put_object, "other", b"x"),
                            (bucket.delete_object, "中 文/a"), (bucket.get_bucket_info,)):
            self.assertIn("does not allow oss:", self.raises(oss2.exceptions.AccessDenied, call, *args).message)

    def test_refusals(self):
        got = assume_role()
        for wrong, error in (({"SecurityToken": "AAAA"}, "InvalidSecurityToken"),
                             ({"AccessKeyId": KEY_ID}, "InvalidAccessKeyId"),
                             ({"AccessKeySecret": "wrong"}, "SignatureDoesNotMatch")):
            bucket = client(self.version, self.bucket.bucket_name, auth=sts_auth(self.version, {**got, **wrong}))
            refusal = self.raises(oss2.exceptions.ServerError, bucket.get_object, "k")
            self.assertEqual((refusal.status, refusal.code), (403, error))

    def test_assume_role(self):
        self.assertTrue(assume_role(method="GET", policy={
            "Version": "1", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]})["SecurityToken"])
        # The SDK says that the secret is wrong if what the server signed is what it signed itself.
        for more, code in (({"secret": "wrong"}, "InvalidAccessKeySecret"),
                           ({"policy": {"Version": "2"}}, "InvalidParameter.PolicyGrammar")):
            with self.assertRaises(ServerException) as caught:
                assume_role(**more)
            self.assertEqual(caught.exception.get_error_code(), code)
            self.assertEqual(caught.exception.get_http_status(), 400)


both_versions(TemporaryKeys, globals())
del TemporaryKeys
