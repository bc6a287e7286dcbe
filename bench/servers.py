# SPDX-License-Identifier: Apache-2.0
"""The servers that are measured: each a process of ours, in a folder of its own, on free ports."""

import json
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import time
import urllib.request

BOUNDARY = "postern-bench-boundary"
TICKS = os.sysconf("SC_CLK_TCK")
KEY_ID, KEY_SECRET = "bench-id", "bench-secret"
KEY = {"POSTERN_ACCESS_KEY_ID": KEY_ID, "POSTERN_ACCESS_KEY_SECRET": KEY_SECRET}
HERE = pathlib.Path(__file__).resolve().parent
POSTERN = str(HERE.parent / "build/postern")
RUNNING = set()


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def answers(port):
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
        return True
    except OSError:
        return False


class Server:
    """A process with a log in `folder`; `ports` are waited for."""

    def __init__(self, folder, command, ports, env=None):
        self.folder = folder
        with open(folder / "log", "ab") as log, open(folder / "out", "wb") as out:
            self.process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=out, stderr=log, env=env
            )
        RUNNING.add(self)
        for port in ports:
            self.wait_for(lambda port=port: answers(port))

    def wait_for(self, condition):
        for _ in range(200):
            if self.process.poll() is not None:
                break
            if condition():
                return
            time.sleep(0.05)
        sys.exit(f"bench: a server does not start:\n{(self.folder / 'log').read_text()}")

    def pids(self):
        pid = str(self.process.pid)
        children = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        return [pid, *children]

    def cpu_seconds(self):
        ticks = 0
        for pid in self.pids():
            fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            ticks += int(fields[11]) + int(fields[12])
        return ticks / TICKS

    def rss_bytes(self):
        for line in pathlib.Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) * 1024
        return 0

    def stop(self):
        RUNNING.discard(self)
        self.process.terminate()
        self.process.wait(60)
        shutil.rmtree(self.folder)


class Postern(Server):
    def __init__(self, folder):
        folder.mkdir(parents=True)
        env = {**os.environ, **KEY, "POSTERN_SERVER_LOG_LEVEL": "error"}
        command = [POSTERN, "serve", "--data", str(folder / "data")]
        for name in ("app", "store", "console"):
            command += [f"--{name}-listen", "127.0.0.1:0"]
        super().__init__(folder, command, [], env)
        self.wait_for(lambda: "console" in (folder / "out").read_text())
        lines = (folder / "out").read_text().splitlines()[1:]
        urls = dict(line.strip().split("  ", 1) for line in lines)
        self.app = urls["application server"].strip()
        self.store_port = int(urls["object store"].strip().rstrip("/").rpartition(":")[2])

    def upload_target(self):
        return self.store_port, "/uploads/"

    def forget_uploads(self):
        pass

    def rest_target(self):
        return self.store_port, "/uploads/", f"OSS:{KEY_ID}:{KEY_SECRET}"


