/**
 * For whoever opens ports: the endpoints whose packets do not get through or do not come back, a line a rule, the ports of
 * one row and host merged. What answers in any way (a refusal, a wrong protocol) needs no rule and is not here.
 */
import { portRuns } from '../model/ports.ts';
import type { Report, ReportCheck, Reporter, ReportRow } from '../model/report.ts';
import { csvText, sourcesOf, type Cell } from './csv.ts';
import * as say from './phrases.ts';

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
] as const;

export const firewall: Reporter = {
  about: 'CSV for whoever opens ports: a line for each rule to ask for',
  render(report) {
    const checksOf = say.indexChecks(report);
    const rules = report.rows.flatMap((row) => rulesOf(report, row, checksOf(row)));
    return csvText([columns, ...rules]);
  },
};

function rulesOf(report: Report, row: ReportRow, checks: readonly ReportCheck[]): Cell[][] {
  const blocked = checks.filter(
    (check) =>
      !check.advisory && check.verdict === 'fail' && isBlocked(check) && row.spared?.includes(check.id) !== true,
  );
  const groups = Map.groupBy(blocked, ({ host, address, transport, outcome, hint }) =>
    JSON.stringify([host, address, transport, outcome, hint]),
  );
  return [...groups.values()].map((members): Cell[] => {
    const { host, address, transport } = members[0]!;
    const ports = portRuns(members.map(({ port }) => port));
    const source = `${row.from} ${report.vantage.hostname}`.trim();
    return [
      source,
      sourcesOf(report, address),
      host,
      address,
      transport,
      ports,
      row.id,
      row.purpose,
      seen(members[0]!),
    ];
  });
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
