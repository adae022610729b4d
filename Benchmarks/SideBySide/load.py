"""Runs `lastmile radius load` against a server and takes the server's CPU time meanwhile."""
import dataclasses
import json
import os
import time

from processes import Failure, run

SECRET = "side-by-side-secret"
PASSWORD = "bench-password"
NAMES = "user%08d"
LOAD_PROCESSOR = 1
# After this a request counts as lost, and is sent once more so that the row goes on.
TIMEOUT_MILLISECONDS = 2000


@dataclasses.dataclass
class Row:
    """What one server did under one load."""
    key: str
    server: str
    what: str
    users: int = 0
    per_second: float = 0
    cpu_us: float = 0
    # The part of PostgreSQL's processes in it.
    database_us: float = 0
    generator_us: float = 0
    p50_us: float = 0
    p99_us: float = 0
    p999_us: float = 0
    answered: int = 0
    # Requests without an answer in time.
    lost: int = 0
    # Why the row counts for nothing; empty when it counts.
    void: str = ""
    # The key of FreeRADIUS's row to compare with.
    peer: str = ""
    # Requests a second that were sent; 0: as many as were answered.
    rate: int = 0


@dataclasses.dataclass
class Load:
    """What to send."""
    mode: str
    port: int
    users: int
    seconds: float
    rate: int = 0
    count: int = 0
    outstanding: int = 256
    prepared: int = 0
    options: tuple = ()


def generate(tool, load):
    """The generator's result and its own CPU seconds. A result with lost or bad replies is one, too."""
    words = [
        "taskset", "-c", str(LOAD_PROCESSOR), str(tool), "radius", "load", "--target", f"127.0.0.1:{load.port}", "--secret", SECRET,
        "--mode", load.mode, "--users", NAMES, "--user-count", str(load.users), "--password", PASSWORD,
        "--outstanding", str(load.outstanding), "--sockets", "2", "--timeout", str(TIMEOUT_MILLISECONDS), "--retries", "1", "--verify", "--spin", "--segment", "-o", "json"]
    words += ["--count", str(load.count)] if load.count else ["--seconds", str(load.seconds)]
    if load.rate:
        words += ["--rate", str(load.rate)]
    if load.prepared and load.mode != "accounting":
        words += ["--prepare", str(load.prepared)]
    before = os.times()
    try:
        text = run([*words, *load.options], seconds=load.seconds + 300)
    except Failure as failure:
        text = str(failure).rpartition("ended with")[2]
        if "{" not in text:
            raise
        text = text[text.index("{"):text.rindex("}") + 1]
    after = os.times()
    used = after.children_user + after.children_system - before.children_user - before.children_system
    return json.loads(text), used


def measure(row, tool, load, processes, database=(), until=None):
    """Fills `row`.

    `processes` are those whose CPU time counts, `database` those of them that are PostgreSQL's. `until` waits for work that goes on
    after the last answer and counts, too.
    """
    before, database_before = total(processes), total(database)
    result, used = generate(tool, load)
    if until:
        until()
    spent, database_spent = total(processes) - before, total(database) - database_before
    answered = max(1, int(result["answered"]))
    row.users = load.users
    row.per_second = float(result["answers_per_second"])
    row.cpu_us = spent * 1e6 / answered
    row.database_us = database_spent * 1e6 / answered
    row.generator_us = used * 1e6 / answered
    row.p50_us, row.p99_us, row.p999_us = (float(result[f"latency_{name}_us"]) for name in ("p50", "p99", "p999"))
    row.answered, row.lost = int(result["answered"]), int(result["retransmitted"])
    row.void = objection(result)
    return row


def objection(result):
    """Why a result is void."""
    if int(result["answered"]) == 0:
        return "nothing was answered"
    # The late answer to a request that was sent again may meet the next request with the same identifier.
    if int(result["bad_replies"]) > int(result["retransmitted"]):
        return f"{result['bad_replies']} replies did not verify"
    if int(result["rejected"]) > 0:
        return f"{result['rejected']} requests were rejected"
    return ""


def total(sources):
    return sum(source() for source in sources)


def wait_until(condition, seconds, what):
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise Failure(f"{what}: not within {seconds} s")
        time.sleep(0.1)
