/** What a responder says to its user: its ports, the pair for the other end, and in the end what came. */
import { portRuns } from '../model/ports.ts';
import type { PortReceipt, Receipts } from '../model/pair.ts';
import { json } from '../report/escape.ts';
import type { Arrival } from '../respond/answers.ts';
import type { Responder, SurveyedPort } from '../respond/responder.ts';
import { complain, say, writeOut } from './streams.ts';

export const formats = ['text', 'json', 'ndjson'] as const;
type Format = (typeof formats)[number];

/** The pair is told once: in its file, or as a line to paste. */
export function tellReady({ pair, ports, witnesses }: Responder, pairFile: string | undefined, format: Format): void {
  for (const line of witnesses.trouble) complain(line);
  const words = 'The pair, a secret (a file for check --pair, or XENREACH_PAIR at the other end):';
  const line = Buffer.from(JSON.stringify(pair)).toString('base64url');
  if (format !== 'text') {
    const { host, addresses, roles, until } = pair;
    if (format === 'ndjson')
      writeOut(`${json({ type: 'ready', host, addresses, roles, until, ports: ports.map(portFields) })}\n`);
    if (pairFile === undefined) complain(`${words} ${line}`);
    return;
  }
  const has = (state: SurveyedPort['state']): boolean => ports.some((port) => port.state === state);
  say(`${portsText(ports)}\nAt ${pair.addresses.join(', ')}, until ${pair.until}.\n`);
  if (has('bound')) say('While this runs, a service that wants one of the bound ports cannot start.\n');
  if (has('held'))
    say(`Held ports are not touched; what may witness them: ${witnesses.names.join(', ') || 'nothing'}.\n`);
  if (!has('bound'))
    say('No port is bound, so the other end can ask nothing: join what is printed at the end with xenreach merge.\n');
  say(
    pairFile === undefined
      ? `${words}\n${line}\n`
      : `The pair, a secret, is in ${pairFile}: check --pair at the other end.\n`,
  );
}

/** "  bound  udp 514  syslog" */
function portsText(ports: readonly SurveyedPort[]): string {
  const groups = Map.groupBy(
    ports,
    (port) => `${port.state} ${port.transport} ${port.rows.join(', ')} ${holderText(port)}`,
  );
  return [...groups.values()]
    .map((same) => {
      const [first] = same;
      const { state, transport, rows } = first!;
      return `  ${state.padEnd(5)}  ${transport} ${portRuns(same.map(({ port }) => port))}  ${rows.join(', ')}${holderText(first!)}`;
    })
    .join('\n');
}

function holderText(port: SurveyedPort): string {
  if (port.state === 'failed') return ` (${port.why})`;
  if (port.state !== 'held') return '';
  return port.holder
    ? ` (held by ${port.holder.program}, pid ${port.holder.pid})`
    : ' (held by a process that this user may not see)';
}

function portFields(port: SurveyedPort): Record<string, unknown> {
  const { transport, port: number, state, rows } = port;
  const holder = port.state === 'held' ? { holder: port.holder ?? null } : {};
  return { transport, port: number, state, row: rows, ...holder };
}

export function tellSurvey(ports: readonly SurveyedPort[], format: Format): number {
  if (format === 'text') say(`${portsText(ports)}\nNothing was bound.\n`);
  else writeOut(`${json({ ports: ports.map(portFields) })}\n`);
  return 0;
}

export function tellArrival({ transport, port, from, fromPort, nonce }: Arrival): void {
  writeOut(`${json({ type: 'seen', transport, port, from, fromPort, nonce })}\n`);
}

const endings: Readonly<Record<Receipts['ended'], string>> = {
  time: 'its time is over',
  seen: 'everybody was seen',
  input: 'standard input ended',
  signal: 'it was interrupted',
};

export function tellReceipts(receipts: Receipts, format: Format): void {
  if (format === 'json') return writeOut(`${json(receipts, 2)}\n`);
  if (format === 'ndjson') return writeOut(`${json({ type: 'end', ...receipts })}\n`);
  const told = receipts.ports.map((receipt) => ({ ...receipt, what: cameText(receipt) }));
  const groups = Map.groupBy(told, ({ state, transport, what }) => `${state} ${transport} ${what}`);
  const lines = [...groups.values()].map((same) => {
    const { state, transport, what } = same[0]!;
    return `  ${state.padEnd(5)}  ${transport} ${portRuns(same.map(({ port }) => port))}  ${what}`;
  });
  say(`Ended: ${endings[receipts.ended]}. What came:\n${lines.join('\n')}\n`);
}

function cameText({ transport, proof, from, datagrams }: PortReceipt): string {
  if (proof === 'none') return 'nothing came';
  const what = transport === 'tcp' ? 'connections' : 'datagrams';
  return `${datagrams} ${what} from ${from ?? 'somebody'} (${proof})`;
}
