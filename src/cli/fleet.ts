/** xenreach fleet: many sites over NATS. Keys and the list of agents lie in a folder; revisions and news go over the bus. */
import { UsageError } from '../model/errors.ts';
import { didYouMean } from '../load/nearest.ts';
import type { Roster } from '../fleet/roster.ts';
import type { Command } from './command.ts';
import { oneOf, type Arguments } from './options.ts';
import { complain, say } from './streams.ts';

const fleetFormats = ['text', 'json'] as const;

const actions = {
  init: initIt,
  add: addThem,
  remove: removeIt,
  list: listThem,
  sign: signIt,
  push: pushThem,
  status: statusOf,
  run: runThere,
} satisfies Readonly<Record<string, (words: readonly string[], values: Arguments) => Promise<number>>>;

const usages: Readonly<Record<keyof typeof actions, string>> = {
  init: 'init DIR --hub NAME',
  add: 'add SITE AGENT... --as ROLE [--reach CIDR]',
  remove: 'remove SITE AGENT',
  list: 'list',
  sign: 'sign SITE.yaml [--config WATCH.yaml] > REVISION.json',
  push: 'push REVISION.json|SITE.yaml...',
  status: 'status [--format text|json]',
  run: 'run SITE [--row ID]',
};

export const fleet: Command = {
  about: 'many sites: init, add, remove, list, sign, push, status, run',
  usage: Object.keys(actions).join('|'),
  options: ['fleet', 'hub', 'as', 'reach', 'config', 'row', 'format', 'help'],
  ownWords: {
    as: { value: 'ROLE', about: "add: the role that the agent's machine plays" },
    config: {
      value: 'FILE',
      about: 'sign, push: a file of watch, of which every, rows, sections and confirm go along',
    },
    row: { value: 'ID', about: 'run: only this row' },
    format: { value: fleetFormats.join('|'), about: 'status: how it is told (default: text)' },
  },

  async run({ values, positionals: [name = '', ...words] }) {
    if (!isAction(name))
      throw new UsageError(
        `fleet does ${Object.keys(actions).join(', ')}${name === '' ? '' : `, and no "${name}"${didYouMean(name, Object.keys(actions))}`}:\n${Object.values(
          usages,
        )
          .map((usage) => `  xenreach fleet ${usage}\n`)
          .join('')}`,
      );
    return actions[name](words, values);
  },
};

const isAction = (name: string): name is keyof typeof actions => Object.hasOwn(actions, name);

function refuseCount(words: readonly string[], action: keyof typeof actions, least: number, most = least): void {
  if (words.length < least || words.length > most) throw new UsageError(`xenreach fleet ${usages[action]}`);
}

async function initIt(words: readonly string[], { hub }: Arguments): Promise<number> {
  refuseCount(words, 'init', 1);
  if (hub === undefined) throw new UsageError(`how do agents reach the hub? xenreach fleet ${usages.init}`);
  const { initFleet } = await import('../fleet/init.ts');
  const { places } = await import('../fleet/roster.ts');
  const folder = words[0]!;
  const { url } = await initFleet(folder, hub);
  const { hub: inner, operatorKey } = places(folder);
  say(
    `${folder}: a fleet around ${url}\n  ${inner}: what the hub needs; copy it there, to /etc/xenreach/hub\n  ${operatorKey}: signs what agents do; it stays here, and off the hub\n`,
  );
  return 0;
}

async function addThem(words: readonly string[], values: Arguments): Promise<number> {
  refuseCount(words, 'add', 2, 100);
  const { folder } = await opened(values);
  const { addAgent } = await import('../fleet/init.ts');
  const { requireWord } = await import('../fleet/layout.ts');
  const { Reach } = await import('../fleet/reach.ts');
  const [site = '', ...agents] = words;
  requireWord(site, 'site');
  for (const agent of agents) requireWord(agent, 'agent');
  if (!values.as) throw new UsageError(`which role does its machine play? xenreach fleet ${usages.add}`);
  for (const role of values.as) requireWord(role, 'role');
  const reach = values.reach ?? ['any'];
  const wrong = reach.find((entry) => !Reach.isEntry(entry));
  if (wrong !== undefined)
    throw new UsageError(`--reach ${wrong} is no network (10.0.0.0/8), no name (*.example.test) and not any`);
  for (const agent of agents) {
    const line = await addAgent(folder, { site, agent, roles: values.as, reach });
    complain(`paste this line at ${agent}, as root in a shell; it holds its key, so keep it from others:`);
    say(`${line}\n`);
  }
  return 0;
}

