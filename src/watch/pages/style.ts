/** How the pages look: the tones and the matrix of the report, and what a watch has beside: strips, charts, a navigation. */
import { matrix, tones } from '../../report/html/style.ts';

export const style = `${tones}${matrix}
:root { --pass-fill: #4ac26b; --warn-fill: #d4a72c; --fail-fill: #e5484d; --unverified-fill: #a475f9; --skipped-fill: #c8d1da; }
@media (prefers-color-scheme: dark) { :root { --pass-fill: #2ea043; --warn-fill: #bb8009; --fail-fill: #da3633;
  --unverified-fill: #8957e5; --skipped-fill: #3d444d; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 1rem/1.5 system-ui, sans-serif;
  overflow-wrap: anywhere; }
header, main, footer { max-width: 74rem; margin: 0 auto; padding: 0 1rem; }
header { padding-top: 1rem; }
h1 { font-size: 1.5rem; line-height: 1.25; margin: 0; } h2 { font-size: 1.1rem; margin: 2rem 0 .6rem; }
h3 { font-size: 1rem; margin: 0; }
p { margin: .35rem 0; } a { color: var(--link); }
nav { display: flex; flex-wrap: wrap; gap: .2rem 1rem; margin: .5rem 0 1rem; padding: .4rem 0;
  border-bottom: 1px solid var(--line); }
nav a { padding: .2rem 0; } nav a[aria-current] { color: inherit; font-weight: 600; text-decoration: none; }
a:focus-visible, button:focus-visible, summary:focus-visible { outline: 3px solid var(--link); outline-offset: 2px; }
.skip-link { position: absolute; left: -999rem; } .skip-link:focus { left: 1rem; top: .5rem; background: var(--paper); padding: .3rem; }
/* For the ear alone. */
.aside { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.soft { color: var(--soft); font-weight: 400; }
.none { --tone: var(--skipped); }
.pass { --fill: var(--pass-fill); } .warn { --fill: var(--warn-fill); } .fail { --fill: var(--fail-fill); }
.unverified { --fill: var(--unverified-fill); } .skipped, .none { --fill: var(--skipped-fill); }
.word { display: inline-block; color: var(--tone); background: color-mix(in srgb, var(--tone) 11%, var(--paper)); border-radius: 4px;
  padding: .05em .5em; font-weight: 700; font-size: .82em; letter-spacing: .03em; white-space: nowrap; }
.trouble { border: 1px solid var(--fail); border-left-width: 4px; border-radius: 6px; padding: .5rem .9rem; margin: .6rem 0; }
.card { border: 1px solid var(--line); border-left: 4px solid var(--tone); border-radius: 6px; background: var(--card);
  padding: .5rem .9rem; margin: .5rem 0; break-inside: avoid; }
.card summary { color: inherit; } .card h2 { display: inline; font-size: 1rem; margin: 0; }
.counts { display: flex; flex-wrap: wrap; gap: .5rem; margin: .8rem 0; padding: 0; list-style: none; }
.counts li { border: 1px solid var(--line); border-top: 3px solid var(--tone); border-radius: 6px; padding: .2rem .8rem;
  background: var(--card); }
.counts b { font-size: 1.2rem; margin-right: .35rem; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-size: .92rem; }
th, td { text-align: left; vertical-align: top; padding: .35rem .7rem .35rem 0; border-bottom: 1px solid var(--line); }
th { color: var(--soft); font-weight: 600; }
.wide { width: 100%; }
.rows { list-style: none; margin: 0; padding: 0; }
.rows li { display: grid; grid-template-columns: 7.5rem minmax(11rem, 15rem) 1fr minmax(8rem, 22rem); gap: .2rem .8rem;
  align-items: center; padding: .3rem 0; border-bottom: 1px solid var(--line); scroll-margin-top: 1rem; }
.rows .about { font-size: .88rem; color: var(--soft); }
.strip { display: block; width: 100%; height: 1.1rem; background: var(--card); border-radius: 3px; }
.strip.tall { height: 2rem; }
rect { fill: var(--fill); } rect.gap { fill: url(#gaps); }
.legend { display: flex; flex-wrap: wrap; gap: 0 1rem; justify-content: space-between; font-size: .8rem; color: var(--soft); }
.chart { width: 100%; height: 8rem; background: var(--card); border-radius: 4px; }
.chart path { fill: none; stroke: var(--link); stroke-width: 1.5; vector-effect: non-scaling-stroke; }
.chart path.band { fill: var(--link); opacity: .18; stroke: none; }
.pair { display: grid; grid-template-columns: 1fr 1fr; gap: 1rem; }
.pair > * { min-width: 0; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 0 .8rem; margin: .2rem 0 .6rem; font-size: .88rem; }
dt { color: var(--soft); } dd { margin: 0; min-width: 0; }
code, pre { font: .88em/1.45 ui-monospace, monospace; } pre { overflow-x: auto; background: var(--card);
  border: 1px solid var(--line); border-radius: 6px; padding: .6rem; white-space: pre-wrap; }
summary { cursor: pointer; color: var(--soft); }
button { font: inherit; padding: .25rem .8rem; border: 1px solid var(--line); border-radius: 6px; background: var(--card);
  color: var(--ink); cursor: pointer; }
form { display: inline; }
footer { padding: 1.5rem 1rem 2rem; color: var(--soft); font-size: .88rem; }
@media (max-width: 46rem) {
  .rows li { grid-template-columns: 6.5rem 1fr; } .rows .strip, .rows .about { grid-column: 1 / -1; }
  .pair { grid-template-columns: 1fr; }
  .stack thead { position: absolute; left: -999rem; } .stack tr { display: block; padding: .4rem 0; border-bottom: 1px solid var(--line); }
  .stack td { display: inline-block; border: 0; padding: 0 .7rem 0 0; } .stack td:last-child { display: block; }
  dl { display: block; } dd { margin: 0 0 .2rem 1rem; }
}
@media print { html { font-size: 9.5pt; } nav, form, .skip-link { display: none; } .scroll { overflow: visible; }
  details::details-content { content-visibility: visible; block-size: auto; } tr, .card { break-inside: avoid; } }
`;
