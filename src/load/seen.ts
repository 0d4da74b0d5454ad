/**
 * Reads what the script of `plan --format sh` printed: the plan that it was made of, and what bash and curl saw of each
 * check, as the report that they are worth. What bash cannot ask is `local`: this machine could not try, and so nothing is
 * said of the peer.
 */
import * as v from 'valibot';
import { UsageError } from '../model/errors.ts';
import type { Hint, Outcome, Stage } from '../model/outcome.ts';
import type { Report, ReportCheck } from '../model/report.ts';
import type { Mode } from '../model/verdict.ts';
import { hostDown } from '../net/failure.ts';
import { parseReport } from './report.ts';

const Seen = v.object({
  type: v.literal('seen'),
  check: v.pipe(v.number(), v.integer(), v.minValue(0)),
  saw: v.string(),
  startedAt: v.string(),
  durationMs: v.number(),
  said: v.string(),
});
const Here = v.object({ type: v.literal('here'), hostname: v.string(), startedAt: v.string() });
const End = v.object({ type: v.literal('end'), durationMs: v.number() });
const Line = v.variant('type', [Seen, Here, End]);
type Seen = v.InferOutput<typeof Seen>;

const mark = '{"type":"plan","report":';

/** Undefined: it is something else, a report for instance. */
export function parseSeen(text: string, file: string, mode?: Mode): Report | undefined {
  const [first = '', ...others] = text.split('\n');
  if (!first.startsWith(mark)) return undefined;
  const plan = parseReport(first.slice(mark.length, -1), `${file}:1`);
  const lines = others.filter((line) => line !== '').map((line, i) => lineOf(line, `${file}:${i + 2}`));
  const here = lines.find((line) => line.type === 'here');
  const end = lines.find((line) => line.type === 'end');
  const seen = new Map(lines.flatMap((line) => (line.type === 'seen' ? [[line.check, line] as const] : [])));
  const checks = plan.checks.flatMap((check, i) => {
    const found = seen.get(i);
    return found?.saw === 'self' ? [] : [{ ...check, ...sawOf(check, found, mode ?? plan.mode) }];
  });
  return {
    ...plan,
    checks,
    vantage: { ...plan.vantage, hostname: here?.hostname ?? plan.vantage.hostname },
    startedAt: here?.startedAt ?? plan.startedAt,
    durationMs: end?.durationMs ?? null,
    complete: end !== undefined,
  };
}

function lineOf(line: string, place: string): v.InferOutput<typeof Line> {
  try {
    return v.parse(Line, JSON.parse(line));
  } catch (cause) {
    throw new UsageError(`${place}: is not a line that the script prints; give what it printed, and nothing else`, {
      cause,
    });
  }
}

interface Meaning {
  readonly outcome: Outcome;
  readonly stage: Stage | null;
  readonly detail: string;
  readonly hint?: Hint;
}

type Told = Pick<
  ReportCheck,
  'outcome' | 'stage' | 'hint' | 'detail' | 'remedy' | 'attempts' | 'startedAt' | 'durationMs'
>;

const elsewhere = 'Ask it with xenreach itself, from that machine or from another of its network.';

function sawOf(check: ReportCheck, seen: Seen | undefined, mode: Mode): Told {
  const meaning: Meaning =
    seen === undefined
      ? { outcome: 'aborted', stage: null, detail: 'the script ended before it' }
      : meaningOf(check, seen, mode);
  const { outcome, stage, detail, hint = null } = meaning;
  const remedy = outcome === 'local' ? elsewhere : null;
  return {
    outcome,
    stage,
    hint,
    detail,
    remedy,
    attempts: 1,
    startedAt: seen?.startedAt ?? null,
    durationMs: seen?.durationMs ?? 0,
  };
}

