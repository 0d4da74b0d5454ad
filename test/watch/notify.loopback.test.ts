/** Notices: what is sent, how it is signed, and what happens while nobody takes them. */
import { createHmac } from 'node:crypto';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { createServer as createPlain, type AddressInfo } from 'node:net';
import fc from 'fast-check';
import { afterEach, describe, expect, test } from 'vitest';
import { testEvent, titleOf, ulid, type Event } from '../../src/watch/event.ts';
import { History } from '../../src/watch/history/history.ts';
import type { Notifier } from '../../src/watch/load-config.ts';
import { aheadMs, alertOf } from '../../src/watch/notify/alertmanager.ts';
import { mailOf } from '../../src/watch/notify/email.ts';
import { backoffMs, Outbox, send } from '../../src/watch/notify/outbox.ts';
import { keyOf, sign } from '../../src/watch/notify/webhook.ts';

const event: Event = {
  ...testEvent('lon-pool-1', 'xs-lon-01', 1_795_600_000_000),
  type: 'opened',
  incident: '01ABC',
  cause: { kind: 'host', text: 'nothing comes back from 10.20.40.50', remedy: 'Ask the firewall team.' },
  rows: [{ id: 'iscsi', was: 'pass', now: 'fail', because: 'dropped', remedy: null }],
};

const open: { close(): void }[] = [];
afterEach(() => open.splice(0).forEach((each) => each.close()));

interface Received {
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

/** A receiver that answers with these, the last one from then on. */
async function receiver(...statuses: readonly number[]): Promise<{ url: string; received: Received[] }> {
  const received: Received[] = [];
  const server: Server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      received.push({ url: request.url ?? '', headers: request.headers, body: Buffer.concat(chunks).toString('utf8') });
      response.statusCode = statuses[Math.min(received.length, statuses.length) - 1] ?? 200;
      response.end('{}');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  open.push({ close: () => (server.closeAllConnections(), server.close()) });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, received };
}

test('a webhook is signed as Standard Webhooks has it', () => {
  const secret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
  const headers = sign('msg_p5jXN8AQM9LWM0D4loKWxJek', 1_614_265_330, '{"test": 2432232314}', secret);
  // The example of the standard's own libraries.
  expect(headers['webhook-signature']).toBe('v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=');
  expect(keyOf('plain words').toString()).toBe('plain words');
});

test('a webhook brings the event, and its receiver can verify it', async () => {
  const { url, received } = await receiver(204);
  await send({ kind: 'webhook', url: `${url}/hook`, secret: 'a secret' }, [event], 1_795_600_000_000);
  const [{ headers, body, url: path } = received[0]!] = received;
  expect([path, headers['content-type'], headers['webhook-id']]).toEqual(['/hook', 'application/json', event.id]);
  expect(JSON.parse(body)).toEqual(event);
  const signed = `${headers['webhook-id'] as string}.${headers['webhook-timestamp'] as string}.${body}`;
  const expected = createHmac('sha256', 'a secret').update(signed).digest('base64');
  expect(headers['webhook-signature']).toBe(`v1,${expected}`);
});

test.for([301, 404, 500])('a receiver that answers %i has not taken it', async (status) => {
  const { url, received } = await receiver(status);
  await expect(send({ kind: 'webhook', url, secret: 's' }, [event], 0)).rejects.toThrow(`status ${status}`);
  expect(received).toHaveLength(1);
});

test('an alert has the same labels while rows come and go, and an end that a dead process lets pass', () => {
  const told = {
    site: 's',
    vantage: 'v',
    incident: { id: '01ABC', kind: 'host', text: 't', remedy: null, since: 1000, rows: ['a'], isFlapping: false },
    until: null,
    link: null,
  } as const;
  const one = alertOf(told, 10_000);
  const other = alertOf({ ...told, incident: { ...told.incident, rows: ['a', 'b'], text: 'more' } }, 70_000);
  expect(other.labels).toEqual(one.labels);
  expect(Date.parse(one.endsAt)).toBe(10_000 + aheadMs);
  expect(alertOf({ ...told, until: 9000 }, 10_000).endsAt).toBe(new Date(9000).toISOString());
});

test('of two Alertmanagers one that is down is no trouble', async () => {
  const { url, received } = await receiver(200);
  const notifier: Notifier = { kind: 'alertmanager', urls: ['http://127.0.0.1:1', url], token: 'bearer' };
  await send(notifier, [testEvent('s', 'v', 1000)], 1000);
  expect(received[0]).toMatchObject({ url: '/api/v2/alerts', headers: { authorization: 'Bearer bearer' } });
  await expect(send({ ...notifier, urls: ['http://127.0.0.1:1'] }, [event], 0)).rejects.toThrow(/ECONNREFUSED/);
});

