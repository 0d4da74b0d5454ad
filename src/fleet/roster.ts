/** The folder of a fleet, on the machine of whoever runs it: who belongs to it, and the operator's key. */
import { existsSync, mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import * as v from 'valibot';
import { shapeFaults } from '../load/shape.ts';
import { throwIfAny } from '../load/faults.ts';
import { readFile } from '../load/read-file.ts';
import { parseJson, pointerTo } from '../load/report.ts';
import { UsageError } from '../model/errors.ts';
import { Id, Text } from '../model/spec.ts';
import { writeFileWhole } from './files.ts';

const AgentShape = v.strictObject({ site: Id, agent: Id, roles: v.pipe(v.array(Id), v.nonEmpty()), key: Text });
export type RosterAgent = v.InferOutput<typeof AgentShape>;

const RosterShape = v.strictObject({
  /** Where agents find the bus. */
  url: Text,
  hub: v.strictObject({ name: Id, key: Text }),
  /** Whose revisions agents take. */
  operator: Text,
  agents: v.array(AgentShape),
  /** By site, of the revision that was signed last. */
  numbers: v.record(Id, v.pipe(v.number(), v.integer(), v.minValue(0))),
});
export type Roster = v.InferOutput<typeof RosterShape>;

/** What lies where in it. `hub` is all that the hub's machine needs, and the operator's key is not in it. */
export const places = (folder: string) =>
  ({
    roster: join(folder, 'fleet.json'),
    operatorKey: join(folder, 'operator.key'),
    agentUnit: join(folder, 'xenreach-agent.service'),
    hub: join(folder, 'hub'),
    ...hubPlaces(join(folder, 'hub')),
  }) as const;

export const hubPlaces = (folder: string) =>
  ({
    config: join(folder, 'nats.conf'),
    jetstream: join(folder, 'jetstream.conf'),
    hubKey: join(folder, 'hub.key'),
    url: join(folder, 'bus.url'),
    authority: join(folder, 'ca.pem'),
    certificate: join(folder, 'server.pem'),
    certificateKey: join(folder, 'server.key'),
    hubUnit: join(folder, 'xenreach-hub.service'),
    data: join(folder, 'data'),
  }) as const;

const usualFolder = '/etc/xenreach/fleet';

/** The one that is named, else this folder where it is one, else the usual one. */
export function fleetFolder(named: string | undefined): string {
  const folder = named ?? (existsSync(places('.').roster) ? '.' : usualFolder);
  if (existsSync(places(folder).roster)) return resolve(folder);
  throw new UsageError(
    `${folder}: is no fleet's folder; xenreach fleet init ${named ?? 'DIR'} --hub NAME makes one, and --fleet DIR names it`,
  );
}

/** The hub's machine has a copy of the inner folder; the operator's has it within the fleet's. */
export function hubFolder(named: string | undefined): string {
  const candidates =
    named === undefined ? ['.', './hub', '/etc/xenreach/hub', `${usualFolder}/hub`] : [named, join(named, 'hub')];
  const found = candidates.find((folder) => existsSync(hubPlaces(folder).hubKey));
  if (found !== undefined) return resolve(found);
  throw new UsageError(
    `${named ?? candidates.join(', ')}: has no hub.key; copy the folder "hub" that xenreach fleet init made, and name it: --fleet DIR`,
  );
}

export function readRoster(folder: string): Roster {
  const file = places(folder).roster;
  const value = parseJson(readFile(file), file);
  throwIfAny(shapeFaults(RosterShape, value), { file, positionOf: pointerTo });
  return v.parse(RosterShape, value);
}

export function writeRoster(folder: string, roster: Roster): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  writeFileWhole(places(folder).roster, `${JSON.stringify(roster, null, 2)}\n`, 0o600);
}
