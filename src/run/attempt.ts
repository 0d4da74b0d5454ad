/** One check at one address: the probe's conversation, and the only place where what went wrong becomes an outcome. */
import { NetError, type NetFailure } from '../model/errors.ts';
import type { Answer, Hint, Observation } from '../model/outcome.ts';
import type { Check } from '../model/plan.ts';
import type { Probe } from '../model/probe.ts';
import { isExhaustion } from '../net/failure.ts';
import { NetIo } from '../net/io.ts';
import type { NetContext } from '../net/net.ts';
import type { Proxy } from '../net/proxy.ts';
import { veiledEvidence, veilOf } from '../net/veil.ts';
import { DecodeError } from '../wire/reader.ts';
import type { Job } from './job.ts';

export interface AttemptContext {
  readonly net: NetContext;
  readonly timeoutMs: number;
  /** Every attempt under way, so that an interruption can end it. */
  readonly live: Set<NetIo>;
  /** Called when a probe throws anything but a NetError or a DecodeError: that is a defect of ours. */
  readonly onBug: OnBug;
}

export type OnBug = (check: Check, error: unknown) => void;

interface Result {
  readonly io: NetIo;
  readonly answer?: Answer;
  readonly failure?: NetFailure;
}

/** Never rejects. Undefined when this machine was out of resources: nothing was learned, try again later. */
export async function observe(job: Job, context: AttemptContext): Promise<Observation | undefined> {
  const first = await attempt(job, context, false);
  if (first.failure && isExhaustion(first.failure)) return undefined;
  const isHelloLost = first.failure?.outcome === 'timeout' && first.io.helloUnanswered;
  if (!isHelloLost) return observationOf(job, first, { attempts: 1, hint: null }, context);
  // Some firewalls drop a ClientHello of two segments, which Node's is: is that what happened?
  const second = await attempt(job, context, true);
  if (!isHeard(second)) return observationOf(job, first, { attempts: 2, hint: null }, context);
  // Before what the certificate warns of: it is why there were two.
  if (second.answer) second.io.warnings.unshift(largeHello);
  return observationOf(job, second, { attempts: 2, hint: 'large-hello' }, context);
}

function observationOf(
  { check, address, probe, startedAt, startedMs }: Job,
  { io, answer, failure }: Result,
  seen: { readonly attempts: number; readonly hint: Hint | null },
  { net }: AttemptContext,
): Observation {
  return unrepeated(check, net.proxy, {
    check: check.id,
    address: check.viaProxy || probe.perAddress === false ? null : address,
    outcome: answer?.outcome ?? failure!.outcome,
    stage: answer ? (answer.outcome === 'declined' ? 'exchange' : null) : (failure?.stage ?? null),
    hint: failure?.hint ?? seen.hint,
    code: failure?.code ?? null,
    detail: answer?.detail ?? failure!.detail,
    remedy: (answer ?? failure!).remedy ?? silenceRemedy(check, address, probe, failure),
    warnings: io.warnings,
    notes: io.notes,
    attempts: Math.max(seen.attempts, io.sends),
    startedAt,
    durationMs: hundredths(performance.now() - startedMs),
    evidence: { ...io.evidence, ...answer?.evidence },
  });
}

/** Whatever answered through a proxy may repeat what the proxy was sent: the password is in no field of what we tell. */
function unrepeated(check: Check, proxy: Proxy | null, observation: Observation): Observation {
  if (!check.viaProxy || proxy?.password === undefined) return observation;
  const veil = veilOf(proxy);
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

/** The peer reacted to the hello itself. An attempt that did not get so far (refused, interrupted) says nothing of it. */
function isHeard({ io, answer, failure }: Result): boolean {
  if (answer) return true;
  const isBeyond = failure?.stage === 'tls' || failure?.stage === 'exchange';
  return isBeyond && !io.helloUnanswered && failure.outcome !== 'aborted' && failure.outcome !== 'local';
}

/** What `observe` resolves with, for a check that a completed handshake answers and that took the short way. */
export function observationOfConnect(
  { check, address, answerOnConnect, startedAt }: Job,
  connect: {
    readonly elapsedMs: number;
    readonly failure: NetFailure | undefined;
    /** Why it was late. */
    readonly note: string | undefined;
  },
): Observation | undefined {
  const { failure, note } = connect;
  if (failure && isExhaustion(failure)) return undefined;
  const answer = answerOnConnect!;
  const durationMs = hundredths(connect.elapsedMs);
  return {
    check: check.id,
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

async function attempt(job: Job, context: AttemptContext, smallHello: boolean): Promise<Result> {
  const { check, address, probe } = job;
  const { net, timeoutMs, live, onBug } = context;
  const target = { host: check.host, address, port: check.port, transport: check.transport };
  const io = new NetIo(net, target, { timeoutMs, viaProxy: check.viaProxy, smallHello });
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

/** Ends every attempt under way. */
export function stopAttempts({ live }: AttemptContext, why: string): void {
  for (const { scope } of [...live]) scope.stop(new NetError({ outcome: 'aborted', stage: scope.stage, detail: why }));
}

/** What went wrong with a check, in an attempt or before it. */
export function failureOf(error: unknown, check: Check, onBug: OnBug): NetFailure {
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
