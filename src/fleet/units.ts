/** Units of systemd for both ends: neither needs a privilege, and each writes below one folder alone. */
const common = `Restart=on-failure
RestartSec=10
RestartPreventExitStatus=2
TimeoutStopSec=20
DynamicUser=yes
LimitNOFILE=16384
UMask=0077
CapabilityBoundingSet=
NoNewPrivileges=yes
ProtectSystem=strict
ProtectHome=yes
PrivateTmp=yes
PrivateDevices=yes
ProtectKernelTunables=yes
ProtectControlGroups=yes
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX AF_NETLINK
RestrictNamespaces=yes
LockPersonality=yes
SystemCallArchitectures=native

[Install]
WantedBy=multi-user.target
`;

const head = (what: string): string => `[Unit]
Description=${what}
Documentation=man:xenreach(1)
Wants=network-online.target
After=network-online.target

[Service]
Type=exec
`;

/** The folder "hub" of the fleet is copied to /var/lib/xenreach-hub/fleet: the server's data lie in it, too. */
export const hubUnit = `# Copy this folder to /var/lib/private/xenreach-hub/fleet and this file to /etc/systemd/system; the pages are on http://127.0.0.1:9660/.
${head('The hub of a fleet of connectivity agents')}ExecStart=/opt/xenreach/xenreach hub --fleet /var/lib/xenreach-hub/fleet
ExecReload=/bin/kill -HUP $MAINPID
StateDirectory=xenreach-hub
Environment=XDG_STATE_HOME=/var/lib/xenreach-hub
${common}`;

/** systemd reads the key as root, and hands it over. */
export const agentUnit = `# For each agent, as /etc/systemd/system/xenreach-agent.service; in agent.yaml:
#   keyFile: /run/credentials/xenreach-agent.service/agent.key
#   state: /var/lib/xenreach-agent
${head('Connectivity agent of a fleet')}ExecStart=/opt/xenreach/xenreach agent --config /run/credentials/xenreach-agent.service/agent.yaml
LoadCredential=agent.yaml:/etc/xenreach/agent.yaml
LoadCredential=agent.key:/etc/xenreach/agent.key
StateDirectory=xenreach-agent
${common}`;
