/** Bytes that hostile or mistaken peers send, and what a decoder and a probe may make of them. */
import { globSync, readFileSync } from 'node:fs';
import * as fc from 'fast-check';
import { NetError } from '../../src/model/errors.ts';
import type { Outcome } from '../../src/model/outcome.ts';
import type { Probe, Target } from '../../src/model/probe.ts';
import { DecodeError } from '../../src/wire/reader.ts';
import { scriptedIo, type Script } from './scripted-io.ts';

const ascii = (text: string): string => Buffer.from(text).toString('hex');

/** Name and bytes (hex). The last is of no protocol at all. */
export const hostileReplies: readonly (readonly [name: string, hex: string])[] = [
  ['nothing', ''],
  ['one byte', '30'],
  ['HTTP', ascii('HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n')],
  ['a block page', ascii(`HTTP/1.1 200 OK\r\n\r\n<html>${'blocked '.repeat(500)}</html>`)],
  ['a TLS alert', '15030300020228'],
  ['an SSH banner', ascii('SSH-2.0-OpenSSH_9.2\r\n')],
  ['a huge length', 'ffffffff'],
  ['a huge length with the right start', `00ffffff${'00'.repeat(64)}`],
  ['a huge DER length', `7e84ffffffff${'00'.repeat(64)}`],
  ['an endless DER length', `30ff${'ff'.repeat(300)}`],
  ['an indefinite DER length', '30800201010000'],
  ['deep DER', '3080'.repeat(2000)],
  ['zeros', '00'.repeat(2000)],
  ['ones', 'ff'.repeat(2000)],
];

/** The replies of a probe's recorded conversations. */
export function recordedReplies(probe: string): Uint8Array[] {
  const files = globSync(`fixtures/wire/${probe}/*.json`);
  const steps = files.flatMap((file) => {
    const conversation: Script = JSON.parse(readFileSync(file, 'utf8'));
    return conversation.steps;
  });
  return [...new Set(steps.map((step) => step.reply))]
    .filter((hex) => hex !== '')
    .map((hex) => Buffer.from(hex, 'hex'));
}

/** On any bytes, on recordings cut anywhere and with bits flipped anywhere, `decode` gives a value or a DecodeError. */
export function expectBounded(decode: (bytes: Uint8Array) => unknown, recordings: readonly Uint8Array[]): void {
  const tryDecode = (bytes: Uint8Array): void => {
    try {
      decode(bytes);
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
    }
  };
  for (const [, hex] of hostileReplies) tryDecode(Buffer.from(hex, 'hex'));
  for (const recording of recordings) {
    for (let length = 0; length <= recording.length; length++) tryDecode(recording.subarray(0, length));
    for (let bit = 0; bit < recording.length * 8; bit++) tryDecode(flipped(recording, [bit]));
  }
  fc.assert(fc.property(fc.uint8Array({ maxLength: 600 }), tryDecode));
  if (recordings.length === 0) return;
  const mutilated = fc
    .tuple(fc.constantFrom(...recordings), fc.array(fc.nat(), { maxLength: 12 }))
    .map(([recording, bits]) => flipped(recording, bits));
  fc.assert(fc.property(mutilated, tryDecode));
}

/** Runs a probe; a value or the outcome of a NetError or DecodeError comes back, anything else is thrown. */
export async function outcomeOf(probe: Probe, script: Script, options: object = {}): Promise<Outcome> {
  const parsed = await probe.options['~standard'].validate(options);
  if (parsed.issues) throw new Error(`bad options: ${JSON.stringify(parsed.issues)}`);
  const transport = probe.transport === 'either' ? 'tcp' : probe.transport;
  const target: Target = { host: 'peer.test', address: '192.0.2.1', port: probe.port, transport };
  try {
    return (await probe.run(scriptedIo(script), target, parsed.value)).outcome;
  } catch (error) {
    if (error instanceof NetError) return error.failure.outcome;
    if (error instanceof DecodeError) return 'garbled';
    throw error;
  }
}

function flipped(bytes: Uint8Array, bits: readonly number[]): Uint8Array {
  const copy = Uint8Array.from(bytes);
  for (const bit of bits) {
    const at = (bit >> 3) % Math.max(copy.length, 1);
    copy[at] = (copy[at] ?? 0) ^ (1 << (bit & 7));
  }
  return copy;
}
