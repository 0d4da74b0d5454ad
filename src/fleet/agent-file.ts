/** The file of `xenreach agent`, /etc/xenreach/agent.yaml: which bus, who it is, whose revisions it takes and what it may reach. */
import { dirname, resolve } from 'node:path';
import { stringify } from 'yaml';
import * as v from 'valibot';
import { throwIfAny, type Fault } from '../load/faults.ts';
import { readFile } from '../load/read-file.ts';
import { shapeFaults } from '../load/shape.ts';
import { parseYaml } from '../load/yaml.ts';
import { Id, Text } from '../model/spec.ts';
import { readSeed } from './files.ts';
import { isKeyName, keyOfSeed, type Key } from './keys.ts';
import { busUrl } from './layout.ts';
import { Reach } from './reach.ts';

const Count = v.pipe(
  v.number(),
  v.integer(),
  v.minValue(1),
  v.maxValue(65_536),
  v.description('a whole number from 1 to 65536'),
);

export const AgentFile = v.strictObject({
  bus: Text,
  site: Id,
  agent: Id,
  /** The roles that this machine plays. */
  as: v.pipe(v.array(Id), v.nonEmpty()),
  /** Of the operators whose revisions are taken. */
  operators: v.pipe(v.array(Text), v.nonEmpty()),
  /** Networks and names; "any" is everything. A revision that wants more is refused. */
  reach: v.pipe(v.array(Text), v.nonEmpty()),
  keyFile: v.optional(Text, 'agent.key'),
  /** PEM: who vouches for the bus. */
  authority: Text,
  state: v.optional(Text, '/var/lib/xenreach/agent'),
  /** The most that a revision makes this machine do, as the options of check. */
  concurrency: v.optional(Count),
  perHost: v.optional(Count),
  rate: v.optional(Count),
  /** Folders whose files a revision may name, beside `state`: passwords, roots. */
  allowFiles: v.optional(v.array(Text), []),
});
type AgentFile = v.InferOutput<typeof AgentFile>;

export interface AgentConfig extends Omit<AgentFile, 'reach'> {
  readonly key: Key;
  readonly reach: Reach;
}

export const defaultAgentFile = '/etc/xenreach/agent.yaml';

export async function readAgentFile(path: string): Promise<AgentConfig> {
  const places = await parseYaml(readFile(path), path);
  throwIfAny(shapeFaults(AgentFile, places.value), places);
  const file = v.parse(AgentFile, places.value);
  throwIfAny(faultsOf(file), places);
  const at = (name: string): string => resolve(dirname(path), name);
  const keyFile = at(file.keyFile);
  return {
    ...file,
    bus: busUrl(file.bus),
    keyFile,
    state: at(file.state),
    allowFiles: file.allowFiles.map(at),
    key: await keyOfSeed(readSeed(keyFile), keyFile),
    reach: Reach.of(file.reach),
  };
}

function faultsOf({ operators, reach }: AgentFile): Fault[] {
  return [
    ...operators.flatMap((key, i): Fault[] =>
      isKeyName(key) ? [] : [{ path: ['operators', i], text: 'is no public key ("U…") of xenreach fleet init' }],
    ),
    ...reach.flatMap((text, i): Fault[] =>
      Reach.isEntry(text)
        ? []
        : [{ path: ['reach', i], text: `"${text}" is no network (10.0.0.0/8), no name (*.example.test) and not any` }],
    ),
  ];
}

export interface AgentWords {
  readonly bus: string;
  readonly site: string;
  readonly agent: string;
  readonly roles: readonly string[];
  readonly operators: readonly string[];
  readonly reach: readonly string[];
  readonly authority: string;
}

export function agentFile({ bus, site, agent, roles, operators, reach, authority }: AgentWords): string {
  return stringify({ bus, site, agent, as: roles, operators, reach, authority });
}
