"""What a run leaves behind: .build/bench/results.json, docs/benchmarks.md and its plot."""
import dataclasses
import datetime
import json
import os
import pathlib
import platform

import freeradius
import plot
from processes import run

MARK = "<!-- Below this line `make bench` writes; what stands above is written by hand. -->"


def machine():
    """What the figures depend on."""
    return {
        "processor": first("/proc/cpuinfo", "model name"),
        "cores": os.cpu_count(),
        "memory_octets": int(first("/proc/meminfo", "MemTotal").split()[0]) * 1024,
        "kernel": platform.release(),
        "system": first("/etc/os-release", "PRETTY_NAME", "=").strip('"'),
    }


def first(path, name, sign=":"):
    for text in pathlib.Path(path).read_text(errors="replace").splitlines():
        key, _, value = text.partition(sign)
        if key.strip() == name:
            return value.strip()
    return "unknown"


def versions(top):
    return {
        "lastmile": run(["git", "-C", str(top), "describe", "--always", "--dirty"]).strip(),
        "swift": run(["swift", "--version"]).splitlines()[0].partition("version ")[2].split(" (")[0],
        "freeradius": freeradius.version(),
        "postgresql": run(["psql", "--version"]).split()[2],
        "compiler of the echo": run(["gcc", "--version"]).splitlines()[0].rpartition(" ")[2],
    }


def write(top, bench, targets, seconds):
    results = {
        "date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d"),
        "seconds": round(seconds), "machine": machine(), "versions": versions(top), "facts": bench.facts,
        "rows": [dataclasses.asdict(row) for row in bench.table.rows],
        "targets": [{**dataclasses.asdict(target), "holds": target.holds} for target in targets],
    }
    path = top / ".build" / "bench" / "results.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(results, indent=2) + "\n")
    print(f"\n{seconds:.0f} s; figures in {path.relative_to(top)}", end="")
    # A part of the rows is no page.
    if bench.is_whole:
        write_page(top, bench, targets, results)
        print(", page in docs/benchmarks.md and docs/benchmarks.svg", end="")
    print()


def write_page(top, bench, targets, results):
    page = top / "docs" / "benchmarks.md"
    head = page.read_text().partition(MARK)[0]
    page.write_text(head + MARK + "\n" + "\n".join(body(bench, targets, results)) + "\n")
    (top / "docs" / "benchmarks.svg").write_text(plot.draw(bench.table.rows, results))


def body(bench, targets, results):
    where, names = results["machine"], results["versions"]
    yield "\n## The machine\n"
    yield (f"{where['processor']}, {where['cores']} cores, {where['memory_octets'] / 2**30:.0f} GiB; {where['system']}, Linux "
           f"{where['kernel']}; {results['date']}. Lastmile {names['lastmile']} (Swift {names['swift']}), FreeRADIUS "
           f"{names['freeradius']}, PostgreSQL {names['postgresql']}; the echo by gcc {names['compiler of the echo']}.")
    yield "\n![CPU time of an answered request](benchmarks.svg)\n"
    yield "## Rows\n"
    heads = ("server", "what", "users", "requests/s", "CPU us", "of it PostgreSQL", "p50 us", "p99 us", "p99.9 us", "lost", "x echo",
             "FreeRADIUS / it")
    yield "| " + " | ".join(heads) + " |"
    yield "| --- | --- |" + " ---: |" * (len(heads) - 2)
    for row in bench.table.rows:
        cells = list(bench.table.cells(row))
        if row.void:
            cells += [""] * (len(heads) - len(cells))
        else:
            cells[2] = f"{row.users:,}" if row.users and row.server != "C echo" else ""
            cells[3] = f"{row.per_second:,.0f}"
            cells.insert(5, f"{row.database_us:.1f}" if row.database_us else "")
        yield "| " + " | ".join(map(str, cells)) + " |"
    yield "\n## Figures to reach\n"
    yield "| what | reach | measured | |"
    yield "| --- | ---: | ---: | --- |"
    for target in targets:
        yield "| " + " | ".join(target.words()) + " |"
    facts = results["facts"]
    if facts.get("copy_seconds"):
        yield (f"\nStarting with {facts['subscribers']:,} subscribers took {facts['start_seconds']:.2f} s until `ready`, PostgreSQL's own "
               f"start included; `psql` took {facts['copy_seconds']:.2f} s to COPY the same columns out.")
    if facts.get("start_seconds_many"):
        yield f"Starting with {facts['many']:,} took {facts['start_seconds_many']:.1f} s."
    if facts.get("eap_beside_pap"):
        yield f"\nWhile PAP went on beside EAP, {facts['eap_beside_pap']:,.0f} handshakes a second were begun on the same processor."
