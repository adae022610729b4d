"""The side-by-side benchmark: `make bench`. Servers on processor 0 in turn, one load generator on processor 1, one table.

Environment: BENCH_SECONDS (of each row), BENCH_SUBSCRIBERS and BENCH_MANY (Lastmile's two sizes above 10,000; BENCH_MANY=0 leaves the
largest out), BENCH_FREERADIUS_USERS, BENCH_ROWS (a regular expression of row keys), BENCH_LASTMILED and BENCH_LASTMILE (programs).
"""
import dataclasses
import os
import pathlib
import re
import shutil
import statistics
import sys
import tempfile
import time

sys.dont_write_bytecode = True

import eap
import report
from freeradius import FreeRADIUS, fill_database
from lastmile import Lastmile
from load import Load, Row, measure, wait_until
from postgres import Cluster, psql
from processes import Failure, Process, end_all, end_on_signals
from table import Table, print_targets

SERVER_PROCESSOR = 0
FEW = 10_000
# Requests that the generator makes ahead of a row.
PREPARED = 1 << 20
PREPARED_MSCHAP = 1 << 16
# Sessions that are stored in PostgreSQL, by both servers alike: all Starts, then their interim records in turn, then all Stops; with few
# at a time, one of Lastmile's batches would hold several records of each session.
STORED_SESSIONS = 30_000
# Pairs of short runs at half of the capacity; what else the machine does meets one of them, and the median is of all.
LATENCY_PAIRS, LATENCY_SECONDS = 21, 2
# Pairs of PAP with BENCH_MANY subscribers and with few.
SIZE_PAIRS, SIZE_SECONDS = 11, 2
# Pairs of FreeRADIUS and Lastmile under devices that speak EAP.
EAP_PAIRS = 3
# Pairs of PAP alone and PAP while devices begin handshakes of EAP without end, on the same processor.
BESIDE_PAIRS, BESIDE_SECONDS = 9, 2
LASTMILE_ROWS = [f"lastmile-{name}" for name in (
    "pap", "chap", "mschapv2", "accounting", "pg-accounting", "half", "pap-few", "pap-many")]


def number(name, default):
    text = os.environ.get(name, "")
    try:
        return int(text) if text else default
    except ValueError:
        raise Failure(f"{name}={text}: a whole number is expected") from None


