# SPDX-License-Identifier: Apache-2.0
"""The servers that are measured: each a process of ours, in a folder of its own, on free ports."""

import json
import os
import pathlib
import re
import shutil
import socket
import struct
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
RUNNING = {}  # in the order of their starts


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


def cpu_seconds_of(pids):
    ticks = 0
    for pid in pids:
        fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / TICKS


class Server:
    """A process with a log in `folder`; `ports` are waited for."""

    def __init__(self, folder, command, ports, env=None):
        self.folder = folder
        with open(folder / "log", "ab") as log, open(folder / "out", "wb") as out:
            self.process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=out, stderr=log, env=env
            )
        RUNNING[self] = True
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
        return cpu_seconds_of(self.pids())

    def counters(self):
        """What grows with each request, by the name that it has in a Sample."""
        return {"cpu_us": self.cpu_seconds() * 1e6}

    def rss_bytes(self):
        for line in pathlib.Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) * 1024
        return 0

    def stop(self):
        RUNNING.pop(self, None)
        self.process.terminate()
        self.process.wait(60)
        shutil.rmtree(self.folder)


class Postern(Server):
    def __init__(self, folder, command="serve", env=None):
        folder.mkdir(parents=True)
        env = {**os.environ, **KEY, "POSTERN_SERVER_LOG_LEVEL": "error", **(env or {})}
        names = ["store", "console"] + (["app"] if command == "serve" else [])
        words = [POSTERN, command, "--data", str(folder / "data")]
        for name in names:
            words += [f"--{name}-listen", "127.0.0.1:0"]
        super().__init__(folder, words, [], env)
        self.wait_for(lambda: "console" in (folder / "out").read_text())
        lines = (folder / "out").read_text().splitlines()[1:]
        urls = dict(line.strip().split("  ", 1) for line in lines)
        self.app = urls.get("application server", "").strip()
        self.console = urls["console"].strip().rstrip("/")
        self.store_port = int(urls["object store"].strip().rstrip("/").rpartition(":")[2])

    def metric(self, name):
        """A sample of /metrics, by all that stands in front of its value."""
        with urllib.request.urlopen(self.console + "/metrics") as answer:
            for line in answer.read().decode().splitlines():
                if line.startswith(f"postern_{name} "):
                    return float(line.rpartition(" ")[2])
        sys.exit(f"bench: there is no metric {name}")

    def upload_target(self):
        return self.store_port, "/uploads/"

    def forget_uploads(self):
        pass

    def rest_target(self):
        return self.store_port, "/uploads/", f"OSS:{KEY_ID}:{KEY_SECRET}"


class App(Server):
    """`postern app`, with these settings of [app], and a copy of the file `ledger`, if one is given."""

    def __init__(self, folder, settings, ledger=None):
        data = folder / "data"
        data.mkdir(parents=True)
        if ledger:
            shutil.copyfile(ledger, data / "ledger.db")
            os.sync()  # so that it is not written while something is measured
        all_settings = {
            "ACCESS_KEY_ID": KEY_ID,
            "ACCESS_KEY_SECRET": KEY_SECRET,
            "HOST": "http://127.0.0.1:9/uploads",
            "CALLBACK_URL": "http://127.0.0.1:9/",
            **settings,
        }
        env = {f"POSTERN_APP_{name}": value for name, value in all_settings.items()}
        env.update(POSTERN_SERVER_LOG_LEVEL="error", POSTERN_STORE_CALLBACK_ALLOW="127.0.0.1")
        command = [POSTERN, "app", "--data", str(data)]
        command += ["--app-listen", "127.0.0.1:0", "--console-listen", "127.0.0.1:0"]
        super().__init__(folder, command, [], {**os.environ, **env})
        self.wait_for(lambda: "operations" in (folder / "out").read_text())
        self.url = re.search(r"application server +(\S+)", (folder / "out").read_text())[1]
        self.port = int(self.url.rstrip("/").rpartition(":")[2])


class Postgres(Server):
    """A cluster of PostgreSQL as Debian configures it: what is committed is on the disk."""

    RUN = str(HERE.parent / "tests/postgres/run")
    BINARIES = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin"))

    def __init__(self, folder):
        folder.mkdir(parents=True)
        self.port = free_port()
        settings = ["fsync=on", "shared_buffers=128MB"]
        super().__init__(folder, [self.RUN, str(folder), str(self.port), *settings], [self.port])
        self.wait_for(lambda: self.try_sql("SELECT 1").returncode == 0)

    def try_sql(self, *commands, database="postgres", **how):
        words = [word for command in commands for word in ("-c", command)]
        psql = [str(self.BINARIES[-1] / "psql"), "-X", "-q", "-v", "ON_ERROR_STOP=1"]
        return subprocess.run(
            [*psql, "-d", self.database(database), *words], capture_output=True, text=True, **how
        )

    def sql(self, *commands, **how):
        done = self.try_sql(*commands, **how)
        if done.returncode != 0:
            sys.exit(f"bench: PostgreSQL: {done.stderr}")

    def database(self, name):
        return f"postgresql://postern@127.0.0.1:{self.port}/{name}"


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


