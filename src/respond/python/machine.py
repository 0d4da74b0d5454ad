# What this machine has: its ports, its addresses, and who else saw packets come.


def held_ports():
    """Any socket at any address: whoever binds beside a service takes packets from it."""
    held = {}
    for transport in ("tcp", "udp"):
        for family in ("", "6"):
            try:
                with open("/proc/net/" + transport + family) as table:
                    lines = table.read().splitlines()[1:]
            except OSError:
                continue
            for line in lines:
                cells = line.split()
                if len(cells) > 9 and (transport == "udp" or cells[3] == "0A"):
                    held.setdefault((transport, int(cells[1].rsplit(":", 1)[1], 16)), set()).add(cells[9])
    return held


def holder_of(inodes):
    wanted = set("socket:[%s]" % inode for inode in inodes)
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            for fd in os.listdir("/proc/%s/fd" % pid):
                if os.readlink("/proc/%s/fd/%s" % (pid, fd)) in wanted:
                    with open("/proc/%s/comm" % pid) as comm:
                        return {"pid": int(pid), "program": comm.read().strip()}
        except OSError:
            continue
    return None


def own_addresses():
    """Those that packets from elsewhere can come to."""
    found = []
    try:
        with open("/proc/net/fib_trie") as table:
            lines = table.read().splitlines()
        for i, line in enumerate(lines):
            if "/32 host LOCAL" in line and i > 0:
                found.append(lines[i - 1].split()[-1])
        with open("/proc/net/if_inet6") as table:
            found += [str(ipaddress.IPv6Address(bytes.fromhex(line.split()[0]))) for line in table]
    except OSError:
        pass
    usable = [a for a in found if not ipaddress.ip_address(a).is_loopback and not ipaddress.ip_address(a).is_link_local]
    return list(OrderedDict.fromkeys(usable))[:MOST_ADDRESSES] or ["127.0.0.1"]


class Witnesses:
    """What saw packets to a held port without touching it: its log, the connection table, a capture."""

    def __init__(self, held, logs, conntrack, capture, addresses):
        self.held, self.own, self.conntrack, self.found = held, set(addresses), conntrack, OrderedDict()
        self.logs, self.tcpdump, self.told = [], None, {}
        if not any(transport == "udp" for transport, _ in held):
            self.conntrack = False
            return
        for name in logs:
            try:
                log = open(name, "rb")
                log.seek(0, os.SEEK_END)
                self.logs.append([log, b""])
            except OSError as error:
                if error.errno != errno.ENOENT:
                    complain("the log %s cannot be read (%s)" % (name, errno.errorcode.get(error.errno)))
        # Flows of before prove nothing of now.
        if self.conntrack:
            self.look_at_conntrack()
        self.told = dict.fromkeys(self.found, BEFORE)
        if capture:
            self.start_capture()

    def start_capture(self):
        ports = " or ".join("dst port %d" % port for transport, port in self.held if transport == "udp")
        command = ["tcpdump", "-i", "any", "-Q", "in", "-n", "-l", "-q", "udp and (%s)" % ports]
        try:
            self.tcpdump = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE
            )
            os.set_blocking(self.tcpdump.stdout.fileno(), False)
            # It has begun, or ended, when it says something.
            select.select([self.tcpdump.stderr], [], [], 3)
            if self.tcpdump.poll() is not None:
                complain("tcpdump ended: --capture sees nothing")
        except OSError:
            complain("tcpdump is not here: --capture sees nothing")

    def note(self, proof, port, source, source_port, mark):
        key = (proof, port, source, source_port, mark)
        if key not in self.found and len(self.found) >= MOST_ENTRIES:
            return
        self.found[key] = self.found.get(key, 0) + 1 if proof == "capture" else 1

    def look(self):
        for one in self.logs:
            text = one[1] + one[0].read(4 * 1024 * 1024)
            one[1] = text[-64:]
            for mark in re.findall(rb"connectivity probe ([0-9a-f]{8})\b", text):
                for transport, port in self.held:
                    if transport == "udp":
                        self.note("log", port, None, None, mark.decode())
        if self.conntrack:
            self.look_at_conntrack()
        if self.tcpdump:
            printed = self.tcpdump.stdout.read() or b""
            for source, source_port, port in re.findall(rb"IP6? (\S+)\.(\d+) > \S+\.(\d+):", printed):
                self.note("capture", int(port), canonical(source.decode()), int(source_port), None)

    def look_at_conntrack(self):
        try:
            with open("/proc/net/nf_conntrack") as table:
                text = table.read()
        except OSError:
            text = ""
            for family in ("ipv4", "ipv6"):
                try:
                    command = ["conntrack", "-L", "-p", "udp", "-f", family]
                    text += subprocess.run(
                        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=2
                    ).stdout.decode("latin-1")
                except (OSError, subprocess.SubprocessError):
                    continue
        for source, destination, source_port, port in re.findall(
            r"\budp\s+\d+ \d+ src=(\S+) dst=(\S+) sport=(\d+) dport=(\d+)", text
        ):
            if ("udp", int(port)) in self.held and canonical(destination) in self.own:
                self.note("conntrack", int(port), canonical(source), int(source_port), None)

    def sighting(self, source, transport, port, mark, nonce):
        if transport != "udp" or (transport, port) not in self.held:
            return "none", 0
        self.look()
        marked = "%08x" % mark
        mine = []
        for key in self.found:
            proof, at, where, _, kept = key
            is_it = mark != 0 and kept == marked if proof == "log" else where == source
            # What was told to one check does not prove a later one.
            if at == port and is_it and self.told.setdefault(key, nonce) == nonce:
                mine.append(key)
        for proof in ("log", "conntrack", "capture"):
            seen = sum(self.found[key] for key in mine if key[0] == proof)
            if seen:
                return proof, seen
        return "none", 0

    def close(self):
        if self.tcpdump:
            self.tcpdump.kill()
            self.tcpdump.wait()
