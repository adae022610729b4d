"""EAP rows: devices by Benchmarks/SideBySide/eapload.c against either server, with one certificate that `lastmile pki` made."""
import contextlib
import json
import os
import subprocess

from load import LOAD_PROCESSOR, NAMES, PASSWORD, SECRET
from processes import Failure, run

# Devices that log in at a time.
CONVERSATIONS = 64
# Key, words, method, TLS version, whether sessions are taken up. FreeRADIUS 3.2.1 takes up only a part of TLS 1.3's.
ROWS = (
    ("eap-tls", "EAP-TLS, full handshake", "tls", "1.2", 0),
    ("eap-tls-resumed", "EAP-TLS, resumed", "tls", "1.2", 1),
    ("eap-tls-13", "EAP-TLS over TLS 1.3, full", "tls", "1.3", 0),
    ("eap-peap", "PEAP with MSCHAPv2, full handshake", "peap", "1.2", 0),
    ("eap-peap-resumed", "PEAP, resumed", "peap", "1.2", 1),
)


class Certificates:
    """An authority, the server's certificate, and that of one device."""

    def __init__(self, tool, directory):
        self.directory = directory
        for words in (("init", "--common-name", "Benchmark"), ("issue", "server", "--common-name", "radius.example.net"),
                      ("issue", "client", "--common-name", NAMES % 0)):
            run([str(tool), "pki", *words, "--directory", str(directory)])
        self.server, self.device = (directory / "issued" / f"{name}.pem" for name in ("radius.example.net", NAMES % 0))
        for path in [directory, *directory.rglob("*")]:
            path.chmod(0o755 if path.is_dir() else 0o644)

    def settings(self, method, version):
        """For Lastmile: variables."""
        return {
            "LASTMILE_EAP_METHODS": method, "LASTMILE_EAP_TLS_DIRECTORY": str(self.directory),
            "LASTMILE_EAP_TLS_MINIMUM_VERSION": version, "LASTMILE_EAP_TLS_MAXIMUM_VERSION": version,
        }

    def words(self, method, version, resume):
        """For FreeRADIUS: words of its templates."""
        return {"CACHE": "yes" if resume else "no", "EAP_METHOD": method, "TLS": version, "CERTIFICATE": self.server,
                "KEY": self.server.with_suffix(".key")}

    def authority(self):
        """For FreeRADIUS: the authority's certificate and its revocation list."""
        return (self.directory / "ca.pem").read_text() + (self.directory / "crl.pem").read_text()


class Devices:
    """What to send."""

    def __init__(self, program, certificates, method, version, seconds, users):
        self.command = [str(program), f"secret={SECRET}", f"method={method}", f"tls={version}", f"users={users if method == 'peap' else 1}",
                        f"pattern={NAMES}", f"password={PASSWORD}", f"conversations={CONVERSATIONS}"]
        self.users, self.seconds = users if method == "peap" else 1, seconds
        if method == "tls":
            self.command += [f"certificate={certificates.device}", f"key={certificates.device.with_suffix('.key')}"]

    def start(self, port, pid, resume=0, stop=0, seconds=None):
        words = ["taskset", "-c", str(LOAD_PROCESSOR), *self.command, f"port={port}", f"pid={pid}", f"resume={resume}", f"stop={stop}",
                 f"seconds={seconds or self.seconds}"]
        return subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def measure(self, row, port, pid, resume):
        """Fills `row`."""
        before = os.times()
        text, errors = self.start(port, pid, resume).communicate(timeout=self.seconds + 120)
        after = os.times()
        if not text:
            raise Failure(f"eapload: {errors.strip()[-300:]}")
        result = json.loads(text)
        answered = max(1, result["answered"])
        row.users, row.per_second, row.answered = self.users, result["answers_per_second"], result["answered"]
        row.cpu_us = result["server_cpu_seconds"] * 1e6 / answered
        row.generator_us = (after.children_user + after.children_system - before.children_user - before.children_system) * 1e6 / answered
        row.p50_us, row.p99_us, row.p999_us = (result[f"latency_{name}_us"] for name in ("p50", "p99", "p999"))
        row.lost = result["retransmitted"]
        row.void = objection(result, resume)
        return row


def objection(result, resume):
    """Why a result is void."""
    for name, words in (("rejected", "log-ins were rejected"), ("bad_replies", "replies or keys did not verify"), ("odd", "replies were odd")):
        if result[name]:
            return f"{result[name]} {words}"
    if not result["answered"]:
        return "nobody logged in"
    if result["resumed"] != (result["answered"] if resume else 0):
        return f"{result['resumed']} of {result['answered']} log-ins took a session up"
    return ""


@contextlib.contextmanager
def filling(devices, port, pid):
    """Meanwhile devices begin handshakes without end; what came of it is filled in afterwards.

    They leave when the server has made its keys and signed them: that costs the server most, and the devices, whose processor has
    another load to make, next to nothing.
    """
    result = {}
    process = devices.start(port, pid, stop=1, seconds=86400)
    try:
        yield result
    finally:
        process.terminate()
        text, errors = process.communicate(timeout=30)
    if not text:
        raise Failure(f"eapload: {errors.strip()[-300:]}")
    result.update(json.loads(text))