class Ceph:
    """A cluster (tests/ceph/cluster) with BlueStore on files; of several OSDs all is kept twice."""

    PROGRAM = str(HERE.parent / "tests/ceph/cluster")
    # A file would be taken for a hard disk. The rest is Ceph's default for SSDs.
    MORE = """admin socket = $run_dir/$name.asok
bluestore debug enforce settings = ssd
bluestore block size = 42949672960
bluestore cache size = 1073741824
osd op num shards = 8
osd op num threads per shard = 2
debug osd = 0/0
debug bluestore = 0/0
debug bluefs = 0/0
debug bdev = 0/0
debug rocksdb = 0/0"""

    def __init__(self, folder, osds=1):
        self.folder = folder
        self.osds = osds
        more = {"CEPH_OSDS": str(osds), "CEPH_OBJECTSTORE": "bluestore", "CEPH_MORE": self.MORE}
        RUNNING[self] = True
        self.problem = self.run("start", str(os.getpid()), env={**os.environ, **more})
        self.config = str(folder / "ceph.conf")

    def run(self, command, *words, env=None):
        """What is wrong, or an empty text."""
        done = subprocess.run(
            [self.PROGRAM, command, str(self.folder), *words],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=env,
        )
        return done.stdout.strip() if done.returncode else ""

    def pids(self, what):
        return [file.read_text().strip() for file in self.folder.glob(f"{what}.pid")]

    def perf(self, osd):
        """The counters that an OSD tells at its admin socket."""
        with socket.socket(socket.AF_UNIX) as s:
            s.connect(str(self.folder / f"osd.{osd}.asok"))
            s.sendall(b'{"prefix":"perf dump"}\0')
            with s.makefile("rb") as answer:
                (size,) = struct.unpack(">I", answer.read(4))
                return json.loads(answer.read(size))

    def counters(self):
        """Of all OSDs; an operation counts once, however many copies there are."""
        operations = sum(self.perf(osd)["osd"]["op"] for osd in range(self.osds))
        return {"osd_us": cpu_seconds_of(self.pids("osd.*")) * 1e6, "operations": operations}

    def stop(self):
        RUNNING.pop(self, None)
        self.run("stop")


class OnCeph:
    """Counts what a server does to its cluster, too."""

    ceph = None

    def counters(self):
        return {**super().counters(), **self.ceph.counters()}


class PosternOnCeph(OnCeph, Postern):
    """A gateway; `space` is the namespace of its store, `split` how many objects a tablet has."""

    def __init__(self, folder, ceph, space="", split=None):
        self.ceph = ceph
        env = {
            "POSTERN_STORE_BACKEND": "rados",
            "POSTERN_RADOS_CONFIG": ceph.config,
            "POSTERN_RADOS_ID": "admin",
            "POSTERN_RADOS_NAMESPACE": space,
        }
        if split:
            env["POSTERN_RADOS_SPLIT_OBJECTS"] = str(split)
        super().__init__(folder, "store", env)


class RadosGw(Server):
    """Ceph's own gateway; it ends with its cluster."""

    def __init__(self, ceph):
        self.ceph = ceph
        self.port = free_port()
        self.problem = ceph.problem or ceph.run("radosgw", str(self.port), KEY_ID, KEY_SECRET)

    def pids(self):
        return self.ceph.pids("client.rgw.a")

    def rest_target(self):
        return self.port, "/uploads/", f"AWS:{KEY_ID}:{KEY_SECRET}"


class RadosGwOnCeph(OnCeph, RadosGw):
    pass


class RadosGwAndCeph(RadosGw):
    """With all of its cluster, as if that was one server."""

    def pids(self):
        return self.ceph.pids("*")


class PythonTokens(Server):
    def __init__(self, folder):
        folder.mkdir(parents=True)
        self.port = free_port()
        command = [sys.executable, str(HERE / "token_server.py"), str(self.port)]
        super().__init__(folder, command, [self.port])

    def url(self):
        return f"http://127.0.0.1:{self.port}/"


class GoTokens(Server):
    def __init__(self, folder):
        folder.mkdir(parents=True)
        self.port = free_port()
        program = str(folder / "token_server")
        subprocess.run(["go", "build", "-o", program, str(HERE / "token_server.go")], check=True)
        super().__init__(folder, [program, str(self.port)], [self.port])

    def url(self):
        return f"http://127.0.0.1:{self.port}/"


def fetch(url, headers=None):
    """The body of an answer, and how many bytes its head has."""
    with urllib.request.urlopen(urllib.request.Request(url, headers=headers or {})) as answer:
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
