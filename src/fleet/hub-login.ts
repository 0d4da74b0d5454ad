/** Who the hub is, by the folder that it was given. */
import { readFile } from '../load/read-file.ts';
import type { Login } from './bus.ts';
import { readSeed } from './files.ts';
import { thisHub } from './init.ts';
import { keyOfSeed } from './keys.ts';
import { busUrl, inboxOf } from './layout.ts';
import { hubFolder, hubPlaces } from './roster.ts';

export interface HubLogin {
  readonly folder: string;
  readonly login: Login;
  /** Two hubs of one fleet each have all reports, by their machines' names. */
  readonly name: string;
}

/** `nats`: a server of one's own; else the one that the hub starts, which vouches for localhost too. */
export async function hubLogin(named: string | undefined, nats: string | undefined): Promise<HubLogin> {
  const folder = hubFolder(named);
  const place = hubPlaces(folder);
  const written = Buffer.from(readFile(place.url)).toString('utf8').trim();
  const key = await keyOfSeed(readSeed(place.hubKey), place.hubKey);
  const ca = Buffer.from(readFile(place.authority)).toString('utf8');
  const url = nats === undefined ? `tls://localhost:${new URL(busUrl(written)).port}` : busUrl(nats);
  return { folder, name: thisHub(), login: { url, ca, seed: key.seed, inbox: inboxOf.hub, name: 'hub' } };
}
