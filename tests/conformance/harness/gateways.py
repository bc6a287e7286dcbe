# SPDX-License-Identifier: Apache-2.0
"""What several gateways need: a Ceph cluster below them, and nginx or HAProxy before them."""
import contextlib
import http.client
import os
import re
import shutil
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


def free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def nginx(folder, port, gateways):
    """The command, for gateways of which each has the addresses of its store and its console."""
    servers = " ".join(f"server {store};" for store, _ in gateways)
    with open(os.path.join(folder, "nginx.conf"), "w", encoding="utf-8") as conf:
        conf.write(NGINX.format(servers=servers, port=port))
    return ["nginx", "-p", folder, "-c", "nginx.conf", "-e", "stderr"]


def haproxy(folder, port, gateways):
    """The same, with the file of examples/ as it is but for certificate, ports and addresses."""
    if not shutil.which("haproxy"):
        raise Unavailable("HAProxy is missing: tools/install-packages conformance")
    text = (ROOT / "examples" / "haproxy-gateways.cfg").read_text(encoding="utf-8")
    text = re.sub(r"bind :443 .*", f"bind 127.0.0.1:{port}", text)
    lines = [line for line in text.splitlines() if not line.strip().startswith("server ")]
    for number, (store, console) in enumerate(gateways):
        lines.append(f"    server gateway-{number} {store} port {console.rpartition(':')[2]}")
    path = os.path.join(folder, "haproxy.cfg")
    with open(path, "w", encoding="utf-8") as conf:
        conf.write("\n".join(lines) + "\n")
    return ["haproxy", "-db", "-q", "-f", path]


PROXIES = {"nginx": nginx, "haproxy": haproxy}


@contextlib.contextmanager
def in_turns(home, port, gateways, proxy):
    """A proxy on that port that gives each request to the next of them."""
    folder = os.path.join(home, "proxy")
    os.makedirs(folder)
    process = subprocess.Popen(PROXIES[proxy](folder, port, gateways), stdin=subprocess.DEVNULL)
    try:
        wait_for(process, port)
        yield
    finally:
        process.terminate()
        process.wait()


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


def wait_for(proxy, port):
    deadline = time.monotonic() + START_SECONDS
    while not is_postern(port):
        if proxy.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError("the proxy did not start")
        time.sleep(0.02)
