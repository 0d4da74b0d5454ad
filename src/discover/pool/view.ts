/** A pool's records as the mappings look at them: the pool, its hosts, and what belongs to which. */
import { hostIn, isRead, text, type Fields, type PoolRecords, type Records } from '../records.ts';

/** This machine, as far as a pool could know it. */
export interface Self {
  /** INSTALLATION_UUID of /etc/xensource-inventory. */
  readonly uuid: string | undefined;
  readonly addresses: readonly string[];
}

export interface Member {
  readonly reference: string;
  readonly fields: Fields;
  /** As a sentence names it: its hostname or label. */
  readonly name: string;
  readonly address: string | undefined;
  readonly isCoordinator: boolean;
  readonly isSelf: boolean;
}

export class PoolView {
  readonly records: PoolRecords;
  readonly pool: Fields;
  readonly members: readonly Member[];

  constructor(records: PoolRecords, self: Self) {
    this.records = records;
    this.pool = this.of('pool').values().next().value ?? {};
    const coordinator = text(this.pool, 'master');
    this.members = [...this.of('host')].map(([reference, fields]) => {
      const address = hostIn(text(fields, 'address'));
      return {
        reference,
        fields,
        name: text(fields, 'hostname') || text(fields, 'name_label') || (address ?? 'a host without a name'),
        address,
        isCoordinator: reference === coordinator,
        isSelf: isSelf(text(fields, 'uuid'), address, self),
      };
    });
  }

  /** Empty where the class was not read. */
  of(name: string): Records {
    const records = this.records[name];
    return isRead(records) ? records : new Map();
  }

  /** Was the class read at all? Otherwise that there is none of it means nothing. */
  knows(name: string): boolean {
    return isRead(this.records[name]);
  }

  get(name: string, reference: string | undefined): Fields | undefined {
    return reference === undefined ? undefined : this.of(name).get(reference);
  }

  /** Of a member by its reference. */
  nameOf(reference: string | undefined): string {
    return this.members.find((member) => member.reference === reference)?.name ?? 'a host that left';
  }

  /** A value that hosts have each for itself, with the names of those that say so. */
  byValue(valueOf: (fields: Fields) => string | undefined): ReadonlyMap<string, readonly string[]> {
    const values = new Map<string, string[]>();
    for (const { fields, name } of this.members) {
      const value = valueOf(fields);
      if (value !== undefined) values.set(value, [...(values.get(value) ?? []), name]);
    }
    return values;
  }
}

const isSelf = (uuid: string | undefined, address: string | undefined, self: Self): boolean =>
  self.uuid === undefined ? address !== undefined && self.addresses.includes(address) : uuid === self.uuid;

const mostNamed = 3;

/** "xs1, xs2, xs3 and 5 more" */
export function namesOf(names: readonly string[]): string {
  const told = names.slice(0, mostNamed).join(', ');
  return names.length > mostNamed ? `${told} and ${names.length - mostNamed} more` : told;
}

/** The PIFs that carry the management of their host. */
export const managementInterfaces = (view: PoolView): readonly Fields[] =>
  [...view.of('PIF').values()].filter((fields) => fields['management'] === true);
