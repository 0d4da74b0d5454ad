/**
 * For whoever opens ports: the endpoints whose packets do not get through or do not come back, a line a rule, the ports of
 * one row and host merged. What answers in any way (a refusal, a wrong protocol) needs no rule and is not here.
 */
import { portRuns } from '../model/ports.ts';
import type { Report, ReportCheck, Reporter, ReportRow } from '../model/report.ts';
import { nameList } from '../judge/causes.ts';
import { csvText, type Cell } from './csv.ts';
import * as say from './phrases.ts';
import { checkedBy, type CheckedBy } from './vantages.ts';

const columns = [
  'source',
  'source addresses',
  'destination',
  'address',
  'protocol',
  'port',
  'row',
  'purpose',
  'seen',
  'basis',
] as const;

export const firewall: Reporter = {
  about: 'CSV for whoever opens ports: a line for each rule to ask for',
  render(report) {
    const checksOf = say.indexChecks(report);
    const by = checkedBy(report);
    const rules = report.rows.flatMap((row) => rulesOf(report, row, checksOf(row), by));
    return csvText([columns, ...rules]);
  },
};

/** Machines that miss the same are one rule, with the addresses of all. */
function rulesOf(report: Report, row: ReportRow, checks: readonly ReportCheck[], by: CheckedBy): Cell[][] {
  const blocked = checks.filter(
    (check) =>
      !check.advisory && check.verdict === 'fail' && isBlocked(check) && row.spared?.includes(check.id) !== true,
  );
  const groups = Map.groupBy(blocked, (check) => {
    const { host, address, transport, outcome, hint } = check;
    return JSON.stringify([host, address, transport, outcome, hint, by(check)]);
  });
  const rules = Map.groupBy(groups.values(), (members) => {
    const { host, address, transport } = members[0]!;
    return JSON.stringify([host, address, transport, seen(members[0]!), portsOf(members)]);
  });
  return [...rules.values()].map((alike): Cell[] => {
    const members = alike[0]!;
    const { host, address, transport } = members[0]!;
    const vantages = [...new Set(alike.map(([first]) => by(first!)))].map((name) => vantageNamed(report, name));
    const sources = [...new Set(vantages.flatMap(({ addresses }) => sourceAddresses(addresses, address)))];
    return [
      `${row.from} ${nameList([...new Set(vantages.map(({ hostname }) => hostname))])}`.trim(),
      sources.join(' '),
      host,
      address,
      transport,
      portsOf(members),
      row.id,
      row.purpose,
      seen(members[0]!),
      say.basisOf(row),
    ];
  });
}

const portsOf = (checks: readonly ReportCheck[]): string => portRuns(checks.map(({ port }) => port));

const vantageNamed = ({ merged, vantage }: Report, name: string): Pick<Report['vantage'], 'hostname' | 'addresses'> =>
  merged?.find((run) => run.vantage === name) ?? vantage;

/** Of a machine's addresses those from which a destination may be reached: those of its family. */
function sourceAddresses(addresses: readonly string[], destination: string | null): readonly string[] {
  const isSix = destination?.includes(':') === true;
  return addresses.filter((each) => each.includes(':') === isSix && !/^(?:127\.|::1$|fe80:)/i.test(each));
}

/** Silence and ICMP: the answer of a host shows that the way is open. */
function isBlocked({ outcome, stage, hint, transport }: ReportCheck): boolean {
  if (hint === 'proxy' || stage === 'proxy' || hint === 'host-down') return false;
  if (outcome === 'unreachable') return hint === 'icmp-reject';
  return outcome === 'timeout' && (transport === 'udp' || stage === 'connect');
}

function seen({ outcome, transport, hint }: ReportCheck): string {
  if (outcome === 'unreachable') return 'rejected by ICMP';
  if (transport === 'udp') return 'no answer where one is due';
  return hint === 'host-silent' ? 'nothing comes from the host on any port' : 'dropped: nothing comes back';
}
