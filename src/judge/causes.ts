/**
 * What fails, by its cause: a dead name server or a hung host makes thirty rows fail, and is one thing to mend. Made from
 * a report's rows and checks alone, so that old and merged reports have causes too. Nothing is concluded that the checks
 * do not say: a cause is what several of them have in common.
 */
import { isOfPair, ofPorts } from './explain-pair.ts';
import { portRuns } from '../model/ports.ts';
import { causeKinds, type Cause, type CauseKind, type ReportCheck, type ReportRow } from '../model/report.ts';

/** What they have in common, before it is known how many rows that are. */
interface Group {
  readonly kind: CauseKind;
  /** What happened, as one word. */
  readonly what: string;
  readonly checks: ReportCheck[];
  readonly rows: Set<string>;
}

/** In a merged report: the machine that made the check, by the name that sentences call it by. */
type CheckedBy = (check: ReportCheck) => string;

const thisMachine: CheckedBy = () => 'this machine';

export function causesOf(
  rows: readonly ReportRow[],
  checks: readonly ReportCheck[],
  checkedBy: CheckedBy = thisMachine,
): Cause[] {
  const byId = new Map(checks.map((check) => [check.id, check]));
  const groups = new Map<string, Group>();
  for (const row of rows) {
    for (const check of culpritsOf(row, byId)) {
      const { kind, what, key } = commonTo(check, checkedBy);
      let group = groups.get(key);
      if (!group) groups.set(key, (group = { kind, what, checks: [], rows: new Set() }));
      if (!group.checks.includes(check)) group.checks.push(check);
      group.rows.add(row.id);
    }
  }
  blameResolvers([...groups.values()]);
  const rowsById = new Map(rows.map((row) => [row.id, row]));
  return [...groups.values()]
    .filter(({ checks: members }) => members.length > 0)
    .map((group) => causeOf(group, rowsById, checkedBy))
    .toSorted((a, b) => causeKinds.indexOf(a.kind) - causeKinds.indexOf(b.kind) || b.rows.length - a.rows.length);
}

/** The checks that made the row fail, or kept it from being tried. */
function culpritsOf(row: ReportRow, byId: ReadonlyMap<string, ReportCheck>): readonly ReportCheck[] {
  if (row.verdict !== 'fail' && row.verdict !== 'unverified') return [];
  const ids = row.spared ? row.checks.filter((id) => !row.spared?.includes(id)) : row.checks;
  const counting = ids.flatMap((id) => byId.get(id) ?? []).filter(({ advisory }) => !advisory);
  return row.verdict === 'fail'
    ? counting.filter(({ verdict }) => verdict === 'fail')
    : counting.filter(({ outcome }) => outcome === 'local');
}

interface Common {
  readonly kind: CauseKind;
  readonly what: string;
  readonly key: string;
}

function commonTo(check: ReportCheck, checkedBy: CheckedBy): Common {
  const { outcome, stage, hint, code, host, address } = check;
  const common = (kind: CauseKind, what: string, ...of: readonly (string | null)[]): Common => ({
    kind,
    what,
    key: JSON.stringify([kind, what, ...of]),
  });
  if (outcome === 'local') return common('vantage', 'local', code, check.detail, checkedBy(check));
  if (hint === 'no-route') return common('vantage', 'no-route', checkedBy(check));
  if (hint === 'proxy' || stage === 'proxy') return common('proxy', 'proxy', outcome, code);
  if (hint === 'intercepted') return common('proxy', 'intercepted', issuerOf(check));
  if (outcome === 'unresolved')
    return hint === 'no-such-name' ? common('host', 'no-such-name', host) : common('resolver', 'resolver', code);
  return common(
    'host',
    happened(check),
    address ?? host,
    outcome === 'declined' || outcome === 'garbled' ? code : null,
  );
}

/** One word for what may happen to several ports of a host at once. */
function happened({ outcome, stage, hint, transport }: ReportCheck): string {
  if (isOfPair(hint)) return hint;
  if (hint === 'host-down' || hint === 'host-silent') return hint;
  if (outcome === 'timeout' && transport === 'tcp') return stage === 'connect' ? 'dropped' : 'mute';
  return outcome ?? '';
}

function issuerOf({ evidence }: ReportCheck): string | null {
  const { certificate } = evidence;
  if (typeof certificate !== 'object' || certificate === null || !('issuer' in certificate)) return null;
  return typeof certificate['issuer'] === 'string' ? certificate['issuer'] : null;
}

