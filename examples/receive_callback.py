#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# Receives callbacks at PORT, verified by libpostern: receive_callback.py PORT TRUSTED_KEY_URL
import ctypes, functools, http.server, sys, urllib.request

postern = ctypes.CDLL("libpostern.so.0")
postern.postern_result_text.restype = ctypes.c_char_p
FindKey = ctypes.CFUNCTYPE(ctypes.c_size_t, ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p, ctypes.c_size_t)

class Callback(ctypes.Structure):
    _fields_ = [("size", ctypes.c_size_t), ("target", ctypes.c_char_p), ("authorization", ctypes.c_char_p),
                ("key_url", ctypes.c_char_p), ("body", ctypes.c_char_p), ("body_size", ctypes.c_size_t)]

fetch = functools.cache(lambda url: urllib.request.urlopen(url.decode(), timeout=3).read())

@FindKey
def find_key(context, url, pem, size):
    key = fetch(url)[:size]
    ctypes.memmove(pem, key, len(key))
    return len(key)

class Receiver(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        header = lambda name: self.headers.get(name, "").encode()
        callback = Callback(ctypes.sizeof(Callback), self.path.encode(), header("Authorization"),
                            header("x-oss-pub-key-url"), body, len(body))
        trusted = (ctypes.c_char_p * 1)(sys.argv[2].encode())
        result = postern.postern_callback_verify_by_url(ctypes.byref(callback), trusted, ctypes.c_size_t(1), find_key, None)
        answer = b'{"Status":"OK"}' if result == 0 else b'{"Status":"refused"}'
        print(postern.postern_result_text(result).decode(), body.decode(), flush=True)
        self.send_response(200 if result == 0 else 403)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Receiver).serve_forever()