class Bench:
    def __init__(self, top, scratch):
        release = top / ".build" / "release"
        self.top, self.scratch = top, scratch
        self.daemon = pathlib.Path(os.environ.get("BENCH_LASTMILED") or release / "lastmiled")
        self.tool = pathlib.Path(os.environ.get("BENCH_LASTMILE") or release / "lastmile")
        self.seconds = number("BENCH_SECONDS", 6)
        self.subscribers = number("BENCH_SUBSCRIBERS", 1_000_000)
        self.many = number("BENCH_MANY", 10_000_000)
        self.peer_users = number("BENCH_FREERADIUS_USERS", 100_000)
        self.wanted = re.compile(os.environ.get("BENCH_ROWS") or ".")
        self.table = Table()
        self.failed = False
        self.facts = {"subscribers": self.subscribers, "many": self.many}

    @property
    def is_whole(self):
        """Every row was asked for, at the sizes that the page speaks of."""
        return self.wanted.pattern == "." and self.subscribers == 1_000_000 and not self.failed

    def wants(self, *keys):
        return any(self.wanted.search(key) for key in keys)

    def row(self, key, server, what, load, processes, database=(), until=None, peer="", warm=True):
        """Measures one row, unless it is not wanted."""
        if not self.wants(key):
            return None
        row = Row(key, server, what, peer=peer, rate=load.rate)
        try:
            if warm:
                brief = Load(load.mode, load.port, min(load.users, FEW), 1, prepared=1 << 14, rate=load.rate, options=load.options)
                measure(Row(key, server, what), self.tool, brief, processes)
            measure(row, self.tool, load, processes, database, until)
        except Failure as failure:
            row.void = " ".join(str(failure).split())[:200]
        return self.table.add(row)

    def load(self, mode, port, users, open_sessions=2048, **options):
        prepared = PREPARED_MSCHAP if mode == "mschapv2" else min(PREPARED, max(users, 1 << 16))
        if mode == "accounting":
            options["options"] = ("--open", str(open_sessions), "--leave-open")
        return Load(mode, port, users, self.seconds, prepared=prepared, **options)

    def stored(self, port, users):
        return Load("accounting", port, users, 0, count=STORED_SESSIONS, options=("--open", str(STORED_SESSIONS)))

    # Rows

    def echo(self, key="echo", what="datagrams back as they came", rate=0):
        if not self.wants(key):
            return
        process = Process(
            [str(self.top / ".build" / "bench" / "echo")], SERVER_PROCESSOR, self.scratch / "echo.log", ready="ready")
        port = int(process.ready_line.split()[1])
        self.row(key, "C echo", what, self.load("echo", port, FEW, rate=rate), [process.cpu_seconds])
        process.end()

    def freeradius_in_memory(self):
        if not self.wants("freeradius-pap", "freeradius-chap", "freeradius-mschapv2", "freeradius-accounting"):
            return
        server = FreeRADIUS(self.scratch / "freeradius", SERVER_PROCESSOR, self.peer_users, threads=1)
        name, cpu = "FreeRADIUS", [server.process.cpu_seconds]
        for mode, what in (("pap", "PAP"), ("chap", "CHAP"), ("mschapv2", "MS-CHAPv2")):
            load = self.load(mode, server.authentication_port, self.peer_users)
            self.row(f"freeradius-{mode}", name, f"{what}, users in memory", load, cpu)
        self.row("freeradius-accounting", name, "accounting into a file, not synced",
                 self.load("accounting", server.accounting_port, self.peer_users), cpu)
        server.end()

    def freeradius_with_postgresql(self):
        if not self.wants("freeradius-pg-pap", "freeradius-pg-accounting"):
            return
        cluster = Cluster(self.scratch / "postgresql", SERVER_PROCESSOR)
        fill_database(cluster, self.peer_users)
        server = FreeRADIUS(self.scratch / "freeradius-pg", SERVER_PROCESSOR, 0, cluster, threads=16)
        name, database = "FreeRADIUS + PostgreSQL", [cluster.process.cpu_seconds]
        cpu = [server.process.cpu_seconds, *database]
        self.row("freeradius-pg-pap", name, "PAP, users in PostgreSQL",
                 self.load("pap", server.authentication_port, self.peer_users), cpu, database)
        self.row("freeradius-pg-accounting", name, "accounting into PostgreSQL",
                 self.stored(server.accounting_port, self.peer_users), cpu, database, warm=False)
        self.facts["freeradius_sessions"] = int(psql(cluster.directory, "radius", "SELECT count(*) FROM radacct"))
        server.end()
        cluster.end()

    def lastmile(self):
        if not self.wants(*LASTMILE_ROWS):
            return
        server = self.with_few("lastmile")
        self.facts["reply_attributes"] = server.reply_attributes()
        base = server.process.resident_octets()
        server.grow(self.subscribers)
        server.end()
        self.cold_start(server, base)
        self.million(server)
        self.half_capacity(server)
        if self.many and self.wants("lastmile-pap-few", "lastmile-pap-many"):
            server.grow(self.many)
            server.end()
            self.facts["start_seconds_many"] = server.start()
            self.sizes(server)
        server.end()

    def with_few(self, name):
        """A daemon that has read FEW subscribers from a database of its own."""
        server = Lastmile(self.daemon, self.tool, self.scratch / name, SERVER_PROCESSOR)
        server.start()
        server.provision()
        server.grow(FEW)
        server.end()
        server.start()
        return server

    def in_turn(self, times, *sides):
        """Measures `sides`, each a row, a load and a source of CPU time, one after the other and all again, `times` times."""
        return [[measure(dataclasses.replace(row), self.tool, load, [source]) for row, load, source in sides] for _ in range(times)]

    def add_medians(self, rounds, field):
        """Adds the row of each side that is in the middle by `field`; void when one of its runs is. Whether none is."""
        for runs in zip(*rounds):
            row = sorted(runs, key=lambda run: getattr(run, field))[len(runs) // 2]
            row.void = next((run.void for run in runs if run.void), "")
            self.table.add(row)
        return all(not row.void for rows in rounds for row in rows)

    def sizes(self, many):
        """PAP with BENCH_MANY subscribers and with few in turn, with as many requests made ahead, so that only the subscribers differ."""
        few = self.with_few("lastmile-few")
        sides = []
        for key, server, users in (("few", few, FEW), ("many", many, self.many)):
            load = Load("pap", server.authentication_port, users, SIZE_SECONDS, prepared=PREPARED)
            row = Row(f"lastmile-pap-{key}", "Lastmile", f"PAP, the median of {SIZE_PAIRS}", peer="freeradius-pap")
            sides.append((row, load, server.process.own_cpu_seconds))
        self.in_turn(1, *sides)
        pairs = self.in_turn(SIZE_PAIRS, *sides)
        few.end()
        if self.add_medians(pairs, "cpu_us"):
            self.facts["many_against_few"] = statistics.median(large.cpu_us / small.cpu_us for small, large in pairs)

    def cold_start(self, server, base):
        self.facts["start_seconds"] = server.start()
        self.facts["octets_per_subscriber"] = (server.process.resident_octets() - base) / max(1, self.subscribers - FEW)
        self.facts["copy_seconds"] = server.copy_seconds()
        self.facts["start_against_copy"] = self.facts["start_seconds"] / self.facts["copy_seconds"]
        print(f"{'':27}started in {self.facts['start_seconds']:.2f} s, COPY {self.facts['copy_seconds']:.2f} s, "
              f"{self.facts['octets_per_subscriber']:.0f} octets a subscriber", flush=True)

    def million(self, server):
        """The rows at BENCH_SUBSCRIBERS."""
        own, port = [server.process.own_cpu_seconds], server.authentication_port
        self.echo("echo-again", "again, beside the next rows")
        for mode, what in (("pap", "PAP"), ("chap", "CHAP"), ("mschapv2", "MS-CHAPv2")):
            self.row(f"lastmile-{mode}", "Lastmile", what, self.load(mode, port, self.subscribers), own, peer=f"freeradius-{mode}")
        # Before the rows that leave sessions behind: FreeRADIUS begins this one with an empty table, too. The log of the rows above would
        # go into the same database meanwhile, as FreeRADIUS's rows before have none.
        wait_until(server.logged, 300, "the authentication log of the rows before is in PostgreSQL")
        self.row("lastmile-pg-accounting", "Lastmile + PostgreSQL", "accounting until it is in PostgreSQL",
                 self.stored(server.accounting_port, self.subscribers), [server.process.cpu_seconds],
                 [server.database_cpu_seconds], lambda: wait_until(server.shipped, 300, "the row's records are in PostgreSQL"),
                 peer="freeradius-pg-accounting", warm=False)
        with server.paused_database():
            self.row("lastmile-accounting", "Lastmile", "accounting, acknowledged when synced",
                     self.load("accounting", server.accounting_port, self.subscribers), own, peer="freeradius-accounting")
        wait_until(server.shipped, 300, "the records of the row before are in PostgreSQL")

    def half_capacity(self, server):
        pap = self.table["lastmile-pap"]
        if not pap or not self.wants("lastmile-half"):
            return
        rate = int(pap.per_second / 2)
        process = Process(
            [str(self.top / ".build" / "bench" / "echo")], SERVER_PROCESSOR, self.scratch / "echo.log", ready="ready")
        port = int(process.ready_line.split()[1])
        sides = []
        for key, name, what, mode, where, source in (
                ("echo-half", "C echo", "datagrams", "echo", port, process.cpu_seconds),
                ("lastmile-half", "Lastmile", "PAP", "pap", server.authentication_port, server.process.own_cpu_seconds)):
            load = dataclasses.replace(self.load(mode, where, self.subscribers, rate=rate), seconds=LATENCY_SECONDS)
            sides.append((Row(key, name, f"{what} at {rate} requests/s, the median of {LATENCY_PAIRS}", rate=rate), load, source))
        pairs = self.in_turn(LATENCY_PAIRS, *sides)
        process.end()
        if self.add_medians(pairs, "p99_us"):
            self.facts["p99_against_echo"] = statistics.median(ours.p99_us / echo.p99_us for echo, ours in pairs)

    # EAP

    def devices(self, certificates, method, version, seconds=None):
        return eap.Devices(
            self.top / ".build" / "bench" / "eapload", certificates, method, version, seconds or self.seconds, FEW)

    def eap(self):
        keys = [row[0] for row in eap.ROWS]
        if not self.wants("pap-beside-eap", *(f"{server}-{key}" for server in ("freeradius", "lastmile") for key in keys)):
            return
        certificates = eap.Certificates(self.tool, self.scratch / "pki")
        server = Lastmile(self.daemon, self.tool, self.scratch / "lastmile-eap", SERVER_PROCESSOR)
        server.start()
        server.provision()
        server.grow(FEW)
        server.end()
        for row in eap.ROWS:
            if self.wants(f"freeradius-{row[0]}", f"lastmile-{row[0]}"):
                self.eap_rows(server, certificates, *row)
        if self.wants("pap-beside-eap"):
            server.start(certificates.settings("peap", "1.2"))
            self.pap_beside_eap(server, certificates)
            server.end()

    def eap_rows(self, server, certificates, key, what, method, version, resume):
        """Both servers under the same devices, in turn: what else the machine does meets both."""
        peer = FreeRADIUS(
            self.scratch / f"freeradius-{key}", SERVER_PROCESSOR, FEW, threads=1,
            eap=certificates.words(method, version, resume), authority=certificates.authority())
        server.start(certificates.settings(method, version))
        devices = self.devices(certificates, method, version)
        what = f"{what}, the median of {EAP_PAIRS}"
        sides = ((Row(f"freeradius-{key}", "FreeRADIUS", what), peer.eap_port, peer.process),
                 (Row(f"lastmile-{key}", "Lastmile", what, peer=f"freeradius-{key}"), server.authentication_port, server.process))
        pairs = [[self.eap_run(devices, *side, resume) for side in sides] for _ in range(EAP_PAIRS)]
        server.end()
        peer.end()
        if self.add_medians(pairs, "cpu_us"):
            self.facts[key] = statistics.median(theirs.cpu_us / ours.cpu_us for theirs, ours in pairs)

    @staticmethod
    def eap_run(devices, row, port, process, resume):
        row = dataclasses.replace(row)
        try:
            devices.measure(row, port, process.pid, resume)
        except Failure as failure:
            row.void = " ".join(str(failure).split())[:200]
        return row

    def pap_beside_eap(self, server, certificates):
        """PAP's throughput with EAP beside it, and without, in turn; the EAP load has always work waiting for the server's processor."""
        devices, ratios, logins = self.devices(certificates, "peap", "1.2"), [], 0
        port, own = server.authentication_port, [server.process.own_cpu_seconds]
        load = dataclasses.replace(self.load("pap", port, FEW), seconds=BESIDE_SECONDS)
        rows = []
        for _ in range(BESIDE_PAIRS):
            alone = measure(Row("", "", ""), self.tool, load, own)
            with eap.filling(devices, port, server.process.pid) as result:
                # Its queue is full when PAP comes.
                time.sleep(0.5)
                beside = measure(Row("pap-beside-eap", "Lastmile", "PAP while EAP fills the processor"), self.tool, load, own)
            # Who never finishes may be turned away; what was answered has to be right.
            if result["bad_replies"] or not result["answered"]:
                beside.void = beside.void or f"EAP: {result['bad_replies']} replies did not verify, {result['answered']} handshakes were begun"
            logins += result["answers_per_second"] / BESIDE_PAIRS
            ratios.append(beside.per_second / alone.per_second)
            rows.append(beside)
        row = sorted(rows, key=lambda row: row.per_second)[len(rows) // 2]
        row.void = next((other.void for other in rows if other.void), "")
        # The processor's time is both loads'.
        row.cpu_us = 0
        self.table.add(row)
        if not row.void:
            self.facts["pap_beside_eap"], self.facts["eap_beside_pap"] = statistics.median(ratios), logins

    def run(self):
        for program in (self.daemon, self.tool):
            if not os.access(program, os.X_OK):
                raise Failure(f"{program} is not there; make bench builds it")
        self.table.head()
        for part in (self.echo, self.freeradius_in_memory, self.freeradius_with_postgresql, self.lastmile, self.eap):
            try:
                part()
            except Failure as failure:
                # The other servers' rows are worth having.
                self.failed = True
                print(f"bench: {failure}", file=sys.stderr, flush=True)
                end_all()


def main():
    started = time.monotonic()
    top = pathlib.Path(__file__).resolve().parents[2]
    end_on_signals()
    if (os.cpu_count() or 1) < 2:
        raise Failure("the server and the load need a processor each; this machine has one")
    # On a disk, because journals are synced; short, because a socket's path holds 107 octets.
    scratch = pathlib.Path(tempfile.mkdtemp(prefix="lastmile-bench-", dir="/var/tmp"))
    scratch.chmod(0o711)
    bench = Bench(top, scratch)
    try:
        bench.run()
        targets = bench.table.targets(bench.facts)
        print_targets(targets)
        report.write(top, bench, targets, time.monotonic() - started)
    finally:
        end_all()
        shutil.rmtree(scratch, ignore_errors=True)
    return 1 if bench.failed else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Failure as failure:
        print(f"bench: {failure}", file=sys.stderr)
        sys.exit(1)
