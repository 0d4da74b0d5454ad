/**
 * A pool asked over its own API: log in, follow a supporter to its coordinator once, read every class that a site may need,
 * log out. Read-only calls alone. Whatever fails leaves what was learned; the session is ended also when we are.
 */
import { hostFault } from '../load/host.ts';
import { bracketed } from '../model/address.ts';
import { NetError } from '../model/errors.ts';
import type { XapiClient, XapiEndpoint } from '../net/xapi-client.ts';
import type { Fault, Reply } from '../wire/jsonrpc.ts';
import { printable } from '../wire/text.ts';
import { has, isRead, recordsIn, text, type PoolRecords, type Records, type Unread } from './records.ts';

export interface Login {
  readonly endpoint: XapiEndpoint;
  readonly user: string;
  readonly password: string;
}

export interface XapiAsking {
  open(endpoint: XapiEndpoint): Promise<XapiClient>;
  readonly signal: AbortSignal;
  readonly wantsVms: boolean;
  /** What the pool complains of, where a check follows. */
  readonly wantsAlerts?: boolean;
}

export interface PoolReading {
  readonly records: PoolRecords;
  readonly timeServers: readonly string[] | undefined;
  /** Where the answers came from: the coordinator, if we were sent there. */
  readonly endpoint: XapiEndpoint;
  readonly told: readonly string[];
  readonly trouble: string | null;
}

const classes = [
  'pool',
  'host',
  'host_metrics',
  'PIF',
  'SR',
  'PBD',
  'Repository',
  'Certificate',
  'Cluster',
  'Cluster_host',
  'PVS_site',
  'PVS_server',
];
const classesOfVms = ['VM', 'VM_guest_metrics'];

/** Without these two there is no pool to speak of. */
const essential = ['pool', 'host'];
const logoutMs = 3000;

export async function readPool(login: Login, asking: XapiAsking): Promise<PoolReading> {
  const nothing = { records: {}, timeServers: undefined, told: [] };
  let entered: Entered | Refused;
  try {
    entered = await enter(login, asking);
  } catch (error) {
    return { ...nothing, endpoint: login.endpoint, trouble: troubleText(error, login.endpoint) };
  }
  if ('trouble' in entered) return { ...nothing, endpoint: entered.endpoint, trouble: entered.trouble };
  const { client, session, endpoint, told } = entered;
  try {
    const read = await readClasses(client, session, asking);
    const timeServers = await followedServers(client, session, read, asking.signal);
    return { records: read, timeServers, endpoint, told: [...told, ...unreadTold(read)], trouble: lackOf(read) };
  } finally {
    await leave(client, session);
  }
}

interface Entered {
  readonly client: XapiClient;
  readonly session: string;
  readonly endpoint: XapiEndpoint;
  readonly told: readonly string[];
}

interface Refused {
  readonly endpoint: XapiEndpoint;
  readonly trouble: string;
}

/** `followed`: the supporter that sent us here. Nobody is followed twice. */
async function enter(login: Login, asking: XapiAsking, followed?: string): Promise<Entered | Refused> {
  const { endpoint, user, password } = login;
  let client: XapiClient | undefined;
  let reply: Reply;
  try {
    client = await asking.open(endpoint);
    // The version is what clients have always said; the originator counts the sessions of one program.
    reply = await client.call('session.login_with_password', [user, password, '1.0', 'xenreach'], asking.signal);
  } catch (error) {
    await client?.close();
    if (followed === undefined) throw error;
    return { endpoint, trouble: `${followed} sends us to its coordinator; ${troubleText(error, endpoint)}` };
  }
  if (!reply.fault && typeof reply.result === 'string') {
    const told =
      followed === undefined ? [] : [`${followed} is a supporter; its coordinator ${whereOf(endpoint)} was asked`];
    return { client, session: reply.result, endpoint, told };
  }
  await client.close();
  const { fault } = reply;
  if (!fault)
    return { endpoint, trouble: `${whereOf(endpoint)} answered the login with no session; is it a XenServer host?` };
  if (fault.code !== 'HOST_IS_SLAVE' || endpoint.kind === 'socket')
    return { endpoint, trouble: refusalText(fault, endpoint) };
  const [coordinator = ''] = fault.parameters;
  if (followed !== undefined || hostFault(coordinator) !== null) {
    const shown = JSON.stringify(printable(coordinator, 64));
    const why = followed === undefined ? 'which is no host' : `and ${followed} sent us here: nobody is followed twice`;
    return {
      endpoint,
      trouble: `${whereOf(endpoint)} is a supporter and names ${shown} as coordinator, ${why}; give the coordinator itself with --xapi`,
    };
  }
  return enter({ ...login, endpoint: { ...endpoint, host: coordinator } }, asking, whereOf(endpoint));
}

async function readClasses(
  client: XapiClient,
  session: string,
  { signal, wantsVms, wantsAlerts = false }: XapiAsking,
): Promise<PoolRecords> {
  const wanted = [...classes, ...(wantsVms ? classesOfVms : []), ...(wantsAlerts ? ['message'] : [])];
  const read = await Promise.all(
    wanted.map(async (name): Promise<[string, Records | Unread]> => [
      name,
      await readClass(client, session, name, signal),
    ]),
  );
  return Object.fromEntries(read);
}

