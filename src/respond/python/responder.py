# The responder itself: its sockets, and everything that happens to them.


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
            self.answers.silent.keep((source, peer[1], port), {"at": time.monotonic(), "told": None})
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
