"""How many copies of changes a second watchers get, and how late they hear of one."""
import json
import resource
import subprocess

from faces import cpu_seconds
from servers import DEADLINE_S, ROOT, Pawl, middle, rate, say, table

FAN_OUT = ROOT / "build/bench/fan_out"
# name, watchers, changes, changes a second (None: as fast as they are acknowledged)
ROWS = (("one", 1, 5000, None), ("many", 1000, 1000, None), ("paced", 1000, 300, 100))


def measure_row(server, watchers, changes, pace):
    command = [FAN_OUT, "--port", server.port, "--watchers", watchers, "--changes", changes]
    command += ["--rate", pace] if pace else []
    before = cpu_seconds(server)
    said = subprocess.run([str(word) for word in command], stdout=subprocess.PIPE, text=True,
                          timeout=DEADLINE_S, check=True)
    row = json.loads(said.stdout)
    return row | {"per_second": row["events_per_second"],
                  "cpu_us": 1e6 * (cpu_seconds(server) - before) / (watchers * changes)}


def measure_streams(options, parent):
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    server = Pawl(parent, "pawl")
    rows = {}
    try:
        server.start()
        for number in range(1 if options.quick else 3):
            say(f"round {number + 1}")
            for name, *how in ROWS:
                rows.setdefault(name, []).append(measure_row(server, *how))
    finally:
        server.close()
    return rows


def print_streams(rows):
    lines = []
    for name, watchers, _, pace in ROWS:
        row = middle(rows[name], "per_second")
        lines.append([f"{watchers:,}", f"{pace:,}/s" if pace else "16 in flight",
                      f"{row['changes_per_second']:,.0f}", rate(row), f"{row['p50_us']:,.0f}",
                      f"{row['p99_us']:,.0f}", f"{row['cpu_us']:.2f}"])
    table("Watchers of one scope",
          ["watchers", "written", "changes/s", "events/s", "p50 us", "p99 us", "CPU us an event"],
          lines)
