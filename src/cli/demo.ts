/** xenreach demo: the embedded site on loopback, every row from every role, real bytes. */
import { tmpdir } from 'node:os';
import { probes } from '../check/registry.ts';
import { sourceRoles } from '../check/select.ts';
import { parseSite } from '../load/site.ts';
import { defaultSpec } from '../load/default-spec.ts';
import { loadSpec } from '../load/spec.ts';
import { UsageError } from '../model/errors.ts';
import type { LabPoolAccess } from '../lab/index.ts';
import type { Responder as ResponderType } from '../respond/responder.ts';
import type { LoadedSpec } from '../model/spec.ts';
import { checkSite, refuseWords } from './check.ts';
import type { Arguments } from './options.ts';
import { complain } from './streams.ts';
import { isSystemError, troubleText } from './trouble.ts';
import { probeOptions, reportOptions, selectOptions, type Command } from './command.ts';

/** Endpoints that stay mute cost their whole timeout; on loopback nobody needs five seconds, or a place in a queue. */
const loopbackPace = { timeout: '2s', 'per-host': '64' } as const;

const anyPort = 0;
const standInMs = 3_600_000;
const standIn = {
  ...{ host: 'stand-in', roles: [], from: undefined, logs: [], usesConntrack: false, captures: false },
} as const;

export const demo: Command = {
  about: 'the embedded site on loopback: every row from every role; --broken: a set of broken endpoints',
  usage: '',
  options: ['broken', ...selectOptions.filter((name) => name !== 'spec'), ...probeOptions, ...reportOptions, 'help'],

  async run({ values, positionals }) {
    refuseWords(positionals, 'demo');
    const { startLab } = await import('../lab/index.ts');
    const spec = await loadSpec(defaultSpec, probes);
    const responders: ResponderType[] = [];
    const openStandIns = async (address: string, ports: readonly number[]): Promise<Map<string, number>> => {
      const { Responder } = await import('../respond/responder.ts');
      const responder = await Responder.start({
        ports: ports.map(() => ({ transport: 'udp', port: anyPort, rows: [] })),
        addresses: [address],
        ...standIn,
        until: new Date(Date.now() + standInMs),
      });
      responders.push(responder);
      return new Map(ports.map((port, i) => [String(port), responder.ports[i]!.port]));
    };
    const lab = await startLab({ broken: values.broken ?? false, openStandIns }).catch(explain);
    try {
      // Its files are our own, wherever the system keeps what is temporary.
      const { folder: _, ...site } = await parseSite(lab.site, 'demo', spec);
      if (isWatched(values)) complain(await discoveredText(lab.pool, spec));
      const usual = { as: sourceRoles(spec), ...loopbackPace };
      const pairs = responders.map(({ pair }) => pair);
      return await checkSite({ ...usual, ...values }, spec, { ...site, origin: 'embedded' }, pairs);
    } finally {
      await Promise.all([lab.close(), ...responders.map((responder) => responder.close())]);
    }
  },
};

/** A person reads along: whoever wants another format, or little, gets the report alone. */
const isWatched = ({ format, quiet = false }: Arguments): boolean => format === undefined && !quiet;

/** The embedded pool, discovered by its API as any other: what `xenreach discover` would write down. */
async function discoveredText(pool: LabPoolAccess, spec: LoadedSpec): Promise<string> {
  const { discover } = await import('../discover/discover.ts');
  const { rolesText } = await import('../discover/draft.ts');
  const { host, port, password, fingerprint } = pool;
  const { draft, sources } = await discover(
    {
      login: {
        endpoint: { kind: 'tls', host, port, fingerprints: [fingerprint], trust: [] },
        user: 'root',
        password,
      },
      root: null,
      self: { uuid: undefined, addresses: [] },
      wantsVms: false,
      asksDns: false,
      signal: AbortSignal.timeout(discoveryMs),
    },
    spec,
  );
  const trouble = sources.flatMap((source) => source.trouble ?? []);
  if (trouble.length > 0) return `discovery: ${trouble.join('; ')}`;
  return `discovery: ${sources.map(({ name }) => name).join(', ')} knows ${rolesText(draft)}`;
}

const discoveryMs = 5000;

/** The certificate of its authority lies in a file, as a site's does. */
function explain(error: unknown): never {
  if (!isSystemError(error) || error.syscall !== 'mkdtemp') throw error;
  throw new UsageError(
    `the demo keeps a certificate in a folder that it makes below ${tmpdir()}, and cannot ${troubleText(error)}; name another place: TMPDIR=/run xenreach demo`,
    { cause: error },
  );
}
