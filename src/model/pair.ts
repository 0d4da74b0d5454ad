/**
 * The two files of a pair: what `respond` gives to whoever is to check (`xenreach.pair/1`, with the key in it), and what it
 * saw (`xenreach.receipts/1`, which may be shown to anybody). The schemas are the types.
 */
import * as v from 'valibot';
import { Port, Text } from './spec.ts';

export const pairSchema = 'xenreach.pair/1';
export const receiptsSchema = 'xenreach.receipts/1';

const Ports = v.array(Port);
const PortLists = v.object({ udp: Ports, tcp: Ports });
const Time = v.pipe(v.string(), v.isoTimestamp(), v.description('a time by ISO 8601'));
const Count = v.pipe(v.number(), v.integer(), v.minValue(0), v.description('a whole number from 0'));
const Key = v.pipe(v.string(), v.regex(/^[A-Za-z0-9_-]{43}$/), v.description('32 bytes as base64url'));
const PairId = v.pipe(v.string(), v.regex(/^[0-9a-f]{8}$/), v.description('8 hex digits'));

export const PairShape = v.object({
  schema: v.literal(pairSchema),
  /** The secret that both ends share: 32 random bytes. */
  key: Key,
  /** What the other machine calls itself. */
  host: Text,
  addresses: v.pipe(v.array(Text), v.minLength(1), v.maxLength(64)),
  roles: v.array(Text),
  /** When the other end will have ended. */
  until: Time,
  /** Ports that the responder holds itself. */
  bound: PortLists,
  /** Ports that a service holds: nothing of ours is ever sent there. */
  held: PortLists,
});
export type Pair = v.InferOutput<typeof PairShape>;

const portStates = ['bound', 'held', 'failed'] as const;

const ReceiptShape = v.object({
  transport: v.picklist(['tcp', 'udp']),
  port: Port,
  /** `bound`: by the responder; `held`: by a service; `failed`: it was free, and could not be bound. */
  state: v.picklist(portStates),
  /** The rows that want it. */
  row: v.array(Text),
  proof: v.picklist(['none', 'receipt', 'log', 'conntrack', 'capture']),
  /** As it arrived; null where nothing did. */
  from: v.nullable(Text),
  fromPort: v.nullable(Count),
  /** Of the check that sent it, in hex. */
  nonce: v.nullable(Text),
  /** What a log kept. */
  mark: v.nullable(Text),
  /** Datagrams, or connections over TCP. */
  datagrams: Count,
  maxBytes: Count,
});

export const ReceiptsShape = v.object({
  schema: v.literal(receiptsSchema),
  /** The first 8 hex digits of the key's SHA-256. */
  pair: PairId,
  host: Text,
  addresses: v.array(Text),
  roles: v.array(Text),
  startedAt: Time,
  endedAt: Time,
  /** Why it ended. */
  ended: v.picklist(['time', 'seen', 'input', 'signal']),
  ports: v.array(ReceiptShape),
});
export type Receipts = v.InferOutput<typeof ReceiptsShape>;
export type PortReceipt = Receipts['ports'][number];
