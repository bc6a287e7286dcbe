# SPDX-License-Identifier: Apache-2.0
"""What several gateways need: a Ceph cluster below them, and nginx before them."""
import contextlib
import http.client
import os
import socket
import subprocess
import time

from .result import ROOT, Unavailable

CLUSTER = str(ROOT / "tests" / "ceph" / "cluster")
NO_PACKAGES = 77
START_SECONDS = 60

# Each request goes to another gateway, as it came.
NGINX = """
daemon off;
master_process off;
pid nginx.pid;
error_log stderr warn;
events {{ worker_connections 1024; }}
http {{
    access_log off;
    client_body_temp_path body;
    proxy_temp_path proxy;
    fastcgi_temp_path fastcgi;
    uwsgi_temp_path uwsgi;
    scgi_temp_path scgi;
    client_max_body_size 0;
    client_header_buffer_size 16k;
    large_client_header_buffers 8 32k;
    ignore_invalid_headers off;
    proxy_request_buffering off;
    proxy_buffering off;
    proxy_next_upstream off;
    proxy_http_version 1.1;
    proxy_read_timeout 120s;
    proxy_set_header Host $http_host;
    proxy_set_header Connection "";
    proxy_pass_header Date;
    proxy_pass_header Server;
    upstream gateways {{
        {servers}
    }}
    server {{
        listen 127.0.0.1:{port};
        location / {{ proxy_pass http://gateways; }}
    }}
}}
"""


@contextlib.contextmanager
def cluster(home):
    """Options of postern for a cluster of its own, in the environment."""
    folder = os.path.join(home, "ceph")
    answer = subprocess.run([CLUSTER, "start", folder, str(os.getpid())], stdout=subprocess.PIPE, text=True)
    if answer.returncode == NO_PACKAGES:
        raise Unavailable("Ceph's packages are missing: tools/install-packages ceph")
    answer.check_returncode()
    try:
        yield {"POSTERN_STORE_BACKEND": "rados", "POSTERN_RADOS_CONFIG": answer.stdout.strip(),
               "POSTERN_RADOS_ID": "admin"}
    finally:
        subprocess.run([CLUSTER, "stop", folder], check=True)


@contextlib.contextmanager
def in_turns(home, stores):
    """The URL of an nginx that gives each request to the next of them."""
    folder = os.path.join(home, "nginx")
    os.makedirs(folder)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    servers = " ".join(f"server {store.removeprefix('http://')};" for store in stores)
    with open(os.path.join(folder, "nginx.conf"), "w", encoding="utf-8") as conf:
        conf.write(NGINX.format(servers=servers, port=port))
    nginx = subprocess.Popen(["nginx", "-p", folder, "-c", "nginx.conf", "-e", "stderr"], stdin=subprocess.DEVNULL)
    try:
        wait_for(nginx, port)
        yield f"http://127.0.0.1:{port}"
    finally:
        nginx.terminate()
        nginx.wait()


def is_postern(port):
    """Whether it is a store that answers there, and nobody else who has taken the port."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=START_SECONDS)
    try:
        connection.request("GET", "/")
        return connection.getresponse().getheader("x-oss-request-id") is not None
    except OSError:
        return False
    finally:
        connection.close()


def wait_for(nginx, port):
    deadline = time.monotonic() + START_SECONDS
    while not is_postern(port):
        if nginx.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError("nginx did not start")
        time.sleep(0.02)
