/**
 * What a system wants beside a program: the man page, completion for three shells, a systemd service with its timer, one that
 * watches, and a file for cron. All but the last four are made from the tables of commands and options.
 *
 *     node packaging/share.ts [DIR]      share/man share/bash-completion share/zsh share/fish share/systemd share/cron
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import own from '../package.json' with { type: 'json' };
import { probes } from '../src/check/registry.ts';
import type { Command } from '../src/cli/command.ts';
import { commands } from '../src/cli/index.ts';
import { options, type OptionName } from '../src/cli/options.ts';
import { defaultSpec } from '../src/load/default-spec.ts';
import { bundledSpecs, loadSpec } from '../src/load/spec.ts';
import { reporters } from '../src/report/index.ts';

interface Option {
  readonly name: OptionName;
  readonly short: string | undefined;
  /** What stands for the value; undefined where there is none. */
  readonly value: string | undefined;
  readonly about: string;
  /** The values themselves, where they are few. */
  readonly choices: readonly string[];
}

interface Described {
  readonly name: string;
  readonly about: string;
  readonly usage: string;
  readonly options: readonly Option[];
}

/** By its path below `share`. */
export async function shareFiles(): Promise<Readonly<Record<string, string>>> {
  const all = await describeCommands();
  return {
    'man/man1/xenreach.1': manPage(all),
    'bash-completion/completions/xenreach': bashCompletion(all),
    'zsh/site-functions/_xenreach': zshCompletion(all),
    'fish/vendor_completions.d/xenreach.fish': fishCompletion(all),
    'systemd/xenreach.service': service,
    'systemd/xenreach.timer': timer,
    'systemd/xenreach-watch.service': watchService,
    'cron/xenreach': cron,
  };
}

export async function putShare(folder: string): Promise<void> {
  for (const [name, text] of Object.entries(await shareFiles())) {
    const file = join(folder, name);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  }
}

async function describeCommands(): Promise<readonly Described[]> {
  const { rows, roles, sections } = await loadSpec(defaultSpec, probes);
  const known: Readonly<Record<string, readonly string[]>> = {
    spec: bundledSpecs(),
    row: rows.map(({ id }) => id),
    role: Object.keys(roles),
    as: [...new Set(rows.map(({ from }) => from))],
    section: Object.keys(sections),
    format: Object.keys(reporters),
  };
  const entries = Object.entries(commands).map(async ([name, load]) => [name, await load()] as const);
  return (await Promise.all(entries)).map(([name, command]) => ({
    name,
    about: command.about,
    usage: command.usage,
    options: command.options.map((option) => describeOption(option, command, known)),
  }));
}

function describeOption(
  name: OptionName,
  command: Command,
  known: Readonly<Record<string, readonly string[]>>,
): Option {
  const { type, ...entry } = options[name];
  const words = command.ownWords?.[name];
  const usual = type === 'string' && 'value' in entry ? entry.value : undefined;
  const value = words?.value ?? usual;
  // "service|path" are the values; "NAME|FILE" says of what kind they are.
  const written = value?.split('|').filter((each) => /^[a-z0-9]+$/.test(each)) ?? [];
  return {
    name,
    short: 'short' in entry ? entry.short : undefined,
    value,
    about: words?.about ?? entry.about,
    choices: written.length > 0 ? written : (known[name] ?? []),
  };
}

// --- man -----------------------------------------------------------------------------------------------------------

