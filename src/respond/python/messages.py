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

WANTED = json.loads('{"ports": [], "roles": [], "for": 900, "from": [], "sources": []}')

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
        self.arrivals, self.replied, self.rates, self.silent = Bounded(), Bounded(), Bounded(), Bounded()
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
        if transport == "tcp":
            self.silent.pop((source, source_port, port), None)
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

    def silent_from(self, source, port, nonce):
        """Connections on which nothing came, lately, and not told to another check."""
        mine = []
        for (address, _, at), one in self.silent.items():
            is_late = time.monotonic() - one["at"] > 60
            if address == source and at == port and not is_late and one["told"] in (None, nonce):
                mine.append(one)
        for one in mine:
            one["told"] = nonce
        return len(mine)

    def receipt_for(self, asked, nonce, source):
        code, port, mark = asked
        transport = "tcp" if code else "udp"
        known = self.arrivals.get((nonce, transport, port))
        if known:
            return code, port, "receipt", known["seen"], known["bytes"], known["from"]
        silent = self.silent_from(source, port, nonce) if transport == "tcp" else 0
        if silent:
            return code, port, "receipt", silent, 0, source
        proof, seen = self.sighting(source, transport, port, mark, nonce)
        return code, port, proof, seen, 0, source
