// Checks a site, keeps the report, and says what fails: node check.js site.yaml
import { writeFile } from 'node:fs/promises';
import { check, loadSite, render } from 'xenreach';

const site = await loadSite(process.argv[2] ?? 'site.yaml');
const report = await check(site, { timeoutMs: 3000 });
await writeFile('report.json', render(report, 'json'));

for (const { id, verdict, because, remedy } of report.rows)
  if (verdict === 'fail') console.log(`${id}: ${because}\n    ${remedy ?? ''}`);
console.log(`${report.summary.verdict}: ${report.summary.pass} pass, ${report.summary.fail} fail`);
process.exitCode = report.exitCode ?? 3;
