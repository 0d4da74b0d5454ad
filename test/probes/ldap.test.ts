import { readFileSync } from 'node:fs';
import * as fc from 'fast-check';
import * as v from 'valibot';
import { describe, expect, test } from 'vitest';
import { decodeMessage, encodeSearch, ldap, ldaps, unbindRequest } from '../../probes/ldap.ts';
import { NetError } from '../../src/model/errors.ts';
import type { SecureOptions } from '../../src/model/probe.ts';
import { application, encode, encodeInteger, encodeText, tags } from '../../src/wire/der.ts';
import { decodes, ending } from '../support/endings.ts';
import { babble, scriptedIo } from '../support/scripted-io.ts';

const target = { host: 'dc1.example.test', address: '192.0.2.1', port: 389, transport: 'tcp' } as const;
const january = Date.parse('2026-01-01T00:00:00Z');

const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const text = (value: string): Uint8Array => encodeText(value, tags.octetString);
const message = (id: number, ...operation: Uint8Array[]): Uint8Array =>
  encode(tags.sequence, encodeInteger(id), ...operation);

function entry(attributes: Readonly<Record<string, readonly string[]>>, id = 1): Uint8Array {
  const list = Object.entries(attributes).map(([type, values]) =>
    encode(tags.sequence, text(type), encode(tags.set, ...values.map(text))),
  );
  return message(id, encode(application(4), text(''), encode(tags.sequence, ...list)));
}

const result = (tag: number, code: number, why: string, ...rest: Uint8Array[]): Uint8Array =>
  encode(application(tag), encodeInteger(code, tags.enumerated), text(''), text(why), ...rest);
const done = (code = 0, why = ''): Uint8Array => message(1, result(5, code, why));
const oid = (name: string): Uint8Array => encodeText(name, 0x8a);
const notice = message(0, result(24, 52, 'going down', oid('1.3.6.1.4.1.1466.20036')));

const controller = {
  namingContexts: ['DC=corp,DC=example,DC=test', 'CN=Configuration,DC=example,DC=test'],
  defaultNamingContext: ['DC=corp,DC=example,DC=test'],
  rootDomainNamingContext: ['DC=example,DC=test'],
  supportedCapabilities: ['1.2.840.113556.1.4.800'],
  dnsHostName: ['dc1.corp.example.test'],
  isGlobalCatalogReady: ['TRUE'],
  currentTime: ['20260101000000.0Z'],
};

function search(reply: readonly Uint8Array[], options: object = {}, closes = false) {
  const io = scriptedIo({ steps: [{ reply: reply.map(hexOf).join(''), closes }], now: january });
  return { io, end: ending(ldap.run(io, target, v.parse(ldap.options, options))) };
}

test.for([
  ['the domain, in any case', { domain: 'CORP.example.test' }, 'answered'],
  ['the domain with its final dot', { domain: 'corp.example.test.' }, 'answered'],
  ['the parent of its domain', { domain: 'example.test' }, 'declined'],
  ['the parent, as a global catalog', { domain: 'example.test', globalCatalog: true }, 'answered'],
  ['a stranger, as a global catalog', { domain: 'other.test', globalCatalog: true }, 'declined'],
] as const)('a controller is asked for %s', async ([, options, outcome]) => {
  expect(await search([entry(controller), done()], options).end).toMatchObject({ outcome });
});

test('a controller that is no catalog yet says so', async () => {
  const reply = [entry({ ...controller, isGlobalCatalogReady: ['FALSE'] }), done()];
  expect(await search(reply, { globalCatalog: true }).end).toMatchObject({
    outcome: 'declined',
    detail: 'the directory says it is not a global catalog',
  });
});

test.for([
  [8, 'strongerAuthRequired'],
  [13, 'confidentialityRequired'],
  [48, 'inappropriateAuthentication'],
  [50, 'insufficientAccessRights'],
  [53, 'unwillingToPerform'],
  [1, 'operationsError'],
] as const)(
  'a directory that wants a bind first (%i) is reached, and what stays unproven is told',
  async ([code, name]) => {
    const { io, end } = search([done(code, 'bind first')], { domain: 'corp.example.test' });
    expect(await end).toMatchObject({
      outcome: 'answered',
      detail: `a directory that shows nothing before a bind (${name}: bind first)`,
    });
    expect(io.notes).toEqual([
      'the server wants a bind, which xenreach does not have: the domain and what it serves are not proven',
    ]);
  },
);

