#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A token server as application servers in Python are often written: http.server, one policy a GET.

token_server.py PORT: what GET / of postern answers, computed for each request, for comparison.
"""

import base64
import datetime
import hashlib
import hmac
import http.server
import json
import sys
import time

KEY_ID = "bench-access-key-id"
SECRET = b"bench-access-key-secret"
HOST = "http://uploads.example.com"
DIR = "user-dir-prefix/"
CALLBACK = {
    "callbackUrl": "http://127.0.0.1:8888/",
    "callbackBody": "filename=${object}&size=${size}&mimeType=${mimeType}"
    "&height=${imageInfo.height}&width=${imageInfo.width}",
    "callbackBodyType": "application/x-www-form-urlencoded",
}


def token():
    expires = int(time.time()) + 300
    moment = datetime.datetime.fromtimestamp(expires, datetime.timezone.utc)
    conditions = [["starts-with", "$key", DIR], ["content-length-range", 0, 1048576000]]
    policy = {"expiration": moment.strftime("%Y-%m-%dT%H:%M:%SZ"), "conditions": conditions}
    encoded = base64.b64encode(json.dumps(policy).encode())
    signature = base64.b64encode(hmac.new(SECRET, encoded, hashlib.sha1).digest())
    return {
        "accessid": KEY_ID,
        "host": HOST,
        "policy": encoded.decode(),
        "signature": signature.decode(),
        "expire": expires,
        "callback": base64.b64encode(json.dumps(CALLBACK).encode()).decode(),
        "dir": DIR,
    }


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = json.dumps(token()).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Access-Control-Allow-Origin", "*")
        self.send_header("Access-Control-Allow-Methods", "GET, POST")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
