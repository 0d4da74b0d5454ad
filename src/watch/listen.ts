/** ADDRESS:PORT, as `listen:` has it. */
import { isAddress, withoutBrackets } from '../model/address.ts';

export interface Place {
  readonly host: string;
  readonly port: number;
}

export function splitListen(text: string): Place {
  const at = text.lastIndexOf(':');
  return { host: withoutBrackets(text.slice(0, at)), port: Number(text.slice(at + 1)) };
}

/** Nobody but this machine gets there. */
export const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '::1' || (isAddress(host) && host.startsWith('127.'));