describe('where nothing listens for the global catalog', () => {
  /** A recorded introduction, of a controller that is a catalog (flag 4) or is none. */
  const introduction = (isCatalog: boolean): string => {
    const file: { steps: { reply: string }[] } = JSON.parse(readFileSync('fixtures/wire/cldap/domain.json', 'utf8'));
    const bytes = Buffer.from(file.steps[0]!.reply, 'hex');
    const at = bytes.indexOf(Buffer.from([23, 0, 0, 0])) + 4;
    bytes[at] = isCatalog ? bytes[at]! | 4 : bytes[at]! & ~4;
    return bytes.toString('hex');
  };
  const refused = new NetError({ outcome: 'refused', stage: 'connect', detail: 'nothing listens there' });
  const at3268 = async (reply: string, options: object = { globalCatalog: true }) => {
    const scripted = scriptedIo({ steps: [{ reply, port: 389 }], random: ['0002'] });
    const connect: typeof scripted.connect = () => Promise.reject(refused);
    const run = ldap.run({ ...scripted, connect }, { ...target, port: 3268 }, v.parse(ldap.options, options));
    return { io: scripted, end: await ending(run) };
  };
  test('a controller that says it is none is a warning', async () => {
    const { io, end } = await at3268(introduction(false));
    expect(end).toMatchObject({
      outcome: 'answered',
      detail: expect.stringContaining('is no global catalog') as string,
    });
    expect(io.warnings).toEqual([expect.stringContaining('another controller has to be one') as string]);
  });

  test.for([
    ['that says it is one', introduction(true)],
    ['that says nothing', ''],
  ] as const)('a controller %s has failed', async ([, reply]) => {
    expect((await at3268(reply)).end).toMatchObject({ outcome: 'refused' });
  });

  test('on a port of plain LDAP nobody is asked for it', async () => {
    expect((await at3268(introduction(false), {})).end).toMatchObject({ outcome: 'refused' });
  });
});

test('attribute names in another spelling, spaces in names and references change nothing', async () => {
  const reference = message(1, encode(application(19), text('ldap://other.example.test/')));
  const odd = { DEFAULTNAMINGCONTEXT: ['dc=corp, dc=example , dc=test'] };
  const { end } = search([reference, entry(odd), done()], { domain: 'corp.example.test' });
  expect(await end).toMatchObject({ outcome: 'answered' });
});

test.for([
  ['unwillingToPerform', [done(53)], '(unwillingToPerform)'],
  ['a code of its own', [done(4096)], '(result 4096)'],
  ['success without an entry', [done()], 'shows no root DSE'],
  ['a notice of disconnection', [notice], 'ends the connection (unavailable: going down)'],
] as const)('%s is the directory saying no', async ([, reply, detail]) => {
  expect(await search(reply).end).toMatchObject({
    outcome: 'declined',
    detail: expect.stringContaining(detail) as string,
  });
});

test('clocks six minutes apart are a warning, and four are none', async () => {
  const far = search([entry({ ...controller, currentTime: ['20260101000600.0Z'] }), done()]);
  await far.end;
  expect(far.io.warnings).toEqual(["this machine's clock and the directory's differ by 6 min: Kerberos allows 5 min"]);
  const near = search([entry({ ...controller, currentTime: ['20251231235600Z'] }), done()]);
  await near.end;
  expect(near.io.warnings).toEqual([]);
  expect(near.io.evidence).toMatchObject({ clockOffsetMs: -240_000 });
});

test.for(['20261399999999.0Z', 'yesterday', '', '20260101000000+0100'])(
  '%j is no time to compare with',
  async (time) => {
    const { io, end } = search([entry({ ...controller, currentTime: [time] }), done()]);
    expect(await end).toMatchObject({ outcome: 'answered' });
    expect(io.evidence).not.toHaveProperty('clockOffsetMs');
  },
);

test('the conversation ends with an unbind', async () => {
  const { io, end } = search([entry(controller), done()]);
  await end;
  expect(io.sent).toEqual([hexOf(await encodeSearch()), hexOf(unbindRequest)]);
});

const endless = Array.from({ length: 300 }, () => entry({ a: ['x'.repeat(1000)] }));
const many = Object.fromEntries(Array.from({ length: 65 }, (_, i) => [`a${i}`, ['x']]));
const utf8 = (value: string): Uint8Array => Uint8Array.from(Buffer.from(value));

test.for([
  ['nothing', [], false, 'timeout'],
  ['nothing, and closes', [], true, 'closed'],
  ['HTTP', [utf8('HTTP/1.1 400 Bad Request\r\n\r\n')], true, 'garbled'],
  ['a TLS alert', [Uint8Array.from([0x15, 3, 3, 0, 2, 2, 40])], true, 'garbled'],
  ['an indefinite length', [Uint8Array.from([0x30, 0x80, 2, 1, 1])], false, 'garbled'],
  ['a length of five bytes', [Uint8Array.from([0x30, 0x85, 0, 0, 0, 0, 9])], false, 'garbled'],
  ['four gigabytes', [Uint8Array.from([0x30, 0x84, 255, 255, 255, 255])], false, 'garbled'],
  ['a message that never ends', [entry(controller).subarray(0, 40)], false, 'timeout'],
  ['a message cut by a close', [entry(controller).subarray(0, 40)], true, 'closed'],
  ['an entry and no end', [entry(controller)], false, 'timeout'],
  ['entries without end', endless, false, 'garbled'],
  ["somebody else's entry", [entry(controller, 7), done()], false, 'garbled'],
  ['a bind response', [message(1, result(1, 0, ''))], false, 'garbled'],
  ['another extended response', [message(1, result(24, 0, '', oid('1.3.6.1.4.1.1466.20037')))], false, 'garbled'],
  ['a notice with an id', [message(1, result(24, 0, '', oid('1.3.6.1.4.1.1466.20036')))], false, 'garbled'],
  ['too many attributes', [entry(many), done()], false, 'garbled'],
  ['too many values', [entry({ a: Array.from({ length: 257 }, () => 'x') }), done()], false, 'garbled'],
  ['a value too long', [entry({ a: ['x'.repeat(8193)] }), done()], false, 'garbled'],
  ['one attribute twice', [entry({ a: ['x'], A: ['y'] }), done()], false, 'garbled'],
] as const)('a peer that says %s', async ([, reply, closes, outcome]) => {
  expect(await search(reply, {}, closes).end).toMatchObject({ outcome });
});

