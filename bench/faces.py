"""How fast one HTTP request is answered, beside etcd's JSON gateway and Redis."""
import csv
import json
import os
import pathlib
import shutil
import subprocess

from servers import DEADLINE_S, Pawl, Redis, Server, free_port, middle, rate, say, table

CONNECTIONS = 50
KEYS = 10000
KINDS = ("put", "get")
SCRIPT = pathlib.Path(__file__).resolve().parent / "request.lua"
TICKS = os.sysconf("SC_CLK_TCK")


class Etcd(Server):
    def command(self):
        url = f"http://127.0.0.1:{self.port}"
        peer = f"http://127.0.0.1:{free_port()}"
        return ["etcd", "--data-dir", str(self.dir / "data"), "--listen-client-urls", url,
                "--advertise-client-urls", url, "--listen-peer-urls", peer,
                "--initial-advertise-peer-urls", peer, "--initial-cluster", f"default={peer}",
                "--log-level", "error"]


def cpu_seconds(server):
    """What all of the server's threads have used so far."""
    fields = pathlib.Path(f"/proc/{server.process.pid}/stat").read_text().rsplit(") ", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def by_wrk(name, server, kind, seconds):
    command = ["wrk", "-t", "1", "-c", str(CONNECTIONS), "-d", f"{seconds}s", "-s", str(SCRIPT),
               f"http://127.0.0.1:{server.port}", "--", name, kind, str(KEYS)]
    said = subprocess.run(command, stdout=subprocess.PIPE, text=True, timeout=DEADLINE_S, check=True)
    row = json.loads(next(line for line in said.stdout.splitlines() if line.startswith("{")))
    if row["failed"]:
        raise SystemExit(f"{name}: {row['failed']} requests of {row['requests']} failed")
    return row


def by_redis_benchmark(server, kind, count):
    command = ["redis-benchmark", "-p", str(server.port), "-c", str(CONNECTIONS), "-n", str(count),
               "-r", str(KEYS), "-d", "200", "-t", "set" if kind == "put" else "get", "--csv"]
    said = subprocess.run(command, stdout=subprocess.PIPE, text=True, timeout=DEADLINE_S, check=True)
    found = next(csv.DictReader(said.stdout.splitlines()))
    return {"requests": count, "seconds": count / float(found["rps"]),
            "p50_us": 1000 * float(found["p50_latency_ms"]),
            "p99_us": 1000 * float(found["p99_latency_ms"]),
            "max_us": 1000 * float(found["max_latency_ms"])}


def measure_one(name, server, kind, seconds):
    before = cpu_seconds(server)
    if name == "redis":
        row = by_redis_benchmark(server, kind, int(seconds * (25000 if kind == "put" else 60000)))
    else:
        row = by_wrk(name, server, kind, seconds)
    return row | {"per_second": row["requests"] / row["seconds"],
                  "cpu_us": 1e6 * (cpu_seconds(server) - before) / row["requests"]}


def measure_http(options, parent):
    for program in ("wrk", "etcd", "redis-server", "redis-benchmark"):
        if shutil.which(program) is None:
            raise SystemExit(f"{program} is not installed: ./dev bench http does it")
    servers = {name: kind(parent, name)
               for name, kind in (("pawl", Pawl), ("etcd", Etcd), ("redis", Redis))}
    rows = {}
    seconds, rounds = (2, 1) if options.quick else (5, 3)
    try:
        for name, server in servers.items():
            server.start()
            say(f"{name}: {KEYS:,} keys")
            measure_one(name, server, "put", seconds)  # every key is there, everybody is warm
        for number in range(rounds):
            say(f"round {number + 1} of {rounds}")
            for kind in KINDS:
                for name, server in servers.items():
                    rows.setdefault(f"{name}_{kind}", []).append(
                        measure_one(name, server, kind, seconds))
    finally:
        for server in servers.values():
            server.close()
    return rows


def print_http(rows):
    for kind, title in (("put", "Durable writes"), ("get", "Reads")):
        lines = []
        ours = middle(rows[f"pawl_{kind}"], "per_second")["per_second"]
        for name, how in (("pawl", "HTTP, PUT or GET"), ("etcd", "HTTP, JSON gateway"),
                          ("redis", "RESP, SET or GET")):
            row = middle(rows[f"{name}_{kind}"], "per_second")
            lines.append([name, how, rate(row), f"{row['p50_us']:,.0f}", f"{row['p99_us']:,.0f}",
                          f"{row['cpu_us']:.1f}", f"{ours / row['per_second']:.2f}"])
        table(f"{title} of 200 bytes, {CONNECTIONS} connections, one request at a time on each",
              ["server", "by", "/s", "p50 us", "p99 us", "server's CPU us", "pawl/it"], lines)
