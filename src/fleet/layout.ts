/**
 * What stands where on the bus: subjects, streams, buckets, and who may do what with them. Names of sites and agents are
 * words without a dot, so that none can be more than one token of a subject.
 */
import * as v from 'valibot';
import { isAddress, withoutBrackets } from '../model/address.ts';
import { UsageError } from '../model/errors.ts';
import { Id } from '../model/spec.ts';

export const reportStream = 'XR-REPORTS';
export const aliveStream = 'XR-ALIVE';
export const siteBucket = 'xr-sites';
export const defaultPort = 4222;

/** The first server with all that is used here. */
export const oldestServer = '2.9.4';

export const reportSubject = (site: string, agent: string): string => `xr.report.${site}.${agent}`;
export const aliveSubject = (site: string, agent: string): string => `xr.alive.${site}.${agent}`;
export const doSubject = (site: string, agent: string): string => `xr.do.${site}.${agent}`;

/** Where answers to one's own requests come in: everybody has a place that nobody else may read. */
export const inboxOf = {
  hub: '_INBOX.hub',
  operator: '_INBOX.operator',
  agent: (site: string, agent: string) => `_INBOX.agent.${site}.${agent}`,
} as const;

export interface Place {
  readonly site: string;
  readonly agent: string;
}

/** Whose subject it is; null where it is none of ours. The server lets nobody else write there. */
export function placeOf(subject: string): Place | null {
  const [root, kind, site = '', agent = '', ...rest] = subject.split('.');
  const isOurs = root === 'xr' && (kind === 'report' || kind === 'alive') && rest.length === 0;
  return isOurs && isWord(site) && isWord(agent) ? { site, agent } : null;
}

export const isWord = (text: string): boolean => v.is(Id, text);

export function requireWord(text: string, what: string): string {
  if (isWord(text)) return text;
  throw new UsageError(
    `${what} "${text}" is part of a subject on the bus: lower-case words joined by hyphens, like lon-pool-1`,
  );
}

export interface Rights {
  readonly publish: readonly string[];
  readonly subscribe: readonly string[];
}

/**
 * Its own reports, its own sign of life, its own site's revision, and answers: nothing else. It may make no consumer: whoever
 * makes one says where the server delivers, and that may be a subject of somebody else.
 */
export function agentRights({ site, agent }: Place): Rights {
  return {
    publish: [
      reportSubject(site, agent),
      aliveSubject(site, agent),
      `$JS.API.DIRECT.GET.KV_${siteBucket}.$KV.${siteBucket}.${site}`,
    ],
    subscribe: [`${inboxOf.agent(site, agent)}.>`, doSubject(site, agent)],
  };
}

/** It cannot write a revision, nor what an agent says. */
export const hubRights: Rights = {
  publish: ['$JS.API.>', '$JS.ACK.>', '$JS.FC.>', 'xr.do.>'],
  subscribe: [`${inboxOf.hub}.>`],
};

/** Makes the buckets, writes revisions, looks at everything, asks for rounds. */
export const operatorRights: Rights = {
  publish: ['$JS.API.>', '$JS.FC.>', `$KV.${siteBucket}.>`, 'xr.do.>'],
  subscribe: [`${inboxOf.operator}.>`],
};

/** "tls://NAME:PORT". A name it must be: of an address the client library would verify "localhost" instead. */
export function busUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url?.protocol !== 'tls:' || url.hostname === '' || url.username !== '' || !['', '/'].includes(url.pathname))
    throw new UsageError(`${text}: the bus has a URL like tls://hub.example.test:${defaultPort}`);
  if (isAddress(withoutBrackets(url.hostname)))
    throw new UsageError(
      `${text}: names an address, and the server's certificate could not be held against it; give the hub a name, in DNS or /etc/hosts, and use that`,
    );
  return `tls://${url.hostname}:${url.port || defaultPort}`;
}
