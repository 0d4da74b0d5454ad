/** Who may see the pages and who may post: names and passwords, tokens, and what browsers tell of where a request comes from. */
import { createHash, timingSafeEqual } from 'node:crypto';
import { isAddress, withoutBrackets } from '../model/address.ts';
import type { InboxToken, WatchConfig } from './load-config.ts';
import { isLoopback, splitListen } from './listen.ts';

/** Of any two texts, in the same time. */
export function isSameSecret(one: string, other: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(one), digest(other));
}

/** Basic authentication, RFC 7617. */
export function isAuthorized(header: string | undefined, auth: NonNullable<WatchConfig['auth']>): boolean {
  const [, encoded] = /^Basic +([A-Za-z0-9+/=]+)$/i.exec(header ?? '') ?? [];
  if (encoded === undefined) return false;
  const text = Buffer.from(encoded, 'base64').toString('utf8');
  const at = text.indexOf(':');
  const isUser = isSameSecret(text.slice(0, at), auth.username);
  return isSameSecret(text.slice(at + 1), auth.password) && isUser && at >= 0;
}

/** The site of the bearer token; null where it is nobody's. Every token is looked at, whichever fits. */
export function siteOfToken(header: string | undefined, tokens: readonly InboxToken[]): string | null {
  const [, given] = /^Bearer +([A-Za-z0-9._~+/=-]+)$/i.exec(header ?? '') ?? [];
  if (given === undefined) return null;
  let site: string | null = null;
  for (const each of tokens) if (isSameSecret(each.token, given)) site ??= each.site;
  return site;
}

/** A page elsewhere may lead a browser to loopback under a name of its own: only names of this machine are answered there. */
export function isKnownHost(header: string | undefined, config: WatchConfig): boolean {
  const { host } = splitListen(config.file.listen);
  if (!isLoopback(host) || config.file.behindProxy || config.auth !== null) return true;
  const name = withoutBrackets((header ?? '').replace(/:\d+$/, '')).toLowerCase();
  return (
    name === 'localhost' ||
    isAddress(name) ||
    (config.file.url !== undefined && new URL(config.file.url).hostname === name)
  );
}

/** A form of our own page, or a program that is no browser. */
export const isOwnPage = (secFetchSite: string | undefined): boolean =>
  secFetchSite === undefined || secFetchSite === 'same-origin' || secFetchSite === 'none';
