/** What the pages do by themselves where scripts run: show what is new without a reload. Without it they are whole as they are. */
export const script = `
const main = document.querySelector('main');
let isBusy = false, isStale = false;

async function refresh() {
  if (isBusy) { isStale = true; return; }
  isBusy = true;
  try {
    const answer = await fetch(location.href, { headers: { accept: 'text/html' } });
    if (!answer.ok) return;
    const page = new DOMParser().parseFromString(await answer.text(), 'text/html');
    const next = page.querySelector('main');
    if (!next) return;
    const open = new Set([...main.querySelectorAll('details[open]')].map((each) => each.id));
    for (const each of next.querySelectorAll('details')) if (open.has(each.id)) each.open = true;
    const focused = document.activeElement && main.contains(document.activeElement) ? document.activeElement : null;
    const way = focused && (focused.id ? '#' + CSS.escape(focused.id) : focused.getAttribute('href') && 'a[href="' + CSS.escape(focused.getAttribute('href')) + '"]');
    main.replaceChildren(...next.childNodes);
    document.title = page.title;
    if (way) main.querySelector(way)?.focus({ preventScroll: true });
  } finally {
    isBusy = false;
    if (isStale) { isStale = false; setTimeout(refresh, 1000); }
  }
}

if (main && main.dataset.live === 'yes') {
  const events = new EventSource('/events');
  events.addEventListener('change', () => { if (!document.hidden) refresh(); });
  document.addEventListener('visibilitychange', () => { if (!document.hidden) refresh(); });
}
`;
