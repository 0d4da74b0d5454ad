/** A pool may repeat the password that it was given, in a name or an error: what goes on from here holds it nowhere. */
import { veilOf } from '../net/veil.ts';
import type { Finding, Source } from './finding.ts';

export function veiledSource(source: Source, login: { readonly username: string; readonly password: string }): Source {
  const veil = veilOf(login);
  const clean = (text: string): boolean => veil(text) === text;
  const veiled = (finding: Finding): Finding[] => {
    const isValue = (key: string): boolean => ['host', 'domain', 'url', 'username', 'role', 'fact'].includes(key);
    const entries = Object.entries(finding);
    if (entries.some(([key, value]) => isValue(key) && typeof value === 'string' && !clean(value))) return [];
    const texts = entries.map(([key, value]) => [
      key,
      typeof value === 'string' && !isValue(key) && key !== 'kind' ? veil(value) : value,
    ]);
    // The same keys with the same kinds of values.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    return [Object.fromEntries(texts) as Finding];
  };
  return {
    name: source.name,
    findings: source.findings.flatMap(veiled),
    told: source.told.map(veil),
    trouble: source.trouble === null ? null : veil(source.trouble),
  };
}