test('a mail tells of all that is due, and what peers said cannot add a header', () => {
  const nasty = { ...event, cause: { ...event.cause, text: 'x\r\nBcc: someone@example.test' } };
  const mail = mailOf([nasty, event], 'watch@example.test');
  expect(mail.subject).toBe('xenreach: FAIL lon-pool-1: x Bcc: someone@example.test (iscsi) and 1 more');
  expect(mail.text).toContain('Do: Ask the firewall team.');
  expect(mail.messageId).toBe(`<${event.id}.2@example.test>`);
  expect(titleOf(event)).toBe('FAIL lon-pool-1: nothing comes back from 10.20.40.50 (iscsi)');
});

test('ids sort by time', () => {
  fc.assert(
    fc.property(fc.nat(2 ** 31), fc.nat(2 ** 31), (one, other) => {
      fc.pre(one !== other);
      expect(ulid(one) < ulid(other)).toBe(one < other);
      expect(ulid(one)).toMatch(/^[0-9A-HJKMNP-TV-Z]{26}$/);
    }),
  );
});

describe('the outbox', () => {
  interface Kept {
    readonly outbox: Outbox;
    readonly history: History;
    readonly troubles: string[];
    readonly wait: (ms: number) => void;
    readonly queue: (...events: Event[]) => void;
    readonly waiting: () => number;
  }

  function outboxFor(...notifiers: Notifier[]): Kept {
    const history = History.open(':memory:')!;
    open.push(history);
    let now = 1_795_600_000_000;
    const troubles: string[] = [];
    const outbox = new Outbox({
      history: () => history,
      wall: () => now,
      told: () => [],
      onTrouble: (text) => troubles.push(text),
    });
    outbox.use(notifiers);
    return {
      outbox,
      history,
      troubles,
      wait: (ms) => void (now += ms),
      queue: (...events) => history.recorder.putEvents(events, (type) => outbox.names(type), now),
      waiting: () => Number(history.db.sql('SELECT count(*) AS n FROM outbox').get()!['n']),
    };
  }

  test('what is delivered is gone; the same event is never queued twice', async () => {
    const { url, received } = await receiver(200);
    const { outbox, queue, waiting } = outboxFor({ kind: 'webhook', url, secret: 's' });
    queue(event);
    queue(event);
    await outbox.settle();
    await outbox.settle();
    expect([received.length, waiting()]).toEqual([1, 0]);
  });

  test('while a receiver is down it is asked less and less often, in order, and told once', async () => {
    const { url, received } = await receiver(500, 500, 500, 200);
    const { outbox, queue, wait, waiting, troubles } = outboxFor({ kind: 'webhook', url, secret: 's' });
    const second = { ...event, id: `${event.id}2` };
    queue(event, second);
    await outbox.settle();
    await outbox.settle();
    expect(received).toHaveLength(1);
    expect(outbox.troubles()).toMatchObject([{ trouble: 'it answers with status 500' }]);
    for (const tries of [0, 1, 2]) {
      wait(backoffMs(tries) + 1);
      await outbox.settle();
    }
    expect(received.map(({ headers }) => headers['webhook-id'])).toEqual([
      event.id,
      event.id,
      event.id,
      event.id,
      second.id,
    ]);
    expect([waiting(), outbox.troubles().length, troubles.length]).toEqual([0, 0, 1]);
    expect([...outbox.failed().values()]).toEqual([3]);
  });

  test('after a day a notice is given up, and the next is sent', async () => {
    const { url } = await receiver(500);
    const { outbox, queue, wait, waiting, troubles } = outboxFor({ kind: 'webhook', url, secret: 's' });
    queue(event);
    await outbox.settle();
    wait(25 * 3_600_000);
    await outbox.settle();
    expect(waiting()).toBe(0);
    expect(troubles.join('\n')).toMatch(/given up after a day/);
  });

  test('a receiver that never answers holds up nobody else, and no caller', async () => {
    const mute = createPlain();
    await new Promise<void>((resolve) => mute.listen(0, '127.0.0.1', resolve));
    open.push(mute);
    const { url, received } = await receiver(200);
    const silent = `http://127.0.0.1:${(mute.address() as AddressInfo).port}`;
    const { outbox, queue } = outboxFor(
      { kind: 'webhook', url: silent, secret: 's' },
      { kind: 'webhook', url, secret: 's' },
    );
    queue(event);
    const began = performance.now();
    outbox.turn();
    expect(performance.now() - began).toBeLessThan(1000);
    await expect.poll(() => received.length, { timeout: 10_000 }).toBe(1);
  });

  test('what the disk did not take is sent from memory', async () => {
    const { url, received } = await receiver(500, 200);
    const { outbox, wait } = outboxFor({ kind: 'webhook', url, secret: 's' });
    outbox.keepUnsaved([event], 1_795_600_000_000);
    await outbox.settle();
    wait(backoffMs(0) + 1);
    await outbox.settle();
    await outbox.settle();
    expect(received).toHaveLength(2);
  });
});
