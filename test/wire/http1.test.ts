import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { NetError } from '../../src/model/errors.ts';
import { decodeHeader, decodeStatusLine, readResponse, type HttpResponse } from '../../src/wire/http1.ts';
import { decodes } from '../support/endings.ts';
import { expectBounded, recordedReplies } from '../support/strange-bytes.ts';
import { babble } from '../support/scripted-io.ts';

const read = (text: string | Uint8Array): Promise<HttpResponse> =>
  babble(typeof text === 'string' ? Buffer.from(text, 'latin1') : text)
    .connect()
    .then(readResponse);
const bodyOf = async (text: string): Promise<string> => Buffer.from((await read(text)).body).toString('latin1');
const textOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1');

test('status, reason and headers', async () => {
  const response = await read(
    'HTTP/1.0 301 Moved Permanently\nLocation: https://a/\r\nX: 1\r\nx:2\r\nContent-Length: 0\r\n\r\n',
  );
  expect(response).toMatchObject({ status: 301, reason: 'Moved Permanently' });
  expect([...response.headers]).toEqual([
    ['location', 'https://a/'],
    ['x', '1, 2'],
    ['content-length', '0'],
  ]);
});

describe('a body', () => {
  test('ends by its length', async () => {
    expect(await bodyOf('HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabcdef')).toBe('abc');
  });

  test('ends with its last chunk', async () => {
    const chunked = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n';
    expect(await bodyOf(`${chunked}3;name=value\r\nabc\r\n2\r\nde\r\n0\r\n\r\n`)).toBe('abcde');
  });

  test('ends with the connection', async () => {
    expect(await bodyOf('HTTP/1.1 200 OK\r\n\r\nabc')).toBe('abc');
  });

  test('is not there after 204', async () => {
    expect(await bodyOf('HTTP/1.1 204 No Content\r\n\r\nabc')).toBe('');
  });

  test('is cut at 64 KiB', async () => {
    const much = 'x'.repeat(100_000);
    expect(await bodyOf(`HTTP/1.1 200 OK\r\n\r\n${much}`)).toHaveLength(65_536);
    expect(await bodyOf(`HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n${much}`)).toHaveLength(65_536);
    expect(await bodyOf(`HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffff\r\n${much}`)).toHaveLength(
      65_536,
    );
  });

  test('that stops short is the connection closed', async () => {
    const short = 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc';
    await expect(read(short)).rejects.toMatchObject({ failure: { outcome: 'closed' } });
  });
});

test.for([
  ['not HTTP: SSH-', 'SSH-2.0-OpenSSH_9.2\r\n'],
  ['not an HTTP status line: HTTP/2 200', 'HTTP/2 200\r\n'],
  ['not an HTTP status line: HTTP/1.1 OK', 'HTTP/1.1 OK\r\n'],
  ['no delimiter in 1024 bytes', `HTTP/1.1 200 ${'x'.repeat(2000)}`],
  ['no delimiter in', `HTTP/1.1 200 OK\r\nX: ${'x'.repeat(17_000)}\r\n\r\n`],
  ['more than 64 HTTP headers', `HTTP/1.1 200 OK\r\n${'X: 1\r\n'.repeat(65)}\r\n`],
  ['not an HTTP header: nonsense', 'HTTP/1.1 200 OK\r\nnonsense\r\n\r\n'],
  ['not an HTTP header: a b: c', 'HTTP/1.1 200 OK\r\na b: c\r\n\r\n'],
  ['Content-Length: -1', 'HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n'],
  ['not the size of a chunk: xyz', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n'],
] as const)('is refused: %s', async ([message, text]) => {
  await expect(read(text)).rejects.toThrow(message);
  expect(await decodes(() => read(text))).toBe(false);
});

/** True for a response, false for a DecodeError or NetError; any other error is a defect. */
const settles = (bytes: Uint8Array): Promise<boolean> =>
  decodes(() => read(bytes)).catch((error: unknown) => {
    if (error instanceof NetError) return false;
    throw error;
  });

const bytesAfter = (start: string): fc.Arbitrary<Uint8Array> =>
  fc.uint8Array({ maxLength: 300 }).map((rest) => Buffer.concat([Buffer.from(start), rest]));

test('any bytes give a response, a NetError or a DecodeError', async () => {
  const starts = ['', 'HTTP/1.1 200 ', 'HTTP/1.1 200 OK\r\n', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n'];
  const speeches = fc.oneof(...starts.map((start) => bytesAfter(start)));
  const property = fc.asyncProperty(speeches, async (bytes) => void (await settles(bytes)));
  await expect(fc.assert(property, { numRuns: 500 })).resolves.toBeUndefined();
});

test('a response that stops short is never taken for whole', async () => {
  for (const recording of recordedReplies('xapi')) {
    for (let length = 0; length < recording.length; length++) {
      expect(await settles(recording.subarray(0, length))).toBe(false);
    }
  }
});

test('any line is a status line or header, or a DecodeError', () => {
  expectBounded((bytes) => decodeStatusLine(textOf(bytes)), []);
  expectBounded((bytes) => decodeHeader(textOf(bytes)), []);
});
