"""The table, row by row as it grows, and the figures to reach."""
import dataclasses

WIDTHS = (27, 42, 10, 8, 9, 9, 9, 9, 7, 7, 7)
HEADS = ("server", "what", "users", "req/s", "CPU us", "p50 us", "p99 us", "p99.9 us", "lost", "x echo", "FR / it")


@dataclasses.dataclass
class Target:
    """A figure to reach: `value` at most, or at least, `bound`."""
    what: str
    bound: float
    at_most: bool
    value: float | None
    unit: str = "x"

    @property
    def holds(self):
        if self.value is None:
            return None
        return self.value <= self.bound if self.at_most else self.value >= self.bound

    def words(self):
        sign = "<=" if self.at_most else ">="
        measured = "not measured" if self.value is None else f"{self.value:.2f}{self.unit}"
        verdict = {None: "-", True: "holds", False: "misses"}[self.holds]
        return self.what, f"{sign} {self.bound:g}{self.unit}", measured, verdict


class Table:
    """All rows of a run, by key."""

    def __init__(self):
        self.rows = []

    def __getitem__(self, key):
        """The row with that key; none when it is missing or void."""
        return next((row for row in self.rows if row.key == key and not row.void), None)

    def head(self):
        print(line(HEADS), flush=True)

    def add(self, row):
        self.rows.append(row)
        print(line(self.cells(row)), flush=True)
        return row

    def cells(self, row):
        if row.void:
            return (row.server, row.what, row.users, f"void: {row.void}")
        echo, peer = self.echo_ratio(row), self.peer_ratio(row)
        cpu = f"{row.cpu_us:.2f}" if row.cpu_us < 100 else f"{row.cpu_us:.0f}"
        cpu = cpu if row.cpu_us else ""
        return (
            row.server, row.what, row.users or "", f"{row.per_second:.0f}", cpu, f"{row.p50_us:.0f}", f"{row.p99_us:.0f}",
            f"{row.p999_us:.0f}", row.lost, f"{echo:.2f}" if echo else "", f"{peer:.1f}" if peer else "")

    def echo_ratio(self, row):
        """CPU time against the echo that ran last before the row."""
        echoes = [other for other in self.rows[:self.rows.index(row)] if other.server == "C echo" and not other.void and not other.rate]
        if row.server == "C echo" or not echoes or not row.cpu_us or "eap" in row.key:
            return None
        return row.cpu_us / echoes[-1].cpu_us

    def peer_ratio(self, row):
        """FreeRADIUS's CPU time as a multiple of the row's."""
        peer = self[row.peer]
        return peer.cpu_us / row.cpu_us if peer and row.cpu_us else None

    def ratio(self, upper, lower, field="cpu_us"):
        """Of two rows by key."""
        above, below = self[upper], self[lower]
        if not above or not below or not getattr(below, field):
            return None
        return getattr(above, field) / getattr(below, field)

    def targets(self, facts):
        """Every figure to reach, with what this run came to."""
        pap = self["lastmile-pap"]
        echo_ratio = self.echo_ratio(pap) if pap else None
        million = f"{facts['subscribers']:,} subscribers"
        return [
            Target(f"PAP signed and checked, {million}: CPU against the echo", 1.5, True, echo_ratio),
            Target("the same against FreeRADIUS with users in memory: CPU", 6, False, self.ratio("freeradius-pap", "lastmile-pap")),
            Target("the same: requests/s on one core", 4, False, self.ratio("lastmile-pap", "freeradius-pap", "per_second")),
            Target("CHAP against FreeRADIUS: CPU", 6, False, self.ratio("freeradius-chap", "lastmile-chap")),
            Target("MS-CHAPv2 against FreeRADIUS: CPU", 4, False, self.ratio("freeradius-mschapv2", "lastmile-mschapv2")),
            Target("accounting, durable, against FreeRADIUS's file without sync: CPU", 5, False,
                   self.ratio("freeradius-accounting", "lastmile-accounting")),
            Target("accounting until in PostgreSQL against FreeRADIUS + PostgreSQL: CPU", 20, False,
                   self.ratio("freeradius-pg-accounting", "lastmile-pg-accounting")),
            Target("PAP against FreeRADIUS + PostgreSQL: CPU", 25, False, self.ratio("freeradius-pg-pap", "lastmile-pap")),
            Target(f"PAP with {facts['many']:,} subscribers against 10,000: CPU", 1.3, True,
                   facts.get("many_against_few")),
            Target("memory of a subscriber", 250, True, facts.get("octets_per_subscriber"), " octets"),
            Target(f"start with {million} until ready against COPY", 4, True, facts.get("start_against_copy")),
            Target("EAP-TLS, full handshake, against FreeRADIUS: CPU", 1.2, False, facts.get("eap-tls")),
            Target("EAP-TLS, resumed, against FreeRADIUS: CPU", 1.2, False, facts.get("eap-tls-resumed")),
            Target("PEAP, full handshake, against FreeRADIUS: CPU", 1.2, False, facts.get("eap-peap")),
            Target("PEAP, resumed, against FreeRADIUS: CPU", 1.2, False, facts.get("eap-peap-resumed")),
            Target("PAP/s while EAP would fill the processor, against PAP/s alone", 0.8, False, facts.get("pap_beside_eap")),
            Target("p99 at half of the measured capacity against the echo at the same rate", 2, True,
                   facts.get("p99_against_echo")),
        ]


def line(cells):
    text = ""
    for position, (cell, width) in enumerate(zip(cells, WIDTHS)):
        text += str(cell).ljust(width) if position < 2 else " " + str(cell).rjust(width - 1)
    return text


def print_targets(targets):
    print()
    for target in targets:
        what, bound, measured, verdict = target.words()
        print(f"{what:72}{bound:>14}{measured:>16}  {verdict}")
