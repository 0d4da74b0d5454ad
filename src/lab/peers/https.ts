/** Web servers over TLS: the vendor's domains, and the Workload Balancing appliance. */
import type { ChooseCredentials, Credentials } from '../../net/tls-server.ts';
import type { TcpPeer } from '../caller.ts';
import { overTls } from '../tls.ts';
import { httpServer, type HttpResponse } from './http.ts';

const documents = new Map<string, string>([
  ['/xs8/base/repodata/repomd.xml', '<?xml version="1.0"?><repomd xmlns="http://linux.duke.edu/metadata/repo"/>'],
  ['/xenserver/updates.xml', '<?xml version="1.0"?><patchdata><serverversions/></patchdata>'],
  ['/updates.latest.tsv', 'ProductName\tVersion\tURL\n'],
]);

const wlbService = '/Citrix.Dwm.WorkloadBalance/Service';

/** Documents where clients look for them; everything else is forbidden, as the vendor's CDN does it. */
export function vendorWeb(choose: ChooseCredentials): TcpPeer {
  return overTls(
    choose,
    httpServer(({ target }) => page(target)),
  );
}

/** A SOAP service that asks for credentials before anything else. */
export function wlbAppliance(credentials: Credentials): TcpPeer {
  const web = httpServer(({ target }) =>
    target.startsWith(wlbService)
      ? { status: 401, headers: { 'WWW-Authenticate': 'Basic realm="Workload Balancing"' } }
      : { status: 404 },
  );
  return overTls(() => credentials, web);
}

function page(target: string): HttpResponse {
  const document = documents.get(target);
  if (document === undefined) return { status: 403, body: '<html><body>Access denied</body></html>' };
  return { status: 200, headers: { 'Content-Type': 'text/plain' }, body: document };
}
