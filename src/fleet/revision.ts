/**
 * A revision of a site: what its agents are to check, signed off the hub. The signature is over the text as it is sent, up to
 * the signature itself, which stands last:
 *
 *     {"schema":"xenreach.site-revision/1","site":"lon-pool-1","number":12,...,"by":"U…"  ,"signature":"…"}
 *     └──────────────────────── signed, with a closing brace ────────────────────────────┘
 */
import * as v from 'valibot';
import { Id, Text } from '../model/spec.ts';
import { isKeyName, isSignedBy, signBy, type Key } from './keys.ts';

const revisionSchema = 'xenreach.site-revision/1';
export const maxRevisionBytes = 512 * 1024;

/** As in the file of `watch`: seconds or "5m"; held against its schema when it is used. */
const Interval = v.union([v.string(), v.number()]);

const signedEntries = {
  schema: v.literal(revisionSchema),
  site: Id,
  /** Agents take no lower one than they have. */
  number: v.pipe(v.number(), v.integer(), v.minValue(1)),
  /** The table that it was made for. */
  spec: v.strictObject({ id: Text, sha256: v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/)) }),
  /** How often, as in the file of `watch`. */
  watch: v.strictObject({
    every: v.optional(Interval),
    rows: v.optional(v.record(Id, Interval)),
    sections: v.optional(v.record(Id, Interval)),
    confirm: v.optional(v.strictObject({ runs: v.optional(v.number()), recheck: v.optional(Interval) })),
  }),
  /** The site file. */
  yaml: Text,
  /** The operator's key. */
  by: Text,
};

const Signed = v.strictObject(signedEntries);
export const RevisionShape = v.strictObject({ ...signedEntries, signature: Text });
export type Revision = v.InferOutput<typeof Signed>;

export async function signRevision(revision: Omit<Revision, 'schema' | 'by'>, key: Key): Promise<string> {
  const { site, number, spec, watch, yaml } = revision;
  const whole: Revision = { schema: revisionSchema, site, number, spec, watch, yaml, by: key.name };
  const text = JSON.stringify(whole);
  const signature = await signBy(key, new TextEncoder().encode(text));
  return `${text.slice(0, -1)},"signature":"${Buffer.from(signature).toString('base64url')}"}`;
}

export type Read = { readonly revision: Revision } | { readonly refused: string };

/** Hostile until its signature holds. `operators`: whose word counts. */
export async function readRevision(bytes: Uint8Array, operators: readonly string[]): Promise<Read> {
  if (bytes.length > maxRevisionBytes) return { refused: `the revision has more than ${maxRevisionBytes / 1024} KiB` };
  const text = decoded(bytes);
  const [, body, written = ''] = /^(\{.*),"signature":"([\w-]{86})"\}$/s.exec(text ?? '') ?? [];
  if (body === undefined) return { refused: 'the revision is not signed' };
  const signature = Buffer.from(written, 'base64url');
  const signed = `${body}}`;
  const value = parsed(signed);
  // Two spellings of one signature would be two texts that are both good.
  if (value === null || signature.toString('base64url') !== written)
    return { refused: 'the revision is not as xenreach writes it' };
  const by = claimedSigner(value);
  if (by === null || !operators.includes(by))
    return { refused: `the revision is signed by ${by ?? 'nobody'}, which is none of this agent's operators` };
  if (!(await isSignedBy(by, new TextEncoder().encode(signed), signature)))
    return { refused: `the signature of ${by} does not hold: the revision was changed on its way` };
  const checked = v.safeParse(Signed, value);
  return checked.success
    ? { revision: checked.output }
    : { refused: `the revision has a shape that this xenreach does not know (${checked.issues[0].message})` };
}

/** What is no UTF-8 would be decoded to something else than was signed. */
function decoded(bytes: Uint8Array): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return null;
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function claimedSigner(value: unknown): string | null {
  const by: unknown = typeof value === 'object' && value !== null && 'by' in value ? value.by : null;
  return typeof by === 'string' && isKeyName(by) ? by : null;
}