async function readClass(
  client: XapiClient,
  session: string,
  name: string,
  signal: AbortSignal,
): Promise<Records | Unread> {
  try {
    const reply = await client.call(`${name}.get_all_records`, [session], signal);
    if (reply.fault) return { why: faultText(reply.fault), isUnknown: isUnknownMethod(reply.fault) };
    return recordsIn(reply.result) ?? { why: 'the answer holds no records', isUnknown: false };
  } catch (error) {
    return { why: detailOf(error), isUnknown: false };
  }
}

const isUnknownMethod = ({ code }: Fault): boolean => /^MESSAGE_(?:METHOD_UNKNOWN|REMOVED|DEPRECATED)$/.test(code);

/** What chrony of the coordinator follows now, also where it was set up by DHCP or by default. */
async function followedServers(
  client: XapiClient,
  session: string,
  { pool, host }: PoolRecords,
  signal: AbortSignal,
): Promise<readonly string[] | undefined> {
  if (!isRead(pool) || !isRead(host)) return undefined;
  const coordinator = text(pool.values().next().value ?? {}, 'master');
  const fields = coordinator === undefined ? undefined : host.get(coordinator);
  if (coordinator === undefined || !fields || !has(fields, 'ntp_mode') || text(fields, 'ntp_mode') === 'Disabled')
    return undefined;
  try {
    const reply = await client.call('host.get_ntp_servers_status', [session, coordinator], signal);
    if (reply.fault || typeof reply.result !== 'object' || reply.result === null) return undefined;
    return Object.keys(reply.result).slice(0, 64);
  } catch {
    return undefined;
  }
}

/** Whatever ended us: the host counts sessions, and keeps one for a day. */
async function leave(client: XapiClient, session: string): Promise<void> {
  try {
    await client.call('session.logout', [session], AbortSignal.timeout(logoutMs));
  } catch {
    // It is gone, and so is the connection: nobody is left to be told.
  } finally {
    await client.close();
  }
}

function unreadTold(records: PoolRecords): string[] {
  const unread = Object.entries(records).flatMap(([name, value]) => (isRead(value) ? [] : [{ name, ...value }]));
  const unknown = unread.filter(({ isUnknown }) => isUnknown).map(({ name }) => name);
  return [
    ...(unknown.length > 0
      ? [`this pool does not know ${unknown.join(', ')} (an older product): nothing is learned of it`]
      : []),
    ...unread.filter(({ isUnknown }) => !isUnknown).map(({ name, why }) => `${name} could not be read: ${why}`),
  ];
}

function lackOf(records: PoolRecords): string | null {
  const unread = Object.values(records).filter((value) => !isRead(value) && !value.isUnknown).length;
  const missing = essential.filter((name) => !isRead(records[name]));
  if (missing.length > 0)
    return `the pool did not give its ${missing.join(' and ')} records; a user with the read-only role is enough`;
  return unread > 0 ? `${unread} classes of the pool could not be read` : null;
}

export const whereOf = (endpoint: XapiEndpoint): string =>
  endpoint.kind === 'socket'
    ? endpoint.path
    : `https://${bracketed(endpoint.host)}${endpoint.port === 443 ? '' : `:${endpoint.port}`}`;

const faultTexts: Readonly<Record<string, string>> = {
  SESSION_AUTHENTICATION_FAILED: 'the user name or the password is wrong',
  SESSION_INVALID: 'the session was ended by the host',
  RBAC_PERMISSION_DENIED: 'this user may not read it; the read-only role is enough',
  HOST_IS_SLAVE: 'the host is a supporter that cannot reach its coordinator: emergency mode?',
  HOST_STILL_BOOTING: 'the host is still starting',
  HOST_OFFLINE: 'the coordinator is not reachable from the host',
  MESSAGE_METHOD_UNKNOWN: 'the host does not know the call',
};

function refusalText(fault: Fault, endpoint: XapiEndpoint): string {
  const hint =
    fault.code === 'SESSION_AUTHENTICATION_FAILED'
      ? '; check --xapi-user and XENREACH_XAPI_PASSWORD (without Active Directory root is the only user)'
      : '';
  return `${whereOf(endpoint)} refuses the login: ${faultText(fault)}${hint}`;
}

/** Its parameters may hold anything, what we sent too: they are never shown. */
function faultText({ code }: Fault): string {
  const known = Object.hasOwn(faultTexts, code) ? faultTexts[code] : undefined;
  if (known !== undefined) return `${known} (${code})`;
  return /^[A-Z][A-Z0-9_]{2,60}$/.test(code) ? `the API says ${code}` : 'the API says no';
}

const detailOf = (error: unknown): string =>
  error instanceof NetError ? error.failure.detail : error instanceof Error ? error.message : String(error);

function troubleText(error: unknown, endpoint: XapiEndpoint): string {
  if (!(error instanceof NetError)) throw error;
  const { detail, remedy, outcome } = error.failure;
  const isCertificate = outcome === 'untrusted';
  const what = isCertificate ? detail : `${whereOf(endpoint)} could not be asked: ${detail}`;
  const isMarkup = detail.startsWith('markup came');
  return `${what}${isMarkup ? ' (a web page, or a host that is too old for JSON-RPC)' : ''}${remedy === undefined ? '' : `. ${remedy}`}`;
}