async function removeIt(words: readonly string[], values: Arguments): Promise<number> {
  refuseCount(words, 'remove', 2);
  const { folder } = await opened(values);
  const { removeAgent } = await import('../fleet/init.ts');
  removeAgent(folder, words[0]!, words[1]!);
  say(`${words[0]} ${words[1]} is no agent any more: its key opens nothing when the server has read its config anew\n`);
  return 0;
}

async function listThem(words: readonly string[], values: Arguments): Promise<number> {
  refuseCount(words, 'list', 0);
  const { roster } = await opened(values);
  say(`hub ${roster.url}\n`);
  for (const { site, agent, roles } of roster.agents) say(`${site} ${agent}, as ${roles.join(', ')}\n`);
  return 0;
}

async function signIt(words: readonly string[], values: Arguments): Promise<number> {
  refuseCount(words, 'sign', 1);
  const { folder } = await opened(values);
  const { signSite } = await import('./fleet-sign.ts');
  say(`${await signSite(folder, words[0]!, values)}\n`);
  return 0;
}

async function pushThem(words: readonly string[], values: Arguments): Promise<number> {
  refuseCount(words, 'push', 1, 1000);
  const { folder, roster } = await opened(values);
  const { readOrSign } = await import('./fleet-sign.ts');
  const { operatorBus, pushSite } = await import('../fleet/operator.ts');
  const all = [];
  for (const file of words) all.push(await readOrSign(folder, roster, file, values));
  const bus = await operatorBus(folder, roster);
  try {
    await bus.makeStreams();
    for (const { revision, text } of all) {
      const agents = roster.agents.filter(({ site }) => site === revision.site).map(({ agent }) => agent);
      await pushSite(bus, revision.site, text, agents);
      say(`${revision.site}: revision ${revision.number} is there for ${agents.join(', ') || 'no agent yet'}\n`);
    }
    return 0;
  } finally {
    await bus.close();
  }
}

async function statusOf(words: readonly string[], values: Arguments): Promise<number> {
  refuseCount(words, 'status', 0);
  const format = oneOf(values.format ?? fleetFormats[0], 'format', fleetFormats);
  const { folder, roster } = await opened(values);
  const { operatorBus, standings, standingText } = await import('../fleet/operator.ts');
  const bus = await operatorBus(folder, roster);
  try {
    await bus.makeStreams();
    const all = await standings(bus, roster);
    say(format === 'text' ? standingText(all) : `${JSON.stringify({ agents: all }, null, 2)}\n`);
    return all.every(({ presence }) => presence === 'present') ? 0 : 1;
  } finally {
    await bus.close();
  }
}

async function runThere(words: readonly string[], values: Arguments): Promise<number> {
  refuseCount(words, 'run', 1);
  const { folder, roster } = await opened(values);
  const agents = roster.agents.filter(({ site }) => site === words[0]);
  const sites = [...new Set(roster.agents.map(({ site }) => site))];
  if (agents.length === 0) throw new UsageError(`no agent is of the site ${words[0]}${didYouMean(words[0]!, sites)}`);
  const { askForRounds, operatorBus } = await import('../fleet/operator.ts');
  const bus = await operatorBus(folder, roster);
  try {
    const { lines, begun } = await askForRounds(bus, agents, values.row ?? []);
    say(lines.map((line) => `${line}\n`).join(''));
    return begun > 0 ? 0 : 1;
  } finally {
    await bus.close();
  }
}

async function opened(values: Arguments): Promise<{
  readonly folder: string;
  readonly roster: Roster;
}> {
  const { fleetFolder, readRoster } = await import('../fleet/roster.ts');
  const folder = fleetFolder(values.fleet);
  return { folder, roster: readRoster(folder) };
}
