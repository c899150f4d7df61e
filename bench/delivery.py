"""What slow and absent workers cost: those beside them, and whoever owes them deliveries."""
import json
import signal
import sqlite3
import urllib.request

from servers import Pawl, middle, rate, say, table, window

QUICK = 10000  # triggers, each for a key of its own
LEVELS = (64, 256)
FILL = ("--fill", "--train", "32", "--in-flight", "64")
SLOW = {"id": "slow", "exec": {"command": ["sleep", "20"], "timeout": "30s"}}


def wakes_slow():
    """Every change wakes a handler that takes 20 s; ten of them run at a time."""
    return {"id": "slow", "function": "slow", "scope": "bench"}


def wakes_quick(i):
    return {"id": f"quick-{i}", "function": "bench::handle", "scope": "bench",
            "key": f"user-{i:08}", "concurrency": 1000}


class Configured(Pawl):
    """An engine with functions and triggers of its own."""

    def __init__(self, parent, name, triggers):
        super().__init__(parent, name)
        config = {"functions": [SLOW], "triggers": triggers}
        (self.dir / "config.yaml").write_text(json.dumps(config))

    def command(self):
        return [*super().command(), "--config", str(self.dir / "config.yaml")]

    def ask(self, path, body=None):
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}{path}", json.dumps(body).encode() if body else None,
            {"content-type": "application/json"})
        with urllib.request.urlopen(request) as answer:
            return json.load(answer)

    def trigger(self, name):
        rows = self.ask("/v1/triggers")["registered_triggers"]
        return next(row for row in rows if row["id"] == name)

    def job_rows(self):
        """While it is stopped."""
        count = 0
        for file in self.dir.glob("data/*.db"):
            with sqlite3.connect(file) as records:
                count += records.execute("select count(*) from job").fetchone()[0]
        return count


# ---- beside a slow one ----

def measure_slow(options, parent):
    """An engine with 10,000 quick triggers, and one with a slow one beside them, in turn."""
    quick = [wakes_quick(i) for i in range(QUICK)]
    servers = {"alone": Configured(parent, "alone", quick),
               "beside": Configured(parent, "beside", quick)}
    results = {"rows": {}}
    try:
        for name, server in servers.items():
            say(f"{name}: {QUICK:,} quick triggers")
            server.start()
        servers["beside"].ask("/v1/triggers", {"id": "slow", "trigger_type": "state",
                                               "function_id": "slow",
                                               "config": {"scope": "bench"}})
        for _ in range(9 if options.quick else 25):
            for level in LEVELS:
                for name, server in servers.items():
                    row = server.measure("--in-flight", level, "--keys", QUICK, "--deliver",
                                         "--serve", *window(1))
                    results["rows"].setdefault(f"{name}_{level}", []).append(row)
        results["slow"] = servers["beside"].trigger("slow")
        for name, server in servers.items():
            results[f"rss_{name}_mb"] = server.resident_mb()
    finally:
        for server in servers.values():
            server.close()
    return results


def print_slow(results):
    """The ratio of a round compares two windows that were beside each other: the middle one counts."""
    rows = []
    for level in LEVELS:
        alone, beside = (results["rows"][f"{name}_{level}"] for name in ("alone", "beside"))
        of_rounds = sorted(two["per_second"] / one["per_second"]
                           for one, two in zip(alone, beside))
        one, two = (middle(found, "per_second") for found in (alone, beside))
        cpu = [middle(found, "cpu_us")["cpu_us"] for found in (alone, beside)]
        rows.append([level, rate(one), rate(two), f"{of_rounds[len(of_rounds) // 2]:.3f}",
                     f"{of_rounds[len(of_rounds) // 4]:.2f} to "
                     f"{of_rounds[len(of_rounds) * 3 // 4]:.2f}",
                     *(f"{us:.1f}" for us in cpu)])
    table(f"Deliveries a second of {QUICK:,} quick triggers, alone and beside one that takes 20 s",
          ["in flight", "alone /s", "beside /s", "ratio", "half of the rounds", "CPU us alone",
           "beside"], rows)
    slow = results["slow"]
    print(f"\nThe slow one: {slow['running']} run, {slow['waiting']} wait in memory, "
          f"{slow['matched']:,} matched; resident {results['rss_alone_mb']:.0f} MB without, "
          f"{results['rss_beside_mb']:.0f} MB with it")


# ---- much that is owed ----

def measure_owed(options, parent):
    """So many changes that an absent and a slow worker owe; two starts; the absent one comes."""
    count = options.owed
    absent = {"id": "absent", "function": "bench::handle", "scope": "bench", "concurrency": 1000}
    server = Configured(parent, "owed", [absent, wakes_slow()])
    results = {"owed": count}
    try:
        server.start()
        results["rss_idle_mb"] = server.resident_mb()
        say(f"{count:,} changes, each owed twice")
        results["fill"] = server.measure(*FILL, "--keys", count)
        results["rss_owed_mb"] = server.resident_mb()
        results["jobs"] = server.ask("/v1/jobs?limit=1")["total"]
        server.stop(signal.SIGKILL)
        say("starts")
        results["start_killed_ms"] = server.first_answer_ms()
        server.stop()
        results["job_rows"] = server.job_rows()
        results["start_clean_ms"] = server.first_answer_ms()
        results["rss_started_mb"] = server.resident_mb()
        say("the absent one is there")
        results["drain"] = server.measure("--drain", "--keys", count)
        results["rss_drained_mb"] = server.resident_mb()
        results["slow"] = server.trigger("slow")
    finally:
        server.close()
    return results


def print_owed(results):
    slow = results["slow"]
    table(f"{results['owed']:,} changes of 200 bytes, each owed to an absent and to a slow worker",
          ["what", "figure"],
          [["changes/s while they are owed", rate(results["fill"])],
           ["resident MB: idle", f"{results['rss_idle_mb']:.1f}"],
           ["when all is owed", f"{results['rss_owed_mb']:.1f}"],
           ["after a start", f"{results['rss_started_mb']:.1f}"],
           ["when it is drained", f"{results['rss_drained_mb']:.1f}"],
           ["jobs in memory", f"{results['jobs']:,}"],
           ["job rows on disk", f"{results['job_rows']:,}"],
           ["first answer ms: after kill -9", f"{results['start_killed_ms']:.0f}"],
           ["after a clean stop", f"{results['start_clean_ms']:.0f}"],
           ["drained deliveries/s", rate(results["drain"])],
           ["of the slow one, still: running", slow["running"]],
           ["waiting in memory", f"{slow['waiting']:,}"]])
