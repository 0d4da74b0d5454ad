/** A new fleet: keys, an authority of its own, the server's certificate and config. And who joins it or leaves. */
import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { hostname } from 'node:os';
import { inDays, makeAuthority } from '../lab/certificate.ts';
import { UsageError } from '../model/errors.ts';
import { agentFile } from './agent-file.ts';
import { writeFileWhole } from './files.ts';
import { newKey } from './keys.ts';
import { busUrl, defaultPort, isWord } from './layout.ts';
import { places, readRoster, writeRoster, type Roster, type RosterAgent } from './roster.ts';
import { jetstreamConfig, serverConfig } from './server-config.ts';
import { agentUnit, hubUnit } from './units.ts';
import { readFile } from '../load/read-file.ts';

/** The authority's key is thrown away, so nobody can make another certificate by it; this one lasts. */
const certificateDays = 3650;

/** `hub`: NAME or NAME:PORT, as agents reach it. */
export async function initFleet(folder: string, hub: string): Promise<Roster> {
  if (existsSync(folder) && readdirSync(folder).length > 0)
    throw new UsageError(`${folder}: is not empty; a fleet begins in a folder of its own`);
  const url = busUrl(`tls://${/:\d+$/.test(hub) ? hub : `${hub}:${defaultPort}`}`);
  const name = new URL(url).hostname;
  const [hubKey, operator] = [await newKey(), await newKey()];
  const place = places(folder);
  mkdirSync(place.hub, { recursive: true, mode: 0o700 });
  const authority = makeAuthority(`xenreach fleet of ${name}`, 'xenreach');
  // The hub itself asks the server that it started by the name localhost.
  const names = [...new Set([name, 'localhost'])];
  const leaf = { commonName: name, names, validFrom: inDays(-1), validTo: inDays(certificateDays) };
  const { cert, key } = authority.issue(leaf);
  writeFileWhole(place.authority, authority.certificate, 0o644);
  writeFileWhole(place.certificate, cert, 0o644);
  writeFileWhole(place.certificateKey, key, 0o600);
  writeFileWhole(place.hubKey, `${hubKey.seed}\n`, 0o600);
  writeFileWhole(place.operatorKey, `${operator.seed}\n`, 0o600);
  writeFileWhole(place.url, `${url}\n`, 0o644);
  writeFileWhole(place.jetstream, jetstreamConfig(null), 0o644);
  writeFileWhole(place.hubUnit, hubUnit, 0o644);
  writeFileWhole(place.agentUnit, agentUnit, 0o644);
  const word = name.replaceAll('.', '-');
  const roster: Roster = {
    url,
    hub: { name: isWord(word) ? word : 'hub', key: hubKey.name },
    operator: operator.name,
    agents: [],
    numbers: {},
  };
  save(folder, roster);
  return roster;
}

export interface Joining {
  readonly site: string;
  readonly agent: string;
  readonly roles: readonly string[];
  readonly reach: readonly string[];
}

/** One line that makes the agent's files, for a shell of root there. It holds the agent's key. */
export async function addAgent(folder: string, { site, agent, roles, reach }: Joining): Promise<string> {
  const roster = readRoster(folder);
  if (roster.agents.some((each) => each.site === site && each.agent === agent))
    throw new UsageError(`${site} has an agent ${agent} already; xenreach fleet remove ${site} ${agent} first`);
  const key = await newKey();
  const authority = Buffer.from(readFile(places(folder).authority)).toString('utf8');
  const entry: RosterAgent = { site, agent, roles: [...roles], key: key.name };
  save(folder, { ...roster, agents: [...roster.agents, entry] });
  const file = agentFile({ bus: roster.url, site, agent, roles, operators: [roster.operator], reach, authority });
  return pasteLine(file, key.seed);
}

export function removeAgent(folder: string, site: string, agent: string): void {
  const roster = readRoster(folder);
  const left = roster.agents.filter((each) => each.site !== site || each.agent !== agent);
  if (left.length === roster.agents.length) {
    const known = roster.agents.map((each) => `${each.site} ${each.agent}`).join(', ');
    throw new UsageError(`${site} has no agent ${agent}; there are ${known || 'none'}`);
  }
  save(folder, { ...roster, agents: left });
}

/** The server reads its config anew when the hub sees that it changed. */
function save(folder: string, roster: Roster): void {
  writeRoster(folder, roster);
  writeFileWhole(places(folder).config, serverConfig(roster), 0o600);
}

/** printf is of the shell itself: the key is in no argument of a process. */
function pasteLine(file: string, seed: string): string {
  const put = (text: string, name: string): string =>
    `printf %s ${Buffer.from(text).toString('base64')} | base64 -d > "$d/${name}"`;
  return `(umask 077; d=/etc/xenreach; mkdir -p "$d" && ${put(file, 'agent.yaml')} && ${put(`${seed}\n`, 'agent.key')})`;
}

export const thisHub = (): string => {
  const word = hostname()
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-|-$/g, '');
  return isWord(word) ? word : 'hub';
};
