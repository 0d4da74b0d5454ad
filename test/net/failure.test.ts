/** Every way the system says no, and what it means: the table of src/net/failure.ts, line by line. */
import { describe, expect, test } from 'vitest';
import { NetError } from '../../src/model/errors.ts';
import type { Hint, Outcome, Stage } from '../../src/model/outcome.ts';
import type { Transport } from '../../src/model/probe.ts';
import { codeOf, isExhaustion, netError, type FailureContext } from '../../src/net/failure.ts';

const connecting: FailureContext = {
  stage: 'connect',
  transport: 'tcp',
  elapsedMs: 1,
  immediate: false,
};

const systemError = (code: string): Error => Object.assign(new Error(`connect ${code} 192.0.2.5:443`), { code });

interface Case {
  readonly code: string;
  readonly when?: Partial<FailureContext>;
  readonly outcome: Outcome;
  readonly stage?: Stage;
  readonly hint?: Hint;
}

const udp = { transport: 'udp' as Transport, stage: 'exchange' as Stage };

const table: readonly Case[] = [
  { code: 'ECONNREFUSED', outcome: 'refused' },
  { code: 'ECONNREFUSED', when: udp, outcome: 'refused', stage: 'connect' },
  { code: 'ECONNRESET', when: { stage: 'exchange' }, outcome: 'closed', stage: 'exchange' },
  { code: 'ECONNRESET', when: { stage: 'proxy' }, outcome: 'closed', stage: 'proxy' },
  { code: 'ECONNRESET', when: { stage: 'tls' }, outcome: 'closed', stage: 'tls' },
  { code: 'ECONNRESET', outcome: 'closed', stage: 'exchange' },
  { code: 'EPIPE', when: { stage: 'exchange' }, outcome: 'closed', stage: 'exchange' },
  { code: 'ECONNABORTED', when: { stage: 'exchange' }, outcome: 'closed', stage: 'exchange' },
  { code: 'ENETUNREACH', when: { immediate: true }, outcome: 'unreachable', hint: 'no-route' },
  { code: 'ENETUNREACH', outcome: 'unreachable', hint: 'icmp-reject' },
  { code: 'EHOSTUNREACH', when: { immediate: true }, outcome: 'unreachable', hint: 'no-route' },
  { code: 'EHOSTUNREACH', outcome: 'unreachable', hint: 'icmp-reject' },
  { code: 'EHOSTUNREACH', when: { elapsedMs: 1999 }, outcome: 'unreachable', hint: 'icmp-reject' },
  { code: 'EHOSTUNREACH', when: { elapsedMs: 3080 }, outcome: 'unreachable', hint: 'host-down' },
  { code: 'EACCES', when: { immediate: true }, outcome: 'local' },
  { code: 'EACCES', outcome: 'unreachable', hint: 'icmp-reject' },
  { code: 'EPERM', outcome: 'local' },
  { code: 'ENOPROTOOPT', outcome: 'unreachable', hint: 'icmp-reject' },
  { code: 'EHOSTDOWN', outcome: 'unreachable', hint: 'host-down' },
  { code: 'ENONET', outcome: 'unreachable', hint: 'no-route' },
  { code: 'ETIMEDOUT', outcome: 'timeout' },
  ...['EMFILE', 'ENFILE', 'EADDRNOTAVAIL', 'EADDRINUSE', 'ENOBUFS', 'ENOMEM', 'EAGAIN', 'EINVAL', 'EAFNOSUPPORT'].map(
    (code): Case => ({ code, outcome: 'local' }),
  ),
  { code: 'EMSGSIZE', when: udp, outcome: 'local', stage: 'exchange' },
  { code: 'ESOMETHINGNEW', outcome: 'local' },
];

describe.for(table)('$code when $when', ({ code, when, outcome, stage = 'connect', hint }) => {
  const cause = systemError(code);
  const error = netError(cause, { ...connecting, ...when });

  test(`is ${outcome} at ${stage}`, () => {
    expect(error.failure).toMatchObject({ outcome, stage, code });
    expect(error.failure.hint).toBe(hint);
    expect(error.cause).toBe(cause);
    expect(error.message).not.toContain('192.0.2.5');
  });
});

test('only what more time can mend is exhaustion, and it is never the target’s fault', () => {
  const exhausting = table.filter(({ code, when }) =>
    isExhaustion(netError(systemError(code), { ...connecting, ...when }).failure),
  );
  expect(exhausting.map(({ code }) => code)).toEqual([
    'EMFILE',
    'ENFILE',
    'EADDRNOTAVAIL',
    'ENOBUFS',
    'ENOMEM',
    'EAGAIN',
  ]);
  expect(isExhaustion({ outcome: 'timeout', stage: 'connect', detail: '', code: 'EMFILE' })).toBe(false);
  expect(isExhaustion({ outcome: 'local', stage: 'connect', detail: '' })).toBe(false);
});

test('what is a NetError already stays as it is', () => {
  const known = new NetError({ outcome: 'timeout', stage: 'connect', detail: 'nothing came back' });
  expect(netError(known, connecting)).toBe(known);
});

test.for([null, undefined, 'text', 42, {}, { code: 7 }, new Error('odd')])(
  '%s, which is no system error, is ours',
  (thrown) => {
    expect(netError(thrown, connecting).failure).toMatchObject({ outcome: 'local', stage: 'connect' });
    expect(codeOf(thrown)).toBeUndefined();
  },
);

test('what comes out of an open connection is the peer’s or the path’s, unless a system call says otherwise', () => {
  const open = { ...connecting, stage: 'exchange' } as const;
  for (const thrown of [new Error('odd'), Object.assign(new Error('odd'), { code: 'ERR_STREAM_SOMETHING' }), 'text']) {
    expect(netError(thrown, open).failure).toMatchObject({ outcome: 'closed', stage: 'exchange' });
  }
  const own = Object.assign(new Error('write ENOSOMETHING'), { code: 'ENOSOMETHING', syscall: 'write' });
  expect(netError(own, open).failure).toMatchObject({ outcome: 'local', stage: 'exchange', code: 'ENOSOMETHING' });
});
