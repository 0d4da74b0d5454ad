# What its user says to it, and what it says.


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
    parser.add_argument("--until-seen", action="store_true", help="end when every host that should come was seen")
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
        own = set(responder.addresses)
        hosts = [host for host in WANTED["sources"] if not own.intersection(host)]

        def all_seen():
            gone = responder.answers.gone
            return options.until_seen and bool(hosts) and all(gone.intersection(host) for host in hosts)

        looked = [time.monotonic()]

        def over():
            if time.monotonic() - looked[0] > 2:
                looked[0] = time.monotonic()
                responder.witnesses.look()
            return bool(signals) or time.monotonic() >= ends_at or all_seen() or is_deserted()

        responder.serve_until(over)
        ended = "signal" if signals else "time" if time.monotonic() >= ends_at else "seen" if all_seen() else "input"
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
