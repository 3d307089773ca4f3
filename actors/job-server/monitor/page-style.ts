/** The page's style. */
export const PAGE_STYLE = `
:root {
  color-scheme: light dark;
  --text: #1b1f24; --dim: #5b6570; --ground: #f6f7f9; --card: #ffffff; --line: #d9dee4;
  --accent: #0b62c4; --good: #1a7f37; --bad: #b3261e; --warn: #8a5a00;
  font: 15px/1.45 system-ui, sans-serif;
}
@media (prefers-color-scheme: dark) {
  :root {
    --text: #e4e8ed; --dim: #97a1ac; --ground: #14171b; --card: #1d2126; --line: #343a42;
    --accent: #6cb0ff; --good: #5fc27e; --bad: #ff8a80; --warn: #e3b341;
  }
}
* { box-sizing: border-box; }
body { margin: 0; color: var(--text); background: var(--ground); }
header { display: flex; flex-wrap: wrap; align-items: baseline; gap: 0 1rem; padding: 1rem 1.25rem 0; }
header p { margin: 0; color: var(--dim); }
h1 { font-size: 1.35rem; margin: 0; overflow-wrap: anywhere; }
h2 { font-size: 1.05rem; margin: 0 0 .5rem; }
h2 small { color: var(--dim); font-weight: normal; }
main { padding: .75rem 1.25rem 2rem; max-width: 100rem; }
dl { display: grid; grid-template-columns: repeat(auto-fit, minmax(7rem, 1fr)); gap: .5rem; margin: 0 0 .5rem; }
dl div, section { background: var(--card); border: 1px solid var(--line); border-radius: .5rem; }
dl div { padding: .45rem .7rem; }
dt { color: var(--dim); font-size: .8rem; }
dd { margin: 0; font-size: 1.25rem; font-variant-numeric: tabular-nums; }
progress { width: 100%; height: .5rem; accent-color: var(--good); display: block; margin-bottom: .75rem; }
section { padding: .75rem .9rem; margin-bottom: .75rem; overflow-x: auto; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; padding: .3rem .6rem .3rem 0; border-top: 1px solid var(--line); vertical-align: top; }
thead th { border-top: 0; white-space: nowrap; }
th button { all: unset; cursor: pointer; color: var(--dim); font-size: .8rem; font-weight: 600; }
th button:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
th[aria-sort=ascending] button::after { content: ' ▲'; }
th[aria-sort=descending] button::after { content: ' ▼'; }
td { font-variant-numeric: tabular-nums; }
td.long { overflow-wrap: anywhere; min-width: 10rem; }
td.id { font-family: ui-monospace, monospace; font-size: .85em; white-space: nowrap; }
td.tools { white-space: nowrap; text-align: right; padding-right: 0; }
td.number, th.number { text-align: right; white-space: nowrap; }
.serving, .finished { color: var(--good); }
.lost, .dropped, .terminated, .abandoned { color: var(--bad); }
.draining, .closed, .starting, .cancelled, .ending { color: var(--warn); }
td button {
  font: inherit; font-size: .85rem; color: var(--accent); background: none; cursor: pointer;
  border: 1px solid var(--line); border-radius: .35rem; padding: .1rem .55rem; margin-left: .25rem;
}
td button.danger { color: var(--bad); }
td button:hover { border-color: currentColor; }
td button:disabled { color: var(--dim); cursor: default; border-color: var(--line); }
td input { font: inherit; font-size: .85rem; width: 4rem; color: inherit; background: var(--ground);
  border: 1px solid var(--line); border-radius: .35rem; padding: .1rem .3rem; margin-left: .25rem; }
.empty { color: var(--dim); margin: 0; }
#said { border-left: 4px solid var(--bad); padding: .4rem .8rem; background: var(--card); overflow-wrap: anywhere; }
@media (max-width: 60rem) {
  main, header { padding-left: .75rem; padding-right: .75rem; }
  dl { grid-template-columns: repeat(3, 1fr); }
  table, tbody { display: block; }
  thead { display: none; }
  tr { display: grid; grid-template-columns: repeat(auto-fill, minmax(6.5rem, 1fr)); gap: .1rem .75rem; padding: .5rem 0; border-top: 1px solid var(--line); }
  tbody tr:first-child { border-top: 0; }
  td, td.number, td.id { white-space: normal; overflow-wrap: anywhere; }
  td, td.number { border: 0; padding: 0; text-align: left; min-width: 0; }
  td::before { content: attr(data-title); display: block; color: var(--dim); font-size: .72rem; }
  td.blank { display: none; }
  td.id, td.long, td.tools { grid-column: 1 / -1; text-align: left; white-space: normal; }
  td.tools::before { content: none; }
  td.tools > :first-child { margin-left: 0; }
  td button, td input { padding: .35rem .7rem; }
}
`;
