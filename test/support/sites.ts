/** Sites for the tests of the plan: the spec as shipped, and a site with what a test says and nothing else. */
import * as everyProbe from '../../probes/index.ts';
import { loadSpec } from '../../src/load/spec.ts';
import type { Probe } from '../../src/model/probe.ts';
import type { Host, RoleHosts, Site, Vantage } from '../../src/model/site.ts';
import type { LoadedSpec } from '../../src/model/spec.ts';

export const probes: Readonly<Record<string, Probe>> = everyProbe;

export const xenserver8: LoadedSpec = await loadSpec('xenserver-8', probes);

export const everySource = [...new Set(xenserver8.rows.map(({ from }) => from))];

export const hostOf = (host: string, parts: Partial<Host> = {}): Host => ({ host, ports: {}, ...parts });

export const roleOf = (hosts: readonly (string | Host)[], parts: Partial<RoleHosts> = {}): RoleHosts => ({
  hosts: hosts.map((host) => (typeof host === 'string' ? hostOf(host) : host)),
  require: 'all',
  notes: [],
  ...parts,
});

export const siteOf = (roles: Readonly<Record<string, RoleHosts>>, parts: Partial<Site> = {}): Site => ({
  name: 'test',
  origin: 'file',
  specs: ['xenserver-8'],
  vantage: [],
  roles,
  notUsed: [],
  facts: {},
  proxy: null,
  trust: [],
  names: {},
  dns: {},
  ...parts,
});

export const elsewhere: Vantage = { hostname: 'xs1.example.test', addresses: ['192.0.2.250', '2001:db8::fa'] };
