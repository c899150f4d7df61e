"""How late records end whose time has come, and what that costs those who write meanwhile."""
import json
import threading
import time
import urllib.request

from servers import Pawl, rate, say, table

FILL = ("--fill", "--train", "32", "--in-flight", "64")
CROWD = 10000  # records that expire in one instant, on a quiet engine


class Expiring(Pawl):
    """An engine whose records expire."""

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
                "longest_ms": server.ask("/v1/status")["expiry"]["longest_ms"]}
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


def measure_expiry(options, parent):
    say("a crowd")
    return {"crowd": crowd(parent), "drain": drain(parent, 100000 if options.quick else 1000000)}


def print_expiry(results):
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
