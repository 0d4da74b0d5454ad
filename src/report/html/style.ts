/**
 * How our pages look: light and dark, from a phone to a wide screen, and on paper. In parts, so that a page takes what it
 * shows: the colours and the plain elements, the pieces, the matrix. A verdict is a class, which sets the tone of what is in it.
 */

/** A verdict never speaks by its colour alone: its word stands there too. Each pair has a contrast of 4.5 at least. */
export const tones = `
:root { color-scheme: light dark; --ink: #1b1f24; --soft: #57606a; --paper: #fff; --card: #f6f8fa; --line: #d1d9e0;
  --link: #0757b5; --pass: #116329; --warn: #7a4b00; --fail: #b3151c; --unverified: #6639ba; --skipped: #57606a; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6edf3; --soft: #9aa4af; --paper: #0d1117; --card: #161b22;
  --line: #30363d; --link: #79b8ff; --pass: #4ac26b; --warn: #e3b341; --fail: #ff8d85; --unverified: #c4a7ff; --skipped: #9aa4af; } }
.pass { --tone: var(--pass); } .warn { --tone: var(--warn); } .fail { --tone: var(--fail); }
.unverified { --tone: var(--unverified); } .skipped, .plan { --tone: var(--skipped); }
@media print { :root { color-scheme: light; --ink: #000; --soft: #444; --paper: #fff; --card: #fff; --line: #bbb; --link: #000;
  --pass: #116329; --warn: #7a4b00; --fail: #b3151c; --unverified: #6639ba; --skipped: #444; } }
`;

/** Plain elements, and how one moves among them by keyboard. */
export const elements = `
* { box-sizing: border-box; }
html { scroll-padding-top: 1rem; }
body { margin: 0 auto; padding: 1.25rem 1.25rem 3rem; max-width: 74rem; background: var(--paper); color: var(--ink);
  font: 1rem/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }
h1 { font-size: 1.6rem; line-height: 1.25; margin: 0 0 .25rem; }
h2 { font-size: 1.2rem; line-height: 1.3; margin: 2.25rem 0 .6rem; }
h3 { font-size: 1rem; line-height: 1.45; margin: 0; font-weight: 400; }
p { margin: .35rem 0; }
a { color: var(--link); text-underline-offset: .15em; }
code, pre { font: .88em/1.5 ui-monospace, monospace; }
pre { overflow: auto; max-height: 20rem; margin: .5rem 0; padding: .7rem .9rem; background: var(--card); border: 1px solid var(--line);
  border-radius: 6px; white-space: pre; overflow-wrap: normal; }
table { width: 100%; border-collapse: collapse; font-size: .94rem; }
th, td { text-align: left; vertical-align: top; padding: .4rem .75rem .4rem 0; border-bottom: 1px solid var(--line); }
thead th { color: var(--soft); font-weight: 600; }
summary { cursor: pointer; }
button, input { font: inherit; color: inherit; background: var(--paper); border: 1px solid var(--soft); border-radius: 6px;
  padding: .3rem .7rem; min-height: 2.2rem; }
button { cursor: pointer; background: var(--card); }
button[aria-pressed="true"] { background: var(--ink); color: var(--paper); border-color: var(--ink); }
:focus-visible { outline: 3px solid var(--link); outline-offset: 2px; border-radius: 3px; }
[hidden] { display: none !important; }
.soft { color: var(--soft); font-weight: 400; }
.skip-link { position: absolute; left: -999rem; }
.skip-link:focus { left: 1rem; top: .5rem; z-index: 1; background: var(--paper); padding: .4rem .8rem; }
.aside { position: absolute; width: 1px; height: 1px; margin: -1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.scroll { overflow-x: auto; position: relative; }
@media print { html { font-size: 9.5pt; } body { max-width: none; padding: 0; } .scroll { overflow: visible; } tr, .card { break-inside: avoid; }
  form, button, nav, .skip-link { display: none !important; } a { text-decoration: none; } pre { max-height: none; white-space: pre-wrap; } }
`;

/** What pages are made of: a verdict's word, the counts, cards, evidence. */
export const pieces = `
.word { display: inline-block; color: var(--tone); background: color-mix(in srgb, var(--tone) 11%, var(--paper)); border-radius: 4px;
  padding: .05em .5em; font-weight: 700; font-size: .82em; letter-spacing: .03em; white-space: nowrap; }
.counts { display: flex; flex-wrap: wrap; gap: .5rem; margin: 1rem 0 0; padding: 0; list-style: none; }
.counts li { border: 1px solid var(--line); border-top: 3px solid var(--tone); border-radius: 6px; padding: .3rem .8rem; background: var(--card); }
.counts .none { --tone: var(--soft); color: var(--soft); }
.counts b { font-size: 1.25rem; margin-right: .4rem; font-variant-numeric: tabular-nums; }
.alert { border-left: 4px solid var(--tone); padding-left: .8rem; }
.card { border: 1px solid var(--line); border-left: 4px solid var(--tone); border-radius: 6px; background: var(--card); margin: .45rem 0; }
.card > summary { padding: .5rem .9rem .5rem 0; margin-left: 1.9rem; list-style-position: outside; }
.card > summary h3 { display: inline; }
.card > summary::marker { color: var(--soft); }
.card > :not(summary) { margin-left: 1.9rem; margin-right: 1rem; }
.card > :last-child { padding-bottom: .5rem; }
.card[open] > summary { padding-bottom: .2rem; }
.checks > summary { color: var(--soft); }
.checks > ul { margin: .3rem 0; padding: 0; list-style: none; }
.checks li { padding: .3rem 0; border-top: 1px dashed var(--line); }
dl { display: grid; grid-template-columns: max-content minmax(0, 1fr); gap: 0 .8rem; margin: .2rem 0 .3rem; font-size: .88rem; }
dt { color: var(--soft); } dd { margin: 0; }
@media screen and (max-width: 46rem) { dl { display: block; } dd { margin: 0 0 .2rem 1rem; } .card > summary { margin-left: 1.6rem; } .card > :not(summary) { margin-left: 1rem; } }
@media print { .card > summary { list-style: none; margin-left: .9rem; } .card > :not(summary) { margin-left: .9rem; }
  .told::details-content { content-visibility: visible; block-size: auto; } .checks { display: none; } }
`;

/** Source roles across, destination roles down. */
export const matrix = `
.matrix { width: auto; }
.matrix th, .matrix td { border: 1px solid var(--line); padding: .3rem .5rem; }
.matrix thead th { min-width: 6rem; max-width: 8.5rem; vertical-align: bottom; overflow-wrap: normal; }
.matrix tbody th { font-weight: 400; white-space: nowrap; position: sticky; left: 0; background: var(--paper); }
.matrix td { text-align: center; white-space: nowrap; }
.matrix td a { display: block; text-decoration: none; color: inherit; border-radius: 4px; }
.matrix td a:hover .word { outline: 2px solid var(--tone); }
.matrix .soft { font-size: .82em; white-space: nowrap; }
@media print { .matrix { font-size: .8rem; } .matrix thead th { min-width: 0; } .matrix th, .matrix td { padding: .15rem .3rem; }
  .matrix td, .matrix .soft { white-space: normal; } }
`;
