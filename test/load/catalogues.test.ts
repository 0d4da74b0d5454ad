/** Tables that extend others, several in one run, and the ones that come with the program. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { parseProduct, specFor } from '../../src/load/product.ts';
import { bundledSpecs, loadSpec } from '../../src/load/spec.ts';
import { UsageError } from '../../src/model/errors.ts';
import { differencesOf } from '../../src/plan/differences.ts';
import { probes } from '../support/sites.ts';

const folder = mkdtempSync(join(tmpdir(), 'xenreach-specs-'));
afterAll(() => rmSync(folder, { recursive: true }));

let made = 0;
function fileOf(text: string): string {
  const file = join(folder, `spec${(made += 1)}.yaml`);
  writeFileSync(file, text);
  return file;
}

const base = `id: base
title: A base
revision: '1'
source: { title: A page, product: A product }
sections: { ports: Ports, more: More }
roles:
  client: { title: a client }
  server: { title: a server }
facts: { feature: { title: the feature is on, default: false } }
rows:
  - { id: time, section: ports, source: { table: Ports, row: 1 }, from: client, to: server, purpose: The time., needs: [{ probe: ntp }] }
  - { id: name, section: ports, source: { table: Ports, row: 2 }, from: client, to: server, purpose: The names., note: Both., needs: [{ probe: dns }, { probe: dns-tcp }] }
  - { id: last, section: more, source: { table: More, row: 1 }, from: client, to: server, purpose: The last., needs: [{ probe: ssh }] }
`;

const changes = (rest: string, extended = fileOf(base)): string => `id: mine
title: Mine
revision: '1'
extends: ${extended}
source: { title: Another page }
${rest}`;

const load = (text: string) => loadSpec(fileOf(text), probes);

async function faultsOf(text: string): Promise<string> {
  const file = fileOf(text);
  const error: unknown = await loadSpec(file, probes).catch((cause: unknown) => cause);
  if (!(error instanceof UsageError)) throw new Error('it loads');
  return error.message.replaceAll(`${file}:`, '');
}

describe('a table that extends another', () => {
  test('has its rows, but for what it says otherwise, each with what it rests on', async () => {
    const spec = await load(
      changes(`confidence: medium
basis: inferred
facts: { feature: { default: true } }
rows:
  - { id: time, purpose: The hour., confidence: high, basis: code, source: { table: Clocks } }
  - { id: name, note: null, when: { feature: true } }
  - { id: last, remove: true }
  - { id: shell, section: ports, source: { table: Shells, row: 3 }, from: [client, server], to: server, purpose: A shell., needs: [{ probe: ssh }] }
`),
    );
    expect(spec.rows.map(({ id }) => id)).toEqual(['time', 'name', 'shell']);
    const [time, name, shell] = spec.rows;
    expect(time).toMatchObject({ purpose: 'The hour.', confidence: 'high', basis: 'code', catalogue: 'mine' });
    expect(time?.source).toEqual({ table: 'Clocks', title: 'Another page' });
    expect(name).toMatchObject({ confidence: 'medium', basis: 'inferred', when: { feature: true } });
    expect(name).not.toHaveProperty('note');
    expect(name?.source).toEqual({ of: 'base', table: 'Ports', row: 2, title: 'A page (A product)' });
    expect(shell).toMatchObject({ from: 'client, server', sourceRoles: ['client', 'server'] });
    expect(shell?.source).toMatchObject({ title: 'Another page' });
    expect(spec.facts['feature']).toEqual({ title: 'the feature is on', default: true });
    expect(spec.files).toHaveLength(2);
  });

  test('is another table when the other changes', async () => {
    const [one, other] = [base, base.replace('The time.', 'The clock.')].map((text) => changes('', fileOf(text)));
    const [a, b] = [await load(one!), await load(other!)];
    expect(a.sha256).not.toBe(b.sha256);
  });

  test.for([
    ['rows: [{ id: tine, purpose: x }]', /^6:14 .* has no row "tine"; did you mean "time"\? A new one needs/],
    ['rows: [{ id: tine, remove: true }]', /^6:14 unknown row "tine"; did you mean "time"\?/],
    ['rows: [{ id: time, remove: true, purpose: x }]', /^6:20 a row that is removed/],
    ['rows: [{ id: time, note: x }, { id: time, note: y }]', /^6:37 the row "time" is here a second time/],
    ['rows: [{ id: time, form: client }]', /^6:20 unknown key "form"; did you mean "from"\?/],
    ['rows: [{ id: time, to: sever }]', /^6:24 unknown role "sever"; did you mean "server"\?/],
    ['facts: { feture: { default: true } }', /^6:10 .*has no fact "feture"; did you mean "feature"\?/],
    [
      'facts: { feature: { default: soon } }\nrows: [{ id: time, when: { feature: true } }]',
      /^7:37 fact "feature" must be text/,
    ],
    ['roles: { client: { titel: x } }', /^6:20 unknown key "titel"/],
  ] as const)('%s is told with its place', async ([rest, expected]) => {
    expect(await faultsOf(changes(rest))).toMatch(expected);
  });

  test('that extends itself, by whatever way, is refused', async () => {
    const [one, two] = ['one.yaml', 'two.yaml'].map((name) => join(folder, name));
    writeFileSync(one!, changes('', './two.yaml'));
    writeFileSync(two!, changes('', './one.yaml'));
    await expect(loadSpec(one!, probes)).rejects.toThrow(/two\.yaml:4:10 it extends itself: one -> two -> one/);
  });

  test('that extends nothing there is, is refused', async () => {
    expect(await faultsOf(changes('', 'xenserver-88'))).toContain('4:10 no spec is called "xenserver-88"');
  });
});

describe('a row', () => {
  const row = (rest: string): string => base.replace('needs: [{ probe: ntp }] }', `${rest} }`);

  test.for([
    ['purpose: x', /"purpose" is here a second time/],
    ['unprovable: GRE, needs: [{ probe: ntp }]', /a row with needs is tried/],
    ['note: x', /the key "needs" is missing; where no probe can try it, say why/],
    ['needs: [{ probe: tcp, ports: [80], sample: 2 }]', /no more than 1 ports to take 2 of/],
    ['needs: [{ probe: http, proxy: never }]', /only rows that name their hosts go through a proxy/],
    ['needs: [{ anyOf: [{ probe: ntp }] }]', /"anyOf"/],
    ['needs: [{ anyOf: [{ probe: ntp }, { probe: dnss }] }]', /unknown probe "dnss"/],
  ] as const)('with %s is told', async ([rest, expected]) => {
    expect(await faultsOf(row(rest))).toMatch(expected);
  });

  test('may be from several roles, each once', async () => {
    expect(await faultsOf(base.replace('from: client', 'from: [client, client]'))).toContain('here a second time');
    const spec = await load(base.replace('from: client', 'from: [client, server]'));
    expect(spec.rows[0]?.sourceRoles).toEqual(['client', 'server']);
  });

  test('rests on a source that there is', async () => {
    expect(await faultsOf(base.replace('table: Ports, row: 1', 'of: code, table: Ports'))).toContain(
      'unknown source "code"',
    );
  });
});

describe('several tables in one run', () => {
  test('are one, whose rows say which they are from, and equal ids are one row', async () => {
    const spec = await loadSpec(['xenserver-8', 'supplement'], probes);
    expect(spec).toMatchObject({ id: 'xenserver-8+supplement', revision: '1+1', vantage: 'xenserver-host' });
    expect(spec.catalogues.map(({ id }) => id)).toEqual(['xenserver-8', 'supplement']);
    expect(spec.rows.find(({ id }) => id === 'snmp')?.catalogue).toBe('supplement');
    expect(spec.roles).toHaveProperty('monitoring-server');
    expect(spec.remarks).toEqual([]);
  });

  test('that contradict each other are told', async () => {
    const other = base
      .replace('id: base', 'id: other')
      .replace('{ probe: ntp }', '{ probe: ntp, level: advisory }')
      .replace('default: false', 'default: true');
    const spec = await loadSpec([fileOf(base), fileOf(other)], probes);
    expect(spec.rows).toHaveLength(3);
    expect(spec.rows[0]?.contradictions).toEqual(['other says it differently; this is what base says']);
    expect(spec.rows[1]).not.toHaveProperty('contradictions');
    expect(spec.remarks).toEqual([expect.stringContaining('feature is taken for false, as base has it')]);
  });

  test('named twice are one', async () => {
    expect((await loadSpec(['xenserver-8', 'xenserver-8'], probes)).id).toBe('xenserver-8');
  });
});

describe('the bundled tables', () => {
  test.for(bundledSpecs())('%s says of every row what it rests on', async (name) => {
    const spec = await loadSpec(name, probes);
    expect(spec.date).toMatch(/^\d{4}-\d\d-\d\d$/);
    for (const { confidence, basis, source, purpose } of spec.rows) {
      expect(['high', 'medium', 'low']).toContain(confidence);
      expect(['page', 'code', 'inferred']).toContain(basis);
      expect(source.title).not.toBe('');
      expect(purpose).toMatch(/\.$/);
    }
  });

  test('a page that was not seen whole has no hash, and says which part was', async () => {
    const { source } = await loadSpec('citrix-hypervisor-8-2', probes);
    expect(source.sha256).toBeUndefined();
    expect(source.part).toContain('tables of domains');
  });

  test.for([
    ['XenServer 8.4.0', 'xenserver-8'],
    ['XenServer 9.0.0', 'xenserver-9'],
    ['XCP-ng 8.3.0', 'xcp-ng-8-3'],
    ['Citrix Hypervisor 8.2.1', 'citrix-hypervisor-8-2'],
    ['XCP-ng 8.2.0', undefined],
    ['XenServer 80.1', undefined],
  ] as const)('%s is held against %s', async ([text, id]) => {
    const found = await specFor({ ...parseProduct(text), from: 'a test' }, probes);
    expect(found?.id).toBe(id);
  });

  test('what XenServer 9 wants otherwise than 8 is what it does differently', async () => {
    const [eight, nine] = [await loadSpec('xenserver-8', probes), await loadSpec('xenserver-9', probes)];
    const differences = differencesOf(eight, nine, probes);
    expect(differences.every(({ kind }) => kind === 'changed')).toBe(true);
    expect(differences.find(({ row }) => row === 'xencenter-ssh')).toMatchObject({
      ports: '22',
      was: 'required unless ssh-enabled is false',
      now: 'required only where ssh-enabled is true',
    });
    expect(differencesOf(eight, eight, probes)).toEqual([]);
  });

  test('what 8.2 does not have is gone, and new the other way', async () => {
    const [eight, old] = [await loadSpec('xenserver-8', probes), await loadSpec('citrix-hypervisor-8-2', probes)];
    const kinds = (a: typeof eight, b: typeof eight): (string | undefined)[] => [
      differencesOf(a, b, probes).find(({ row }) => row === 'telemetry')?.kind,
    ];
    expect(kinds(eight, old)).toEqual(['gone']);
    expect(kinds(old, eight)).toEqual(['new']);
  });
});

test('the tables of docs/catalogues.md load as they stand', async () => {
  const blocks = [...readFileSync('docs/catalogues.md', 'utf8').matchAll(/^```yaml\n(.*?)^```$/gms)].map(
    ([, text = '']) => text,
  );
  expect(blocks).toHaveLength(2);
  for (const text of blocks) expect((await load(text)).rows.length).toBeGreaterThan(2);
});
