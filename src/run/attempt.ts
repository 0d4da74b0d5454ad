/** One check at one address: the probe's conversation, and the only place where what went wrong becomes an outcome. */
import { NetError, type NetFailure } from '../model/errors.ts';
import type { Answer, Hint, Observation } from '../model/outcome.ts';
import type { Check } from '../model/plan.ts';
import type { Probe } from '../model/probe.ts';
import { isExhaustion } from '../net/failure.ts';
import { NetIo, type AttemptOptions, type Net } from '../net/io.ts';
import { veiledEvidence, veilOf } from '../net/veil.ts';
import { DecodeError } from '../wire/reader.ts';

export interface Attempts {
  readonly net: Net;
  readonly timeoutMs: number;
  /** Every attempt under way, so that an interruption can end it. */
  readonly live: Set<NetIo>;
  /** Told of defects of our own: the probe threw what is no answer. */
  readonly onBug: (check: Check, error: unknown) => void;
}

interface Result {
  readonly io: NetIo;
  readonly answer?: Answer;
  readonly failure?: NetFailure;
}

/** Never rejects. Undefined when this machine was out of resources: nothing was learned, try again later. */
export async function observe(
  check: Check,
  address: string,
  probe: Probe,
  context: Attempts,
): Promise<Observation | undefined> {
  const startedAt = timestamp();
  const began = performance.now();
  const { timeoutMs } = context;
  let attempts = 1;
  let hint: Hint | null = null;
  let result = await attempt(check, address, probe, context, {
    timeoutMs,
    viaProxy: check.viaProxy,
    smallHello: false,
  });
  if (result.failure && isExhaustion(result.failure)) return undefined;
  if (result.failure?.outcome === 'timeout' && result.io.helloUnanswered) {
    // Some firewalls drop a ClientHello of two segments, which Node's is: is that what happened?
    const second = await attempt(check, address, probe, context, {
      timeoutMs,
      viaProxy: check.viaProxy,
      smallHello: true,
    });
    attempts += 1;
    if (isHeard(second)) {
      result = second;
      hint = 'large-hello';
      // Before what the certificate warns of: it is why there were two.
      if (second.answer) second.io.warnings.unshift(largeHello);
    }
  }
  const { io, answer, failure } = result;
  return unrepeated(check, context, {
    check: check.id,
    address: check.viaProxy || probe.perAddress === false ? null : address,
    outcome: answer?.outcome ?? failure!.outcome,
    stage: answer ? (answer.outcome === 'declined' ? 'exchange' : null) : (failure?.stage ?? null),
    hint: failure?.hint ?? hint,
    code: failure?.code ?? null,
    detail: answer?.detail ?? failure!.detail,
    remedy: (answer ?? failure!).remedy ?? silenceRemedy(check, address, probe, failure),
    warnings: io.warnings,
    notes: io.notes,
    attempts: Math.max(attempts, io.sends),
    startedAt,
    durationMs: hundredths(performance.now() - began),
    evidence: { ...io.evidence, ...answer?.evidence },
  });
}

/** Whatever answered through a proxy may repeat what the proxy was sent: the password is in no field of what we tell. */
function unrepeated(check: Check, { net }: Attempts, observation: Observation): Observation {
  if (!check.viaProxy || net.proxy?.password === undefined) return observation;
  const veil = veilOf(net.proxy);
  const { code, remedy, detail, warnings, notes, evidence } = observation;
  return {
    ...observation,
    code: code === null ? null : veil(code),
    detail: veil(detail),
    remedy: remedy === null ? null : veil(remedy),
    warnings: warnings.map(veil),
    notes: notes.map(veil),
    evidence: veiledEvidence(evidence, veil),
  };
}

/** Where a service may stay silent, only its probe knows where else to look. */
function silenceRemedy({ transport, port }: Check, address: string, probe: Probe, failure?: NetFailure): string | null {
  const isSilence = transport === 'udp' && failure?.outcome === 'timeout';
  return (isSilence ? probe.onSilence?.({ address, port }) : undefined) ?? null;
}

