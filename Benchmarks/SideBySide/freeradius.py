"""FreeRADIUS under test: Debian's, in the foreground, with a configuration of the benchmark's own."""
import pathlib
import shutil
import socket

from load import NAMES, PASSWORD, SECRET
from postgres import psql
from processes import Failure, Process, run

TEMPLATES = pathlib.Path(__file__).parent / "raddb"
# What each log-in is answered; the same attributes as Lastmile's, in its order.
REPLY = (
    ("Mikrotik-Rate-Limit", "10M/50M"), ("Class", "0x686f6d653530"), ("Framed-MTU", "1492"), ("Session-Timeout", "86400"),
    ("Idle-Timeout", "1800"), ("Acct-Interim-Interval", "600"), ("Filter-Id", "home"))
# Where Debian's package puts its configuration; of it the queries, the schema and the policy for accounting are used unchanged.
STOCK = pathlib.Path("/etc/freeradius/3.0")
QUOTED = {"Mikrotik-Rate-Limit", "Filter-Id"}


def program():
    for name in ("freeradius", "radiusd"):
        found = shutil.which(name, path="/usr/sbin:/usr/local/sbin:/usr/bin")
        if found:
            return found
    raise Failure("there is no freeradius; scripts/setup installs it")


def version():
    return run([program(), "-v"]).splitlines()[0].split("Version ")[-1].split(",")[0]


def stock_sql():
    """The directory of the schema and the queries that the package brings for PostgreSQL."""
    found = STOCK / "mods-config/sql/main/postgresql"
    if not (found / "queries.conf").exists():
        raise Failure(f"there is no {found}/queries.conf; the package freeradius-config brings it")
    return found


def free_port():
    """A UDP port that nobody has now."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def address(number):
    """10.0.0.0/8 by number."""
    return f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"


def write_users(path, count):
    rest = ",\n".join(f'\t{name} = "{value}"' if name in QUOTED else f"\t{name} = {value}" for name, value in REPLY)
    with open(path, "w", encoding="ascii") as file:
        for number in range(count):
            file.write(f'{NAMES % number}\tCleartext-Password := "{PASSWORD}"\n\tFramed-IP-Address = {address(number)},\n{rest}\n\n')


def fill_database(cluster, count):
    psql(cluster.directory, "postgres", "CREATE DATABASE radius")
    psql(cluster.directory, "radius", (stock_sql() / "schema.sql").read_text())
    width = len(NAMES % 0) - len("user")
    name = f"'user' || lpad(i::text, {width}, '0')"
    series = f"generate_series(0, {count - 1}) i"
    replies = ", ".join(f"('{name}', '{value}')" for name, value in REPLY)
    psql(cluster.directory, "radius", f"""
        INSERT INTO radcheck (username, attribute, op, value) SELECT {name}, 'Cleartext-Password', ':=', '{PASSWORD}' FROM {series};
        INSERT INTO radreply (username, attribute, op, value)
            SELECT {name}, a.attribute, '=', coalesce(a.value, host('10.0.0.0'::inet + i))
            FROM {series}, (VALUES ('Framed-IP-Address', NULL), {replies}) a(attribute, value);
        ANALYZE""")


class FreeRADIUS:
    """A server with its users in memory, or with a cluster in PostgreSQL."""

    def __init__(self, directory, processor, users, cluster=None, threads=4, eap=None, authority=""):
        """`eap` are words for EAP's templates, `authority` is whom a device's certificate must be of."""
        self.directory = pathlib.Path(directory)
        self.directory.mkdir(mode=0o700)
        (self.directory / "radacct").mkdir()
        (self.directory / "dictionary").write_text("")
        self.authentication_port, self.accounting_port, self.eap_port = free_port(), free_port(), free_port()
        words = {
            "DIRECTORY": self.directory, "LIBDIR": "/usr/lib/freeradius", "SECRET": SECRET, "THREADS": threads,
            "AUTHENTICATION_PORT": self.authentication_port, "ACCOUNTING_PORT": self.accounting_port,
            "USERS": "sql" if cluster else "files", "RECORDS": "sql" if cluster else "detail",
            "SOCKET": cluster.directory if cluster else "", "STOCK": stock_sql() if cluster else "",
            "POLICY": f"$INCLUDE {STOCK}/policy.d/accounting" if cluster else "",
            "EAP": "$INCLUDE eap.conf" if eap else "", "EAP_SERVERS": "$INCLUDE eap-servers.conf" if eap else "",
            "EAP_PORT": self.eap_port, "USE_MPPE": "yes" if eap else "no", **(eap or {}),
            "BEFORE_RECORDS": "preprocess\n        acct_unique" if cluster else "",
        }
        self._fill("radiusd.conf", "radiusd.conf", words)
        self._fill("postgresql.conf" if cluster else "memory.conf", "modules.conf", words)
        if eap:
            (self.directory / "sessions").mkdir(mode=0o700)
            (self.directory / "authority.pem").write_text(authority)
            self._fill("eap.conf", "eap.conf", words)
            self._fill("eap-servers.conf", "eap-servers.conf", words)
        if not cluster:
            write_users(self.directory / "users", users)
        self.process = Process(
            [program(), "-f", "-l", "stdout", "-d", str(self.directory)], processor, self.directory.with_suffix(".log"),
            ready="Ready to process requests", seconds=180)

    def _fill(self, template, name, words):
        text = (TEMPLATES / template).read_text()
        for word, value in words.items():
            text = text.replace(f"@{word}@", str(value))
        (self.directory / name).write_text(text)

    def end(self):
        self.process.end()
        shutil.rmtree(self.directory, ignore_errors=True)
