import { mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { AgentOutbox, type Kind, type Parcel } from '../../src/fleet/outbox.ts';

let folder = '';
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'xenreach-outbox-'))));
afterEach(() => rmSync(folder, { recursive: true }));

const put = (box: AgentOutbox, kind: Kind, id: string, bytes = 10): void =>
  box.put(kind, { id, verdicts: 'P', every: 5 }, Buffer.alloc(bytes, 'x'));
const names = (): string[] =>
  readdirSync(folder)
    .filter((name) => name !== 'sent')
    .toSorted();

function takeAll(box: AgentOutbox): string[] {
  const ids: string[] = [];
  for (let first: Parcel | null; (first = box.first()); box.delivered(first, ids.length)) ids.push(first.id);
  return ids;
}

test('what was put is taken in order, over a restart too, and nothing twice', () => {
  const box = new AgentOutbox(folder);
  for (const id of ['a', 'b']) put(box, 'full', id);
  const again = new AgentOutbox(folder);
  put(again, 'beat', 'c');
  expect(again.first()).toMatchObject({ id: 'a', kind: 'full', verdicts: 'P', every: 5 });
  expect(again.first()!.ageMs).toBeLessThan(10_000);
  expect(takeAll(again)).toEqual(['a', 'b', 'c']);
  expect(again.waiting).toBe(0);
  put(again, 'beat', 'd');
  expect(takeAll(new AgentOutbox(folder))).toEqual(['d']);
});

test('what the stream has forgotten is offered again', () => {
  const box = new AgentOutbox(folder);
  for (const [i, id] of ['a', 'b', 'c'].entries()) {
    put(box, 'full', id);
    box.delivered(box.first()!, 100 + i);
  }
  put(box, 'beat', 'd');
  box.delivered(box.first()!, 1);
  expect(takeAll(box)).toEqual(['a', 'b', 'c']);
});

test('where there is no room what was sent goes first, then what says that nothing changed, then the oldest', () => {
  const box = new AgentOutbox(folder, { maxBytes: 2500, keepMs: 60_000 });
  put(box, 'full', 'sent', 800);
  box.delivered(box.first()!, 1);
  put(box, 'full', 'a', 800);
  put(box, 'beat', 'b', 300);
  expect(readdirSync(join(folder, 'sent'))).toHaveLength(1);
  put(box, 'full', 'c', 600);
  expect(readdirSync(join(folder, 'sent'))).toEqual([]);
  put(box, 'full', 'd', 600);
  expect(box.dropped).toBe(1);
  put(box, 'full', 'e', 700);
  expect(takeAll(box)).toEqual(['c', 'd', 'e']);
  expect(box.dropped).toBe(2);
});

test('what is older than a day is given up, and what is no parcel is thrown away', () => {
  const box = new AgentOutbox(folder, { maxBytes: 1e6, keepMs: 60_000 });
  put(box, 'full', 'old');
  utimesSync(join(folder, names()[0]!), 1, 1);
  put(box, 'full', 'new');
  writeFileSync(join(folder, '000000000000.full'), 'no head at all');
  expect(takeAll(box)).toEqual(['new']);
  expect(box.dropped).toBe(1);
  expect(names()).toEqual([]);
});
