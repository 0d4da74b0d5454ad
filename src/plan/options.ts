/**
 * The options of a need at a host: what the spec says, with the site's own words filled in, parsed by the probe. Made once
 * for each need and domain, and equal ones are one object: checks are compared by it.
 */
import { UsageError } from '../model/errors.ts';
import { optionsOf, type Probe, type ProbeOptions } from '../model/probe.ts';
import type { Site } from '../model/site.ts';
import { templates, type Need } from '../model/spec.ts';

export class NeedOptions {
  readonly #site: Pick<Site, 'dns' | 'poolCertificates'>;
  readonly #made = new Map<Need, Map<string, ProbeOptions>>();
  readonly #byText = new Map<string, ProbeOptions>();

  constructor(site: Pick<Site, 'dns' | 'poolCertificates'>) {
    this.#site = site;
  }

  /** `domain`: the Active Directory domain of the host or its role. */
  for(need: Need, probe: Probe, domain: string | undefined): ProbeOptions {
    const key = domain ?? '';
    let made = this.#made.get(need);
    if (!made) this.#made.set(need, (made = new Map()));
    let options = made.get(key);
    if (!options) {
      const filled = fillTemplates(need.options, { ...this.#site, domain });
      made.set(key, (options = this.#interned(parseOptions(probe, need, filled))));
    }
    return options;
  }

  #interned(options: ProbeOptions): ProbeOptions {
    const text = JSON.stringify(options);
    const first = this.#byText.get(text) ?? options;
    this.#byText.set(text, first);
    return first;
  }
}

export interface TemplateValues {
  readonly domain: string | undefined;
  readonly dns: Site['dns'];
  readonly poolCertificates?: readonly string[] | undefined;
}

const values: Readonly<Record<(typeof templates)[number], (known: TemplateValues) => unknown>> = {
  domain: ({ domain }) => domain,
  realm: ({ domain }) => domain?.toUpperCase(),
  'ad-srv': ({ domain }) => domain && `_ldap._tcp.dc._msdcs.${domain}`,
  'dns-query': ({ dns }) => dns.query,
  'dns-type': ({ dns }) => dns.type,
  'pool-certificates': ({ poolCertificates }) => poolCertificates,
};

/** An option whose value the site does not know is left out: the probe then asks without it. */
export function fillTemplates(options: ProbeOptions, known: TemplateValues): Record<string, unknown> {
  const filled = Object.entries(options).map(([key, value]): [string, unknown] => {
    const template = templates.find((name) => value === `$${name}`);
    return [key, template ? values[template](known) : value];
  });
  return Object.fromEntries(filled.filter(([, value]) => value !== undefined));
}

/** What the site filled in may still be no option of the probe: a query type that is no type. */
function parseOptions(probe: Probe, need: Need, options: ProbeOptions): ProbeOptions {
  const parsed = probe.options['~standard'].validate(options);
  if (parsed instanceof Promise) throw new TypeError(`the options of ${need.probe} cannot be checked at once`);
  if (parsed.issues)
    throw new UsageError(
      `the ${need.probe} probe cannot take ${JSON.stringify(options)}: ${parsed.issues[0]?.message}`,
    );
  return optionsOf(parsed.value);
}
