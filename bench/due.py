"""How late alarms fire and records end, and what many of them cost those who write meanwhile."""
import json
import threading
import time
import urllib.request

from servers import Pawl, rate, say, table

FILL = ("--fill", "--train", "32", "--in-flight", "64")
CROWD = 10000  # records that expire in one instant, on a quiet engine


class Expiring(Pawl):
    """An engine whose records expire and whose alarms fire."""

    options = ()

    def command(self):
        return [*super().command(), *self.options]

    def ask(self, path, body=None, method=None):
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}{path}",
            None if body is None else json.dumps(body).encode(),
            {"content-type": "application/json"}, method=method)
        with urllib.request.urlopen(request) as answer:
            return json.load(answer)

    def await_expired(self, count, until):
        """Seconds from `until` (wall clock) to when so many have expired since the start."""
        while self.ask("/v1/status")["expiry"]["expired"] < count:
            time.sleep(0.005)
        return time.time() - until


class Writer(threading.Thread):
    """Writes another key, one change at a time, and notes how long each one takes."""

    def __init__(self, server):
        super().__init__()
        self.server = server
        self.times = []
        self.is_over = False

    def run(self):
        for i in range(10**9):
            if self.is_over:
                return
            began = time.monotonic()
            self.server.ask("/v1/state/other/k", i, "PUT")
            self.times.append((time.monotonic() - began) * 1000)


def crowd(parent):
    """Many in one instant, long after they were written."""
    server = Expiring(parent, "crowd")
    try:
        server.start()
        until = time.time() + 4
        server.measure(*FILL, "--keys", CROWD, "--expire", 4000)
        return {"count": CROWD, "all_ms": 1000 * server.await_expired(CROWD, until),
                "longest_ms": server.ask("/v1/status")["expiry"]["lateness_ms"]["max"]}
    finally:
        server.close()


def drain(parent, count):
    """So many whose time came while the engine was away, and one that writes beside them."""
    server = Expiring(parent, "drain")
    try:
        server.start()
        say(f"{count:,} records that expire")
        wait_ms = 20000 + count // 20  # longer than writing them takes
        began = time.time()
        filled = server.measure(*FILL, "--keys", count, "--expire", wait_ms)
        results = {"count": count, "fill": filled, "rss_mb": server.resident_mb()}
        server.stop()
        time.sleep(max(0, began + wait_ms / 1000 + 1 - time.time()))
        server.start()
        results["rss_started_mb"] = server.resident_mb()
        while server.ask("/v1/status")["status"] != "ok":
            time.sleep(0.005)
        say("their time has come")
        writer = Writer(server)
        writer.start()
        took_s = server.await_expired(count, time.time())
        writer.is_over = True
        writer.join()
        times = sorted(writer.times)
        results |= {"per_second": count / took_s, "seconds": took_s,
                    "write_p50_ms": times[len(times) // 2],
                    "write_p99_ms": times[len(times) * 99 // 100],
                    "write_max_ms": times[-1], "rss_drained_mb": server.resident_mb()}
        return results
    finally:
        server.close()


def alarms(parent, count):
    """So many that are due within one second, and a worker that handles them."""
    server = Expiring(parent, "alarms")
    try:
        trigger = {"id": "due", "type": "alarm", "function": "bench::handle", "scope": "bench",
                   "concurrency": 1000}
        (server.dir / "config.yaml").write_text(json.dumps({"triggers": [trigger]}))
        server.options = ("--config", str(server.dir / "config.yaml"))
        server.start()
        say(f"{count:,} alarms")
        wait_ms = 5000 + count // 4  # longer than setting them takes
        until = time.time() + wait_ms / 1000
        filled = server.measure("--fill", "--alarm", "--in-flight", "256", "--keys", count,
                                "--expire", wait_ms)
        results = {"count": count, "set": filled, "rss_mb": server.resident_mb()}
        say("they are due")
        results["handled"] = server.measure("--drain", "--keys", count)
        results["handled_s"] = time.time() - until
        said = server.ask("/v1/status")["alarms"]
        return results | {"late": said["lateness_ms"], "fired": said["fired"]}
    finally:
        server.close()


def measure_due(options, parent):
    results = {"alarms": [alarms(parent, count)
                          for count in (10000,) + (() if options.quick else (100000,))]}
    say("a crowd")
    results["crowd"] = crowd(parent)
    results["drain"] = drain(parent, 100000 if options.quick else 1000000)
    return results


def print_due(results):
    for row in results["alarms"]:
        table(f"{row['count']:,} alarms due within one second, one worker", ["what", "figure"],
              [["set, alarms/s, each durable", rate(row["set"])],
               ["fired late: half / 99 % within ms",
                f"{row['late']['p50']} / {row['late']['p99']}"],
               ["the latest, ms", row["late"]["max"]],
               ["all handled, s behind the first's time", f"{row['handled_s']:.1f}"],
               ["resident MB", f"{row['rss_mb']:.1f}"]])
    few, many = results["crowd"], results["drain"]
    table(f"{few['count']:,} records that expire in one instant", ["what", "ms"],
          [["the latest is late", few["longest_ms"]],
           ["all have ended, as a client sees it", f"{few['all_ms']:.0f}"]])
    table(f"{many['count']:,} records whose time came while the engine was away",
          ["what", "figure"],
          [["written with a time, changes/s", rate(many["fill"])],
           ["ended, records/s", f"{many['per_second']:,.0f}"],
           ["a write meanwhile: p50 / p99 / max ms",
            f"{many['write_p50_ms']:.1f} / {many['write_p99_ms']:.1f} / "
            f"{many['write_max_ms']:.1f}"],
           ["resident MB: written", f"{many['rss_mb']:.1f}"],
           ["after the start", f"{many['rss_started_mb']:.1f}"],
           ["when all have ended", f"{many['rss_drained_mb']:.1f}"]])
