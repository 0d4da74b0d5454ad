/** One probe by hand: one endpoint, without a spec and a site. */
import { canonicalHost, hostPort, isAddress } from '../model/address.ts';
import type { Observation } from '../model/outcome.ts';
import type { Check } from '../model/plan.ts';
import type { Probe, ProbeOptions, Transport } from '../model/probe.ts';
import type { ReportCheck } from '../model/report.ts';
import type { Mode } from '../model/verdict.ts';
import { reportCheck } from '../judge/report.ts';
import { run, type RunSettings } from '../run/run.ts';

export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

/** A check of no row; behind the settings' proxy when they have one. */
export function singleCheck(
  name: string,
  probe: Probe,
  transport: Transport,
  { host, port, options, isProxied }: Endpoint & { readonly options: ProbeOptions; readonly isProxied: boolean },
): Check {
  const { title: service } = probe.about;
  return {
    id: `${name}/${hostPort(host, port)}`,
    probe: name,
    transport,
    host,
    address: isAddress(host) ? canonicalHost(host) : null,
    port,
    options,
    viaProxy: isProxied && transport === 'tcp',
    isName: probe.perAddress === false,
    isAnswerDue: transport === 'udp' && !probe.onSilence,
    mayBeSelf: false,
    uses: [
      {
        ...({ row: '', expect: 'open', level: 'required', oneWay: false, service } as const),
        ...{ unless: null, note: null, isVendors: false },
      },
    ],
  };
}

export interface SingleResult {
  readonly observation: Observation;
  readonly reported: ReportCheck;
}

/** One result for each address of the host, the best first: a name works when one of its addresses does. */
export async function runSingle(
  check: Check,
  settings: RunSettings,
  mode: Mode,
  { signal, onDefect }: { readonly signal: AbortSignal; readonly onDefect: (error: unknown) => void },
): Promise<SingleResult[]> {
  const results: SingleResult[] = [];
  const control = run([check], settings, {
    onObservation: ({ observation }) =>
      void results.push({ observation, reported: { ...reportCheck(check, observation, mode), rows: [] } }),
    onSelf: () => undefined,
    onBug: (_, error) => onDefect(error),
  });
  const stop = (): void => control.stop(String(signal.reason));
  if (signal.aborted) stop();
  signal.addEventListener('abort', stop, { once: true });
  await control.done;
  signal.removeEventListener('abort', stop);
  return results.toSorted((a, b) => rank(a.reported) - rank(b.reported) || byAddress(a.reported, b.reported));
}

const rank = ({ verdict }: ReportCheck): number => ['pass', 'warn', 'unverified', 'fail'].indexOf(verdict ?? 'fail');

/** The first to fail depends on a race; which address is shown must not. */
const byAddress = (a: ReportCheck, b: ReportCheck): number =>
  (a.address ?? '').localeCompare(b.address ?? '', 'en', { numeric: true });
