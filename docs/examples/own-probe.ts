// A probe of one's own, in a table of one's own: does the mail server greet?     node own-probe.ts HOST [PORT]
import { join } from 'node:path';
import * as v from 'valibot';
import { check, defineProbe, loadSpec, parseSite, probes } from 'xenreach';

const smtp = defineProbe({
  transport: 'tcp',
  port: 25,
  about: {
    title: 'SMTP',
    sends: 'QUIT, once the server has greeted',
    proves: 'a mail server greets (220) and is ready',
    leaves: 'one connection in its log',
    reference: 'RFC 5321, 3.1',
  },
  // Any Standard Schema will do.
  options: v.object({}),
  async run(io) {
    const conn = await io.connect();
    const bytes = await conn.readUntil(Buffer.from('\r\n'), 512);
    await conn.end(Buffer.from('QUIT\r\n'));
    const greeting = Buffer.from(bytes).toString('latin1').trimEnd();
    return { outcome: greeting.startsWith('220 ') ? 'answered' : 'declined', detail: greeting, evidence: { greeting } };
  },
});

const [host = '127.0.0.1', port = '25'] = process.argv.slice(2);
const known = { ...probes, smtp };
const spec = await loadSpec(join(import.meta.dirname, 'mail.yaml'), { probes: known });
const text = `name: mail\nvantage: [xenserver-host]\nroles: { mail-server: { host: ${host}, port: ${port} } }\n`;
const report = await check(await parseSite(text, 'mail site', spec), { spec, probes: known });
for (const { id, outcome, detail } of report.checks) console.log(`${id}: ${outcome ?? ''}: ${detail ?? ''}`);
