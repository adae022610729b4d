"""Processes of the benchmark: started on one processor, asked for their CPU time and memory, ended with the program."""
import atexit
import os
import pathlib
import signal
import subprocess
import time

TICK_SECONDS = 1 / os.sysconf("SC_CLK_TCK")
running = []


class Failure(Exception):
    """What ends the benchmark: a sentence for the person who runs it."""


class Process:
    """A program that runs until it is ended."""

    def __init__(self, command, processor, log, environment=None, account=None, ready=None, seconds=60):
        """`ready` stands in the line on standard output that says that the program answers; it is kept in `ready_line`."""
        self.name = os.path.basename(command[0])
        self.log = pathlib.Path(log)
        self.started = time.monotonic()
        with open(self.log, "ab") as sink:
            self.child = subprocess.Popen(
                ["taskset", "-c", str(processor), *command],
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE if ready else sink, stderr=sink,
                env={**os.environ, **(environment or {})}, start_new_session=True, **(account or {}))
        running.append(self)
        self.ready_line = self._wait_for(ready, seconds) if ready else None
        self.ready_seconds = time.monotonic() - self.started

    @property
    def pid(self):
        return self.child.pid

    def _wait_for(self, ready, seconds):
        os.set_blocking(self.child.stdout.fileno(), False)
        text = b""
        while time.monotonic() < self.started + seconds:
            text += self.child.stdout.read() or b""
            # The last piece may be the beginning of a line.
            for line in text.decode(errors="replace").split("\n")[:-1]:
                if ready in line:
                    return line
            if self.child.poll() is not None:
                break
            time.sleep(0.002)
        what = f"was not ready in {seconds} s" if self.child.poll() is None else "ended before it was ready"
        self.end()
        raise Failure(f"{self.name} {what}: {text.decode(errors='replace')[-300:]}{self.tail()}")

    def tail(self):
        """The end of what it logged."""
        try:
            return self.log.read_text(errors="replace")[-1500:]
        except OSError:
            return ""

    def tree(self):
        """The process and all that descend from it."""
        return descendants(self.pid)

    def cpu_seconds(self):
        """Of the tree, with those that ended and were waited for."""
        return sum(cpu_seconds(pid) for pid in self.tree())

    def own_cpu_seconds(self):
        """Of the process alone."""
        return cpu_seconds(self.pid, with_children=False)

    def resident_octets(self):
        for line in pathlib.Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) * 1024
        raise Failure(f"{self.name} has ended: {self.tail()}")

    def end(self, number=signal.SIGTERM, seconds=60):
        """Asks it to end and insists after `seconds`."""
        if self in running:
            running.remove(self)
        if self.child.poll() is None:
            self.child.send_signal(number)
            try:
                self.child.wait(seconds)
            except subprocess.TimeoutExpired:
                for pid in reversed(self.tree()):
                    try:
                        os.kill(pid, signal.SIGKILL)
                    except ProcessLookupError:
                        pass
                self.child.wait()
        if self.child.stdout:
            self.child.stdout.close()


def parents():
    """Of each process its parent."""
    found = {}
    for directory in pathlib.Path("/proc").iterdir():
        if directory.name.isdigit():
            fields = stat_fields(directory.name)
            if fields:
                found[int(directory.name)] = int(fields[1])
    return found


def descendants(root):
    parent_of = parents()
    found = [root]
    for pid in found:
        found += [child for child, parent in parent_of.items() if parent == pid]
    return found


def stat_fields(pid):
    """Of /proc/PID/stat (proc(5)), from the state on; none when it has ended."""
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


def cpu_seconds(pid, with_children=True):
    """User and system time, which the kernel scales to the scheduler's exact sum; of children only those that were waited for."""
    fields = stat_fields(pid)
    if not fields:
        return 0.0
    return sum(int(field) for field in fields[11:15 if with_children else 13]) * TICK_SECONDS


def end_all():
    for process in reversed(list(running)):
        process.end(seconds=20)


def end_on_signals():
    """From now on whatever ends this program ends what it started."""
    atexit.register(end_all)

    def leave(number, _):
        raise SystemExit(128 + number)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, leave)


def run(command, seconds=600, **options):
    """A program that ends by itself; what it printed. Raises `Failure` with its complaint."""
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=seconds, **options)
    if done.returncode != 0:
        raise Failure(f"{' '.join(map(str, command))[:200]} ended with {done.returncode}: {(done.stderr + done.stdout)[-1500:]}")
    return done.stdout
