/** The JSON Schemas that editors use take what the loaders take and refuse what is misshapen. */
import { expect, test } from 'vitest';
import { readFile } from '../../src/load/read-file.ts';
import { parseYaml } from '../../src/load/yaml.ts';
import { departures } from '../support/json-schema.ts';
import { schemas } from '../support/make-schemas.ts';

test.for([
  ['fixtures/sites/lon-pool-1.yaml', 'site', []],
  ['fixtures/sites/site-unknown-key.yaml', 'site', ['/vantages false']],
  ['fixtures/sites/site-host-key-misspelt.yaml', 'site', ['/roles/wlb-appliance anyOf']],
  ['fixtures/sites/site-port-too-large.yaml', 'site', ['/roles/wlb-appliance anyOf']],
  ['fixtures/sites/site-not-a-mapping.yaml', 'site', [' type']],
  ['specs/xenserver-8.yaml', 'spec', []],
  ['specs/xcp-ng-8-3.yaml', 'spec', []],
  ['specs/supplement.yaml', 'spec', []],
  ['specs/xenserver-9.yaml', 'spec-changes', []],
  ['specs/citrix-hypervisor-8-2.yaml', 'spec-changes', []],
  ['fixtures/specs/good.yaml', 'spec', []],
  ['fixtures/specs/spec-row-key-missing.yaml', 'spec', ['/rows/1 required']],
  ['fixtures/specs/spec-port-not-a-port.yaml', 'spec', ['/rows/1/needs/0 anyOf']],
  ['fixtures/specs/spec-unknown-level.yaml', 'spec', ['/rows/0/needs/0 anyOf']],
] satisfies [string, string, string[]][])('%s', async ([file, kind, expected]) => {
  const { value } = await parseYaml(readFile(file), file);
  expect(departures(schemas[`${kind}.schema.json`] ?? false, value)).toEqual(expected);
});
