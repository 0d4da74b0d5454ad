/** The recorded conversations of a probe, damaged: whatever the peer sends, the probe must come to an outcome. */
import { globSync, readFileSync } from 'node:fs';
import * as fc from 'fast-check';
import type { Probe } from '../../src/model/probe.ts';
import { ending } from './endings.ts';
import { scriptedIo, setUp, type Script, type Step } from './scripted-io.ts';

interface Conversation extends Script {
  readonly options: object;
}

/** Cut at every byte, with bits flipped anywhere, and any bytes at all in the place of every reply. */
export async function expectOutcomes(name: string, probe: Probe): Promise<void> {
  const conversations = globSync(`fixtures/wire/${name}/*.json`).map((file) => load(file));
  for (const conversation of conversations) {
    for (const [i, step] of conversation.steps.entries()) {
      for (let length = 0; length < step.reply.length; length += 2) {
        await converse(probe, conversation, i, { ...step, reply: step.reply.slice(0, length), closes: true });
      }
    }
  }
  const damages = fc.record({
    conversation: fc.constantFrom(...conversations),
    at: fc.nat({ max: 7 }),
    bits: fc.array(fc.nat(), { minLength: 1, maxLength: 8 }),
    instead: fc.option(fc.uint8Array({ maxLength: 300 }), { freq: 3 }),
  });
  const settles = fc.asyncProperty(damages, async ({ conversation, at, bits, instead }) => {
    const i = at % conversation.steps.length;
    const step = conversation.steps[i]!;
    const bytes = instead ?? flipped(Buffer.from(step.reply, 'hex'), bits);
    await converse(probe, conversation, i, { ...step, reply: Buffer.from(bytes).toString('hex') });
  });
  await fc.assert(settles, { numRuns: 500 });
}

function load(file: string): Conversation {
  const { options, random, target, steps }: Conversation = JSON.parse(readFileSync(file, 'utf8'));
  // What a probe sends depends on what it was told, so only "the server speaks first" is kept.
  const lenient = steps.map((step): Step => {
    const { reply, closes = false, port } = step;
    return Object.assign({ reply, closes }, step.send === '' && { send: '' }, port !== undefined && { port });
  });
  return { options, steps: lenient, ...(random && { random }), ...(target && { target }) };
}

async function converse(probe: Probe, conversation: Conversation, at: number, step: Step): Promise<void> {
  const { target, options } = await setUp(probe, conversation);
  const script = { ...conversation, steps: conversation.steps.with(at, step) };
  // A damaged answer may make it ask more often than the script has numbers for.
  const random = [...(conversation.random ?? [])];
  const io = scriptedIo({ steps: script.steps });
  await ending(
    probe.run(
      { ...io, random: (length) => Buffer.from(random.shift()?.padEnd(length * 2, '0') ?? 'ab'.repeat(length), 'hex') },
      target,
      options,
    ),
  );
}

function flipped(bytes: Uint8Array, bits: readonly number[]): Uint8Array {
  if (bytes.length === 0) return bytes;
  const copy = Uint8Array.from(bytes);
  for (const bit of bits) {
    const at = (bit >> 3) % copy.length;
    copy[at] = copy[at]! ^ (1 << (bit & 7));
  }
  return copy;
}