/** A line that begins with a dot or a quote would be an order to roff; a hyphen is to stay one. */
const roff = (text: string): string =>
  text
    .replaceAll('\\', String.raw`\e`)
    .replaceAll('-', String.raw`\-`)
    .replaceAll(/^(?=[.'])/gm, String.raw`\&`);

function manPage(all: readonly Described[]): string {
  const lines = [
    `.TH XENREACH 1 "" "xenreach ${own.version}"`,
    '.SH NAME',
    String.raw`xenreach \- check a site against XenServer's connectivity requirements`,
    '.SH SYNOPSIS',
    ...all.flatMap(({ name, usage }) => [`.B xenreach ${name}`, roff(`${usage} [OPTIONS]`.trimStart()), '.br']),
    '.SH DESCRIPTION',
    roff(
      `${own.description}. Every row of the published page gets a verdict, a reason and, where something is wrong, the next step.`,
    ),
    '.SH COMMANDS',
    ...all.flatMap(({ name, about, usage, options: its }) => [
      '.SS ' + roff(`${name} ${usage}`.trimEnd()),
      roff(`${about}.`),
      ...its.flatMap(manOption),
    ]),
    '.SH EXIT STATUS',
    ...[
      ['0', 'no row is as bad as --fail-on'],
      ['1', 'at least one row is'],
      ['2', 'the command line, the site or the spec is wrong, or no check applies; nothing was sent'],
      ['3', 'the run is incomplete; the rest is reported'],
      ['70', 'a defect of xenreach itself'],
    ].flatMap(([code = '', text = '']) => ['.TP', `.B ${code}`, roff(text)]),
    '.SH FILES',
    '.TP',
    '.I ./site.yaml, /etc/xenreach/site.yaml',
    'the site, where none is named',
    '.SH ENVIRONMENT',
    '.TP',
    '.B XENREACH_PROXY_PASSWORD',
    'the password for the proxy',
    '.TP',
    '.B NODE_EXTRA_CA_CERTS',
    'a file of further trusted roots; the portable folder takes those of the system',
  ];
  return `${lines.join('\n')}\n`;
}

const manOption = ({ name, short, value, about }: Option): string[] => {
  const names = `--${name}${short === undefined ? '' : `, -${short}`}`;
  return ['.TP', `.B ${roff(names)}${value === undefined ? '' : ` ${roff(value)}`}`, roff(about)];
};

// --- bash ----------------------------------------------------------------------------------------------------------

const quoted = (text: string): string => `'${text.replaceAll("'", String.raw`'\''`)}'`;

function bashCompletion(all: readonly Described[]): string {
  const cases = all.map(({ name, options: its }) => {
    const values = its.filter(({ value }) => value !== undefined).map((option) => `        ${bashValue(option)}`);
    const words = its.flatMap((option) => [
      `--${option.name}`,
      ...(option.short === undefined ? [] : [`-${option.short}`]),
    ]);
    const given = positionalsOf(name);
    return [
      `    ${name})`,
      '      case $before in',
      ...values,
      '      esac',
      `      COMPREPLY=($(compgen -W ${quoted([...words, ...given].join(' '))} -- "$word"))`,
      ...(given.length === 0 && name !== 'demo'
        ? ['      [[ $word == -* ]] || COMPREPLY+=($(compgen -f -- "$word"))']
        : []),
      '      ;;',
    ].join('\n');
  });
  return `# bash completion for xenreach; made from its tables.
# shellcheck disable=SC2207
_xenreach() {
  local word=\${COMP_WORDS[COMP_CWORD]} before=\${COMP_WORDS[COMP_CWORD - 1]} command=\${COMP_WORDS[1]-}
  COMPREPLY=()
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W ${quoted([...all.map(({ name }) => name), 'help', '--help', '--version'].join(' '))} -- "$word"))
    return
  fi
  case $command in
${cases.join('\n')}
  esac
}
complete -F _xenreach xenreach
`;
}

function bashValue({ name, value = '', choices }: Option): string {
  const files = /FILE/.test(value) ? ' -f' : /DIR/.test(value) ? ' -d' : '';
  const words = choices.length > 0 ? ` -W ${quoted(choices.join(' '))}` : '';
  // compgen takes a list or the files, so both are asked for.
  const replies = [words, files].filter((each) => each !== '').map((each) => `$(compgen${each} -- "$word")`);
  return `--${name}) COMPREPLY=(${replies.join(' ')}); return ;;`;
}

const positionalsOf = (command: string): readonly string[] =>
  command === 'probe' ? Object.keys(probes) : command === 'spec' ? ['show'] : [];

// --- zsh and fish --------------------------------------------------------------------------------------------------

/** A description may hold no bracket, colon or backslash of its own. */
const zshText = (text: string): string => text.replaceAll(/[[\]:\\]/g, (char) => `\\${char}`);

function zshCompletion(all: readonly Described[]): string {
  const names = all.map(({ name, about }) => `    ${quoted(`${name}:${zshText(about)}`)}`);
  const cases = all.map(({ name, options: its }) => {
    const given = positionalsOf(name);
    const rest = given.length > 0 ? `'*: :(${given.join(' ')})'` : "'*: :_files'";
    return `    ${name})\n      _arguments ${[...its.map(zshOption), rest].join(' \\\n        ')}\n      ;;`;
  });
  return `#compdef xenreach
# zsh completion for xenreach; made from its tables.
local -a names=(
${names.join('\n')}
)
if (( CURRENT == 2 )); then
  _describe command names
else
  shift words
  (( CURRENT-- ))
  case $words[1] in
${cases.join('\n')}
  esac
fi
`;
}

function zshOption({ name, value, about, choices }: Option): string {
  if (value === undefined) return quoted(`*--${name}[${zshText(about)}]`);
  const action =
    choices.length > 0
      ? `(${choices.join(' ')})`
      : /FILE/.test(value)
        ? '_files'
        : /DIR/.test(value)
          ? '_files -/'
          : ' ';
  return quoted(`*--${name}=[${zshText(about)}]:${zshText(value)}:${action}`);
}

function fishCompletion(all: readonly Described[]): string {
  const fish = (text: string): string => `'${text.replaceAll('\\', '\\\\').replaceAll("'", String.raw`\'`)}'`;
  const lines = all.flatMap(({ name, about, options: its }) => [
    `complete -c xenreach -n __fish_use_subcommand -a ${name} -d ${fish(about)}`,
    ...positionalsOf(name).map((word) => `complete -c xenreach -n '__fish_seen_subcommand_from ${name}' -a ${word}`),
    ...its.map(({ name: option, short, value, about: what, choices }) => {
      const flag = value === undefined ? '' : /FILE|DIR/.test(value) ? ' -r' : ' -x';
      const words = choices.length === 0 ? '' : ` -a ${fish(choices.join(' '))}`;
      const letter = short === undefined ? '' : ` -s ${short}`;
      return `complete -c xenreach -n '__fish_seen_subcommand_from ${name}' -l ${option}${letter}${flag}${words} -d ${fish(what)}`;
    }),
  ]);
  return `# fish completion for xenreach; made from its tables.\n${lines.join('\n')}\n`;
}

// --- on a schedule -------------------------------------------------------------------------------------------------

const line = '/opt/xenreach/xenreach check --site /etc/xenreach/site.yaml --deadline 5m --lock /run/xenreach.lock';

/** systemd 219 of a control domain knows no StateDirectory. */
const service = `# One check. The unit fails when a row does: systemctl --failed, or OnFailure= of your own, tells of it.
[Unit]
Description=Connectivity requirements of this XenServer host
Documentation=man:xenreach(1)
Wants=network-online.target
After=network-online.target

[Service]
Type=oneshot
ExecStartPre=/bin/mkdir -p /var/lib/xenreach
ExecStart=${line} --quiet --output json=/var/lib/xenreach/last.json
Nice=10
NoNewPrivileges=yes
PrivateTmp=yes
ProtectHome=yes
`;

/** `DynamicUser`: it needs no privilege, and writes below its own folder alone. Node compiles at run time, so memory may be made executable. */
const watchService = `# The same check on a schedule, with pages on http://127.0.0.1:9660/. Reload takes a changed file, a broken one changes nothing.
[Unit]
Description=Connectivity requirements of this site, watched
Documentation=man:xenreach(1)
Wants=network-online.target
After=network-online.target

[Service]
Type=exec
ExecStart=/opt/xenreach/xenreach watch --config /etc/xenreach/watch.yaml
ExecReload=/bin/kill -HUP $MAINPID
Restart=on-failure
RestartSec=10
RestartPreventExitStatus=2
TimeoutStopSec=10
DynamicUser=yes
StateDirectory=xenreach
Environment=XDG_STATE_HOME=/var/lib
# A secret of notify: in watch.yaml it is secretFile: /run/credentials/xenreach-watch.service/notify.key
#LoadCredential=notify.key:/etc/xenreach/notify.key
LimitNOFILE=16384
Nice=10
UMask=0077
CapabilityBoundingSet=
AmbientCapabilities=
NoNewPrivileges=yes
ProtectSystem=strict
ProtectHome=yes
PrivateTmp=yes
PrivateDevices=yes
ProtectClock=yes
ProtectControlGroups=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectProc=invisible
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX AF_NETLINK
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~@privileged @resources
SystemCallErrorNumber=EPERM

[Install]
WantedBy=multi-user.target
`;

const timer = `[Unit]
Description=Connectivity requirements of this XenServer host, every quarter of an hour

[Timer]
OnCalendar=*:0/15
AccuracySec=1min

[Install]
WantedBy=timers.target
`;

const cron = `# Mails what fails, and nothing else. To /etc/cron.d/xenreach.
SHELL=/bin/sh
PATH=/usr/sbin:/usr/bin:/sbin:/bin
*/15 * * * * root mkdir -p /var/lib/xenreach && ${line} --quiet --splay 60s --output json=/var/lib/xenreach/last.json
`;

if (import.meta.main) await putShare(process.argv[2] ?? 'share');
