/** Mail, by nodemailer, which is loaded with the first one. What is due together is one mail. */
import { textOf, titleOf, type Event } from '../event.ts';

export interface MailAccount {
  readonly to: readonly string[];
  readonly from: string;
  readonly smtp: string;
  readonly login: { readonly user: string; readonly password: string } | null;
}

export interface Mail {
  readonly subject: string;
  readonly text: string;
  /** Made of the events: a mail that is sent again is known by it. */
  readonly messageId: string;
}

export function mailOf(events: readonly Event[], from: string): Mail {
  const [first] = events;
  const more = events.length > 1 ? ` and ${events.length - 1} more` : '';
  const domain = from.slice(from.lastIndexOf('@') + 1);
  return {
    subject: `xenreach: ${titleOf(first!)}${more}`.replaceAll(/[\r\n]+/g, ' ').slice(0, 200),
    text: events.map(textOf).join('\n---\n\n'),
    messageId: `<${first!.id}.${events.length}@${domain}>`,
  };
}

export async function sendMail(account: MailAccount, events: readonly Event[], timeoutMs: number): Promise<void> {
  const { createTransport } = await import('nodemailer');
  const { protocol, hostname, port } = new URL(account.smtp);
  const isSecure = protocol === 'smtps:';
  const transport = createTransport({
    host: hostname.replace(/^\[|\]$/g, ''),
    port: port === '' ? (isSecure ? 465 : 25) : Number(port),
    secure: isSecure,
    ...(account.login && { auth: { user: account.login.user, pass: account.login.password }, requireTLS: !isSecure }),
    connectionTimeout: timeoutMs,
    greetingTimeout: timeoutMs,
    socketTimeout: timeoutMs,
    dnsTimeout: timeoutMs,
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  try {
    const { subject, text, messageId } = mailOf(events, account.from);
    await withinTime(
      transport.sendMail({
        from: account.from,
        to: [...account.to],
        subject,
        text,
        messageId,
        headers: { 'Auto-Submitted': 'auto-generated', 'X-Auto-Response-Suppress': 'All' },
      }),
      // The library's limits are for one step each.
      timeoutMs * 2,
    );
  } finally {
    transport.close();
  }
}

async function withinTime<T>(sent: Promise<T>, ms: number): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error(`the mail server took longer than ${ms / 1000} s`)), ms);
  try {
    return await Promise.race([sent, promise]);
  } finally {
    clearTimeout(timer);
    sent.catch(() => undefined);
  }
}
