/** The shape of ARCHITECTURE.md, held: imports point downward, one floor opens sockets, no file outgrows one reading. */
import { globSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { expect, test } from 'vitest';

/** From the ground up. A file imports from its own floor and from those below. */
const floors = [
  'src/model',
  'src/wire',
  'src/net',
  'probes',
  'src/load',
  'src/discover',
  'src/plan',
  'src/respond',
  'src/run',
  'src/pair',
  'src/judge',
  'src/check',
  'src/merge',
  'src/report',
  'src/watch',
  'src/fleet',
  'src/index.ts',
  'src/cli',
  'src/compile-cache.ts',
  'src/main.ts',
  'src/built.ts',
];

/** The embedded site plays the peers: it shares no codec with the probes, or one mistake could be on both sides. */
const lab = 'src/lab';
const labMayImport = ['src/model/address.ts', 'src/net/listeners.ts', 'src/net/tls-server.ts', lab];

/** No floor imports it but the command that starts it; a fleet's hub gets a certificate from its maker of certificates. */
const importsTheLab = 'src/cli/demo.ts';
const certificates = 'src/lab/certificate.ts';
const importsCertificates = 'src/fleet/init.ts';

/** The floor that opens sockets. Everybody else asks it. */
const opensSockets = 'src/net';
const socketModules = new Set(['net', 'tls', 'dgram', 'dns', 'dns/promises', 'http', 'https', 'http2']);

const files = globSync(['src/**/*.ts', 'probes/**/*.ts'])
  .toSorted()
  .map((file) => ({ file, text: readFileSync(file, 'utf8') }));

test('every source file stands on a floor', () => {
  expect(files.length).toBeGreaterThan(100);
  expect(files.filter(({ file }) => floorOf(file) < 0 && !isIn(file, lab)).map(({ file }) => file)).toEqual([]);
});

test('imports point downward', () => {
  const upward = imports(files).filter(
    ({ file, to }) => !isIn(file, lab) && !isIn(to, lab) && floorOf(to) > floorOf(file),
  );
  expect(upward.map(told)).toEqual([]);
});

test('the library is no command line: it imports nothing of it', () => {
  const reached = new Set(['src/index.ts']);
  for (const from of reached) for (const { file, to } of imports(files)) if (file === from) reached.add(to);
  expect([...reached].filter((file) => isIn(file, 'src/cli'))).toEqual([]);
  expect(reached.size).toBeGreaterThan(50);
});

test('the lab is imported by the demo alone, and imports only how to listen and what an address is', () => {
  const mayImport = (file: string, to: string): boolean =>
    file === importsTheLab || (file === importsCertificates && to === certificates);
  const wrong = imports(files).filter(({ file, to }) =>
    isIn(file, lab) ? !labMayImport.some((floor) => isIn(to, floor)) : isIn(to, lab) && !mayImport(file, to),
  );
  expect(wrong.map(told)).toEqual([]);
});

test('only the net floor imports what opens sockets', () => {
  const openers = files.filter(
    ({ file, text }) =>
      !isIn(file, opensSockets) && specifiersOf(text).some((name) => socketModules.has(name.replace(/^node:/, ''))),
  );
  expect(openers.map(({ file }) => file)).toEqual([]);
});

test('one file knows the client library of the bus, and loads it when it is used', () => {
  const users = files.filter(({ text }) => specifiersOf(text).some((name) => name.startsWith('@nats-io/')));
  expect(users.map(({ file }) => file)).toEqual(['src/fleet/bus.ts']);
  expect(users.filter(({ text }) => /^import (?!type)[^'";]*'@nats-io/m.test(text))).toEqual([]);
});

test('probes, the wire and what is pure import nothing that could reach outside', () => {
  const pure = ['probes', 'src/model', 'src/wire', 'src/plan', 'src/judge', 'src/merge', 'src/report'];
  const allowed = new Set(['node:crypto', 'node:util', 'node:stream', 'node:events', 'node:path']);
  const reaching = files.flatMap(({ file, text }) =>
    pure.some((floor) => isIn(file, floor))
      ? specifiersOf(text)
          .filter((name) => name.startsWith('node:') && !allowed.has(name) && !isTypeImport(text, name))
          .map((name) => `${file} imports ${name}`)
      : [],
  );
  expect(reaching).toEqual([]);
});

test('no probe outgrows one reading', () => {
  const long = files.filter(({ file, text }) => /^(?:src\/)?probes\//.test(file) && text.split('\n').length > 400);
  expect(long.map(({ file }) => file)).toEqual([]);
});

interface Import {
  readonly file: string;
  readonly to: string;
}

function imports(sources: typeof files): Import[] {
  return sources.flatMap(({ file, text }) =>
    specifiersOf(text)
      .filter((name) => name.startsWith('.'))
      .map((name) => ({ file, to: normalize(join(dirname(file), name)) })),
  );
}

/** `import … from 'x'`, `export … from 'x'`, `import 'x'`, `import('x')`. */
function specifiersOf(text: string): string[] {
  const found = text.matchAll(/^(?:import|export)\b[^'";]*?from '([^']+)'|^import '([^']+)'|\bimport\('([^']+)'\)/gm);
  return [...found].flatMap(([, from, bare, dynamic]) => from ?? bare ?? dynamic ?? []);
}

const isTypeImport = (text: string, name: string): boolean =>
  new RegExp(`^import type [^'";]*from '${name}'`, 'm').test(text);

const isIn = (file: string, floor: string): boolean => file === floor || file.startsWith(`${floor}/`);
const floorOf = (file: string): number => floors.findIndex((floor) => isIn(file, floor));
const told = ({ file, to }: Import): string => `${file} -> ${to}`;
