"""The servers that bench/run starts, and what all of its measurements share."""
import json
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
PROGRAMS = ROOT / "build" / "bench"
DEADLINE_S = 240


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def lines_of(program, *arguments):
    """Runs one of our programs; every line that it prints is a JSON object."""
    command = [str(PROGRAMS / program), *map(str, arguments)]
    done = subprocess.run(command, stdout=subprocess.PIPE, timeout=DEADLINE_S, check=False)
    if done.returncode != 0:
        raise SystemExit(f"failed ({done.returncode}): {' '.join(command)}")
    return [json.loads(line) for line in done.stdout.splitlines()]


class Server:
    """A server on a port of its own with a directory of its own."""

    load = ""

    def __init__(self, parent, name):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix=f"{name}-", dir=parent))
        self.port = free_port()
        self.process = None

    def command(self):
        raise NotImplementedError

    def start(self):
        with open(self.dir / "output", "ab") as output:
            self.process = subprocess.Popen(self.command(), stdout=output, stderr=output)
        self.await_port()

    def await_port(self):
        until = time.monotonic() + DEADLINE_S
        while time.monotonic() < until:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            if self.process.poll() is not None:
                break
            time.sleep(0.005)
        raise SystemExit(f"no answer from {self.command()}:\n{(self.dir / 'output').read_text()}")

    def stop(self, how=signal.SIGTERM):
        if self.process is not None:
            self.process.send_signal(how)
            self.process.wait(DEADLINE_S)
            self.process = None

    def close(self):
        self.stop(signal.SIGKILL)
        shutil.rmtree(self.dir)

    def measure(self, *options):
        return lines_of(self.load, "--port", self.port, "--pid", self.process.pid, *options)[0]

    def resident_mb(self):
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        line = next(line for line in status.splitlines() if line.startswith("VmRSS"))
        return int(line.split()[1]) / 1024


def never(i):
    """A condition of four kinds, as people write them, that no change of the load fulfils."""
    return (f'scope == "bench" && key == "nobody-{i}" && new_value.status != "closed"',
            f'new_value.id == {-1 - i} && new_value.age >= 18',
            f'new_value.email == "nobody.{i}@example.com" && changed("plan")',
            f'new_value.ref.startsWith("nobody-{i}-") || old_value.ref.startsWith("nobody-{i}-")',
            )[i % 4]


def registration(i):
    body = json.dumps({"id": f"never-{i}", "trigger_type": "state", "function_id": "bench::never",
                       "config": {"when": never(i)}})
    return (f"POST /v1/triggers HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n"
            f"content-length: {len(body)}\r\n\r\n{body}").encode()


class Pawl(Server):
    load = "load"
    program = ROOT / "build" / "pawl"

    def command(self):
        return [str(self.program), "run", "--listen", f"127.0.0.1:{self.port}",
                "--data", str(self.dir / "data")]

    def register(self, count, at_once=256):
        """Triggers that no change wakes, over HTTP; seconds that it took."""
        began = time.monotonic()
        with socket.create_connection(("127.0.0.1", self.port), DEADLINE_S) as to:
            answers = to.makefile("rb")
            for first in range(0, count, at_once):
                numbers = range(first, min(first + at_once, count))
                to.sendall(b"".join(registration(i) for i in numbers))
                for _ in numbers:
                    status, length = answers.readline(), 0
                    while (line := answers.readline().strip().lower()):
                        if line.startswith(b"content-length:"):
                            length = int(line.split(b":")[1])
                    body = answers.read(length)
                    if b" 20" not in status:
                        raise SystemExit(f"a trigger was refused: {status}{body}")
        return time.monotonic() - began

    def first_answer_ms(self):
        """Starts the engine; the time from the start to the first answer to state::get."""
        probe = subprocess.Popen([str(PROGRAMS / self.load), "--port", str(self.port), "--probe"],
                                 stdout=subprocess.PIPE)
        time.sleep(0.05)
        began = time.monotonic()
        self.start()
        said, _ = probe.communicate(timeout=DEADLINE_S)
        if probe.returncode != 0:
            raise SystemExit("the engine did not answer after its start")
        return (json.loads(said)["answered_at"] - began) * 1000


class Redis(Server):
    load = "redis_load"

    def command(self):
        return ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--dir",
                str(self.dir), "--save", "", "--appendonly", "yes", "--appendfsync", "always"]


def say(text):
    print(f"-- {text}", file=sys.stderr, flush=True)


def window(seconds):
    return "--milliseconds", int(1000 * seconds)


def middle(rows, figure):
    return sorted(rows, key=lambda row: row[figure])[len(rows) // 2]


def rate(row):
    return f"{row['per_second']:,.0f}"


def table(title, head, rows):
    print(f"\n{title}")
    lines = [head, *rows]
    widths = [max(len(str(line[i])) for line in lines) for i in range(len(head))]
    for line in lines:
        print("  ".join(str(cell).rjust(width) for cell, width in zip(line, widths)).rstrip())
