/**
 * The API of a pool, as far as clients read it: sessions, `get_all`, `get_all_records`, `get_record` and `get_FIELD` of every
 * class in a file of records, and the faults of the real one. Nothing can be changed through it.
 */
import { randomUUID } from 'node:crypto';

/** By class and reference, in the encoding of JSON-RPC. */
export type ApiRecords = Readonly<Record<string, Readonly<Record<string, Readonly<Record<string, unknown>>>>>>;

export interface ApiOptions {
  readonly records: ApiRecords;
  /** Who may log in; without it whoever comes is the local root, as on the host's own socket. */
  readonly password?: string;
  /** This host is a supporter; its coordinator. */
  readonly coordinator?: string;
  /** Classes that this user may not read. */
  readonly forbidden?: readonly string[];
  /** Sessions end after so many calls. */
  readonly callsPerSession?: number;
  /** The coordinator cannot be reached. */
  readonly isInEmergency?: boolean;
}

export type Answer = { readonly value: unknown } | { readonly fault: readonly [string, ...string[]] };

export class Api {
  readonly #options: ApiOptions;
  readonly #sessions = new Map<string, number>();
  /** Every call, without its parameters. */
  readonly calls: string[] = [];

  constructor(options: ApiOptions) {
    this.#options = options;
  }

  /** Sessions that nobody has ended. */
  get openSessions(): number {
    return this.#sessions.size;
  }

  call(method: string, params: readonly unknown[]): Answer {
    this.calls.push(method);
    if (method.split(':')[0] === 'system.isAlive') return { value: params[0] ?? '' };
    if (method === 'system.listMethods') return { value: this.#methods() };
    if (method.startsWith('session.')) {
      const answer = this.#session(method, params);
      if (answer) return answer;
    }
    const refused = this.#refusal(textOf(params[0]));
    if (refused) return refused;
    const [name = '', verb = ''] = method.split('.');
    return this.#read({ method, name, verb, params: params.slice(1) });
  }

  #methods(): string[] {
    const reading = ['get_all', 'get_all_records', 'get_record'];
    return Object.keys(this.#options.records).flatMap((name) => reading.map((verb) => `${name}.${verb}`));
  }

  #session(method: string, params: readonly unknown[]): Answer | undefined {
    const { password, coordinator, isInEmergency } = this.#options;
    if (method === 'session.login_with_password' || method === 'session.slave_local_login_with_password') {
      if (isInEmergency === true && method === 'session.login_with_password')
        return { fault: ['HOST_OFFLINE', 'OpaqueRef:NULL'] };
      if (coordinator !== undefined) return { fault: ['HOST_IS_SLAVE', coordinator] };
      if (password !== undefined && params[1] !== password) {
        return { fault: ['SESSION_AUTHENTICATION_FAILED', textOf(params[0]), 'Authentication failure'] };
      }
      const session = `OpaqueRef:${randomUUID()}`;
      this.#sessions.set(session, 0);
      return { value: session };
    }
    if (method === 'session.logout') {
      const session = textOf(params[0]);
      if (!this.#sessions.delete(session)) return { fault: ['SESSION_INVALID', session] };
      return { value: '' };
    }
    return undefined;
  }

  #refusal(session: string): Answer | undefined {
    const calls = this.#sessions.get(session);
    if (calls === undefined) return { fault: ['SESSION_INVALID', session] };
    this.#sessions.set(session, calls + 1);
    const limit = this.#options.callsPerSession;
    if (limit === undefined || calls < limit) return undefined;
    this.#sessions.delete(session);
    return { fault: ['SESSION_INVALID', session] };
  }

  #read({
    method,
    name,
    verb,
    params,
  }: {
    method: string;
    name: string;
    verb: string;
    params: readonly unknown[];
  }): Answer {
    const { records, forbidden } = this.#options;
    const known = Object.hasOwn(records, name) ? records[name] : undefined;
    if (!known) return { fault: ['MESSAGE_METHOD_UNKNOWN', method] };
    if (forbidden?.includes(name) === true) return { fault: ['RBAC_PERMISSION_DENIED', method, 'No permission'] };
    if (verb === 'get_all') return { value: Object.keys(known) };
    if (verb === 'get_all_records') return { value: known };
    const reference = textOf(params[0]);
    const record = Object.hasOwn(known, reference) ? known[reference] : undefined;
    if (!record) return { fault: ['HANDLE_INVALID', name, reference] };
    if (verb === 'get_record') return { value: record };
    if (name === 'host' && verb === 'get_ntp_servers_status' && 'ntp_mode' in record) {
      return { value: statusOf(record['ntp_custom_servers']) };
    }
    const field = verb.startsWith('get_') ? verb.slice('get_'.length) : '';
    return Object.hasOwn(record, field) ? { value: record[field] } : { fault: ['MESSAGE_METHOD_UNKNOWN', method] };
  }
}

const statusOf = (servers: unknown): Record<string, string> =>
  Object.fromEntries((Array.isArray(servers) ? servers : []).map((server) => [String(server), 'synced']));

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');
