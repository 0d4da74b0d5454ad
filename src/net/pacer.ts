/**
 * Hosts limit the ICMP errors they send: Linux answers a burst of six, then one a second (icmp_ratelimit, per
 * destination). Ask faster and a closed port looks silent. So datagrams that may draw an error go out in that rhythm, host
 * by host; a datagram that drew an answer cost the host no ICMP and gives its place back. Loopback is exempt, as in the kernel.
 */
import { isLoopback } from '../model/address.ts';
import type { Scope } from './scope.ts';

const burst = 5; // one less than the kernel's six, for whoever else on this machine talks to the host
const refillMs = 1050;

/** A host that let its whole burst pass without one ICMP error sends none (a firewall drops): no need to go slowly. */
const muteAfterMs = 1500;
const muteRefillMs = 100;

/** From "you may go" to the datagram: a socket is made in a few milliseconds, or the probe sends none. */
const promiseMs = 500;

interface Bucket {
  tokens: number;
  refilledAt: number;
  readonly waiting: (() => void)[];
  /** When `delayMs` said 0, for datagrams that have not come yet. */
  promises: number[];
  readonly firstAt: number;
  spent: number;
  rejects: number;
}

export class Pacer {
  readonly #buckets = new Map<string, Bucket>();

  /** Calls `send` when the host may get a datagram; the returned function cancels that. */
  turn(scope: Scope, address: string, send: () => void): () => void {
    if (isLoopback(address)) {
      send();
      return nothing;
    }
    const bucket = this.#bucket(address);
    bucket.promises.shift();
    this.#refill(bucket);
    if (bucket.waiting.length === 0 && bucket.tokens >= 1) {
      spend(bucket);
      send();
      return nothing;
    }
    let cancelTimer = nothing;
    const go = (): void => {
      this.#refill(bucket);
      if (bucket.waiting[0] !== go || bucket.tokens < 1) {
        cancelTimer = scope.after(this.#waitMs(bucket, bucket.waiting.indexOf(go)), go);
        return;
      }
      bucket.waiting.shift();
      spend(bucket);
      send();
    };
    bucket.waiting.push(go);
    cancelTimer = scope.after(this.#waitMs(bucket, bucket.waiting.length - 1), go);
    return () => {
      const index = bucket.waiting.indexOf(go);
      if (index >= 0) bucket.waiting.splice(index, 1);
      cancelTimer();
    };
  }

  /** The datagram drew a reply of the service. */
  answered(address: string): void {
    const bucket = this.#buckets.get(address);
    if (!bucket) return;
    bucket.tokens = Math.min(burst, bucket.tokens + 1);
    bucket.spent -= 1;
  }

  /** An ICMP error came back: the host does send them, and counts. */
  rejected(address: string): void {
    const bucket = this.#buckets.get(address);
    if (bucket) bucket.rejects += 1;
  }

  /** How long from now until the host may be asked once more. Zero is a promise: the caller sends one now. */
  delayMs(address: string): number {
    if (isLoopback(address)) return 0;
    const bucket = this.#bucket(address);
    this.#refill(bucket);
    const now = performance.now();
    bucket.promises = bucket.promises.filter((promisedAt) => now - promisedAt < promiseMs);
    const ahead = bucket.waiting.length + bucket.promises.length;
    if (bucket.tokens < ahead + 1) return this.#waitMs(bucket, ahead);
    bucket.promises.push(now);
    return 0;
  }

  #waitMs(bucket: Bucket, ahead: number): number {
    const missing = ahead + 1 - bucket.tokens;
    return Math.max(1, missing * rhythm(bucket) - (performance.now() - bucket.refilledAt));
  }

  #bucket(address: string): Bucket {
    let bucket = this.#buckets.get(address);
    if (!bucket) {
      const now = performance.now();
      bucket = { tokens: burst, refilledAt: now, waiting: [], promises: [], firstAt: now, spent: 0, rejects: 0 };
      this.#buckets.set(address, bucket);
    }
    return bucket;
  }

  #refill(bucket: Bucket): void {
    const now = performance.now();
    const pace = rhythm(bucket);
    const grown = Math.floor((now - bucket.refilledAt) / pace);
    if (grown === 0) return;
    bucket.tokens = Math.min(burst, bucket.tokens + grown);
    bucket.refilledAt = bucket.tokens >= burst ? now : bucket.refilledAt + grown * pace;
  }
}

const nothing = (): void => undefined;

function spend(bucket: Bucket): void {
  bucket.tokens -= 1;
  bucket.spent += 1;
}

function rhythm({ spent, rejects, firstAt }: Bucket): number {
  const isMute = rejects === 0 && spent >= burst && performance.now() - firstAt > muteAfterMs;
  return isMute ? muteRefillMs : refillMs;
}
