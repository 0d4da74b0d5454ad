/** The fleet → the server's config: TLS, a key for each, what it may do, limits. Pure. */
import { agentRights, hubRights, operatorRights, type Rights } from './layout.ts';
import type { Roster } from './roster.ts';

/** nats.conf. Its paths are relative: the hub starts the server in this folder. */
export function serverConfig({ url, hub, operator, agents }: Roster): string {
  const { hostname, port } = new URL(url);
  // Who calls the hub localhost wants nobody from elsewhere.
  const host = hostname === 'localhost' ? '127.0.0.1' : '0.0.0.0';
  const users = [
    user('the hub', hub.key, hubRights),
    user('the operator', operator, operatorRights),
    ...agents.map((each) => user(`${each.site} ${each.agent}`, each.key, agentRights(each), true)),
  ];
  return `# Written by xenreach fleet; changes by hand are lost with the next agent.
server_name: ${hub.name}
listen: "${host}:${port}"
max_payload: 4MB
max_pending: 64MB
write_deadline: "10s"
ping_interval: "20s"
ping_max: 3
include "jetstream.conf"
tls {
  cert_file: "server.pem"
  key_file: "server.key"
  timeout: 10
}
authorization {
  timeout: 10
  users: [
${users.join('\n')}
  ]
}
`;
}

/** `version`: of the server. 2.10 is the first that takes sync_interval, and it is what a power cut does not forget by. */
export function jetstreamConfig(version: string | null): string {
  const [major = 0, minor = 0] = (version ?? '0').split('.').map(Number);
  const syncs = major > 2 || (major === 2 && minor >= 10);
  return `# Written by xenreach hub for the nats-server that it found.
log_file: "data/server.log"
logfile_size_limit: 10MB
jetstream {
  store_dir: "data"
  max_memory_store: 64MB
  max_file_store: 24GB
${syncs ? '  sync_interval: always\n' : ''}}
`;
}

function user(name: string, key: string, { publish, subscribe }: Rights, answers = false): string {
  const list = (subjects: readonly string[]): string => JSON.stringify(subjects);
  return `    # ${name}
    { nkey: ${key}, permissions: { publish: { allow: ${list(publish)} }, subscribe: { allow: ${list(subscribe)} }${answers ? ', allow_responses: true' : ''} } }`;
}