class Nginx(Server):
    """`return 200` for each of `bodies` (path -> text), and uploads kept as files on /upload."""

    def __init__(self, folder, bodies, head_bytes):
        folder.mkdir(parents=True)
        self.uploads = folder / "uploads"
        (folder / "dav").mkdir()
        (folder / "dav").chmod(0o777)  # the workers have another user
        self.port = free_port()
        self.folder = folder
        locations = "".join(self.static(path, body, head_bytes) for path, body in bodies.items())
        (folder / "nginx.conf").write_text(
            f"""daemon off;
pid {folder}/pid;
error_log stderr error;
worker_processes auto;
worker_rlimit_nofile 8192;
events {{ worker_connections 1024; }}
http {{
    access_log off;
    log_not_found off;
    server_tokens off;
    keepalive_requests 1000000000;
    tcp_nopush on;
    client_max_body_size 0;
    client_body_buffer_size 1m;
    client_body_temp_path {self.uploads};
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    server {{
        listen 127.0.0.1:{self.port};
        root {folder}/nothing;
        {locations}
        # The mirror makes nginx read the body; there is nothing to mirror it to, and nothing to
        # answer but 204. (Cheaper than the usual proxy_pass to a second server.)
        location = /upload {{
            client_body_in_file_only on;
            mirror /done;
            error_page 404 405 =204 /done;
        }}
        location = /done {{ internal; return 204; }}
        location /dav/ {{
            root {folder};
            dav_methods PUT DELETE;
        }}
    }}
}}
"""
        )
        command = ["/usr/sbin/nginx", "-p", str(folder), "-c", str(folder / "nginx.conf")]
        super().__init__(folder, command, [self.port])

    @staticmethod
    def static(path, body, head_bytes):
        """The answer of postern, with a header that makes both heads equally long."""
        head = (
            "HTTP/1.1 200 OK\r\nServer: nginx\r\nDate: Mon, 01 Jan 2024 00:00:00 GMT\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
            "Connection: keep-alive\r\nX-Pad: \r\n\r\n"
        )
        pad = "x" * max(head_bytes[path] - len(head), 1)
        return (
            f"location = {path} {{ default_type application/json; add_header X-Pad {pad};"
            f" return 200 '{body}'; }}\n        "
        )

    def url(self, path):
        return f"http://127.0.0.1:{self.port}{path}"

    def upload_target(self):
        return self.port, "/upload"

    def forget_uploads(self):
        for file in self.uploads.iterdir():
            file.unlink()

    def rest_target(self):
        return self.port, "/dav/", "-"


class RadosGw(Server):
    """Ceph with its S3 gateway; its daemons are not our children."""

    PROGRAM = str(HERE / "radosgw")

    def __init__(self, folder):
        folder.mkdir(parents=True)
        self.folder = folder
        port = free_port()
        self.port = port + 2
        command = [self.PROGRAM, "up", str(folder / "c"), str(port), KEY_ID, KEY_SECRET]
        RUNNING.add(self)
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.problem = done.stdout.strip() if done.returncode else ""

    def pids(self):
        command = [self.PROGRAM, "pids", str(self.folder / "c")]
        return subprocess.run(command, stdout=subprocess.PIPE, text=True).stdout.split()

    def stop(self):
        RUNNING.discard(self)
        subprocess.run([self.PROGRAM, "down", str(self.folder / "c")])
        shutil.rmtree(self.folder)

    def rest_target(self):
        return self.port, "/uploads/", f"AWS:{KEY_ID}:{KEY_SECRET}"


class PythonTokens(Server):
    def __init__(self, folder):
        folder.mkdir(parents=True)
        self.port = free_port()
        command = [sys.executable, str(HERE / "token_server.py"), str(self.port)]
        super().__init__(folder, command, [self.port])

    def url(self):
        return f"http://127.0.0.1:{self.port}/"


def fetch(url):
    """The body of an answer, and how many bytes its head has."""
    with urllib.request.urlopen(url) as answer:
        lines = [f"{name}: {value}\r\n" for name, value in answer.getheaders()]
        return answer.read().decode(), len("HTTP/1.1 200 OK\r\n\r\n") + sum(map(len, lines))


def write_form(path):
    """A form that `postern sign` signed, up to its file, for objects below bench/."""
    command = [POSTERN, "sign", "--bucket", "uploads", "--prefix", "bench/", "--expire", "3600"]
    command += ["--max-size", str(5 << 30)]
    signed = subprocess.run(command, env={**os.environ, **KEY}, check=True, stdout=subprocess.PIPE)
    fields = {"key": "bench/" + "#" * 16, **json.loads(signed.stdout)["fields"]}
    text = ""
    for name, value in fields.items():
        text += f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
    text += f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="data.bin"\r\n'
    text += "Content-Type: application/octet-stream\r\n\r\n"
    path.write_text(text)
