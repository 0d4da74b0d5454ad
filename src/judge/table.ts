/**
 * What an outcome means for a check: the table of the contract as data, first match wins. `service` and `path` are the
 * modes; `shut` is for needs that expect a closed port, in either mode. Silence on UDP proves nothing by itself; what the
 * other checks of the host say about it is its hint.
 */
import { pairIn, type Evidence, type Hint, type Outcome, type Stage } from '../model/outcome.ts';
import type { Expect } from '../model/spec.ts';
import type { Transport } from '../model/probe.ts';
import type { CheckVerdict, Mode } from '../model/verdict.ts';

interface Line {
  readonly outcome: Outcome;
  readonly stage?: Stage;
  readonly hint?: Hint;
  readonly transport?: Transport;
  /** Only where the service answers nobody. */
  readonly oneWay?: true;
  /** How the other end knows what it says. */
  readonly proof?: 'capture';
  readonly service: CheckVerdict;
  readonly path: CheckVerdict;
  readonly shut: CheckVerdict;
}

/** In service mode, in path mode, and where the port should be shut. */
type Verdicts = readonly [service: CheckVerdict, path: CheckVerdict, shut: CheckVerdict];

const line = (
  outcome: Outcome,
  [service, path, shut]: Verdicts,
  only: Pick<Line, 'stage' | 'hint' | 'transport' | 'oneWay' | 'proof'> = {},
): Line => ({ outcome, service, path, shut, ...only });

export const verdictTable: readonly Line[] = [
  // What the proxy did says nothing good about the destination, in any mode.
  line('declined', ['fail', 'fail', 'unverified'], { stage: 'proxy' }),
  line('untrusted', ['fail', 'fail', 'unverified'], { stage: 'proxy' }),
  line('tls-failed', ['fail', 'fail', 'unverified'], { stage: 'proxy' }),
  line('garbled', ['fail', 'fail', 'unverified'], { stage: 'proxy' }),
  line('closed', ['fail', 'fail', 'unverified'], { stage: 'proxy' }),
  line('timeout', ['fail', 'fail', 'unverified'], { stage: 'proxy' }),
  line('refused', ['fail', 'fail', 'unverified'], { hint: 'proxy' }),
  line('unreachable', ['fail', 'fail', 'unverified'], { hint: 'proxy' }),
  line('timeout', ['fail', 'fail', 'unverified'], { hint: 'proxy' }),

  // What the other end of a pair saw: it tells apart what looks the same from here. Whoever answers nobody is proven by what
  // arrived, whether a stand-in or the service has the port; a capture looks before that host's own firewall does.
  line('answered', ['pass', 'pass', 'fail'], { hint: 'stand-in', oneWay: true }),
  line('answered', ['fail', 'pass', 'fail'], { hint: 'stand-in' }),
  line('timeout', ['warn', 'warn', 'fail'], { transport: 'udp', hint: 'arrived', proof: 'capture' }),
  line('timeout', ['pass', 'pass', 'fail'], { transport: 'udp', hint: 'arrived', oneWay: true }),
  line('timeout', ['fail', 'fail', 'fail'], { hint: 'arrived' }),
  line('timeout', ['fail', 'fail', 'pass'], { hint: 'not-arrived' }),
  line('refused', ['fail', 'fail', 'pass'], { hint: 'refused-on-the-way' }),
  line('answered', ['fail', 'fail', 'unverified'], { transport: 'tcp', hint: 'middlebox' }),
  line('closed', ['fail', 'fail', 'unverified'], { transport: 'tcp', hint: 'middlebox' }),
  line('garbled', ['fail', 'fail', 'unverified'], { transport: 'tcp', hint: 'middlebox' }),
  line('timeout', ['fail', 'fail', 'unverified'], { transport: 'tcp', hint: 'middlebox' }),
  line('timeout', ['unverified', 'unverified', 'unverified'], { transport: 'udp', hint: 'held' }),

  line('answered', ['pass', 'pass', 'fail']),
  line('declined', ['fail', 'pass', 'fail']),
  line('untrusted', ['fail', 'pass', 'fail']),
  line('tls-failed', ['fail', 'pass', 'fail']),
  line('garbled', ['fail', 'pass', 'fail']),
  line('closed', ['fail', 'pass', 'fail']),
  line('refused', ['fail', 'pass', 'pass']),
  line('unreachable', ['fail', 'fail', 'pass']),
  line('unresolved', ['fail', 'fail', 'unverified']),
  line('timeout', ['fail', 'unverified', 'unverified'], { transport: 'udp', hint: 'answer-due' }),
  line('timeout', ['fail', 'unverified', 'unverified'], { transport: 'udp', hint: 'host-down' }),
  line('timeout', ['unverified', 'unverified', 'unverified'], { transport: 'udp' }),
  line('timeout', ['fail', 'pass', 'fail'], { stage: 'exchange' }),
  line('timeout', ['fail', 'fail', 'fail'], { stage: 'tls' }),
  line('timeout', ['fail', 'fail', 'pass']),
  line('local', ['unverified', 'unverified', 'unverified']),
  line('aborted', ['unverified', 'unverified', 'unverified']),
];

/** Two looks into the table for each check: only at the lines that may fit. */
const linesOf = Map.groupBy(verdictTable, ({ outcome }) => outcome);

export interface Judged {
  readonly outcome: Outcome;
  readonly stage: Stage | null;
  readonly hint: Hint | null;
  readonly warnings: readonly string[];
  readonly evidence?: Evidence;
}

/** How a row uses a check. */
export interface Wanted {
  readonly expect: Expect;
  readonly oneWay?: boolean;
}

export function verdictOf(
  seen: Judged,
  transport: Transport,
  mode: Mode,
  { expect, oneWay = false }: Wanted,
): CheckVerdict {
  const found = linesOf
    .get(seen.outcome)
    ?.find(
      (row) =>
        (row.stage === undefined || row.stage === seen.stage) &&
        (row.hint === undefined || row.hint === seen.hint) &&
        (row.transport === undefined || row.transport === transport) &&
        (row.oneWay === undefined || row.oneWay === oneWay) &&
        (row.proof === undefined || row.proof === proofOf(seen)),
    );
  if (!found) return 'unverified';
  const column = expect === 'shut' ? 'shut' : expect === 'path' ? 'path' : mode;
  const verdict = found[column];
  return verdict === 'pass' && seen.warnings.length > 0 && expect !== 'shut' ? 'warn' : verdict;
}

/** Who at the other end of a pair saw it. */
export function proofOf({ evidence }: Pick<Judged, 'evidence'>): string | null {
  const proof = evidence && pairIn(evidence)?.['proof'];
  return typeof proof === 'string' ? proof : null;
}

/** Worst first. */
const severity: readonly CheckVerdict[] = ['fail', 'unverified', 'warn', 'pass'];

export function worst(verdicts: readonly CheckVerdict[]): CheckVerdict {
  return severity.find((verdict) => verdicts.includes(verdict)) ?? 'unverified';
}

export function best(verdicts: readonly CheckVerdict[]): CheckVerdict {
  return severity.findLast((verdict) => verdicts.includes(verdict)) ?? 'unverified';
}
