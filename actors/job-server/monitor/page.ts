const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** A text as it stands in HTML, in an element or an attribute. */
export const escapeHtml = (text: string): string => text.replace(/[&<>"']/g, (letter) => ENTITIES[letter]!);

const head = (title: string, more: string): string => `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escapeHtml(title)}</title>
<link rel="icon" href="data:,">
${more}
</head>
`;

/** What somebody gets who shows the token in the URL: it takes him on to one without it, and out of the history. */
export const arrivalPage = (name: string): string => `${head(
  name,
  '<meta http-equiv="refresh" content="0; url=/">',
)}<body><p><a href="/">The monitor of ${escapeHtml(name)}</a></p></body>
</html>
`;

const total = (id: string, title: string): string => `<div><dt>${title}</dt><dd id="${id}">–</dd></div>`;

const TOTALS = [
  total('submitted', 'Submitted'),
  total('queued', 'Queued'),
  total('running', 'Running'),
  total('done', 'Done'),
  total('failed', 'Failed'),
  total('cancelled', 'Cancelled'),
  total('elapsed', 'Time'),
  total('job-time', 'Job time'),
  total('speed-up', 'Speed-up'),
].join('\n');

const section = (id: string, title: string, empty: string): string => `<section>
<h2>${title} <small id="${id}-count"></small></h2>
<table id="${id}-table" hidden><thead><tr></tr></thead><tbody></tbody></table>
<p id="${id}-empty" class="empty">${empty}</p>
</section>`;

/** The page; all figures come to it afterwards, as data. */
export const monitorPage = (name: string): string => `${head(
  `${name} – jobs`,
  '<link rel="stylesheet" href="/monitor.css">\n<script src="/monitor.js" defer></script>',
)}<body>
<header>
<h1>${escapeHtml(name)}</h1>
<p id="state" role="status">Connecting…</p>
</header>
<main>
<dl>
${TOTALS}
</dl>
<progress id="progress" max="1" value="0" aria-label="Jobs that are over"></progress>
<p id="said" role="alert" hidden></p>
${section('nodes', 'Nodes', 'There is no node.')}
${section('jobs', 'Running jobs', 'No job runs.')}
${section('ended', 'Jobs that ended last', 'No job has ended yet.')}
</main>
<noscript><p>This page needs JavaScript. The figures are in <a href="/status.json">status.json</a>, too.</p></noscript>
</body>
</html>
`;
