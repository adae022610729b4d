"""PostgreSQL clusters: one of the benchmark's own for FreeRADIUS, and psql for any."""
import os
import pathlib
import pwd
import shutil
import subprocess
import time

from processes import Failure, Process, run

# What Lastmile's private cluster runs with, so that both servers have the same PostgreSQL.
SETTINGS = {
    "shared_buffers": "128MB", "max_connections": "64", "max_wal_size": "2GB", "checkpoint_timeout": "15min",
    "synchronous_commit": "on", "jit": "off", "listen_addresses": "", "unix_socket_permissions": "0700", "port": "5432",
}


def binaries():
    """The directory of initdb and postgres; the newest version that there is."""
    named = os.environ.get("LASTMILE_POSTGRES_BIN")
    if named:
        return pathlib.Path(named)
    found = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: float(path.parts[-3]))
    if not found:
        raise Failure("there is no PostgreSQL server in /usr/lib/postgresql; scripts/setup installs one")
    return found[-1].parent


def account():
    """Whom PostgreSQL runs as, for subprocess: it refuses root."""
    if os.geteuid() != 0:
        return {}
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
            return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
        except KeyError:
            pass
    raise Failure("PostgreSQL refuses to run as root, and there is no account postgres or nobody")


class Cluster:
    """A new cluster with a unix socket, pinned to the servers' processor."""

    def __init__(self, directory, processor):
        self.directory = pathlib.Path(directory)
        self.directory.mkdir(mode=0o700)
        whom = account()
        if whom:
            os.chown(self.directory, whom["user"], whom["group"])
        data = self.directory / "data"
        run([binaries() / "initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--data-checksums"],
            **whom)
        settings = {**SETTINGS, "unix_socket_directories": str(self.directory)}
        options = [word for key, value in settings.items() for word in ("-c", f"{key}={value}")]
        self.process = Process(
            [str(binaries() / "postgres"), "-D", str(data), *options], processor, self.directory.with_suffix(".log"), account=whom)
        self._wait()

    def _wait(self):
        deadline = time.monotonic() + 60
        while subprocess.run(
                [str(binaries() / "pg_isready"), "-q", "-h", str(self.directory)], stdin=subprocess.DEVNULL).returncode != 0:
            if time.monotonic() > deadline or self.process.child.poll() is not None:
                raise Failure(f"PostgreSQL does not start: {self.process.tail()}")
            time.sleep(0.05)

    def end(self):
        # SIGINT is PostgreSQL's fast shutdown: it ends sessions.
        self.process.end(number=2)
        shutil.rmtree(self.directory, ignore_errors=True)


def psql(socket, database, text, seconds=600):
    """Runs statements as the superuser; what they print, unaligned."""
    return run(
        ["psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-h", str(socket), "-U", "postgres", "-d", database, "-c", text],
        seconds=seconds).strip()