/** The failing checks of a name server belong to the names that it leaves unresolved, where those name it. */
function blameResolvers(groups: readonly Group[]): void {
  for (const resolver of groups.filter(({ kind }) => kind === 'resolver')) {
    const told = resolver.checks.map(({ detail }) => detail ?? '').join(' ');
    for (const group of groups) {
      const [first] = group.checks;
      if (group.kind !== 'host' || !first?.address || !told.includes(first.address)) continue;
      resolver.checks.push(...group.checks.splice(0));
      for (const row of group.rows) resolver.rows.add(row);
    }
  }
}

function causeOf(group: Group, rowsById: ReadonlyMap<string, ReportRow>, checkedBy: CheckedBy): Cause {
  const rows = [...group.rows];
  const checks = group.checks.map(({ id }) => id);
  const ofRow = rowsById.get(rows[0]!)!;
  // A row of its own says it best itself.
  const by = nameList([...new Set(group.checks.map(checkedBy))]);
  if (group.kind === 'host' && rows.length === 1)
    return { kind: 'row', text: ofRow.because ?? textOf(group, by), rows, checks, remedy: ofRow.remedy };
  return { kind: group.kind, text: textOf(group, by), rows, checks, remedy: remedyOf(group, by) ?? ofRow.remedy };
}

/** `by`: who checked. */
function textOf(group: Group, by: string): string {
  const [first] = group.checks;
  const { host, address, detail } = first!;
  const where = address === null || address === host ? host : `${host} (${address})`;
  switch (group.what) {
    case 'local':
      return `${by} could not try it: ${detail}`;
    case 'no-route':
      return `${by} has no route to ${hostsOf(group)}`;
    case 'proxy':
      return detail ?? 'the proxy fails';
    case 'intercepted':
      return `${hostsOf(group)}: ${detail}`;
    case 'resolver':
      return `names do not resolve: ${detail}`;
    case 'no-such-name':
      return detail ?? `${host} has no address`;
    case 'host-down':
      return `no host answers at ${where}`;
    case 'host-silent':
      return `nothing comes from ${where} on any port: it is switched off, or all is dropped`;
    case 'dropped':
      return `nothing comes back from ${where} on ${portsOf(group)}`;
    case 'mute':
      return `${where} accepts and never answers on ${portsOf(group)}`;
    case 'refused':
      return `nothing listens on ${portsOf(group)} of ${where}`;
    default:
      return pairOf(group)?.text ?? `${where} on ${portsOf(group)}: ${detail}`;
  }
}

/** What the other end of a pair says of them all. */
function pairOf(group: Group): ReturnType<typeof ofPorts> {
  const { host, address, evidence } = group.checks[0]!;
  const where = address === null || address === host ? host : `${host} (${address})`;
  return ofPorts(group.what, { where, address: address ?? host, ports: portsOf(group), evidence });
}

/** Where one rule or one look mends all of it; else the rows' own remedies say more. */
function remedyOf(group: Group, by: string): string | null {
  const [first] = group.checks;
  const at = first!.address ?? first!.host;
  if (group.what === 'dropped')
    return `Ask the firewall team to allow ${portsOf(group)} from ${by} to ${at}, and the answers back.`;
  if (group.what === 'no-route') return `Add a route on ${by} (ip route get ${at} shows what it has).`;
  if (group.what === 'host-down')
    return `Check that ${at} is powered on, has this address, and is on the right network.`;
  return pairOf(group)?.remedy ?? null;
}

const namesShown = 4;

/** "a, b, c, d and 3 more" */
const hostsOf = ({ checks }: Group): string => nameList([...new Set(checks.map(({ host }) => host))]);

export function nameList(names: readonly string[]): string {
  const more = names.length - namesShown;
  return more > 0 ? `${names.slice(0, namesShown).join(', ')} and ${more} more` : names.join(', ');
}

/** "TCP 139, 445 and UDP 137", runs as 6910-6930. */
function portsOf({ checks }: Group): string {
  const byTransport = Map.groupBy(checks, ({ transport }) => transport);
  return [...byTransport]
    .map(([transport, members]) => `${transport.toUpperCase()} ${portRuns(members.map(({ port }) => port))}`)
    .join(' and ');
}
