/** The JSON Schemas of sites, specs and reports, for editors and scripts: made from the very definitions that are checked by. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { toJsonSchema, type JsonSchema } from '@valibot/to-json-schema';
import { AgentFile } from '../../src/fleet/agent-file.ts';
import { HeartbeatShape } from '../../src/fleet/heartbeat.ts';
import { RevisionShape } from '../../src/fleet/revision.ts';
import { PairShape, ReceiptsShape } from '../../src/model/pair.ts';
import { ReportShape } from '../../src/model/report.ts';
import { SiteFile } from '../../src/model/site.ts';
import { SpecChanges, WholeSpec } from '../../src/model/spec.ts';
import { WatchFile } from '../../src/watch/config.ts';
import { EventShape } from '../../src/watch/event.ts';

/** What is written is checked, not what comes out: keys with a default may be left out. */
const options = { typeMode: 'input', target: 'draft-2020-12' } as const;

/** By the name of their file. */
export const schemas: Readonly<Record<string, JsonSchema>> = {
  'site.schema.json': { title: 'xenreach site', ...toJsonSchema(SiteFile, options) },
  'pair.schema.json': { title: 'xenreach pair', ...toJsonSchema(PairShape, options) },
  'receipts.schema.json': { title: 'xenreach receipts', ...toJsonSchema(ReceiptsShape, options) },
  'report.schema.json': { title: 'xenreach report', ...toJsonSchema(ReportShape, options) },
  'spec.schema.json': { title: 'xenreach spec', ...toJsonSchema(WholeSpec, options) },
  'spec-changes.schema.json': { title: 'xenreach spec that extends another', ...toJsonSchema(SpecChanges, options) },
  // A duration is text here; that it is one is not for a schema to say.
  'watch.schema.json': {
    title: 'xenreach watch',
    ...toJsonSchema(WatchFile, { ...options, ignoreActions: ['transform', 'check'] }),
  },
  'event.schema.json': { title: 'xenreach event', ...toJsonSchema(EventShape, options) },
  'agent.schema.json': { title: 'xenreach agent', ...toJsonSchema(AgentFile, options) },
  'heartbeat.schema.json': { title: 'xenreach heartbeat', ...toJsonSchema(HeartbeatShape, options) },
  'site-revision.schema.json': { title: 'xenreach site revision', ...toJsonSchema(RevisionShape, options) },
};

if (import.meta.main) {
  const folder = join(import.meta.dirname, '../../schema');
  mkdirSync(folder, { recursive: true });
  for (const [name, schema] of Object.entries(schemas)) {
    writeFileSync(join(folder, name), `${JSON.stringify(schema, null, 2)}\n`);
  }
}
