#!/usr/bin/env python3
"""The other end of a xenreach check, for machines without Node: Python 3.6 and newer, nothing but its own library.

`xenreach respond --print python` writes this file with what the rows want at this machine in WANTED. It binds what of
that nobody holds, answers who has the key, and ends by itself. docs/pair.md says what the messages look like. Run it as

    ssh root@HOST python3 - --pair-file /tmp/pair.json < respond.py

It ends after --for, by a signal, and when nobody reads its output any more.
"""
import argparse
import base64
import errno
import hashlib
import hmac
import ipaddress
import json
import os
import re
import select
import signal
import socket
import struct
import subprocess
import sys
import time
from collections import OrderedDict
from datetime import datetime, timezone

WANTED = json.loads('{"ports": [], "roles": [], "for": 900, "from": []}')

TYPES = {1: "probe", 2: "receipts", 3: "back", 4: "bye"}
PROOFS = ["none", "receipt", "log", "conntrack", "capture"]
LEAST, MOST = 128, 9000
MOST_ENTRIES, MOST_REPLIES, MOST_ASKED, MOST_BACK = 10000, 3, 50, 64
PER_SOURCE, IN_ALL = 50, 500
MOST_CONNECTIONS, MOST_BYTES, PATIENCE = 64, 2048, 5.0
MOST_ADDRESSES = 16
BEFORE = b""  # What was there when this started.


def octets(address):
    """Sixteen of them; an IPv4 address mapped."""
    found = ipaddress.ip_address(address.split("%")[0])
    return b"\0" * 10 + b"\xff\xff" + found.packed if found.version == 4 else found.packed


def address_of(packed):
    found = ipaddress.IPv6Address(packed)
    return str(found.ipv4_mapped or found)


def canonical(address):
    return address_of(octets(address))


def tag_of(key, parts):
    return hmac.new(key, b"".join(parts), hashlib.sha256).digest()[:16]


def encode_request(key, kind, transport, port, nonce, sequence=1):
    """A probe, which has no body."""
    head = b"XRP1" + struct.pack(">BBHHH", kind, 2 if transport == "tcp" else 0, port, LEAST, sequence) + nonce
    body = b"\0" * (LEAST - 44)
    return head + tag_of(key, [head, body]) + body


def decode_request(message, key):
    """None for whatever is not a whole request with our key's tag."""
    if not LEAST <= len(message) <= MOST or message[:4] != b"XRP1":
        return None
    kind, flags, port, size, sequence = struct.unpack(">BBHHH", message[4:12])
    if kind not in TYPES or flags > 3 or size != len(message):
        return None
    if not hmac.compare_digest(message[28:44], tag_of(key, [message[:28], message[44:]])):
        return None
    request = {"kind": kind, "full": flags & 1, "transport": "tcp" if flags & 2 else "udp", "port": port}
    request.update(size=size, sequence=sequence, nonce=message[12:28], asked=[], back=[], challenge=b"\0" * 16)
    body = message[44:]
    try:
        if TYPES[kind] == "receipts":
            request["asked"] = [entry(body, 1 + 7 * i, ">BHI") for i in range(count(body[0], MOST_ASKED))]
        elif TYPES[kind] == "back":
            request["challenge"] = body[:16]
            request["back"] = [entry(body, 17 + 3 * i, ">BH") for i in range(count(body[16], MOST_BACK))]
    except (ValueError, struct.error):
        return None
    return request


def count(number, most):
    if number > most:
        raise ValueError("too many ports")
    return number


def entry(body, at, layout):
    found = struct.unpack_from(layout, body, at)
    if found[0] > 1:
        raise ValueError("an unknown transport")
    return found


def reply_size(request):
    if request["full"]:
        return request["size"]
    kind = TYPES[request["kind"]]
    return 64 + (1 + 24 * len(request["asked"]) if kind == "receipts" else 16 if kind == "back" else 0)


def encode_reply(key, request, source, source_port, seen, receipts, challenge):
    flags = 2 if request["transport"] == "tcp" else 0
    size = reply_size(request)
    head = b"XRP2" + struct.pack(">BBHHH", request["kind"], flags, request["port"], size, request["sequence"])
    head += request["nonce"]
    body = octets(source) + struct.pack(">HH", source_port, min(seen, 0xFFFF))
    if TYPES[request["kind"]] == "back":
        body += challenge
    if TYPES[request["kind"]] == "receipts":
        body += bytes([len(receipts)])
        for transport, port, proof, number, length, where in receipts:
            body += struct.pack(">BHBHH", transport, port, PROOFS.index(proof), min(number, 0xFFFF), min(length, 0xFFFF))
            body += octets(where)
    body += b"\0" * (size - 44 - len(body))
    return head + tag_of(key, [head, body]) + body


