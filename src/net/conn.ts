/** A Node stream as a Conn: reads that say how much they want, a bounded buffer, one deadline for all of it. */
import type { Duplex } from 'node:stream';
import { NetError } from '../model/errors.ts';
import type { Conn } from '../model/probe.ts';
import { DecodeError } from '../wire/reader.ts';
import { netError } from './failure.ts';
import type { Scope } from './scope.ts';
import { tlsFailure } from './tls-failure.ts';

/** So much is read ahead of what is asked for; what a peer sends beyond waits in its own kernel. */
const readAheadBytes = 64 * 1024;

/** How long a polite goodbye may take. */
const goodbyeMs = 500;

export class StreamConn implements Conn {
  readonly #scope: Scope;
  readonly #stream: Duplex;
  #chunks: Buffer[] = [];
  #buffered = 0;
  #ended = false;
  #error: Error | undefined;
  #wake: (() => void) | undefined;
  #released = false;
  readonly #forget: () => void;

  constructor(scope: Scope, stream: Duplex) {
    this.#scope = scope;
    this.#stream = stream;
    this.#forget = scope.onClose(() => stream.destroy());
    stream.on('data', this.#onData).on('end', this.#onEnd).on('error', this.#onError).on('close', this.#onClose);
  }

  write(bytes: Uint8Array): Promise<void> {
    return this.#scope.wait((resolve, reject) => {
      if (this.#error) return reject(this.#failure(this.#error));
      this.#stream.write(bytes, (error) => (error ? reject(this.#failure(error)) : resolve()));
    });
  }

  async read(length: number): Promise<Uint8Array> {
    await this.#until(length, () => this.#buffered >= length);
    return this.#take(length);
  }

  async readUntil(delimiter: Uint8Array, maxBytes: number): Promise<Uint8Array> {
    let index = -1;
    await this.#until(maxBytes, () => {
      index = this.#joined().indexOf(delimiter);
      return index >= 0 || this.#buffered >= maxBytes;
    });
    if (index < 0 || index + delimiter.length > maxBytes)
      throw new DecodeError(`no end of line in ${maxBytes} bytes`, 0);
    return this.#take(index + delimiter.length);
  }

  async readSome(maxBytes: number): Promise<Uint8Array> {
    await this.#until(1, () => this.#buffered > 0);
    return this.#take(Math.min(maxBytes, this.#buffered));
  }

  /** Resolves true when the peer closes within `ms`, false when it does not or has spoken; an alert of TLS is more than that. */
  closesWithin(ms: number): Promise<boolean> {
    return this.#scope.wait((resolve, reject) => {
      const settle = (): void => {
        cancel();
        this.#wake = undefined;
        const alert = this.#error && tlsFailure(this.#error);
        if (alert) reject(alert);
        else resolve(this.#ended || this.#error !== undefined);
      };
      const cancel = this.#scope.after(ms, settle);
      if (this.#ended || this.#error) return settle();
      this.#wake = () => {
        if (this.#ended || this.#error) settle();
      };
      this.#stream.resume();
    });
  }

  end(lastBytes?: Uint8Array): Promise<void> {
    if (this.#error || this.#stream.destroyed) return Promise.resolve();
    const over = new Promise<void>((resolve) => {
      const settle = (): void => {
        cancel();
        this.#wake = undefined;
        this.destroy();
        resolve();
      };
      const cancel = this.#scope.after(goodbyeMs, settle);
      this.#scope.onClose(resolve);
      this.#wake = () => {
        this.#chunks = [];
        this.#buffered = 0;
        if (this.#ended || this.#error) settle();
      };
      this.#stream.end(lastBytes);
      if (this.#ended) settle();
      else this.#stream.resume();
    });
    return over;
  }

  /**
   * Hands the stream on to TLS, whose socket ends it from now on. Nothing else may: when both sockets of one handle are
   * destroyed in the same turn, the lower one first, Node 26.10 ends in a segmentation fault.
   */
  release(): Duplex {
    this.#released = true;
    this.#forget();
    const stream = this.#stream;
    stream.pause();
    stream.off('data', this.#onData).off('end', this.#onEnd).off('error', this.#onError).off('close', this.#onClose);
    if (this.#buffered > 0) stream.unshift(this.#joined());
    return stream;
  }

  /** Bytes that were read too far are read again. */
  unread(bytes: Uint8Array): void {
    this.#chunks.unshift(Buffer.from(bytes));
    this.#buffered += bytes.length;
  }

  get bufferedBytes(): number {
    return this.#buffered;
  }

  destroy(): void {
    this.#forget();
    if (!this.#released) this.#stream.destroy();
  }

  readonly #onData = (chunk: Buffer): void => {
    this.#chunks.push(chunk);
    this.#buffered += chunk.length;
    this.#scope.received(chunk.length);
    if (this.#buffered >= readAheadBytes) this.#stream.pause();
    this.#wake?.();
  };

  readonly #onEnd = (): void => {
    this.#ended = true;
    this.#wake?.();
  };

  readonly #onError = (error: Error): void => {
    this.#error ??= error;
    this.#wake?.();
  };

  readonly #onClose = (): void => {
    this.#ended = true;
    this.#wake?.();
  };

  async #until(wanted: number, ready: () => boolean): Promise<void> {
    if (ready()) return;
    await this.#scope.wait<void>((resolve, reject) => {
      const look = (): void => {
        if (ready()) {
          this.#wake = undefined;
          resolve();
        } else if (this.#error || this.#ended) {
          this.#wake = undefined;
          reject(this.#gone());
        } else if (this.#buffered < wanted) {
          this.#stream.resume();
        }
      };
      this.#wake = look;
      look();
    });
  }

  #take(length: number): Uint8Array {
    const all = this.#joined();
    const rest = all.subarray(length);
    this.#chunks = rest.length > 0 ? [rest] : [];
    this.#buffered = rest.length;
    if (this.#buffered < readAheadBytes && !this.#ended) this.#stream.resume();
    return new Uint8Array(all.subarray(0, length));
  }

  #joined(): Buffer {
    if (this.#chunks.length !== 1) this.#chunks = [Buffer.concat(this.#chunks)];
    return this.#chunks[0]!;
  }

  #gone(): NetError {
    if (this.#error) return this.#failure(this.#error);
    const after = this.#buffered > 0 ? `after ${this.#buffered} bytes of an answer` : 'without an answer';
    return new NetError({
      outcome: 'closed',
      stage: this.#scope.stage,
      detail: `the peer closed the connection ${after}`,
    });
  }

  #failure(error: Error): NetError {
    const broken = tlsFailure(error);
    if (broken) return broken;
    return netError(error, {
      stage: this.#scope.stage,
      transport: 'tcp',
      elapsedMs: this.#scope.elapsedMs,
      immediate: false,
    });
  }
}
