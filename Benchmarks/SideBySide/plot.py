"""The plot of docs/benchmarks.md: CPU time of an answered request as bars on a logarithmic axis. Readable on light and dark ground."""
import html
import math

WIDTH, LEFT, RIGHT, TOP, BAR, GAP, GROUP_GAP = 860, 300, 120, 64, 18, 6, 18
GROUPS = (
    ("PAP", ("echo-again", "lastmile-pap-few", "lastmile-pap", "lastmile-pap-many", "freeradius-pap", "freeradius-pg-pap")),
    ("CHAP", ("lastmile-chap", "freeradius-chap")),
    ("MS-CHAPv2", ("lastmile-mschapv2", "freeradius-mschapv2")),
    ("Accounting acknowledged", ("lastmile-accounting", "freeradius-accounting")),
    ("Accounting until in PostgreSQL", ("lastmile-pg-accounting", "freeradius-pg-accounting")),
    ("EAP-TLS, full handshake", ("lastmile-eap-tls", "freeradius-eap-tls")),
    ("EAP-TLS, resumed", ("lastmile-eap-tls-resumed", "freeradius-eap-tls-resumed")),
    ("PEAP, full handshake", ("lastmile-eap-peap", "freeradius-eap-peap")),
    ("PEAP, resumed", ("lastmile-eap-peap-resumed", "freeradius-eap-peap-resumed")),
)
CLASSES = {"C echo": "echo", "Lastmile": "own", "Lastmile + PostgreSQL": "own"}
STYLE = """
text { font: 13px system-ui, -apple-system, "Segoe UI", sans-serif; fill: #24292f }
.title { font-size: 16px; font-weight: 600 } .group { font-weight: 600 } .quiet { fill: #57606a; font-size: 12px }
.grid { stroke: #d0d7de; stroke-width: 1 } .own { fill: #0969da } .peer { fill: #bf8700 } .echo { fill: #8c959f }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3 } .quiet { fill: #9198a1 } .grid { stroke: #3d444d }
  .own { fill: #4493f8 } .peer { fill: #d29922 } .echo { fill: #767e88 }
}"""


def users(row):
    if row.server == "C echo" or not row.users:
        return ""
    return f"{row.users // 1_000_000}M" if row.users >= 1_000_000 else f"{row.users // 1000}k"


def label(row):
    """`Lastmile, 1M`."""
    return ", ".join(part for part in (row.server, users(row)) if part)


def ticks(least, most):
    """1, 2, 5, 10, 20, 50, ... from half of the least, so that its bar can be seen, to above the most."""
    found = [step * 10**power for power in range(-2, 7) for step in (1, 2, 5)]
    low = max(tick for tick in found if tick <= least / 2)
    high = min(tick for tick in found if tick >= most)
    return [tick for tick in found if low <= tick <= high]


def draw(rows, results):
    """The picture as text."""
    known = {row.key: row for row in rows if not row.void and row.cpu_us > 0}
    groups = [(name, [known[key] for key in keys if key in known]) for name, keys in GROUPS]
    groups = [(name, members) for name, members in groups if members]
    values = [row.cpu_us for _, members in groups for row in members] or [1]
    marks = ticks(min(values), max(values))
    if len(marks) < 2:
        marks = [marks[0], marks[0] * 2]

    def x(value):
        return LEFT + (WIDTH - LEFT - RIGHT) * math.log(value / marks[0]) / math.log(marks[-1] / marks[0])
    bars, y = [], TOP
    for name, members in groups:
        bars.append(text(LEFT - 12, y + 13, name, "group", "end"))
        y += BAR + GAP
        for row in members:
            kind = CLASSES.get(row.server, "peer")
            bars.append(text(LEFT - 12, y + 13, label(row), "", "end"))
            bars.append(f'<rect class="{kind}" x="{LEFT}" y="{y}" width="{max(2, x(row.cpu_us) - LEFT):.1f}" height="{BAR}" rx="2"/>')
            bars.append(text(max(LEFT + 2, x(row.cpu_us)) + 8, y + 13, figure(row.cpu_us)))
            y += BAR + GAP
        y += GROUP_GAP
    bottom = y - GROUP_GAP + 4
    grid = []
    for mark in marks:
        grid.append(f'<line class="grid" x1="{x(mark):.1f}" y1="{TOP - 6}" x2="{x(mark):.1f}" y2="{bottom}"/>')
        grid.append(text(x(mark), bottom + 18, f"{mark:g}", "quiet", "middle"))
    height = bottom + 52
    title = text(24, 28, "CPU microseconds of one answered request", "title")
    foot = text(24, height - 12, f"One core for the server, logarithmic axis. {results['machine']['processor']}, {results['date']}", "quiet")
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" role="img" '
            f'aria-label="CPU time of one answered request, by server">\n<style>{STYLE}\n</style>\n'
            + "\n".join([title, *grid, *bars, foot]) + "\n</svg>\n")


def figure(value):
    return f"{value:.2f}" if value < 10 else f"{value:.1f}" if value < 100 else f"{value:.0f}"


def text(x, y, words, kind="", anchor="start"):
    kind = f' class="{kind}"' if kind else ""
    return f'<text{kind} x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{html.escape(words)}</text>'
