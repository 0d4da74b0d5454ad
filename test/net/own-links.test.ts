/** What the neighbour table makes of a failure that came too soon, too late or not at all. */
import { describe, expect, test } from 'vitest';
import { OwnLinks, unansweredIn } from '../../src/net/own-links.ts';
import { seen } from '../support/builders.ts';

const table = `IP address       HW type     Flags       HW address            Mask     Device
192.0.2.5        0x1         0x0         00:00:00:00:00:00     *        eth0
192.0.2.6        0x1         0x2         02:42:0a:00:00:06     *        eth0
`;

const rejected = seen({ outcome: 'unreachable', stage: 'connect', hint: 'icmp-reject', code: 'EHOSTUNREACH' });
const elsewhere = { ...rejected, address: '192.0.2.6' };

test('an entry without flags is a question that nobody answers', () => {
  expect([...unansweredIn(table)]).toEqual(['192.0.2.5']);
  expect([...unansweredIn('')]).toEqual([]);
});

describe('a connection that failed before three questions could have gone unanswered', () => {
  test('joined a question that others had asked, where the table says so', () => {
    const links = new OwnLinks(() => table);
    expect(links.informed(rejected, 'tcp')).toMatchObject({ outcome: 'unreachable', hint: 'host-down' });
    expect(links.informed(elsewhere, 'tcp')).toBe(elsewhere);
  });

  test('is what the first one to the address was, where there is no table', () => {
    const links = new OwnLinks(() => '');
    expect(links.informed(rejected, 'tcp')).toBe(rejected);
    links.informed(seen({ outcome: 'unreachable', stage: 'connect', hint: 'host-down' }), 'tcp');
    expect(links.informed(rejected, 'tcp')).toMatchObject({ hint: 'host-down' });
    expect(links.informed(elsewhere, 'tcp')).toBe(elsewhere);
  });

  test('was rejected by somebody, where a router says so itself', () => {
    const noWay = seen({ ...rejected, code: 'ENETUNREACH' });
    expect(new OwnLinks(() => table).informed(noWay, 'tcp')).toBe(noWay);
  });
});

test('what is not of our own link is left as it is', () => {
  const silence = seen({ outcome: 'timeout', stage: 'exchange', address: '198.51.100.9' });
  expect(new OwnLinks(() => table).informed(silence, 'udp')).toBe(silence);
  const answer = seen();
  expect(new OwnLinks(() => table).informed(answer, 'udp')).toBe(answer);
});

test.for(['127.0.0.1', '::1', 'a.example.test', '', '198.51.100.9', '2001:db8:ffff::1'])(
  '%s is on no link',
  (address) => {
    expect(new OwnLinks(() => '').isOnLink(address)).toBe(false);
  },
);
