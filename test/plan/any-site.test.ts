/** Whatever the site: every row is told, every check belongs to a row, nothing is asked twice, and nothing is by chance. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Plan } from '../../src/model/plan.ts';
import type { Host, RoleHosts, Site } from '../../src/model/site.ts';
import { makePlan, type Selection } from '../../src/plan/plan.ts';
import { elsewhere, everySource, probes, siteOf, xenserver8 } from '../support/sites.ts';

const port = fc.integer({ min: 1, max: 65_535 });
const literal = fc.oneof(fc.ipV4(), fc.ipV6(), fc.constantFrom(...elsewhere.addresses, '127.0.0.1'));
const name = fc.oneof(fc.domain(), fc.constantFrom('xs1', elsewhere.hostname, 'localhost', 'A.test', 'a.test'));
const documented = [...new Set(xenserver8.rows.flatMap((row) => row.needs.flatMap(({ ports = [] }) => ports)))];

const host: fc.Arbitrary<Host> = fc.record(
  {
    host: fc.oneof(literal, name),
    ports: fc.dictionary(fc.constantFrom(...documented.map(String)), port, { maxKeys: 4 }),
    port,
    console: fc.constantFrom('vnc', 'rdp'),
    domain: fc.domain(),
  },
  { requiredKeys: ['host', 'ports'] },
);

const role: fc.Arbitrary<RoleHosts> = fc.record(
  {
    hosts: fc.array(host, { maxLength: 4 }),
    require: fc.constantFrom('all', 'any'),
    domain: fc.domain(),
    globalCatalogs: fc.array(host, { maxLength: 2 }),
    notes: fc.array(fc.string({ minLength: 1 }), { maxLength: 1 }),
  },
  { requiredKeys: ['hosts', 'require', 'notes'] },
);

const siteRoles = Object.entries(xenserver8.roles).flatMap(([id, { discovery }]) =>
  discovery === undefined || discovery === 'active-directory' ? [id] : [],
);

const site: fc.Arbitrary<Site> = fc
  .record({
    roles: fc.dictionary(fc.constantFrom(...siteRoles), role, { maxKeys: siteRoles.length }),
    notUsed: fc.subarray(siteRoles, { maxLength: 3 }),
    facts: fc.dictionary(fc.constantFrom(...Object.keys(xenserver8.facts)), fc.boolean()),
    proxy: fc.constantFrom(null, { url: 'http://proxy.example.test:3128' }),
    names: fc.oneof(
      fc.constant({}),
      fc.record({ 'citrix.com': fc.array(fc.domain(), { minLength: 1, maxLength: 3 }) }),
    ),
    dns: fc.oneof(fc.constant({}), fc.record({ query: fc.domain() })),
  })
  .map(({ roles, ...parts }) => siteOf(roles, parts));

const selection: fc.Arbitrary<Selection> = fc.record({
  as: fc.subarray(everySource, { minLength: 1 }),
  rows: fc.oneof(fc.constant([]), fc.subarray(xenserver8.rows.map(({ id }) => id))),
  sections: fc.oneof(fc.constant([]), fc.subarray(Object.keys(xenserver8.sections))),
  roles: fc.oneof(fc.constant([]), fc.subarray(siteRoles)),
});

const planOf = (ofSite: Site, selected: Selection): Plan =>
  makePlan({ spec: xenserver8, site: ofSite, vantage: elsewhere, selection: selected, probes });

test('any site makes a sound plan, and the same one again', () => {
  fc.assert(
    fc.property(site, selection, (ofSite, selected) => {
      const plan = planOf(ofSite, selected);
      expectSound(plan, selected);
      expect(planOf(structuredClone(ofSite), structuredClone(selected))).toEqual(plan);
    }),
    { numRuns: 300 },
  );
});

function expectSound({ rows, checks }: Plan, { as }: Selection): void {
  expect(rows.map(({ requirement }) => requirement.id)).toEqual(xenserver8.rows.map(({ id }) => id));
  const byId = new Map(checks.map((check) => [check.id, check]));
  expect(byId.size).toBe(checks.length);

  for (const { requirement, skip, checks: ids } of rows) {
    // Either a reason or something to do; nothing is dropped in silence.
    expect(skip === null).toBe(ids.length > 0);
    expect(new Set(ids).size).toBe(ids.length);
    for (const id of ids) expect(byId.get(id)?.uses.map(({ row }) => row)).toContain(requirement.id);
    if (skip === null) expect(as).toContain(requirement.from);
    else expect(skip.because).toMatch(/./);
  }
  const asked = new Set<string>();
  for (const { id, probe, transport, host: at, port: number, options, viaProxy, uses, mayBeSelf, address } of checks) {
    expect(uses).not.toEqual([]);
    for (const { row } of uses) expect(rows.find((each) => each.requirement.id === row)?.checks).toContain(id);
    expect(number >= 1 && number <= 65_535).toBe(true);
    const key = JSON.stringify([probe, transport, at.toLowerCase(), number, options, viaProxy]);
    expect(asked.has(key)).toBe(false);
    asked.add(key);
    if (mayBeSelf) expect(elsewhere.addresses).not.toContain(address?.toLowerCase());
  }
  // Plain JSON: it can be saved and replayed.
  expect(JSON.parse(JSON.stringify(checks))).toEqual(checks);
}