class Bounded(OrderedDict):
    """Forgets its oldest entry when it is full."""

    def keep(self, key, value):
        if key not in self and len(self) >= MOST_ENTRIES:
            self.popitem(last=False)
        self[key] = value


class Rate:
    """So many a second; who was quiet for two seconds may say so much at once."""

    def __init__(self, per_second):
        self.per_second, self.tokens, self.at = per_second, per_second * 2.0, time.monotonic()

    def take(self):
        now = time.monotonic()
        self.tokens = min(self.per_second * 2.0, self.tokens + (now - self.at) * self.per_second)
        self.at = now
        if self.tokens < 1:
            return False
        self.tokens -= 1
        return True


class Answers:
    """What is answered, and what is remembered of who asked."""

    def __init__(self, key, networks, sighting):
        self.key, self.networks, self.sighting = key, networks, sighting
        self.own_nonce, self.secret = os.urandom(16), os.urandom(32)
        self.arrivals, self.replied, self.rates, self.accepted = Bounded(), Bounded(), Bounded(), Bounded()
        self.rate, self.to_ask_back, self.gone = Rate(IN_ALL), [], set()

    def allows(self, address):
        return not self.networks or any(ipaddress.ip_address(address) in one for one in self.networks)

    def answer(self, message, source, source_port, transport, port):
        """None is silence."""
        request = decode_request(message, self.key)
        if request is None or request["port"] != port or request["transport"] != transport:
            return None
        if request["size"] < reply_size(request):
            return None
        is_own = request["nonce"] == self.own_nonce
        if not is_own and not self.allows(source):
            return None
        seen = 1 if is_own else self.counted(request, len(message), source, source_port)
        if not self.may_reply((request["nonce"], transport, port, request["sequence"]), source):
            return None
        challenge = tag_of(self.secret, [source.encode(), request["nonce"]])
        if TYPES[request["kind"]] == "back" and request["challenge"] == challenge:
            self.to_ask_back.append((source, request))
        if TYPES[request["kind"]] == "bye":
            self.gone.add(source)
        receipts = [self.receipt_for(asked, request["nonce"], source) for asked in request["asked"]]
        return encode_reply(self.key, request, source, source_port, seen, receipts, challenge)

    def counted(self, request, length, source, source_port):
        key = (request["nonce"], request["transport"], request["port"])
        known = self.arrivals.get(key)
        if TYPES[request["kind"]] != "probe":
            return known["seen"] if known else 0
        if known is None:
            known = {"from": source, "fromPort": source_port, "seen": 0, "bytes": 0}
            self.arrivals.keep(key, known)
        known["seen"] += 1
        known["bytes"] = max(known["bytes"], length)
        return known["seen"]

    def may_reply(self, key, source):
        replied = self.replied.get(key, 0)
        if replied >= MOST_REPLIES:
            return False
        if source not in self.rates:
            self.rates.keep(source, Rate(PER_SOURCE))
        if not self.rates[source].take() or not self.rate.take():
            return False
        self.replied.keep(key, replied + 1)
        return True

    def receipt_for(self, asked, nonce, source):
        code, port, mark = asked
        transport = "tcp" if code else "udp"
        known = self.arrivals.get((nonce, transport, port))
        if known:
            return code, port, "receipt", known["seen"], known["bytes"], known["from"]
        if transport == "tcp" and (source, port) in self.accepted:
            return code, port, "receipt", self.accepted[(source, port)], 0, source
        proof, seen = self.sighting(source, transport, port, mark, nonce)
        return code, port, proof, seen, 0, source


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
                command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
            )
            os.set_blocking(self.tcpdump.stdout.fileno(), False)
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


def complain(text):
    sys.stderr.write("xenreach: %s\n" % text)


