/**
 * The site of this machine where nobody wrote one: its files, the pool by the host's own socket, and what the resolvers know.
 * Nobody is logged in to, and no other host is asked.
 */
import { existsSync } from 'node:fs';
import { parseSite } from '../load/site.ts';
import { UsageError } from '../model/errors.ts';
import type { LoadedSpec } from '../model/spec.ts';
import type { Site, Vantage } from '../model/site.ts';
import { discover, type SpecChoice } from './discover.ts';
import { isEmpty, rolesText, type Draft } from './draft.ts';
import { readInventory } from '../load/inventory.ts';
import { usualSocket } from './xapi-endpoint.ts';
import { writeYaml } from './write.ts';

export interface Here {
  readonly vantage: Vantage;
  /** False: nothing is sent, not even to the resolvers; the socket is no network. */
  readonly asksDns: boolean;
  readonly signal: AbortSignal;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly root?: string;
  readonly socket?: string;
}

export interface FoundHere {
  readonly site: Site;
  readonly spec: LoadedSpec;
  /** One line for a person: what is used, and where it came from. */
  readonly told: string;
  /** What could not be learned. */
  readonly trouble: readonly string[];
}

/** Null where there is nothing to go by. */
export async function siteOfThisMachine(here: Here, choice: SpecChoice): Promise<FoundHere | null> {
  const { root = '/', socket = usualSocket, vantage, signal, asksDns, environment } = here;
  const isHost = existsSync(socket);
  const { draft, sources, spec } = await discover(
    {
      login: isHost ? { endpoint: { kind: 'socket', path: socket }, user: 'root', password: '' } : null,
      root,
      environment,
      self: { uuid: readInventory(root), addresses: vantage.addresses },
      wantsVms: false,
      wantsAlerts: true,
      asksDns,
      signal,
    },
    choice,
  );
  if (isEmpty(draft)) return null;
  const { folder: _, ...site } = await parseSite(writeYaml(draft, spec), 'this machine', spec);
  return {
    spec,
    site: { ...site, name: draft.name?.value ?? vantage.hostname, origin: 'discovered', alerts: draft.alerts },
    told: `no site file: using what ${draft.sources.join(' and ')} know${heldAgainst(draft)}: ${rolesText(draft)}; xenreach discover writes it down`,
    trouble: sources.flatMap(({ told, trouble }) => told.concat(trouble ?? [])),
  };
}

/** Which table, where the pool itself decided. */
const heldAgainst = ({ product, spec }: Draft): string =>
  product && spec !== undefined ? ` of ${product.value} (spec ${spec})` : '';

export const nothingHere = (places: readonly string[]): UsageError =>
  new UsageError(
    `no site file: neither ${places.join(' nor ')} is there, and this machine's files name no server to check. Name one with --site FILE (the README shows one), ask a pool with xenreach discover --xapi https://HOST, or try xenreach demo`,
  );
