/** A mail server that greets, answers EHLO and takes no mail. RFC 5321 section 4.3. */
import type { Caller, TcpPeer } from '../caller.ts';

export const mailServer: TcpPeer = (caller) => {
  caller.write('220 mail.lab.example ESMTP\r\n');
  return commands(caller);
};

async function commands(caller: Caller): Promise<void> {
  const line = (await caller.readUntil('\n')).toString('latin1').trimEnd();
  if (/^QUIT$/i.test(line)) {
    caller.write('221 bye\r\n');
    return undefined;
  }
  caller.write(/^EHLO \S/i.test(line) ? '250-mail.lab.example\r\n250 STARTTLS\r\n' : '502 not here\r\n');
  return commands(caller);
}
