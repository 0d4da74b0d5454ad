/** A pool as a source of findings: asked over its API, mapped, and nothing kept of the login. */
import type { Self } from './pool/view.ts';
import { poolFindings } from './pool/pool.ts';
import type { Source } from './finding.ts';
import { veiledSource } from './veil-source.ts';
import { readPool, whereOf, type Login, type XapiAsking } from './xapi.ts';

export async function xapiSource(login: Login, self: Self, asking: XapiAsking): Promise<Source> {
  const reading = await readPool(login, asking);
  const findings = poolFindings({
    records: reading.records,
    self,
    timeServers: reading.timeServers,
    wantsVms: asking.wantsVms,
    isLocal: login.endpoint.kind === 'socket',
    nowMs: Date.now(),
  });
  const source: Source = {
    name: `XAPI at ${whereOf(reading.endpoint)}`,
    findings: Object.keys(reading.records).length === 0 ? [] : findings,
    told: reading.told,
    trouble: reading.trouble,
  };
  // Over the socket any word is taken for a password: nothing is secret there.
  if (login.endpoint.kind === 'socket') return source;
  return veiledSource(source, { username: login.user, password: login.password });
}
