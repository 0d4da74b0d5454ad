/** Reads what a responder saw arrive (`xenreach.receipts/1`), where somebody carried it here by hand. */
import * as v from 'valibot';
import { UsageError } from '../model/errors.ts';
import { throwIfAny } from './faults.ts';
import { pointerTo } from './report.ts';
import { shapeFaults } from './shape.ts';

const receiptsSchema = 'xenreach.receipts/1';

const Text = v.pipe(v.string(), v.maxLength(256), v.description('text'));
const Count = v.pipe(v.number(), v.integer(), v.minValue(0), v.description('a whole number from 0'));

/** Of a port: what came to it from one source. */
const ReceiptShape = v.object({
  transport: v.picklist(['tcp', 'udp']),
  port: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(65_535), v.description('a port from 1 to 65535')),
  state: Text,
  /** Nothing came where it is null. */
  from: v.nullable(Text),
  datagrams: Count,
  /** The rows that want it. */
  row: v.array(Text),
  proof: v.optional(Text, 'receipt'),
});

const ReceiptsShape = v.object({
  schema: v.literal(receiptsSchema),
  pair: Text,
  /** Which machine this was. */
  host: v.optional(Text),
  addresses: v.optional(v.pipe(v.array(Text), v.maxLength(256))),
  ports: v.pipe(v.array(ReceiptShape), v.maxLength(100_000)),
});
export type Receipts = v.InferOutput<typeof ReceiptsShape>;

/** Whether it says itself that it is such a file, of whatever version. */
export const isReceipts = (value: unknown): boolean =>
  typeof value === 'object' &&
  value !== null &&
  'schema' in value &&
  typeof value.schema === 'string' &&
  value.schema.startsWith('xenreach.receipts/');

export function receiptsFrom(value: unknown, file: string): Receipts {
  const schema: unknown = typeof value === 'object' && value !== null && 'schema' in value ? value.schema : undefined;
  if (schema !== receiptsSchema)
    throw new UsageError(`${file}: has the schema ${JSON.stringify(schema)}; this xenreach reads ${receiptsSchema}`);
  throwIfAny(shapeFaults(ReceiptsShape, value), { file, positionOf: pointerTo });
  return v.parse(ReceiptsShape, value);
}
