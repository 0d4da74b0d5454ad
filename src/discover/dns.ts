/**
 * What DNS knows of a domain: its controllers, KDCs and global catalogs by their service records. The site keeps the domain,
 * since its controllers are found anew with every check; what is there today is told beside it.
 */
import type { Introduction } from '../load/controllers.ts';
import { nameFault } from '../load/host.ts';
import { NetError } from '../model/errors.ts';
import { printable } from '../wire/text.ts';
import type { Finding, Source } from './finding.ts';

export interface DomainAsking {
  readonly services: (name: string) => Promise<readonly { readonly name: string }[]>;
  /** Asks controllers for their forest, where other hosts than the resolvers may be asked. */
  readonly introductions?: (
    controllers: readonly string[],
    domain: string,
  ) => Promise<ReadonlyMap<string, Introduction>>;
}

/** A domain that the command line names, one that another source knows, or one that only may be one: a search domain. */
export interface DomainGuess {
  readonly domain: string;
  readonly how: 'named' | 'known' | 'guessed';
  readonly from: string;
}

const mostTold = 4;
const mostGuesses = 6;

export async function dnsSource(guesses: readonly DomainGuess[], asking: DomainAsking): Promise<Source> {
  const asked = await Promise.all(guesses.slice(0, mostGuesses).map((guess) => askFor(guess, asking)));
  return {
    name: 'the service records of DNS',
    findings: asked.flatMap(({ findings }) => findings),
    told: asked.flatMap(({ told }) => told),
    trouble: asked.find(({ trouble }) => trouble !== null)?.trouble ?? null,
  };
}

type Answer = Pick<Source, 'findings' | 'told' | 'trouble'>;

async function askFor({ domain, how, from }: DomainGuess, asking: DomainAsking): Promise<Answer> {
  const controllers = await named(asking, `_ldap._tcp.dc._msdcs.${domain}`);
  const own: Finding[] = how === 'named' ? [{ kind: 'domain', domain, from }] : [];
  if (typeof controllers === 'string' || controllers.length === 0) {
    const why = typeof controllers === 'string' ? controllers : 'it has none';
    const text = `DNS names no controllers of ${domain}: ${why}`;
    return { findings: own, told: how === 'known' ? [text] : [], trouble: how === 'named' ? text : null };
  }
  const kdcs = await named(asking, `_kerberos._tcp.dc._msdcs.${domain}`);
  const forest = await forestOf(domain, controllers, asking);
  const catalogs = await named(asking, `_ldap._tcp.gc._msdcs.${forest ?? domain}`);
  const remarks = [
    `DNS: controllers of ${domain}: ${namesText(controllers)}`,
    `DNS: KDCs of ${domain}: ${namesText(kdcs)}`,
    ...(forest === undefined ? [] : [`the controllers say: the forest of ${domain} is ${forest}`]),
    `DNS: global catalogs of ${forest ?? domain}: ${namesText(catalogs)}`,
  ];
  const found: Finding[] =
    how === 'known' ? [] : [{ kind: 'domain', domain, from: `${from}; DNS names its controllers` }];
  return {
    findings: [...found, ...remarks.map((text): Finding => ({ kind: 'remark', text }))],
    told: [],
    trouble: null,
  };
}

/** Names of hosts, or why there are none. */
async function named({ services }: DomainAsking, query: string): Promise<readonly string[] | string> {
  try {
    const records = await services(query);
    return [...new Set(records.map(({ name }) => name).filter((name) => nameFault(name) === null))];
  } catch (error) {
    return error instanceof NetError ? error.failure.detail : String(error);
  }
}

async function forestOf(
  domain: string,
  controllers: readonly string[],
  { introductions }: DomainAsking,
): Promise<string | undefined> {
  const said = await introductions?.(controllers.slice(0, mostTold), domain);
  const forest = [...(said?.values() ?? [])][0]?.forest;
  return forest === undefined || nameFault(forest) !== null ? undefined : printable(forest, 253).toLowerCase();
}

function namesText(names: readonly string[] | string): string {
  if (typeof names === 'string' || names.length === 0) return 'none';
  const more = names.length > mostTold ? ` and ${names.length - mostTold} more` : '';
  return `${names.slice(0, mostTold).join(', ')}${more}`;
}
