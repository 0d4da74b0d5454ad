/** The site file that was named or stands in its usual place, and the spec it wants. */
import { existsSync } from 'node:fs';
import { probes } from '../check/registry.ts';
import { namedFiles } from '../check/settings.ts';
import { whyNotOurs } from '../load/ownership.ts';
import { maxFileBytes, readFile } from '../load/read-file.ts';
import { isPath, readSite, siteOf } from '../load/site.ts';
import { defaultSpec } from '../load/default-spec.ts';
import { loadNamedSpec, loadSpec } from '../load/spec.ts';
import { UsageError } from '../model/errors.ts';
import type { LoadedSpec } from '../model/spec.ts';
import type { Loaded } from './inputs.ts';
import type { Arguments } from './options.ts';
import { wishesFrom } from './wishes.ts';

const defaultSites = ['site.yaml', '/etc/xenreach/site.yaml'];

export async function load(values: Arguments): Promise<Loaded & { readonly spec: LoadedSpec }> {
  const file = values.site ?? defaultSite();
  const name = file === '-' ? '<stdin>' : file;
  // Once: it may be a pipe.
  const source = file === '-' ? await standardInput() : readFile(file);
  const document = await readSite(source, name);
  const isFile = values.spec === undefined && document.spec !== null && isPath(document.spec);
  const wanted = values.spec ?? document.spec ?? defaultSpec;
  const spec = isFile
    ? await loadNamedSpec(wanted, probes, namedFiles(wishesFrom(values), document))
    : await loadSpec(wanted, probes);
  return { spec, site: siteOf(document, spec), siteFile: file, specFile: isPath(wanted) ? wanted : null };
}

function defaultSite(): string {
  const found = defaultSites.find((file) => existsSync(file));
  if (found !== undefined) {
    const why = whyNotOurs(found);
    if (why === null) return found;
    throw new UsageError(
      `${found} is not taken by itself: ${why}, and a site says what is sent, and to whom. Read it, then name it: --site ${found}`,
    );
  }
  throw new UsageError(
    `no site file: neither ${defaultSites.join(' nor ')} is there. Name one with --site FILE (the README shows one), or try xenreach demo`,
  );
}

async function standardInput(): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of process.stdin) {
    // Without an encoding a stream gives buffers; its type says `any`.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    const bytes = chunk as Buffer;
    length += bytes.length;
    if (length > maxFileBytes) throw new UsageError('<stdin>: a site file of more than 4 MiB');
    chunks.push(bytes);
  }
  return Buffer.concat(chunks);
}
