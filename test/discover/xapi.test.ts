/** The ways a pool says no, and what is told and kept then. */
import { expect, test } from 'vitest';
import { NetError } from '../../src/model/errors.ts';
import { readPool, type XapiAsking } from '../../src/discover/xapi.ts';
import { Api, type ApiOptions } from '../../src/lab/xapi/api.ts';
import { askPool, clientOf, remote } from '../support/pool.ts';
import { recordsOf } from '../support/xapi.ts';

const records = recordsOf('xenserver-8');

/** Hosts by name; whoever else is asked is not there. */
function asking(hosts: Readonly<Record<string, ApiOptions>>) {
  const apis = new Map(Object.entries(hosts).map(([host, options]) => [host, new Api(options)]));
  const opened: string[] = [];
  const wanted: XapiAsking = {
    signal: new AbortController().signal,
    wantsVms: false,
    open: async (endpoint) => {
      const host = endpoint.kind === 'tls' ? endpoint.host : endpoint.path;
      opened.push(host);
      const api = apis.get(host);
      if (!api) throw new NetError({ outcome: 'refused', stage: 'connect', detail: 'nothing listens there (refused)' });
      return clientOf(api);
    },
  };
  return { wanted, opened, apis };
}

test('a wrong password is told, with where it belongs, and is not shown', async () => {
  const { source, api } = await askPool({ records, password: 'right' }, remote('10.0.0.1', 'wrong-one'));
  expect(source.trouble).toBe(
    'https://10.0.0.1 refuses the login: the user name or the password is wrong (SESSION_AUTHENTICATION_FAILED); check --xapi-user and XENREACH_XAPI_PASSWORD (without Active Directory root is the only user)',
  );
  expect(source.findings).toEqual([]);
  expect(api.calls).toEqual(['session.login_with_password']);
});

test('a supporter sends us to its coordinator once', async () => {
  const { wanted, opened, apis } = asking({
    sup: { records, coordinator: '10.0.0.9' },
    '10.0.0.9': { records, password: 'secret' },
  });
  const reading = await readPool(remote('sup'), wanted);
  expect(opened).toEqual(['sup', '10.0.0.9']);
  expect(reading).toMatchObject({ trouble: null, endpoint: { host: '10.0.0.9' } });
  expect(reading.told).toContain('https://sup is a supporter; its coordinator https://10.0.0.9 was asked');
  expect(apis.get('10.0.0.9')!.openSessions).toBe(0);
});

test('two supporters that name each other end it', async () => {
  const { wanted, opened } = asking({ a: { records, coordinator: 'b' }, b: { records, coordinator: 'a' } });
  const reading = await readPool(remote('a'), wanted);
  expect(opened).toEqual(['a', 'b']);
  expect(reading.trouble).toContain('nobody is followed twice');
});

test.for(['', '224.0.0.1', '0.0.0.0', 'not a host', '../etc', 'http://x'])(
  'a coordinator called "%s" is not asked',
  async (coordinator) => {
    const { wanted, opened } = asking({ a: { records, coordinator } });
    const reading = await readPool(remote('a'), wanted);
    expect(opened).toEqual(['a']);
    expect(reading.trouble).toContain('which is no host');
  },
);

test('a coordinator that is not there is told with who named it', async () => {
  const { wanted } = asking({ a: { records, coordinator: '10.0.0.9' } });
  const reading = await readPool(remote('a'), wanted);
  expect(reading.trouble).toBe(
    'https://a sends us to its coordinator; https://10.0.0.9 could not be asked: nothing listens there (refused)',
  );
});

test('a user without rights to a class gets the rest', async () => {
  const { source, api } = await askPool({ records, forbidden: ['SR', 'Cluster'] });
  expect(source.told).toEqual([
    'SR could not be read: this user may not read it; the read-only role is enough (RBAC_PERMISSION_DENIED)',
    'Cluster could not be read: this user may not read it; the read-only role is enough (RBAC_PERMISSION_DENIED)',
  ]);
  expect(source.trouble).toBe('2 classes of the pool could not be read');
  expect(source.findings.filter(({ kind }) => kind === 'host').length).toBeGreaterThan(5);
  expect(source.findings).not.toContainEqual(expect.objectContaining({ kind: 'not-used', role: 'cluster-member' }));
  expect(api.openSessions).toBe(0);
});

test('a session that the host ends leaves what was read', async () => {
  const { source } = await askPool({ records, callsPerSession: 4 });
  expect(source.trouble).toMatch(/classes of the pool could not be read$/);
  expect(source.told.join()).toContain('SESSION_INVALID');
  expect(source.findings).toContainEqual(
    expect.objectContaining({ kind: 'host', role: 'xenserver-host', host: '10.20.30.12' }),
  );
});

test('emergency mode is told', async () => {
  const { source } = await askPool({ records, isInEmergency: true });
  expect(source.trouble).toContain('the coordinator is not reachable from the host (HOST_OFFLINE)');
});

test('an older pool has fewer classes, which is no trouble', async () => {
  const { source } = await askPool({ records: recordsOf('citrix-hypervisor-8.2') });
  expect(source.trouble).toBeNull();
  expect(source.told).toEqual([
    'this pool does not know Repository, Certificate (an older product): nothing is learned of it',
  ]);
});

test('what the API says is not shown as it is', async () => {
  const evil = {
    call: async () => ({ fault: { code: '\u001b[31m evil', parameters: ['secret'] } }),
    close: async () => undefined,
  };
  const reading = await readPool(remote('a'), { ...asking({}).wanted, open: async () => evil });
  expect(reading.trouble).toBe('https://a refuses the login: the API says no');
});

test('whatever ends us, the session is logged out', async () => {
  const api = new Api({ records });
  const client = clientOf(api);
  const calls = {
    ...client,
    call: async (...args: Parameters<typeof client.call>) => {
      if (args[0].endsWith('get_all_records'))
        throw new NetError({ outcome: 'aborted', stage: 'exchange', detail: 'the run was interrupted (SIGINT)' });
      return client.call(...args);
    },
  };
  const reading = await readPool(remote('a'), { ...asking({}).wanted, open: async () => calls });
  expect(reading.trouble).toContain('did not give its pool and host records');
  expect(api.calls.at(-1)).toBe('session.logout');
  expect(api.openSessions).toBe(0);
});
