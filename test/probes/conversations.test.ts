/** Every recorded conversation in fixtures/wire drives its probe and must give the answer that stands beside it. */
import { globSync, readFileSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { expect, test } from 'vitest';
import * as everyProbe from '../../probes/index.ts';
import { NetError } from '../../src/model/errors.ts';
import type { Probe } from '../../src/model/probe.ts';
import { DecodeError } from '../../src/wire/reader.ts';
import { scriptedIo, setUp, type Script } from '../support/scripted-io.ts';

interface Conversation extends Script {
  /** Where the bytes come from. */
  readonly about: { readonly server: string; readonly version: string; readonly note?: string };
  readonly options: object;
  /** A partial answer (evidence may hold more), with warnings and notes where they matter. */
  readonly answer: { readonly outcome: string; readonly evidence?: object; readonly detail?: string };
  readonly warnings?: readonly string[];
  readonly notes?: readonly string[];
}

const probes = new Map<string, Probe>(Object.entries(everyProbe));
const files = globSync('fixtures/wire/*/*.json')
  .filter((file) => !file.includes('/pair/')) // messages of two ends of ours, not of a probe's: test/wire/pair.test.ts
  .toSorted();

test.for(files)('%s', async (file) => {
  const name = basename(dirname(file));
  const probe = probes.get(name);
  if (!probe) throw new Error(`no probe is called ${name}`);
  const conversation = JSON.parse(readFileSync(file, 'utf8')) as Conversation;
  const { target, options } = await setUp(probe, conversation);
  const io = scriptedIo(conversation);
  const answer = await probe.run(io, target, options).catch(failureOf);
  expect({ ...answer, evidence: { ...io.evidence, ...answer.evidence } }).toMatchObject(conversation.answer);
  if (conversation.warnings) expect(io.warnings).toEqual(conversation.warnings);
  if (conversation.notes) expect(io.notes).toEqual(conversation.notes);
});

function failureOf(error: unknown): { outcome: string; detail: string; evidence: object } {
  if (error instanceof NetError) return { outcome: error.failure.outcome, detail: error.message, evidence: {} };
  if (error instanceof DecodeError) return { outcome: 'garbled', detail: error.message, evidence: {} };
  throw error;
}