/** The peer said something to the hello. A second attempt that never got so far (refused, interrupted) proves nothing of it. */
function isHeard({ io, answer, failure }: Result): boolean {
  if (answer) return true;
  const isBeyond = failure?.stage === 'tls' || failure?.stage === 'exchange';
  return isBeyond && !io.helloUnanswered && failure.outcome !== 'aborted' && failure.outcome !== 'local';
}

/** What `observe` resolves with, for a check that a completed handshake answers and that took the short way. */
export function observationOf(
  { id }: Check,
  address: string,
  answer: Answer,
  connect: {
    readonly startedAt: string;
    readonly elapsedMs: number;
    readonly failure: NetFailure | undefined;
    /** Why it was late. */
    readonly note: string | undefined;
  },
): Observation | undefined {
  const { startedAt, failure, note } = connect;
  if (failure && isExhaustion(failure)) return undefined;
  const durationMs = hundredths(connect.elapsedMs);
  return {
    check: id,
    address,
    outcome: failure?.outcome ?? answer.outcome,
    stage: failure?.stage ?? null,
    hint: failure?.hint ?? null,
    code: failure?.code ?? null,
    detail: failure?.detail ?? answer.detail,
    remedy: failure?.remedy ?? null,
    warnings: none,
    notes: failure || note === undefined ? none : [note],
    attempts: 1,
    startedAt,
    durationMs,
    evidence: failure ? {} : Object.assign({ connectMs: durationMs }, answer.evidence),
  };
}

const none: readonly string[] = [];

let now = { ms: 0, text: '' };

/** ISO 8601. Checks start by the dozen in a millisecond, and to write one costs as much as to launch it. */
export function timestamp(): string {
  const ms = Date.now();
  if (ms !== now.ms) now = { ms, text: new Date(ms).toISOString() };
  return now.text;
}

const hundredths = (ms: number): number => Math.round(ms * 100) / 100;

const largeHello =
  'only a TLS hello of one TCP segment gets through: something on the way drops the larger, post-quantum one that current clients send';

async function attempt(
  check: Check,
  address: string,
  probe: Probe,
  { net, live, onBug }: Attempts,
  options: AttemptOptions,
): Promise<Result> {
  const target = { host: check.host, address, port: check.port, transport: check.transport };
  const io = new NetIo(net, target, options);
  live.add(io);
  try {
    return { io, answer: await probe.run(io, target, check.options) };
  } catch (error) {
    return { io, failure: failureOf(error, check, onBug) };
  } finally {
    live.delete(io);
    io.scope.close();
  }
}

function failureOf(error: unknown, check: Check, onBug: Attempts['onBug']): NetFailure {
  if (error instanceof NetError) return error.failure;
  if (error instanceof DecodeError) {
    return { outcome: 'garbled', stage: 'exchange', detail: `unexpected answer: ${error.told}` };
  }
  onBug(check, error);
  const text = error instanceof Error ? error.message : String(error);
  return { outcome: 'local', stage: null, detail: `a defect of xenreach itself: ${text} (please report it)` };
}

/** What is said of a check that the end of the run overtook. */
export function unfinished(check: Check, why: string): Observation {
  return nothingTried(check, { outcome: 'aborted', stage: null, detail: why });
}

export function nothingTried(check: Check, failure: NetFailure): Observation {
  return {
    check: check.id,
    address: check.address,
    outcome: failure.outcome,
    stage: failure.stage,
    hint: failure.hint ?? null,
    code: failure.code ?? null,
    detail: failure.detail,
    remedy: failure.remedy ?? null,
    warnings: [],
    notes: [],
    attempts: failure.outcome === 'aborted' ? 0 : 1,
    startedAt: new Date().toISOString(),
    durationMs: 0,
    evidence: {},
  };
}
