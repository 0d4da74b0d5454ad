/**
 * What the page can do where scripts may run: search and filter its rows, unfold all evidence, copy a list. Without it the
 * page is whole: what only a script can do is hidden until the script is there. Neither `<` nor `&` stands in it, so that
 * the page is well-formed XML too.
 */
export const script = `
'use strict';
(() => {
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const one = (id) => document.getElementById(id);
  for (const tool of all('[data-script]')) tool.hidden = false;

  const form = one('filter');
  if (form) {
    const rows = all('[data-verdict]').map((element) => ({ element, text: element.textContent.toLowerCase() }));
    const search = one('search');
    const route = one('route');
    const verdicts = all('[data-filter]', form);
    let pair = null;
    const apply = () => {
      const words = search.value.toLowerCase().split(' ').filter((word) => word !== '');
      const wanted = verdicts.filter((button) => button.getAttribute('aria-pressed') === 'true').map((button) => button.dataset.filter);
      let shown = 0;
      for (const { element, text } of rows) {
        const { verdict, from, to } = element.dataset;
        const faults = [
          wanted.length > 0 ? !wanted.includes(verdict) : false,
          pair ? pair.from !== from || pair.to !== to : false,
          !words.every((word) => text.includes(word)),
        ];
        element.hidden = faults.includes(true);
        if (!element.hidden) shown += 1;
      }
      // Whoever looks for something looks among what was left out, too.
      if ([words.length > 0, wanted.length > 0, pair !== null].includes(true))
        for (const folded of all('details[data-section]')) folded.open = true;
      for (const section of all('[data-section]'))
        section.hidden = all('[data-verdict]', section).every(({ hidden }) => hidden);
      route.hidden = !pair;
      route.textContent = pair ? pair.from + ' \\u2192 ' + pair.to + ' \\u00d7' : '';
      route.setAttribute('aria-label', route.textContent + ' show every pair of roles again');
      one('shown').textContent = shown + ' of ' + rows.length + ' rows';
    };
    form.addEventListener('submit', (event) => event.preventDefault());
    search.addEventListener('input', apply);
    route.addEventListener('click', () => { pair = null; apply(); search.focus(); });
    for (const button of verdicts)
      button.addEventListener('click', () => {
        button.setAttribute('aria-pressed', String(button.getAttribute('aria-pressed') !== 'true'));
        apply();
      });
    for (const link of all('.matrix a'))
      link.addEventListener('click', (event) => {
        event.preventDefault();
        pair = { from: link.dataset.from, to: link.dataset.to };
        apply();
        one('rows').scrollIntoView();
        route.focus({ preventScroll: true });
      });
    const unfold = one('unfold');
    unfold.addEventListener('click', () => {
      const open = unfold.getAttribute('aria-pressed') !== 'true';
      unfold.setAttribute('aria-pressed', String(open));
      for (const details of all('details')) details.open = open;
    });
    // A row that is led to is shown, whatever is filtered.
    window.addEventListener('hashchange', () => {
      const row = one(location.hash.slice(1));
      if (row ? row.hidden : false) { form.reset(); for (const button of verdicts) button.setAttribute('aria-pressed', 'false'); pair = null; apply(); row.scrollIntoView(); }
    });
    apply();
  }

  for (const button of all('[data-copy]'))
    button.addEventListener('click', async () => {
      const list = one(button.dataset.copy);
      const told = one(button.dataset.copy + '-told');
      try {
        await navigator.clipboard.writeText(list.textContent);
        told.textContent = 'Copied.';
      } catch {
        getSelection().selectAllChildren(list);
        told.textContent = 'Selected: copy it with Ctrl+C.';
      }
    });
})();
`;
