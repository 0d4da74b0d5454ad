/** What outcomes mean. */
export const rowVerdicts = ['pass', 'warn', 'fail', 'unverified', 'skipped'] as const;
export type RowVerdict = (typeof rowVerdicts)[number];
export type CheckVerdict = Exclude<RowVerdict, 'skipped'>;

/** `service`: it must answer. `path`: before install, the network must let us through. */
export const modes = ['service', 'path'] as const;
export type Mode = (typeof modes)[number];