test('an attribute whose set runs past its end does not hold us up', async () => {
  // The request's codec would read the cut value again and again, without moving on.
  const value = Uint8Array.from([0x04, 0x7f, 0x78]);
  const set = Uint8Array.from([0x31, 0x7f, ...value]);
  const attribute = encode(tags.sequence, text('a'), set);
  const hostile = message(1, encode(application(4), text(''), encode(tags.sequence, attribute)));
  expect(await search([hostile, done()]).end).toMatchObject({ outcome: 'garbled' });
});

test('what a directory calls itself is not shown as it came', async () => {
  const { io, end } = search([entry({ ...controller, dnsHostName: [`\u001B[2Jdc1${'x'.repeat(500)}`] }), done()]);
  const { detail } = await end;
  expect(`${detail}${JSON.stringify(io.evidence)}`).not.toContain('\\u001');
  expect(detail.length).toBeLessThan(300);
});

test.for([
  [{}, { trust: 'verify' }],
  [
    { trust: 'observe', servername: 'corp.example.test', domain: 'corp.example.test' },
    { trust: 'observe', servername: 'corp.example.test' },
  ],
] as const)('LDAPS with %o asks for a session with %o', async ([given, wanted]) => {
  const asked: (SecureOptions | undefined)[] = [];
  const io = scriptedIo({ steps: [{ reply: hexOf(entry(controller)) + hexOf(done()) }], now: january });
  const secure: typeof io.secure = (conn, options) => {
    asked.push(options);
    return Promise.resolve(conn);
  };
  const answer = await ldaps.run({ ...io, secure }, { ...target, port: 636 }, v.parse(ldaps.options, given));
  expect(answer).toMatchObject({ outcome: 'answered' });
  expect(asked).toEqual([wanted]);
});

test('LDAPS without TLS on the other side says nothing of the directory', async () => {
  const io = scriptedIo({ steps: [] });
  const closed = new NetError({ outcome: 'closed', stage: 'tls', detail: 'closed' });
  const run = ldaps.run({ ...io, secure: () => Promise.reject(closed) }, target, v.parse(ldaps.options, {}));
  expect(await ending(run)).toMatchObject({ outcome: 'closed' });
  expect(io.sent).toEqual([]);
});

/** The entry in the recorded reply of a real controller. */
const recorded = (() => {
  const { steps } = JSON.parse(readFileSync('fixtures/wire/ldap/samba-domain.json', 'utf8')) as {
    steps: { reply: string }[];
  };
  const bytes = Uint8Array.from(Buffer.from(steps[0]!.reply, 'hex'));
  return bytes.subarray(0, 4 + ((bytes[2]! << 8) | bytes[3]!));
})();

test('a recorded entry decodes whole, and cut anywhere it does not', async () => {
  expect(decodeMessage(recorded)).toMatchObject({ kind: 'entry' });
  for (let length = 0; length < recorded.length; length++) {
    expect(await decodes(() => decodeMessage(recorded.subarray(0, length)))).toBe(false);
  }
});

test('a recorded entry with bits turned over decodes or does not', async () => {
  const flips = fc.array(fc.nat({ max: recorded.length * 8 - 1 }), { minLength: 1, maxLength: 6 });
  await fc.assert(
    fc.asyncProperty(flips, async (turned) => {
      const copy = Uint8Array.from(recorded);
      for (const bit of turned) copy[bit >> 3]! ^= 1 << (bit & 7);
      expect(await decodes(() => decodeMessage(copy))).toBeTypeOf('boolean');
    }),
    { numRuns: 1000 },
  );
});

test('any bytes are a message or not one, and any peer is an outcome', async () => {
  const head = fc.constantFrom([], [0x30, 0x20], [0x30, 0x20, 2, 1, 1, 0x64], [0x30, 0x20, 2, 1, 1, 0x65, 0x10]);
  await fc.assert(
    fc.asyncProperty(head, fc.uint8Array({ maxLength: 300 }), async (start, rest) => {
      const bytes = Uint8Array.from([...start, ...rest]);
      expect(await decodes(() => decodeMessage(bytes))).toBeTypeOf('boolean');
      await ending(ldap.run(babble(bytes), target, v.parse(ldap.options, { domain: 'corp.example.test' })));
      const io = scriptedIo({ steps: [{ reply: hexOf(bytes), closes: true }] });
      await ending(ldap.run(io, target, v.parse(ldap.options, { domain: 'corp.example.test' })));
    }),
    { numRuns: 500 },
  );
});
