/**
 * npm run new-probe NAME [PORT]: the skeleton of a probe, with its line in the registry, its test, the folder of its
 * conversations and its peer in the lab. It speaks a protocol of one line; two tests say what is to be filled in.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '../..');

function newProbe(name: string, port: number): readonly string[] {
  if (!/^[a-z][a-z0-9]*(?:-[a-z0-9]+)*$/.test(name))
    throw new Error(`${name}: a name is lower-case words with hyphens`);
  if (!(Number.isInteger(port) && port >= 0 && port <= 65_535)) throw new Error(`${port} is no port`);
  const file = `probes/${name}.ts`;
  if (existsSync(join(root, file))) throw new Error(`${file} is there already`);
  const id = name.replaceAll(/-(.)/g, (_, letter: string) => letter.toUpperCase());
  const test = `test/probes/${name}.test.ts`;
  const peer = `src/lab/peers/${name}.ts`;
  write(file, probeText(id, name, port));
  write(test, testText(id, name));
  write(peer, peerText(id));
  mkdirSync(join(root, 'fixtures/wire', name), { recursive: true });
  const exported = id === name ? id : `${id} as '${name}'`;
  insert('probes/index.ts', `export { ${exported} } from './${name}.ts';`, (line) => line.startsWith('export {'));
  const peers = 'src/lab/peers/index.ts';
  insert(peers, `import { ${id}Server } from './${name}.ts';`, (line) => / from '\.\/[\w-]+\.ts';$/.test(line));
  insert(peers, `  ${id === name ? id : `'${name}'`}: () => ({ tcp: ${id}Server }),`, (line) =>
    /^ {2}'?[\w-]+'?[:,]/.test(line),
  );
  execFileSync(process.execPath, [join(import.meta.dirname, 'make-docs.ts')]);
  return [file, test, `fixtures/wire/${name}/`, peer];
}

const read = (file: string): string => readFileSync(join(root, file), 'utf8');
const write = (file: string, text: string): void => writeFileSync(join(root, file), text);

/** Among the lines of its kind, in the order of the alphabet. */
function insert(file: string, added: string, isOfKind: (line: string) => boolean): void {
  const lines = read(file).split('\n');
  const key = (line: string): string => line.replaceAll(/^.*from |[^\w-]/g, '');
  const last = lines.findLastIndex((line) => isOfKind(line));
  const next = lines.findIndex((line) => isOfKind(line) && key(line) > key(added));
  lines.splice(next < 0 ? last + 1 : next, 0, added);
  write(file, lines.join('\n'));
}

const probeText = (id: string, name: string, port: number): string => `/**
 * FILL IN: what ${name} is, what an answer proves, and the clause (RFC 0000 section 0).
 */
import * as v from 'valibot';
import { answered } from '../src/model/outcome.ts';
import { defineProbe } from '../src/model/probe.ts';
import { DecodeError } from '../src/wire/reader.ts';
import { printable } from '../src/wire/text.ts';

/** No greeting is longer. */
const maxBytes = 512;

/** One line of printable text. */
export function decodeGreeting(bytes: Uint8Array): string {
  const text = Buffer.from(bytes).toString('latin1');
  if (!/^[\\x20-\\x7e]+\\r?\\n$/.test(text)) throw new DecodeError(\`"\${printable(bytes)}" is no greeting\`, 0);
  return text.trimEnd();
}

export const ${id} = defineProbe({
  transport: 'tcp',
  port: ${port},
  about: {
    title: 'FILL IN: the name of the protocol',
    sends: 'FILL IN',
    proves: 'FILL IN',
    leaves: 'FILL IN: what the administrator of the server will see',
    reference: 'FILL IN',
  },
  options: v.strictObject({}),

  async run(io) {
    const conn = await io.connect();
    const greeting = decodeGreeting(await conn.readUntil(Buffer.from('\\n'), maxBytes));
    await conn.end();
    return answered(\`it says \${greeting}\`, { greeting });
  },
});
`;

const testText = (
  id: string,
  name: string,
): string => `/** ${name}: what no recording shows, and its decoder on any bytes. */
import { globSync } from 'node:fs';
import { expect, test } from 'vitest';
import { decodeGreeting, ${id} } from '../../probes/${name}.ts';
import { expectBounded, hostileReplies, outcomeOf, recordedReplies } from '../support/strange-bytes.ts';

test('says what it sends and proves: fill in probes/${name}.ts, and run node --run docs', () => {
  expect(JSON.stringify(${id}.about)).not.toContain('FILL IN');
});

test('is recorded with a real server: xenreach probe ${name} HOST --record fixtures/wire/${name}/SERVER-CASE.json', () => {
  expect(globSync('fixtures/wire/${name}/*.json')).not.toEqual([]);
});

test.for(hostileReplies)('%s is no greeting', async ([, hex]) => {
  expect(await outcomeOf(${id}, { steps: [{ send: '', reply: hex, closes: true }] })).not.toBe('declined');
});

test('any bytes are a greeting or a DecodeError', () => {
  expectBounded(decodeGreeting, recordedReplies('${name}'));
});
`;

const peerText = (id: string): string => `/** FILL IN: what a server of the protocol says, and the clause. */
import type { TcpPeer } from '../caller.ts';

export const ${id}Server: TcpPeer = async (caller) => {
  caller.write('hello\\r\\n');
  await caller.untilGone();
};
`;

const [name = '', port = '0'] = process.argv.slice(2);
try {
  for (const file of newProbe(name, Number(port))) process.stdout.write(`${file}\n`);
} catch (error) {
  process.stderr.write(`new-probe: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 2;
}
