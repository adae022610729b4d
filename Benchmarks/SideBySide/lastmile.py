"""Lastmile under test: its daemon with a private PostgreSQL, and subscribers by the million."""
import contextlib
import json
import os
import pathlib
import re
import signal
import time
import urllib.request

from load import NAMES, PASSWORD, SECRET
from postgres import psql
from processes import Failure, Process, cpu_seconds, descendants, run, stat_fields

# The columns that a snapshot is made of, for the comparison with COPY.
SNAPSHOT_COLUMNS = (
    "id, tenant_id, username, password, password_kind, status, profile_id, static_ipv4, ipv6_prefix, delegated_ipv6_prefix, routes, "
    "vlan, inner_vlan, session_timeout, idle_timeout, interim_interval, filters, attributes")


class Lastmile:
    """The daemon; started and ended as often as a row needs."""

    def __init__(self, daemon, tool, directory, processor):
        self.daemon, self.tool, self.processor = daemon, tool, processor
        self.directory = pathlib.Path(directory)
        self.directory.mkdir(mode=0o711)
        self.process = None

    def start(self, settings=None):
        """Starts it, with `settings` besides the usual, and waits for `ready`; gives the seconds that it took."""
        environment = {
            "LASTMILE_STATE_DIR": str(self.directory), "LASTMILE_RADIUS_ADDRESS": "127.0.0.1", "LASTMILE_RADIUS_AUTH_PORT": "0",
            "LASTMILE_RADIUS_ACCT_PORT": "0", "LASTMILE_RADIUS_WORKERS": "1", "LASTMILE_HTTP_PORT": "0", "LASTMILE_LOG_LEVEL": "warning",
            "LASTMILE_RADIUS_REQUIRE_MESSAGE_AUTHENTICATOR": "yes", **(settings or {}),
        }
        # Whatever configuration lies about is not the benchmark's.
        empty = self.directory / "empty.yaml"
        empty.write_text("{}\n")
        self.process = Process(
            [str(self.daemon), "run", "--config", str(empty)], self.processor, self.directory.with_suffix(".log"), environment,
            ready="ready radius", seconds=600)
        line = self.process.ready_line
        self.authentication_port = int(re.search(r"radius-auth=\S+:(\d+)", line)[1])
        self.accounting_port = int(re.search(r"radius-acct=\S+:(\d+)", line)[1])
        self.url = re.search(r"http=(\S+)", line)[1]
        return self.process.ready_seconds

    def end(self):
        if self.process:
            self.process.end()
            self.process = None

    def command(self, *words):
        environment = {**os.environ, "LASTMILE_URL": self.url, "LASTMILE_STATE_DIR": str(self.directory)}
        return run([str(self.tool), *words, "-o", "json"], env=environment)

    @property
    def socket(self):
        return self.directory / "postgresql" / "socket"

    def sql(self, text, seconds=900):
        return psql(self.socket, "lastmile", text, seconds)

    # What is provisioned

    def provision(self):
        """A NAS, a profile and the first subscriber, through the interface."""
        self.command("nas", "create", "--name", "bench", "--address", "127.0.0.1/32", "--secret", SECRET, "--vendor", "mikrotik",
                     "--require-message-authenticator", "yes")
        self.command("profile", "create", "--name", "home50", "--download", "50M", "--upload", "10M", "--session-timeout", "86400",
                     "--idle-timeout", "1800", "--interim-interval", "600", "--filter-id", "home", "--attribute", "Class=0x686f6d653530",
                     "--attribute", "Framed-MTU=1492")
        self.command("subscriber", "create", "--username", NAMES % 0, "--password", PASSWORD, "--profile", "home50",
                     "--static-ipv4", "10.0.0.0")

    def grow(self, count):
        """Adds subscribers until there are `count`: rows like the first one, with the same sealed password.

        Written as the superuser with triggers off, because a change feed of millions is not what a row measures; the daemon has to be
        started again.
        """
        present = int(self.sql("SELECT count(*) FROM aaa.subscriber"))
        width = len(NAMES % 0) - len("user")
        self.sql(f"""
            SET session_replication_role = replica;
            INSERT INTO aaa.subscriber (tenant_id, username, password, password_kind, status, profile_id, static_ipv4)
            SELECT t.tenant_id, 'user' || lpad(i::text, {width}, '0'), t.password, t.password_kind, t.status, t.profile_id,
                '10.0.0.0'::inet + i
            FROM aaa.subscriber t, generate_series({present}, {count - 1}) i WHERE t.username = '{NAMES % 0}'""")
        self.sql("VACUUM (ANALYZE) aaa.subscriber")

    def copy_seconds(self):
        """How long psql takes to COPY the snapshot's columns out."""
        started = time.monotonic()
        self.sql(f"\\copy (SELECT {SNAPSHOT_COLUMNS} FROM aaa.subscriber) TO '/dev/null'")
        return time.monotonic() - started

    def reply_attributes(self):
        """Names of what the first subscriber is answered."""
        answer = json.loads(self.command("subscriber", "explain", NAMES % 0, "--nas", "bench"))
        return answer

    # What is measured

    def metric(self, name):
        with urllib.request.urlopen(self.url + "/metrics", timeout=30) as answer:
            for line in answer.read().decode().splitlines():
                if line.startswith(f"lastmile_{name} "):
                    return float(line.split()[1])
        raise Failure(f"the daemon has no metric lastmile_{name}")

    def database_cpu_seconds(self):
        """Of PostgreSQL's processes."""
        return sum(cpu_seconds(pid) for pid in self.database_processes())

    def database_processes(self):
        return [pid for pid in descendants(self.process.pid) if pid != self.process.pid and stat_fields(pid)]

    @contextlib.contextmanager
    def paused_database(self):
        """Meanwhile PostgreSQL stands still, so that a row shows the journal without what reads it."""
        stopped = self.database_processes()
        try:
            for pid in stopped:
                os.kill(pid, signal.SIGSTOP)
            yield
        finally:
            for pid in stopped:
                os.kill(pid, signal.SIGCONT)

    def logged(self):
        return self.metric("auth_log_lag_bytes") == 0

    def shipped(self):
        return self.metric("accounting_lag_records") == 0