def now():
    return datetime.now(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Responder:
    def __init__(self, options):
        self.options, self.key = options, os.urandom(32)
        self.addresses, self.started = own_addresses(), now()
        self.poll, self.sockets, self.servers, self.connections = select.poll(), {}, {}, {}
        self.ports = self.survey()
        self.witnesses = None
        self.answers = Answers(self.key, options.networks, self.sighting)
        self.is_ready = False

    def survey(self):
        held = held_ports()
        ports = []
        for transport, port, rows in WANTED["ports"]:
            inodes = held.get((transport, port))
            state = "held" if inodes else "free"
            ports.append({"transport": transport, "port": port, "row": rows, "state": state})
            if inodes:
                ports[-1]["holder"] = holder_of(inodes)
        return ports

    def sighting(self, *asked):
        return self.witnesses.sighting(*asked)

    def open(self):
        """Free ports at every address, or at none. No SO_REUSEADDR for datagrams, no SO_REUSEPORT."""
        for one in self.ports:
            if one["state"] != "free":
                continue
            opened = []
            try:
                for address in self.addresses:
                    opened.append(self.bound(one["transport"], address, one["port"]))
                one["state"] = "bound"
                for listener in opened:
                    self.listen(listener, one)
            except OSError as error:
                for listener in opened:
                    listener.close()
                one["state"] = "held" if error.errno == errno.EADDRINUSE else "failed"
                one["why"] = errno.errorcode.get(error.errno, str(error))

    def bound(self, transport, address, port):
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        kind = socket.SOCK_STREAM if transport == "tcp" else socket.SOCK_DGRAM
        listener = socket.socket(family, kind)
        try:
            if family == socket.AF_INET6:
                listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            if transport == "tcp":
                # Connections of a former run in TIME_WAIT hold nothing; a listener refuses this all the same.
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((address, port))
            if transport == "tcp":
                listener.listen(64)
            listener.setblocking(False)
        except OSError:
            listener.close()
            raise
        return listener

    def listen(self, listener, one):
        self.poll.register(listener, select.POLLIN)
        (self.servers if one["transport"] == "tcp" else self.sockets)[listener.fileno()] = (listener, one["port"])

    def serve_until(self, over):
        """Everything that happens, until `over()` is true."""
        while not over():
            for fd, event in self.poll.poll(100):
                if fd in self.sockets:
                    self.datagram(*self.sockets[fd])
                elif fd in self.servers:
                    self.accept(*self.servers[fd])
                elif fd in self.connections:
                    self.stream(fd)
            late = [fd for fd, one in self.connections.items() if time.monotonic() > one["until"]]
            for fd in late:
                self.hang_up(fd)
            while self.answers.to_ask_back:
                self.ask_back(*self.answers.to_ask_back.pop())

    def datagram(self, listener, port):
        try:
            message, peer = listener.recvfrom(65536)
            reply = self.answers.answer(message, canonical(peer[0]), peer[1], "udp", port)
            if reply:
                listener.sendto(reply, peer)
        except OSError:
            pass  # What the system says of an earlier reply.

    def accept(self, server, port):
        try:
            connection, peer = server.accept()
        except OSError:
            return
        if len(self.connections) >= MOST_CONNECTIONS:
            connection.close()
            return
        connection.setblocking(False)
        source = canonical(peer[0])
        if self.is_ready:
            self.answers.accepted.keep((source, port), self.answers.accepted.get((source, port), 0) + 1)
        until = time.monotonic() + PATIENCE
        self.connections[connection.fileno()] = {
            "socket": connection, "port": port, "peer": (source, peer[1]), "got": b"", "until": until, "said": False
        }
        self.poll.register(connection, select.POLLIN)

    def stream(self, fd):
        one = self.connections[fd]
        try:
            chunk = one["socket"].recv(4096)
        except OSError:
            return self.hang_up(fd)
        one["got"] += chunk
        got = one["got"]
        wanted = 2 + struct.unpack(">H", got[:2])[0] if len(got) >= 2 else 2
        if not chunk or one["said"] or len(got) > MOST_BYTES or wanted > MOST_BYTES:
            return self.hang_up(fd)
        if len(got) < max(3, wanted):
            return None
        source, source_port = one["peer"]
        reply = None
        if len(got) == wanted:
            reply = self.answers.answer(got[2:], source, source_port, "tcp", one["port"])
        if reply is None:
            return self.hang_up(fd)
        try:
            one["socket"].sendall(struct.pack(">H", len(reply)) + reply)
            one["socket"].shutdown(socket.SHUT_WR)
            one["said"] = True
        except OSError:
            self.hang_up(fd)
        return None

    def hang_up(self, fd):
        one = self.connections.pop(fd)
        self.poll.unregister(fd)
        one["socket"].close()

    def answers_itself(self, one):
        """Ready is proven, not assumed: each port is asked over the wire."""
        for sequence, address in enumerate(self.addresses, 1):
            family = socket.AF_INET6 if ":" in address else socket.AF_INET
            kind = socket.SOCK_STREAM if one["transport"] == "tcp" else socket.SOCK_DGRAM
            message = encode_request(self.key, 1, one["transport"], one["port"], self.answers.own_nonce, sequence)
            with socket.socket(family, kind) as client:
                client.setblocking(False)
                client.connect_ex((address, one["port"]))
                until = time.monotonic() + 1.5
                got = []

                def asked():
                    if not got:
                        ready = select.select([client], [client], [], 0)
                        if ready[1] and not asked.sent:
                            framed = struct.pack(">H", len(message)) + message if one["transport"] == "tcp" else message
                            client.send(framed)
                            asked.sent = True
                        if ready[0]:
                            got.append(client.recv(4096))
                    return bool(got) or time.monotonic() > until

                asked.sent = False
                try:
                    self.serve_until(asked)
                except OSError:
                    return False
                if not got or not got[0]:
                    return False
        return True

    def ask_back(self, source, request):
        """To the address that gave the challenge back, and to no other."""
        family = socket.AF_INET6 if ":" in source else socket.AF_INET
        for code, port in request["back"]:
            transport = "tcp" if code else "udp"
            message = encode_request(self.key, 1, transport, port, request["nonce"])
            try:
                if transport == "udp":
                    with socket.socket(family, socket.SOCK_DGRAM) as client:
                        for _ in range(3):
                            client.sendto(message, (source, port))
                else:
                    with socket.create_connection((source, port), timeout=1.5) as client:
                        client.sendall(struct.pack(">H", len(message)) + message)
                        client.recv(4096)
            except OSError:
                continue

    def start(self):
        self.open()
        for one in self.ports:
            if one["state"] == "bound" and not self.answers_itself(one):
                one["state"], one["why"] = "failed", "it was bound and does not answer this machine itself"
        held = [(one["transport"], one["port"]) for one in self.ports if one["state"] == "held"]
        options = self.options
        self.witnesses = Witnesses(held, options.log, not options.no_conntrack, options.capture, self.addresses)
        self.is_ready = True
        return [one for one in self.ports if one["state"] == "failed"]

    def pair(self, until):
        def lists(state):
            return {
                transport: [
                    one["port"] for one in self.ports if one["state"] == state and one["transport"] == transport
                ]
                for transport in ("udp", "tcp")
            }

        return {
            "schema": "xenreach.pair/1",
            "key": base64.urlsafe_b64encode(self.key).rstrip(b"=").decode(),
            "host": socket.gethostname(),
            "addresses": self.addresses,
            "roles": WANTED["roles"],
            "until": until,
            "bound": lists("bound"),
            "held": lists("held"),
        }

    def receipts(self, ended):
        self.witnesses.look()
        ports = []
        for one in self.ports:
            base = {"transport": one["transport"], "port": one["port"], "state": one["state"], "row": one["row"]}
            base.update(proof="none", nonce=None, mark=None, datagrams=0, maxBytes=0)
            base.update({"from": None, "fromPort": None})
            found = []
            for (nonce, transport, port), seen in self.answers.arrivals.items():
                if (transport, port) == (one["transport"], one["port"]):
                    found.append(dict(base, proof="receipt", nonce=nonce.hex(), datagrams=seen["seen"]))
                    found[-1].update({"from": seen["from"], "fromPort": seen["fromPort"], "maxBytes": seen["bytes"]})
            for key, seen in self.witnesses.found.items():
                proof, port, source, source_port, mark = key
                told = self.witnesses.told.get(key)
                if ("udp", port) == (one["transport"], one["port"]) and told is not BEFORE:
                    nonce = told.hex() if told else None
                    found.append(dict(base, proof=proof, mark=mark, datagrams=seen, nonce=nonce))
                    found[-1].update({"from": source, "fromPort": source_port})
            ports += found or [base]
        return {
            "schema": "xenreach.receipts/1",
            "pair": hashlib.sha256(self.key).hexdigest()[:8],
            "host": socket.gethostname(),
            "addresses": self.addresses,
            "roles": WANTED["roles"],
            "startedAt": self.started,
            "endedAt": now(),
            "ended": ended,
            "ports": ports,
        }

    def close(self):
        if self.witnesses:
            self.witnesses.close()
        for fd in list(self.connections):
            self.hang_up(fd)
        for listener, _ in list(self.sockets.values()) + list(self.servers.values()):
            listener.close()


def port_lines(ports):
    lines = []
    for one in ports:
        holder = one.get("holder")
        told = " (held by %s, pid %d)" % (holder["program"], holder["pid"]) if holder else ""
        lines.append("  %-5s  %s %d  %s%s" % (one["state"], one["transport"], one["port"], ", ".join(one["row"]), told))
    return "\n".join(lines)


def write_secret(name, text):
    temporary = "%s.%s.tmp" % (name, base64.b16encode(os.urandom(6)).decode())
    with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    os.rename(temporary, name)


def duration(text):
    found = re.match(r"^(\d+(?:\.\d+)?)(ms|s|m|h)?$", text)
    seconds = float(found.group(1)) * {"ms": 0.001, "s": 1, "m": 60, "h": 3600}[found.group(2) or "s"] if found else 0
    if not 0 < seconds <= 4 * 3600:
        raise argparse.ArgumentTypeError("%s is no duration up to 4h; write it like 90s or 15m" % text)
    return seconds


def options_from(arguments):
    parser = argparse.ArgumentParser(prog="respond.py", description=__doc__.split("\n")[0])
    parser.add_argument("--for", dest="seconds", type=duration, default=WANTED["for"], help="end after this time")
    parser.add_argument("--from", dest="sources", action="append", help="answer this network only")
    parser.add_argument("--pair-file", help="write the pair there instead of printing it")
    parser.add_argument("--log", action="append", help="a log that a held port writes")
    parser.add_argument("--no-conntrack", action="store_true", help="leave the connection table alone")
    parser.add_argument("--capture", action="store_true", help="let tcpdump watch the held ports")
    parser.add_argument("--dry-run", action="store_true", help="bind nothing")
    parser.add_argument("--format", choices=["text", "json"], default="text")
    options = parser.parse_args(arguments)
    options.log = options.log or ["/var/log/syslog", "/var/log/messages"]
    try:
        options.networks = [ipaddress.ip_network(one, strict=False) for one in options.sources or WANTED["from"]]
    except ValueError as error:
        parser.error("--from: %s" % error)
    return options


def say(text):
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except OSError:
        pass  # Nobody reads it any more.


def is_deserted():
    """Whoever started this over a connection is gone: nothing reads our output."""
    poll = select.poll()
    poll.register(1, 0)
    return any(event & (select.POLLERR | select.POLLHUP | select.POLLNVAL) for _, event in poll.poll(0))


def main():
    options = options_from(sys.argv[1:])
    responder = Responder(options)
    if options.dry_run:
        fields = json.dumps({"ports": responder.ports})
        say(fields + "\n" if options.format == "json" else port_lines(responder.ports) + "\nNothing was bound.\n")
        return 0
    signals = []
    for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(name, lambda number, _: signals.append(number))
    ends_at = time.monotonic() + options.seconds
    until = datetime.fromtimestamp(time.time() + options.seconds, timezone.utc)
    try:
        failed = responder.start()
        for one in failed:
            complain(
                "%s %d is free and could not be bound (%s): run as root, or grant CAP_NET_BIND_SERVICE"
                % (one["transport"], one["port"], one.get("why"))
            )
        if failed:
            return 1
        pair = responder.pair(until.isoformat(timespec="milliseconds").replace("+00:00", "Z"))
        line = base64.urlsafe_b64encode(json.dumps(pair).encode()).rstrip(b"=").decode()
        if options.pair_file:
            write_secret(options.pair_file, json.dumps(pair, indent=2) + "\n")
        if options.format == "text":
            say(port_lines(responder.ports) + "\nAt %s, until %s.\n" % (", ".join(responder.addresses), pair["until"]))
            say("While this runs, a service that wants one of the bound ports cannot start.\n")
            if not options.pair_file:
                say("The pair, a secret (a file for check --pair, or XENREACH_PAIR at the other end):\n%s\n" % line)
        elif not options.pair_file:
            complain("The pair, a secret: %s" % line)
        looked = [time.monotonic()]

        def over():
            if time.monotonic() - looked[0] > 2:
                looked[0] = time.monotonic()
                responder.witnesses.look()
            return bool(signals) or time.monotonic() >= ends_at or is_deserted()

        responder.serve_until(over)
        ended = "signal" if signals else "time" if time.monotonic() >= ends_at else "input"
        receipts = responder.receipts(ended)
        if options.format == "json":
            say(json.dumps(receipts, indent=2) + "\n")
        else:
            for one in receipts["ports"]:
                told = "%d from %s (%s)" % (one["datagrams"], one["from"] or "somebody", one["proof"])
                told = "nothing came" if one["proof"] == "none" else told
                say("  %-5s  %s %d  %s\n" % (one["state"], one["transport"], one["port"], told))
        return 3 if signals else 0
    finally:
        responder.close()


if __name__ == "__main__":
    sys.exit(main())
