// Follows a check as it goes on, and ends it at the first failure: node events.ts site.yaml
import { checkEvents, loadSite, type CheckEvent, type Site } from 'xenreach';

const site: Site = await loadSite(process.argv[2] ?? 'site.yaml');

const told = (event: CheckEvent): string | undefined => {
  if (event.type === 'start') return `checking ${event.site.name} from ${event.vantage.hostname}`;
  if (event.type === 'check') return `  ${event.verdict ?? ''} ${event.id}: ${event.detail ?? ''}`;
  if (event.type === 'row') return `${event.verdict ?? ''} ${event.id}`;
  return undefined;
};

for await (const event of checkEvents(site)) {
  const line = told(event);
  if (line !== undefined) console.log(line);
  // Leaving the loop ends the check.
  if (event.type === 'row' && event.verdict === 'fail') break;
}
