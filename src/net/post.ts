/** One HTTP POST to whoever wants to be told: bounded in time and in what is read, no redirect followed. */
import { isAddress, withoutBrackets } from '../model/address.ts';
import { codeOf } from './failure.ts';
import { lookupBy } from './lookup.ts';
import { NameResolver } from './resolver.ts';

export interface Posted {
  readonly status: number;
  /** The first of it, for an error message. */
  readonly text: string;
}

/** Nobody answers a notice with more than a line. */
const maxTextBytes = 4096;

/** Rejects with an Error whose message says what happened. */
export async function post(
  url: string,
  body: string,
  headers: Readonly<Record<string, string>>,
  timeoutMs: number,
): Promise<Posted> {
  const undici = await import('undici');
  const { hostname } = new URL(url);
  const resolver = new NameResolver({ family: 'any', timeoutMs: Math.floor(timeoutMs / 3), tries: 2 });
  const agent = new undici.Agent({
    connections: 1,
    allowH2: false,
    connect: {
      timeout: timeoutMs,
      ...(!isAddress(withoutBrackets(hostname)) && { lookup: lookupBy(resolver) }),
    },
  });
  const timeout = AbortSignal.timeout(timeoutMs);
  try {
    const answer = await undici.request(url, {
      method: 'POST',
      dispatcher: agent,
      headers: { 'content-type': 'application/json', 'user-agent': 'xenreach', ...headers },
      body,
      signal: timeout,
    });
    return { status: answer.statusCode, text: await beginningOf(answer.body) };
  } catch (error) {
    throw new Error(timeout.aborted ? `no answer in ${timeoutMs / 1000} s` : troubleOf(error), { cause: error });
  } finally {
    resolver.cancel();
    await agent.destroy();
  }
}

async function beginningOf(body: AsyncIterable<unknown>): Promise<string> {
  let text = '';
  for await (const chunk of body) {
    text += String(chunk);
    if (text.length > maxTextBytes) break;
  }
  return text.slice(0, maxTextBytes);
}

function troubleOf(error: unknown): string {
  const code = codeOf(error);
  const text = error instanceof Error ? error.message : String(error);
  return code === undefined || text.includes(code) ? text : `${code}: ${text}`;
}
