/**
 * A plan as one bash script, for a machine that nothing may be copied to but a text: bash 4.2, coreutils and curl, as a
 * control domain has them. It opens the plan's TCP connections with /dev/tcp and fetches HTTPS with curl, through the same
 * proxy, and prints what it saw, one JSON object a line, for `xenreach judge` (src/load/seen.ts).
 *
 *     {"type":"plan","report":…}   {"type":"here",…}   {"type":"seen","check":0,"saw":"connected",…}   {"type":"end"}
 *
 * What comes from the site is in single quotes, and a host is used only where it is made of the letters that hosts have.
 */
import { probes } from '../check/registry.ts';
import { bracketed } from '../model/address.ts';
import type { Check, Plan } from '../model/plan.ts';
import type { Probe } from '../model/probe.ts';
import type { Report } from '../model/report.ts';
import { json } from './escape.ts';

export interface ScriptOptions {
  readonly timeoutMs: number;
  readonly concurrency: number;
  readonly deadlineMs: number;
  readonly proxy: {
    readonly host: string;
    readonly port: number;
    readonly isSecure?: boolean | undefined;
    readonly username?: string | undefined;
  } | null;
}

/** What bash can find out about a check. */
type Way = 'connect' | 'fetch' | 'lookup' | 'cannot';

export function scriptOf(plan: Plan, report: Report, options: ScriptOptions): string {
  const { proxy, timeoutMs } = options;
  const url = proxy ? `http${proxy.isSecure === true ? 's' : ''}://${bracketed(proxy.host)}:${proxy.port}` : '';
  return `${[
    '#!/bin/bash',
    '# Made by xenreach plan. Run it where the checks start, keep what it prints, and give that to xenreach judge:',
    '#     bash probe.sh > seen.jsonl      and elsewhere:      xenreach judge seen.jsonl',
    "# shellcheck disable=SC1003,SC2016 # What is in single quotes is the site's, and means nothing.",
    '# A password for the proxy is taken from XENREACH_PROXY_PASSWORD.',
    `seconds=${Math.max(1, Math.ceil(timeoutMs / 1000))}`,
    `at_once=${options.concurrency}`,
    `deadline=${Math.ceil(options.deadlineMs / 1000)}`,
    `proxy=${quoted(url)}`,
    `proxy_user=${quoted(proxy?.username ?? '')}`,
    machinery,
    "cat <<'XENREACH_PLAN'",
    `{"type":"plan","report":${json(report)}}`,
    'XENREACH_PLAN',
    'begin',
    ...plan.checks.map((check, i) => lineOf(check, i)),
    'finish',
  ].join('\n')}\n`;
}

function lineOf(check: Check, i: number): string {
  const { host, port, viaProxy, mayBeSelf } = check;
  return [
    'ask',
    wayOf(check),
    i,
    quoted(host),
    port,
    schemeOf(check) ?? 'none',
    viaProxy ? 'proxy' : 'direct',
    mayBeSelf ? 'peer' : 'other',
  ].join(' ');
}

const schemeOf = ({ probe }: Check): Probe['scheme'] => probes[probe]?.scheme;

function wayOf(check: Check): Way {
  const { transport, isName, viaProxy } = check;
  if (isName) return 'lookup';
  if (transport === 'udp') return 'cannot';
  if (schemeOf(check) !== undefined) return 'fetch';
  return viaProxy ? 'cannot' : 'connect';
}

/** Nothing in single quotes means anything to a shell but the quote itself. */
const quoted = (text: string): string => `'${text.replaceAll("'", String.raw`'\''`)}'`;

