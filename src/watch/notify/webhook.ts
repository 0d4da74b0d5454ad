/**
 * A webhook: the event as JSON, signed as Standard Webhooks 1.0 has it, so that any of its libraries can verify it.
 * https://www.standardwebhooks.com: HMAC-SHA-256 over "ID.TIMESTAMP.BODY", base64, behind "v1,".
 */
import { createHmac } from 'node:crypto';
import { post } from '../../net/post.ts';
import type { Event } from '../event.ts';

export interface SignedHeaders {
  readonly 'webhook-id': string;
  readonly 'webhook-timestamp': string;
  readonly 'webhook-signature': string;
}

/** A secret that begins with "whsec_" is base64 behind that; any other is taken as it is. */
export const keyOf = (secret: string): Buffer =>
  secret.startsWith('whsec_') ? Buffer.from(secret.slice('whsec_'.length), 'base64') : Buffer.from(secret);

export function sign(id: string, seconds: number, body: string, secret: string): SignedHeaders {
  const signature = createHmac('sha256', keyOf(secret)).update(`${id}.${seconds}.${body}`).digest('base64');
  return { 'webhook-id': id, 'webhook-timestamp': String(seconds), 'webhook-signature': `v1,${signature}` };
}

/** The id stays the same when it is sent again: a receiver knows it by that. */
export async function sendWebhook(
  url: string,
  secret: string,
  event: Event,
  at: number,
  timeoutMs: number,
): Promise<void> {
  const body = JSON.stringify(event);
  const { status } = await post(url, body, { ...sign(event.id, Math.floor(at / 1000), body, secret) }, timeoutMs);
  if (status < 200 || status > 299) throw new Error(`it answers with status ${status}`);
}
