/**
 * A machine on which the recipes of docs/automation.md are tried as they stand: in a sandbox whose /etc, /usr, /var and /opt
 * may be written to and are gone with it. `xenreach` is in its PATH, its mail ends in a file, and what it checks is a license
 * server of its own, whose second port is open or not.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Host } from './netns.ts';
import { startServer, type Server } from './servers.ts';

const root = join(import.meta.dirname, '../..');

const folders = ['etc', 'usr', 'var', 'opt'];

const site = (second: number): string => `name: small
not-used: [external-domain]
roles: { citrix-license-server: { host: 127.0.0.1, ports: { '7279': ${second} } } }
`;

const files: Readonly<Record<string, string>> = {
  'good.yaml': site(27_000),
  'bad.yaml': site(27_001),
  // The mail is looked for by its name, so it is there whole or not at all.
  sendmail: '#!/bin/sh\ncat > /run/xenreach/mail.part; mv /run/xenreach/mail.part "/run/xenreach/mail.$$"\n',
  xenreach: `#!/bin/sh\nexec /opt/checkout/node_modules/.bin/node /opt/checkout/src/main.ts "$@"\n`,
};

const script = `
for folder in ${folders.join(' ')}; do
  mkdir -p /run/over/$folder/upper /run/over/$folder/work
  mount -t overlay over -o lowerdir=/$folder,upperdir=/run/over/$folder/upper,workdir=/run/over/$folder/work /$folder
done
rm -f /usr/sbin/sendmail
mkdir -p /etc/xenreach /etc/cron.d /var/lib/xenreach /opt/xenreach /opt/checkout /usr/local/bin /var/spool/cron/crontabs
# Whoever runs it there may read it.
mount --bind '${root}' /opt/checkout
install -m 755 sendmail /usr/sbin/sendmail
install -m 755 xenreach /usr/local/bin/xenreach
install -m 755 xenreach /opt/xenreach/xenreach
cp good.yaml /etc/xenreach/site.yaml
exec python3 -m http.server --bind 127.0.0.1 27000`;

export interface RecipeHost extends Server {
  /** Runs a shell script there, in a folder that is gone with the machine. */
  run(script: string): string;
  /** From now on every row passes, or one fails. */
  become(state: 'good' | 'bad'): void;
  /** Puts a block of the document where its first comment says, with \`changes\` made to it. */
  install(name: string, changes?: readonly (readonly [string, string])[]): string;
}

export async function startRecipeHost(place: Host, more: Readonly<Record<string, string>> = {}): Promise<RecipeHost> {
  const server = await startServer(place, {
    name: 'recipes',
    files: { ...files, ...more },
    script,
    listens: ['tcp/27000'],
  });
  const run = (text: string): string => server.exec(['sh', '-ec', `export HOME=/run/xenreach; cd; ${text}`]);
  return {
    ...server,
    run,
    become: (state) => void run(`cp /run/xenreach/${state}.yaml /etc/xenreach/site.yaml`),
    install: (name, changes = []) => {
      const text = changes.reduce((all, [from, to]) => {
        if (!all.includes(from)) throw new Error(`${name} has no "${from}"`);
        return all.replaceAll(from, to);
      }, block(name));
      run(
        `mkdir -p "$(dirname '${name}')"; cat > '${name}' <<'END'\n${text}END\nchmod ${name.includes('/bin/') ? 755 : 644} '${name}'`,
      );
      return text;
    },
  };
}

/** A block of docs/automation.md by the file that its first comment names. */
export function block(name: string): string {
  const text = blocks.get(name);
  if (text === undefined) throw new Error(`docs/automation.md has no file ${name}`);
  return text;
}

const blocks = new Map(
  [...readFileSync(join(root, 'docs/automation.md'), 'utf8').matchAll(/^```\w*\n(.*?)^```$/gms)].flatMap(
    ([, text = '']) => {
      const name = /^(?:#!.*\n)?# (\S+)\n/.exec(text)?.[1];
      return name === undefined ? [] : [[name, text]];
    },
  ),
);
