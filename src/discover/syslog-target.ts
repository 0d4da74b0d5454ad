/**
 * Where syslog messages go, as rsyslog's old format and the hosts' setting spell it: HOST, HOST:PORT, @HOST (UDP), @@HOST
 * (TCP), options in parentheses before the host, an IPv6 address in brackets. What xapi is given it pastes behind one "@",
 * so "@HOST" in its setting means TCP.
 */
import { endpointIn } from './records.ts';

export interface SyslogTarget {
  readonly host: string;
  readonly port: number | undefined;
  readonly isTcp: boolean;
}

/** `given`: the at-signs that stand before it already. */
export function syslogTarget(text: string, given = 1): SyslogTarget | undefined {
  const [, signs = '', rest = ''] = /^\s*(@*)(?:\([^)]*\))?([^\s;,]*)/.exec(text) ?? [];
  const [, scheme, bare = ''] = /^(?:(udp|tcp|tls|syslog):\/\/)?([^/]*)/i.exec(rest) ?? [];
  const endpoint = endpointIn(bare);
  if (!endpoint) return undefined;
  const isTcp = scheme === undefined ? signs.length + given > 1 : /^t/i.test(scheme);
  return { ...endpoint, isTcp };
}
