/** Options of a spec that stand for what only the site knows: `$domain` and the other words of `templates`. */
import type { Site } from '../model/site.ts';
import { templates } from '../model/spec.ts';

export interface TemplateValues {
  /** The Active Directory domain of the host or its role. */
  readonly domain: string | undefined;
  readonly dns: Site['dns'];
}

const values: Readonly<Record<(typeof templates)[number], (known: TemplateValues) => string | undefined>> = {
  domain: ({ domain }) => domain,
  realm: ({ domain }) => domain?.toUpperCase(),
  'ad-srv': ({ domain }) => domain && `_ldap._tcp.dc._msdcs.${domain}`,
  'dns-query': ({ dns }) => dns.query,
  'dns-type': ({ dns }) => dns.type,
};

/** An option whose value the site does not know is left out: the probe then asks without it. */
export function fillTemplates(
  options: Readonly<Record<string, unknown>>,
  known: TemplateValues,
): Record<string, unknown> {
  const filled = Object.entries(options).map(([key, value]): [string, unknown] => {
    const template = templates.find((name) => value === `$${name}`);
    return [key, template ? values[template](known) : value];
  });
  return Object.fromEntries(filled.filter(([, value]) => value !== undefined));
}
