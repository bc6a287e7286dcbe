#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Measures the application server: grants for who has a token, grants and callbacks in the ledger,
next to nginx's constant answer, to OpenSSL alone, and to servers as samples in Python and Go are.

All on the loopback of this machine, the load generator included, in turns (A B A B ...), so that
what else the machine does hits all alike. Prints tables of medians and writes them to
bench/results/. Takes about ten minutes; BENCH_ROUNDS (5) and BENCH_SECONDS (2) change that;
BENCH_ONLY chooses parts by an expression for their names, the functions measure_... below.
"""

import csv
import json
import os
import pathlib
import re
import shutil
import sqlite3
import subprocess
import sys
import time
import urllib.request

sys.dont_write_bytecode = True
import servers  # noqa: E402
import session  # noqa: E402
from measure import BUILD, CORES, SECONDS, Sample, alternate, load, load_wrk, run  # noqa: E402

BUCKET = "uploads"
TOKENS = 100_000  # a hundred times as many as the cache of tokens has places
CALLBACKS = 100_000  # as many as a round can need
LOOKED_AT = 40_000  # the same, if the store is asked about each
ROWS = 1_000_000  # grants that are in the ledger before
FILES = 100  # of POST /grants; app_requests.c has it, too
# All grants are written down, however many rounds there are.
APP = {
    "GRANTS_MAX": "100000000",
    "RECONCILE_SECONDS": "0",
    "CONFIRM": "off",
    "EXPIRE_SECONDS": "86400",
}
RSA = "OpenSSL: RSA-2048 verified"


def bare(what):
    """A function that measures what OpenSSL does on all cores, and nothing else."""

    def measure():
        words = run([str(BUILD / "bare_bench"), what, str(CORES), SECONDS]).split()
        rate = float(words[1]) / float(words[3])
        return Sample(rate, 0, 0, CORES / rate * 1e6)

    return measure


class Requests:
    """A file of requests that were made before."""

    def __init__(self, path, *words, grants=None):
        self.path = str(path)
        command = [str(BUILD / "app_requests"), *(str(word) for word in words)]
        with open(path, "wb") as out:
            source = open(grants, "rb") if grants else subprocess.DEVNULL
            subprocess.run(command, stdin=source, stdout=out, check=True)

    def send(self, server, connections, count=1 << 60, scale=1, seconds=SECONDS, port=None):
        arguments = [port or server.port, self.path, connections, seconds, count]
        return load(server, "request_load", arguments, scale)


def make_key(folder):
    """Files with a private key of RSA, and its public half."""
    key, public = folder / "key.pem", folder / "callback_pub_key_v1.pem"
    run(["openssl", "genrsa", "-out", str(key), "2048"])
    run(["openssl", "rsa", "-in", str(key), "-pubout", "-out", str(public)])
    return key, public


# ---- Grants for who has a token --------------------------------------------------------------


def measure_grants(report, folder, key, public):
    """Who asks is known by a JWT: the same one again and again, or another each time."""
    settings = {**APP, "AUTH": "jwt", "JWT_KEY_FILE": str(public)}
    tokens = Requests(folder / "tokens", "tokens", key, TOKENS)
    first = pathlib.Path(tokens.path).read_bytes()[:4096]
    bearer = re.search(rb"Authorization: (Bearer [^\r]*)", first)[1].decode()
    postern = servers.App(folder / "grants", settings)
    unwritten = servers.App(folder / "grants-unwritten", {**settings, "GRANTS_MAX": "0"})
    body, head = servers.fetch(postern.url + "grant", {"Authorization": bearer})
    nginx = servers.Nginx(folder / "nginx-grants", {"/grant": body}, {"/grant": head})
    header = f"Authorization: {bearer}"
    report.add("### `GET /grant` with a JWT that was seen before, 64 connections (wrk)")
    report.add()
    report.add("Each grant is signed (V4), has a ticket of its own, and is written into the ledger")
    report.add("(SQLite, synced) behind the answer; with `grants_max = 0` none is written. nginx answers")
    report.add(f"a constant of {len(body):,} bytes.")
    report.add()
    samples = alternate(
        {
            "postern": lambda: load_wrk(postern, postern.url + "grant", header),
            "postern, `grants_max = 0`": lambda: load_wrk(
                unwritten, unwritten.url + "grant", header
            ),
            "nginx `return 200`": lambda: load_wrk(nginx, nginx.url("/grant"), header),
        }
    )
    report.table(samples, "postern", "requests/s")
    report.add("### `GET /grant` with another JWT each time (RS256), 64 connections")
    report.add()
    report.add(f"{TOKENS:,} tokens in turn; the cache has 1,024 places. nginx, sent the same, shows")
    report.add("what the load generator can do. OpenSSL verifies a signature whose digest is ready,")
    report.add(f"on {CORES} threads.")
    report.add()
    samples = alternate(
        {
            "postern": lambda: tokens.send(postern, 64),
            "nginx `return 200`": lambda: tokens.send(nginx, 64),
            RSA: bare("rsa"),
        }
    )
    report.table(samples, "postern", "requests/s")
    for server in (nginx, postern, unwritten):
        server.stop()


def measure_samples(report, folder, _key, _public):
    """The classic token, from whoever asks."""
    postern = servers.App(folder / "classic", APP)
    unwritten = servers.App(folder / "classic-unwritten", {**APP, "GRANTS_MAX": "0"})
    body, head = servers.fetch(postern.url)
    nginx = servers.Nginx(folder / "nginx-classic", {"/": body}, {"/": head})
    python = servers.PythonTokens(folder / "python")
    go = servers.GoTokens(folder / "go") if shutil.which("go") else None
    report.add("### `GET /`, the classic token (V1, HMAC-SHA1), 64 connections (wrk)")
    report.add()
    report.add("The samples in Python (http.server) and Go (net/http) build and sign a policy, and")
    report.add("nothing else. OpenSSL: 512 bytes each.")
    report.add()
    loads = {
        "postern": lambda: load_wrk(postern, postern.url),
        "postern, `grants_max = 0`": lambda: load_wrk(unwritten, unwritten.url),
        "nginx `return 200`": lambda: load_wrk(nginx, nginx.url("/")),
        "Python http.server": lambda: load_wrk(python, python.url()),
    }
    if go:
        loads["Go net/http"] = lambda: load_wrk(go, go.url())
    loads["OpenSSL: HMAC-SHA1"] = bare("hmac-sha1")
    loads["OpenSSL: HMAC-SHA256"] = bare("hmac-sha256")
    report.table(alternate(loads), "postern", "requests/s")
    for server in (postern, unwritten, nginx, python, *([go] if go else [])):
        server.stop()


# ---- Grants on the disk ----------------------------------------------------------------------


def ledger_alone(kind, ledger, count, in_flight):
    """What the ledger does without HTTP, on its one thread."""
    text = run([str(BUILD / "ledger_bench"), kind, str(ledger), str(count), str(in_flight)])
    rate = float(re.search(r": (\d+) a second", text)[1])
    return Sample(rate, 0, 0, 0)


def measure_durable(report, folder, _key, _public):
    """Grants that are on the disk before the answer."""
    alone = folder / "alone.db"
    ledger_alone("grants", alone, ROWS, 1024)
    postern = servers.App(folder / "durable", {**APP, "GRANTS_AWAITED": "true"}, alone)
    requests = Requests(folder / "files", "grants", 1000)
    report.add("### Grants in SQLite, durable before the answer; a million rows are there")
    report.add()
    report.add(f"`grants_awaited = true`. `POST /grants` asks for {FILES} files, each with a form.")
    report.add("The ledger alone: 1,024 grants at a time, without HTTP and forms.")
    report.add()
    url = postern.url + "grant"
    samples = alternate(
        {
            "the ledger alone": lambda: ledger_alone("grants", alone, 200_000, 1024),
            "`POST /grants`, 16 connections": lambda: requests.send(postern, 16, scale=FILES),
            "`GET /grant`, 64 connections": lambda: load_wrk(postern, url),
            "`GET /grant`, 512 connections": lambda: load_wrk(postern, url, connections=512),
        }
    )
    report.table(samples, "the ledger alone", "grants/s")
    postern.stop()
    alone.unlink()


# ---- Callbacks -------------------------------------------------------------------------------


def ask_for_grants(server, count, to):
    """A file with a line for each grant: its id, its ticket and the key of its object."""
    files = {"files": [{"name": f"photo-{i}.txt", "type": "text/plain"} for i in range(FILES)]}
    request = urllib.request.Request(
        server.url + "grants", json.dumps(files).encode(), {"Content-Type": "application/json"}
    )
    with open(to, "w") as out:
        for _ in range(count // FILES):
            with urllib.request.urlopen(request) as answer:
                for grant in json.load(answer)["grants"]:
                    key = grant["fields"]["key"]
                    out.write(f"{grant['id']} {grant['grant']} {key}\n")


def make_ledger(folder):
    """A ledger with ROWS grants, and those of the callbacks, of which there is a list, too."""
    ledger, grants = folder / "template.db", folder / "grants.txt"
    ledger_alone("grants", ledger, ROWS, 1024)
    server = servers.App(folder / "issuing", {**APP, "GRANTS_AWAITED": "true"}, ledger)
    ask_for_grants(server, CALLBACKS, grants)
    server.process.terminate()
    server.process.wait(60)
    shutil.copyfile(server.folder / "data/ledger.db", ledger)
    server.stop()
    return ledger, grants


def copy_grants(ledger, postgres, folder):
    """The grants of a ledger of SQLite, in a database `template` of PostgreSQL."""
    postgres.sql("CREATE DATABASE template")
    settings = {**APP, "LEDGER_URL": postgres.database("template")}
    servers.App(folder / "tables", settings).stop()  # makes the tables
    with sqlite3.connect(ledger) as db, open(folder / "rows.csv", "w", newline="") as out:
        rows = db.execute("SELECT * FROM grants")
        names = ", ".join(column[0] for column in rows.description)
        null = r"\N"
        csv.writer(out).writerows([null if v is None else v for v in row] for row in rows)
    copy = f"\\copy grants ({names}) FROM '{folder}/rows.csv' CSV NULL '{null}'"
    postgres.sql(copy, database="template")
    (folder / "rows.csv").unlink()


class Receiver:
    """Sends the same callbacks in each round, each time to a ledger that has not seen them yet."""

    def __init__(self, folder, callbacks, settings, ledger, postgres):
        self.folder, self.callbacks, self.settings = folder / "receiver", callbacks, settings
        self.ledger, self.postgres = ledger, postgres

    def load(self, connections, count, postgres=False, head=False):
        settings = {**self.settings, "CONFIRM": "on" if head else "off"}
        if postgres:
            self.postgres.sql("DROP DATABASE IF EXISTS round")
            self.postgres.sql("CREATE DATABASE round TEMPLATE template")
            settings["LEDGER_URL"] = self.postgres.database("round")
        server = servers.App(self.folder, settings, None if postgres else self.ledger)
        sample = self.callbacks.send(server, connections, count)
        server.stop()
        os.sync()
        return sample


def measure_callbacks(report, folder, key, public):
    """Callbacks of a store, each of a grant of its own."""
    path = f"/{public.name}"
    nginx = servers.Nginx(folder / "nginx-key", {path: public.read_text()}, {path: 0})
    store = servers.Postern(folder / "store")
    postgres = servers.Postgres(folder / "postgres") if servers.Postgres.BINARIES else None
    ledger, grants = make_ledger(folder)
    if postgres:
        copy_grants(ledger, postgres, folder)
    words = ("callbacks", key, nginx.url(path), BUCKET)
    callbacks = Requests(folder / "callbacks", *words, grants=grants)
    words = ("objects", servers.KEY_ID, servers.KEY_SECRET, BUCKET)
    objects = Requests(folder / "objects", *words, grants=grants)
    objects.send(store, 64, LOOKED_AT, seconds=600, port=store.store_port)
    settings = {
        **APP,
        "HOST": f"http://127.0.0.1:{store.store_port}/{BUCKET}",
        "KEY_URLS": nginx.url(path),
    }
    receiver = Receiver(folder, callbacks, settings, ledger, postgres)
    report.add("### Callbacks, verified (RSA-2048) and durable before the answer")
    report.add()
    report.add("Each is of a grant of its own that is in the ledger, with a million others. HEAD: the")
    report.add("store (postern, on the same cores) is asked about the object. 256 connections, with")
    report.add("HEAD 64.")
    report.add()
    loads = {
        "SQLite": lambda: receiver.load(256, CALLBACKS),
        "SQLite, 64 connections": lambda: receiver.load(64, CALLBACKS),
        RSA: bare("rsa"),
        "SQLite and HEAD": lambda: receiver.load(64, LOOKED_AT, head=True),
    }
    if postgres:
        loads["PostgreSQL"] = lambda: receiver.load(256, CALLBACKS, postgres=True)
        loads["PostgreSQL and HEAD"] = lambda: receiver.load(
            64, LOOKED_AT, postgres=True, head=True
        )
    report.table(alternate(loads), "SQLite", "callbacks/s")
    for server in (store, nginx, *([postgres] if postgres else [])):
        server.stop()


# ---- All -------------------------------------------------------------------------------------

PARTS = (measure_grants, measure_samples, measure_durable, measure_callbacks)


def measure(report, folder):
    key, public = make_key(folder)
    for part in PARTS:
        if re.search(os.environ.get("BENCH_ONLY", ""), part.__name__):
            part(report, folder, key, public)


session.hold("app", 5, [["nginx", "-v"], ["wrk", "-v"], ["openssl", "version"]], measure)
