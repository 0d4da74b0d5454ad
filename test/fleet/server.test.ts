import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { superviseServer } from '../../src/fleet/server.ts';
import { until } from '../support/fleet.ts';

interface Place extends Disposable {
  readonly folder: string;
  readonly told: string[];
  readonly stop: AbortController;
  supervise(): Promise<void>;
}

/** A folder of a hub, and a program that is called as the server is, first on the PATH. */
function withServer(script: string): Place {
  const folder = mkdtempSync(join(tmpdir(), 'xenreach-server-'));
  const before = process.env['PATH'];
  mkdirSync(join(folder, 'bin'));
  writeFileSync(join(folder, 'bin/nats-server'), `#!/bin/sh\n${script}\n`);
  chmodSync(join(folder, 'bin/nats-server'), 0o755);
  process.env['PATH'] = `${join(folder, 'bin')}:${before}`;
  const told: string[] = [];
  const stop = new AbortController();
  return {
    folder,
    told,
    stop,
    supervise: () => superviseServer({ folder, say: (text) => told.push(text), stop: stop.signal }),
    [Symbol.dispose]: () => {
      process.env['PATH'] = before;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

test('one that is too old is refused in a sentence', () => {
  using place = withServer('echo "nats-server: v2.8.4"');
  expect(() => place.supervise()).toThrow(
    /nats-server is 2\.8\.4, which is too old: 2\.9\.4 is the first that will do$/,
  );
});

test('one that ends is started again, with why it ended, and told to end when the hub does', async () => {
  using place = withServer(
    `[ "$1" = --version ] && { echo "nats-server: v2.15.2"; exit; }
     trap 'echo ended >> data/starts; exit' TERM
     echo started >> data/starts
     [ "$(wc -l < data/starts)" = 1 ] && { echo "[1] [FTL] no room" >&2; exit 1; }
     while :; do sleep 0.05; done`,
  );
  const done = place.supervise();
  await until(
    'it is told',
    () => place.told,
    (told) => told.length === 1,
  );
  expect(place.told).toEqual(['nats-server ended (no room); it is started again in 0.5 s']);
  const starts = (): string[] => readFileSync(join(place.folder, 'data/starts'), 'utf8').trim().split('\n');
  await until('it is started again', starts, (lines) => lines.length === 2);
  place.stop.abort();
  await done;
  expect(starts()).toEqual(['started', 'started', 'ended']);
  expect(readFileSync(join(place.folder, 'jetstream.conf'), 'utf8')).toContain('sync_interval: always');
});
