/** Reads what a responder saw arrive (`xenreach.receipts/1`), where somebody carried it here by hand. */
import * as v from 'valibot';
import { UsageError } from '../model/errors.ts';
import { ReceiptsShape, receiptsSchema, type Receipts } from '../model/pair.ts';
import { throwIfAny } from './faults.ts';
import { pointerTo } from './report.ts';
import { shapeFaults } from './shape.ts';

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
