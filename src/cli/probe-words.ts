/** The words of `xenreach probe`: an endpoint, and options as KEY=VALUE, held against what the probe takes. */
import { hostFault, plainHost } from '../load/host.ts';
import { didYouMeanOf } from '../load/nearest.ts';
import { keysOf } from '../load/shape.ts';
import { parseHostPort } from '../model/address.ts';
import { UsageError } from '../model/errors.ts';
import { optionsOf, type Probe, type ProbeOptions, type Transport } from '../model/probe.ts';

/** 10.0.0.5, 10.0.0.5:123, [2001:db8::1]:123, 2001:db8::1, name, name:123 */
export function parseEndpoint(text: string): { host: string; port?: number } {
  const written = parseHostPort(plainHost(text));
  const [, host, digits] = written ? [] : (/^(.*):([^:\]]*)$/s.exec(text) ?? []);
  // A URL or a portal has a colon too, and is no host with a port.
  const isPair = written !== null || !/[/,\s]/.test(text);
  const fault = hostFault(isPair ? (written?.host ?? host ?? text) : text);
  if (fault !== null) throw new UsageError(`${text}: ${fault}`);
  if (!written) throw new UsageError(`${text}: "${digits}" is no port from 1 to 65535`);
  const { port } = written;
  return { host: plainHost(written.host), ...(port !== undefined && { port }) };
}

/** A probe that speaks both transports is told which one like any other option, though a spec says it by itself. */
export function transportFrom(
  found: Probe,
  pairs: readonly string[],
): { readonly transport: Transport; readonly pairs: readonly string[] } {
  if (found.transport !== 'either') return { transport: found.transport, pairs };
  const given = pairs.findLast((pair) => pair.startsWith('transport='))?.slice('transport='.length);
  if (given === undefined) return { transport: 'tcp', pairs };
  if (given !== 'tcp' && given !== 'udp') throw new UsageError(`--set transport=${given}: write tcp or udp`);
  return { transport: given, pairs: pairs.filter((pair) => !pair.startsWith('transport=')) };
}

/** KEY=VALUE is text; what the probe wants as a number, a truth value or a list is read as JSON. */
export async function optionsFrom(found: Probe, name: string, pairs: readonly string[]): Promise<ProbeOptions> {
  const texts = new Map<string, string>();
  const known = keysOf(found.options) ?? [];
  for (const pair of pairs) {
    const [, key, value] = /^([^=]+)=(.*)$/s.exec(pair) ?? [];
    if (key === undefined || value === undefined) throw new UsageError(`--set ${pair}: write --set KEY=VALUE`);
    if (!known.includes(key)) {
      const others = known.length === 0 ? '; it takes none' : didYouMeanOf(key, known);
      throw new UsageError(`the ${name} probe has no option "${key}"${others}`);
    }
    texts.set(key, value);
  }
  const given: Record<string, unknown> = Object.fromEntries(texts);
  const first = await found.options['~standard'].validate(given);
  for (const { path } of first.issues ?? []) {
    const segment = path?.[0];
    const key = typeof segment === 'object' ? segment.key : segment;
    const text = typeof key === 'string' ? texts.get(key) : undefined;
    if (typeof key === 'string' && text !== undefined) given[key] = jsonOrText(text);
  }
  const parsed = first.issues ? await found.options['~standard'].validate(given) : first;
  if (!parsed.issues) return optionsOf(parsed.value);
  const told = parsed.issues.map(({ path, message }) => {
    const segment = path?.[0];
    const key = typeof segment === 'object' ? segment.key : segment;
    return `--set ${String(key ?? '')}: ${message}`;
  });
  throw new UsageError(`the ${name} probe does not take that: ${told.join('; ')}`);
}

function jsonOrText(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