const machinery = `
set -u
export LC_ALL=C
began=$SECONDS running=0
own=" $( (ip -o addr show || hostname -I) 2> /dev/null | tr '\\n/' '  ') "

ms() { date +%s%3N; }

# What a program said, as it may stand in JSON.
clean() {
  local text=$1
  text=$(printf '%s' "$text" | tail -n 1)
  text=$(printf '%s' "$text" | tr -c '[:alnum:] .,:;()_/=-' '?')
  printf '%s' "$(printf '%.200s' "$text")"
}

tell() {
  local check=$1 saw=$2 at=$3 took=$4 said
  said=$(clean "$5")
  printf '{"type":"seen","check":%d,"saw":"%s","startedAt":"%s","durationMs":%d,"said":"%s"}\\n' "$check" "$saw" "$at" "$took" "$said"
}

connect() {
  local check=$1 host=$2 port=$3 at start said status
  at=$(date -u +%Y-%m-%dT%H:%M:%SZ) start=$(ms)
  # shellcheck disable=SC2016 # The other bash is to expand them.
  said=$(timeout "$seconds" bash -c 'exec 3<> "/dev/tcp/$1/$2"' connect "$host" "$port" 2>&1)
  status=$?
  case $status in
    0) tell "$check" connected "$at" "$(($(ms) - start))" '' ;;
    124) tell "$check" silent "$at" "$(($(ms) - start))" "nothing came back in $seconds s" ;;
    *) tell "$check" error "$at" "$(($(ms) - start))" "$said" ;;
  esac
}

# The password goes to curl on its standard input, never in an argument.
config() {
  printf 'url = "%s"\\nuser-agent = "xenreach"\\n' "$1"
  [ "$2" = proxy ] || { printf 'noproxy = "*"\\n' && return; }
  printf 'proxy = "%s"\\n' "$proxy"
  [ -n "$proxy_user" ] || return
  local login=$proxy_user:\${XENREACH_PROXY_PASSWORD:-}
  login=\${login//\\\\/\\\\\\\\}
  printf 'proxy-anyauth\\nproxy-user = "%s"\\n' "\${login//\\"/\\\\\\"}"
}

fetch() {
  local check=$1 host=$2 port=$3 scheme=$4 way=$5 at start said status
  case $host in *:*) host="[$host]" ;; esac
  at=$(date -u +%Y-%m-%dT%H:%M:%SZ) start=$(ms)
  said=$(config "$scheme://$host:$port/" "$way" | curl -q -sS -o /dev/null --max-time $((seconds * 2)) -w ' CODES %{http_connect} %{http_code}' --config - 2>&1)
  status=$?
  said=\${said//$'\\n'/ }
  said="\${said##*CODES } \${said%% CODES *}"
  tell "$check" "curl-$status" "$at" "$(($(ms) - start))" "$said"
}

lookup() {
  local check=$1 host=$2 at start said
  at=$(date -u +%Y-%m-%dT%H:%M:%SZ) start=$(ms)
  if said=$(timeout "$seconds" getent hosts "$host" 2>&1) && [ -n "$said" ]; then
    tell "$check" found "$at" "$(($(ms) - start))" "\${said%%[[:space:]]*}"
  else
    tell "$check" nowhere "$at" "$(($(ms) - start))" 'the system knows no address of it'
  fi
}

ask() {
  local way=$1 check=$2 host=$3 port=$4 scheme=$5 through=$6 peer=$7 now
  now=$(date -u +%Y-%m-%dT%H:%M:%SZ)
  case $host in
    '' | -* | *[!A-Za-z0-9._:%-]*) tell "$check" odd-host "$now" 0 '' && return ;;
  esac
  if [ "$peer" = peer ]; then
    case $own in *" $host "*) tell "$check" self "$now" 0 '' && return ;; esac
  fi
  if [ $((SECONDS - began)) -ge "$deadline" ]; then tell "$check" late "$now" 0 '' && return; fi
  if [ "$way" = fetch ] && ! command -v curl > /dev/null; then
    [ "$through" = proxy ] && way=cannot || way=connect
  fi
  case $way in
    connect) connect "$check" "$host" "$port" & ;;
    fetch) fetch "$check" "$host" "$port" "$scheme" "$through" & ;;
    lookup) lookup "$check" "$host" & ;;
    *) tell "$check" cannot "$now" 0 '' && return ;;
  esac
  running=$((running + 1))
  if [ "$running" -ge "$at_once" ]; then
    wait
    running=0
  fi
}

begin() { printf '{"type":"here","hostname":"%s","startedAt":"%s"}\\n' "$(clean "$(hostname)")" "$(date -u +%Y-%m-%dT%H:%M:%SZ)"; }

finish() {
  wait
  printf '{"type":"end","durationMs":%d}\\n' $(((SECONDS - began) * 1000))
}
`;