function meaningOf(check: ReportCheck, { saw, said, durationMs }: Seen, mode: Mode): Meaning {
  const [, curl] = /^curl-(\d+)$/.exec(saw) ?? [];
  if (curl !== undefined) return curlSaw(Number(curl), said, check);
  const protocol = check.probe;
  switch (saw) {
    case 'connected':
      return protocol === 'tcp' || mode === 'path'
        ? { outcome: 'answered', stage: null, detail: 'the connection is accepted' }
        : {
            outcome: 'local',
            stage: 'exchange',
            detail: `the connection is accepted; bash cannot ask whether ${protocol} is answered`,
          };
    case 'silent':
      return { outcome: 'timeout', stage: 'connect', detail: said };
    case 'error':
      return refusalOf(said, durationMs);
    case 'found':
      return { outcome: 'answered', stage: null, detail: `${check.host} is ${said}` };
    case 'nowhere':
      return { outcome: 'unresolved', stage: 'resolve', detail: said };
    case 'odd-host':
      return { outcome: 'local', stage: 'resolve', detail: 'bash is not given a host with such signs in its name' };
    case 'late':
      return { outcome: 'aborted', stage: null, detail: 'the time of the script was over' };
    default:
      return {
        outcome: 'local',
        stage: null,
        detail: `bash cannot ask ${protocol} over ${check.transport.toUpperCase()}`,
      };
  }
}

/** Words of the C library, by way of bash. */
function refusalOf(said: string, durationMs: number): Meaning {
  const at = 'connect' as const;
  if (/refused/i.test(said)) return { outcome: 'refused', stage: at, detail: 'nothing listens there (refused)' };
  if (/no route to host/i.test(said)) {
    return durationMs >= 2000
      ? { outcome: 'unreachable', stage: at, detail: hostDown.text, hint: 'host-down' }
      : { outcome: 'unreachable', stage: at, detail: 'a firewall or router rejects it (ICMP)', hint: 'icmp-reject' };
  }
  if (/unreachable/i.test(said))
    return { outcome: 'unreachable', stage: at, detail: 'this machine has no route to it', hint: 'no-route' };
  if (/timed out/i.test(said)) return { outcome: 'timeout', stage: at, detail: 'nothing came back' };
  if (/name|resol|host/i.test(said)) return { outcome: 'unresolved', stage: 'resolve', detail: said };
  return { outcome: 'local', stage: at, detail: said };
}

/** Exit codes of curl: curl(1). `said` begins with the status of CONNECT and the server's own. */
function curlSaw(code: number, text: string, { host }: ReportCheck): Meaning {
  const [, connected = '000', status = '000', words = ''] = /^(\d{3}) (\d{3}) ?(.*)$/.exec(text) ?? [];
  const said = words === '' ? `curl ended with ${code}` : words;
  if (code === 0 || /^[1-5]/.test(status)) {
    const isNo = status.startsWith('5') || status === '407';
    return {
      outcome: isNo ? 'declined' : 'answered',
      stage: isNo ? 'exchange' : null,
      detail: `HTTP ${status}${isNo ? '' : ': reached'}`,
    };
  }
  if (connected !== '000' && !connected.startsWith('2'))
    return {
      outcome: 'declined',
      stage: 'proxy',
      detail: `the proxy answers CONNECT with ${connected}`,
      hint: 'proxy',
    };
  switch (code) {
    case 5:
      return { outcome: 'unresolved', stage: 'resolve', detail: 'the proxy has no address', hint: 'proxy' };
    case 6:
      return { outcome: 'unresolved', stage: 'resolve', detail: `${host} has no address` };
    case 7:
      return refusalOf(words, 0);
    case 28:
      return { outcome: 'timeout', stage: /connect/i.test(words) ? 'connect' : 'exchange', detail: said };
    case 35:
      return { outcome: 'tls-failed', stage: 'tls', detail: said };
    case 51:
    case 60:
      return { outcome: 'untrusted', stage: 'tls', detail: said };
    case 52:
    case 56:
      return { outcome: 'closed', stage: 'exchange', detail: said };
    default:
      return { outcome: 'local', stage: null, detail: said };
  }
}
