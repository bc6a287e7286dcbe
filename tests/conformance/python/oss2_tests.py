# SPDX-License-Identifier: Apache-2.0
"""tap.py for oss2's own tests. They take one of three buckets at random: a plain one, one whose
objects the SDK encrypts with an RSA key, and one with a key of Alibaba Cloud's KMS, which cannot be
reached from here. The last gets an RSA key, too.
"""
import sys

import oss2
import tap
from Crypto.PublicKey import RSA

key = RSA.generate(2048)
PAIR = {"private_key": key.export_key(), "public_key": key.publickey().export_key()}
oss2.AliKMSProvider = lambda *_, **more: oss2.RsaProvider(PAIR)

sys.exit(tap.main())
