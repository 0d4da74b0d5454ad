/**
 * Simple Mail Transfer: the greeting, EHLO and QUIT. No mail is begun. On port 465 TLS comes first (RFC 8314 section 3.3),
 * and the certificate is observed. RFC 5321 sections 3.1, 3.2 and 4.2 (replies).
 */
import * as v from 'valibot';
import { answered, declined, type Answer } from '../src/model/outcome.ts';
import { defineProbe, type Conn } from '../src/model/probe.ts';
import { DecodeError } from '../src/wire/reader.ts';
import { printable } from '../src/wire/text.ts';

const lineFeed = Uint8Array.of(0x0a);
/** A reply line has at most 512 bytes; servers go beyond. */
const maxLineBytes = 2048;
const maxLines = 100;

const submissions = 465;

export interface SmtpReply {
  readonly code: number;
  readonly lines: readonly string[];
}

/** "250-size 1000" goes on, "250 ok" ends it. */
export function decodeLine(bytes: Uint8Array): {
  readonly code: number;
  readonly isLast: boolean;
  readonly text: string;
} {
  const [, code, separator, text = ''] =
    /^(\d{3})([ -]?)(.*?)\r?\n$/s.exec(Buffer.from(bytes).toString('latin1')) ?? [];
  if (code === undefined) throw new DecodeError(`not a reply of SMTP: ${printable(bytes)}`, 0);
  return { code: Number(code), isLast: separator !== '-', text };
}

export const smtp = defineProbe({
  transport: 'tcp',
  port: 25,
  about: {
    title: 'Mail (SMTP)',
    sends: 'EHLO with an address in brackets, and QUIT; on port 465 a TLS handshake before',
    proves: 'a mail server greets and answers EHLO; not that it takes mail from here for anybody',
    client: 'ssmtp of a XenServer host: greeting 220, EHLO or HELO answered with 250',
    leaves: 'one session without a mail in its log',
    reference: 'RFC 5321',
  },
  options: v.strictObject({}),

  async run(io, target) {
    const plain = await io.connect();
    const conn = target.port === submissions ? await io.secure(plain, { trust: 'observe' }) : plain;
    const greeting = await readReply(conn);
    if (greeting.code !== 220) return refused(conn, 'greets with', greeting);
    await conn.write(Buffer.from('EHLO [127.0.0.1]\r\n', 'latin1'));
    const reply = await readReply(conn);
    if (reply.code !== 250) return refused(conn, 'answers EHLO with', reply);
    await conn.end(Buffer.from('QUIT\r\n', 'latin1'));
    const offersTls = reply.lines.slice(1).some((line) => /^STARTTLS\s*$/i.test(line));
    const server = printable(greeting.lines[0] ?? '');
    return answered(`SMTP: ${server}`, { greeting: server, startTls: offersTls });
  },
});

async function refused(conn: Conn, how: string, { code, lines }: SmtpReply): Promise<Answer> {
  await conn.end(Buffer.from('QUIT\r\n', 'latin1'));
  const words = printable(lines.join(' '));
  return declined(`the mail server ${how} ${code}: ${words}`, { code, words });
}

async function readReply(conn: Conn): Promise<SmtpReply> {
  const lines: string[] = [];
  for (;;) {
    // Each line says whether another follows.
    const { code, isLast, text } = decodeLine(await conn.readUntil(lineFeed, maxLineBytes));
    lines.push(text);
    if (isLast) return { code, lines };
    if (lines.length >= maxLines) throw new DecodeError(`a reply of more than ${maxLines} lines`, 0);
  }
}
