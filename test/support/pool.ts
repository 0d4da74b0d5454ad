/** A pool without sockets: the API of the lab behind the client that discovery uses. */
import { productOf } from '../../src/discover/discover.ts';
import { draftOf, type Draft } from '../../src/discover/draft.ts';
import type { Source } from '../../src/discover/finding.ts';
import { xapiSource } from '../../src/discover/xapi-source.ts';
import { specFor } from '../../src/load/product.ts';
import type { LoadedSpec } from '../../src/model/spec.ts';
import type { Login } from '../../src/discover/xapi.ts';
import { Api, type ApiOptions } from '../../src/lab/xapi/api.ts';
import type { XapiClient } from '../../src/net/xapi-client.ts';
import { probes, xenserver8 } from './sites.ts';

const socket: Login = { endpoint: { kind: 'socket', path: '/var/lib/xcp/xapi' }, user: 'root', password: '' };

export const remote = (host: string, password = 'secret'): Login => ({
  endpoint: { kind: 'tls', host, port: 443, fingerprints: [], trust: [] },
  user: 'root',
  password,
});

export function clientOf(api: Api): XapiClient {
  return {
    call: async (method, params) => {
      const answer = api.call(method, params);
      if ('value' in answer) return { result: answer.value };
      const [code, ...parameters] = answer.fault;
      return { fault: { code, parameters } };
    },
    close: async () => undefined,
  };
}

export interface Asked {
  readonly api: Api;
  readonly source: Source;
  readonly draft: Draft;
  /** The one for the pool's product. */
  readonly spec: LoadedSpec;
}

export async function askPool(options: ApiOptions, login = socket, wantsVms = false): Promise<Asked> {
  const api = new Api(options);
  const { signal } = new AbortController();
  const self = { uuid: undefined, addresses: [] };
  const source = await xapiSource(login, self, { open: async () => clientOf(api), signal, wantsVms });
  const product = productOf([source]);
  const spec = (product && (await specFor(product, probes))) ?? xenserver8;
  return { api, source, draft: draftOf([source], spec), spec };
}
