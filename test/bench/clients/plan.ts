/** Plan and judge without a packet: N checks of one row planned, each observed as answered, told and judged. */
import * as probes from '../../../probes/index.ts';
import { OpenRows } from '../../../src/judge/open-rows.ts';
import type { Probe } from '../../../src/model/probe.ts';
import type { Observation } from '../../../src/model/outcome.ts';
import type { LoadedSpec } from '../../../src/model/spec.ts';
import type { Site } from '../../../src/model/site.ts';
import { reportCheck } from '../../../src/judge/report.ts';
import { makePlan } from '../../../src/plan/plan.ts';

const count = Number(process.argv[2] ?? 1_000_000);
const ports = 48;
const hosts = Array.from({ length: Math.ceil(count / ports) }, (_, i) => ({
  host: `10.${i >>> 16}.${(i >>> 8) & 255}.${i & 255}`,
  ports: {},
}));
const role = { hosts, require: 'all', notes: [] } as const;
const spec: LoadedSpec = {
  id: 'bench',
  title: 'Benchmark',
  revision: '1',
  source: { title: 'Benchmark' },
  sources: {},
  products: [],
  confidence: 'high',
  basis: 'page',
  sections: { ports: 'Ports' },
  roles: { prober: { title: 'Prober' }, server: { title: 'Server' } },
  hostProperties: {},
  facts: {},
  rows: Array.from({ length: ports }, (_, i) => ({
    id: `row-${i}`,
    section: 'ports',
    source: { table: 'none', row: i + 1, title: 'Benchmark' },
    confidence: 'high',
    basis: 'page',
    catalogue: 'bench',
    from: 'prober',
    sourceRoles: ['prober'],
    to: 'server',
    purpose: 'a port',
    where: {},
    when: {},
    needs: [
      { probe: 'tcp', ports: [10_000 + i], level: 'required', expect: 'open', oneWay: false, when: {}, options: {} },
    ],
  })),
  sha256: '',
  catalogues: [],
  remarks: [],
  files: [],
};
const site: Site = {
  name: 'bench',
  origin: 'file',
  specs: ['bench'],
  vantage: ['prober'],
  roles: { server: role },
  notUsed: [],
  facts: {},
  proxy: null,
  trust: [],
  names: {},
  dns: {},
};

const began = performance.now();
const plan = makePlan({
  spec,
  site,
  vantage: { hostname: 'bench', addresses: [] },
  selection: { as: ['prober'], rows: [], sections: [], roles: [] },
  probes: Object.fromEntries(Object.entries(probes)) as Readonly<Record<string, Probe>>,
});
const planned = performance.now();
const book = new OpenRows(plan, 'service');
const none: readonly string[] = [];
const nothing = {};
let told = 0;
for (const [at, check] of plan.checks.entries()) {
  const observation: Observation = {
    check: check.id,
    address: check.address,
    outcome: 'answered',
    stage: null,
    hint: null,
    code: null,
    detail: 'the handshake completed',
    remedy: null,
    warnings: none,
    notes: none,
    attempts: 1,
    startedAt: '',
    durationMs: 1,
    evidence: nothing,
  };
  book.observe(at, observation);
  if (reportCheck(check, observation, 'service').verdict === 'pass') told += 1;
  book.finish(at);
}
book.finishAll();
const judged = performance.now();
process.stdout.write(
  `${JSON.stringify({
    checks: plan.checks.length,
    told,
    rows: book.rows().filter(({ verdict }) => verdict === 'pass').length,
    planMs: planned - began,
    judgeMs: judged - planned,
    wallMs: judged - began,
  })}\n`,
);
