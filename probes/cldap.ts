/**
 * The LDAP ping of Active Directory, over UDP: asks a controller who it is, as every domain member does before it logs
 * on. The answer names domain, forest, host and site and says which roles the controller has. MS-ADTS 6.3.3; the messages
 * are in wire/ldap-ping.ts.
 */
import * as v from 'valibot';
import { answered, declined, type Answer, type Evidence } from '../src/model/outcome.ts';
import { defineProbe, type ProbeIo } from '../src/model/probe.ts';
import { further, isTrouble } from '../src/wire/further.ts';
import { opcodes, ping, rolesOf, type Netlogon } from '../src/wire/ldap-ping.ts';

export const cldap = defineProbe({
  transport: 'udp',
  port: 389,
  about: {
    title: 'Active Directory LDAP ping',
    sends: 'one anonymous search for the Netlogon attribute in one datagram, the ping of every domain member',
    proves: 'a domain controller names its domain, host and site, and the domain is the one asked for',
    client:
      'winbind of Samba 4 (`ads_cldap_netlogon`): it takes a controller that answers for the domain, and learns site and forest from it',
    leaves: 'nothing',
    reference: 'MS-ADTS 6.3.3',
  },
  options: v.strictObject({
    /** The DNS name of the domain that the controller has to serve. */
    domain: v.optional(v.pipe(v.string(), v.nonEmpty(), v.maxLength(253))),
  }),

  async run(io, _target, options) {
    const domain = options.domain?.replace(/\.$/, '');
    const reply = await ping(io, domain);
    if (reply.netlogon) return judge(io, reply.netlogon, domain);
    if (reply.resultCode !== 0) {
      const why = [`LDAP result ${reply.resultCode}`, reply.diagnostic].filter(Boolean).join(', ');
      return declined(`the directory refuses the search: ${why}`);
    }
    if (domain === undefined) {
      return declined('an LDAP server, but not a domain controller');
    }
    // Nothing matched: without the domain in the question a controller tells which one it has.
    const other = await further(io, () => ping(io, undefined));
    if (!isTrouble(other) && other.netlogon) return judge(io, other.netlogon, domain);
    return declined(`not a controller for ${domain}`);
  },
});

function judge(io: ProbeIo, netlogon: Netlogon, asked: string | undefined): Answer {
  const { opcode, domain, forest, hostname, netbiosDomain, netbiosName, site, clientSite } = netlogon;
  const roles = rolesOf(netlogon);
  const evidence: Evidence = { domain, forest, hostname, netbiosDomain, netbiosName, site, clientSite, roles };
  if (asked !== undefined && domain.toLowerCase() !== asked.toLowerCase()) {
    return declined(`not a controller for ${asked}, it serves ${domain}`, evidence);
  }
  if (opcode === opcodes.paused) {
    return declined('the controller has paused its Netlogon service', evidence);
  }
  if (clientSite === '')
    io.note("this machine's subnet belongs to no site of the directory: any controller may be chosen");
  return answered(`${hostname}, a controller of ${domain} in site ${site}`, evidence);
}
