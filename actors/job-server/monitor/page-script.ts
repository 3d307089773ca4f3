/**
 * The page's program, for browsers. What comes from users is put in as text, never as HTML; the page's policy allows no
 * script but this one.
 */
export const PAGE_SCRIPT = `'use strict';
(() => {
  const at = (id) => document.getElementById(id);
  const nodes = new Map();
  const running = new Map();
  let ended = [];
  let totals;
  let since = 0;
  // How far this computer's clock is ahead of the job server's.
  let skew = 0;
  const now = () => Date.now() - skew;

  const dash = '–';
  const count = (value) => (value === undefined ? dash : value.toLocaleString('en'));
  const percent = (value) => (value === undefined ? dash : Math.round(value * 100) + ' %');
  const bytes = (value) => {
    if (value === undefined) return dash;
    const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];
    let unit = 0;
    for (; value >= 1024 && unit < units.length - 1; unit++) value /= 1024;
    return (unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)) + ' ' + units[unit];
  };
  const used = (space) => (space ? bytes(space.total - space.free) + ' / ' + bytes(space.total) : dash);
  const usedPart = (space) => (space ? 1 - space.free / space.total : -1);
  const time = (ms) => {
    if (ms === undefined || Number.isNaN(ms)) return dash;
    if (ms < 1) return ms > 0 ? '< 1 ms' : '0 s';
    if (ms < 1000) return Math.round(ms) + ' ms';
    if (ms < 60000) return (ms / 1000).toFixed(1) + ' s';
    const s = Math.round(ms / 1000);
    const two = (value) => String(value).padStart(2, '0');
    return (s >= 3600 ? Math.floor(s / 3600) + ':' + two(Math.floor(s / 60) % 60) : Math.floor(s / 60)) + ':' + two(s % 60);
  };
  const ago = (moment) => {
    if (moment === undefined) return dash;
    const seconds = Math.max(0, Math.round((now() - moment) / 1000));
    return (seconds < 60 ? seconds + ' s' : time(seconds * 1000)) + ' ago';
  };
  const each = (node) => (node.jobs > 0 ? node.jobTime / node.jobs : undefined);

  const say = (text) => {
    at('said').textContent = text;
    at('said').hidden = text === '';
  };

  const ask = async (path, body) => {
    say('');
    try {
      const response = await fetch(path, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify(body || {}),
      });
      if (!response.ok) say((await response.json()).error);
    } catch {
      say('The job server did not answer.');
    }
  };

  const button = (title, act, style) => {
    const made = document.createElement('button');
    made.type = 'button';
    made.textContent = title;
    if (style) made.className = style;
    made.addEventListener('click', act);
    return made;
  };

  // A column is its title, what it shows, what it is sorted by (if that is not the same), and its style.
  const table = (name, columns, keyOf, tools) => {
    const element = at(name + '-table');
    const body = element.tBodies[0];
    const heads = element.tHead.rows[0];
    const rows = new Map();
    let items = [];
    let by;
    let down = false;
    for (const column of columns) {
      const head = document.createElement('th');
      if (column.style) head.className = column.style;
      head.append(
        button(column.title, () => {
          down = by === column && !down;
          by = column;
          for (const other of heads.cells) other.removeAttribute('aria-sort');
          head.setAttribute('aria-sort', down ? 'descending' : 'ascending');
          show(items);
        }),
      );
      heads.append(head);
    }
    if (tools) heads.append(document.createElement('th'));

    const newRow = (item) => {
      const element = document.createElement('tr');
      const row = { element, item };
      row.cells = columns.map((column) => {
        const cell = document.createElement('td');
        cell.dataset.title = column.title;
        element.append(cell);
        return cell;
      });
      if (tools) {
        const cell = document.createElement('td');
        cell.className = 'tools';
        cell.append(...tools(row));
        element.append(cell);
      }
      return row;
    };

    const fill = (row) => {
      columns.forEach((column, index) => {
        const cell = row.cells[index];
        const text = column.text(row.item);
        if (cell.textContent !== text) cell.textContent = text;
        const blank = text === '' || text === dash ? ' blank' : '';
        const style = ((column.style || '') + (column.mark ? ' ' + column.mark(row.item) : '') + blank).trim();
        if (cell.className !== style) cell.className = style;
      });
      if (row.update) row.update();
    };

    const show = (all) => {
      items = all;
      let sorted = all;
      if (by) {
        const value = by.value || by.text;
        sorted = [...all].sort((a, b) => {
          const [x, y] = [value(a), value(b)];
          return (x < y ? -1 : x > y ? 1 : 0) * (down ? -1 : 1);
        });
      }
      const gone = new Set(rows.keys());
      sorted.forEach((item, index) => {
        const key = keyOf(item);
        gone.delete(key);
        let row = rows.get(key);
        if (!row) rows.set(key, (row = newRow(item)));
        row.item = item;
        fill(row);
        if (body.children[index] !== row.element) body.insertBefore(row.element, body.children[index] || null);
      });
      for (const key of gone) {
        rows.get(key).element.remove();
        rows.delete(key);
      }
      element.hidden = all.length === 0;
      at(name + '-empty').hidden = all.length > 0;
      at(name + '-count').textContent = all.length > 0 ? String(all.length) : '';
    };
    return show;
  };

  const number = (title, text, value) => ({ title, text, value, style: 'number' });

  const nodeTools = (row) => {
    const path = () => '/nodes/' + encodeURIComponent(row.item.name) + '/';
    const drain = button('Drain', () => ask(path() + 'drain'));
    const resume = button('Resume', () => ask(path() + 'resume'));
    const cpus = document.createElement('input');
    cpus.type = 'number';
    cpus.min = '0';
    cpus.setAttribute('aria-label', 'Jobs at once');
    cpus.value = String(row.item.cpus);
    const set = button('Set cpus', () => ask(path() + 'cpus', { cpus: cpus.valueAsNumber }));
    row.update = () => {
      drain.hidden = row.item.state === 'draining';
      resume.hidden = row.item.state !== 'draining';
    };
    return [drain, resume, cpus, set];
  };

  const cancelTools = (row) => {
    const cancel = button(
      'Cancel',
      () => {
        if (confirm('Cancel the job ' + row.item.id + '?')) ask('/jobs/' + encodeURIComponent(row.item.id) + '/cancel');
      },
      'danger',
    );
    return [cancel];
  };

  const showNodes = table(
    'nodes',
    [
      { title: 'Node', text: (node) => node.name, style: 'long' },
      { title: 'State', text: (node) => node.state, mark: (node) => node.state },
      number('CPUs', (node) => count(node.cpus), (node) => node.cpus),
      number('Busy', (node) => count(node.busy), (node) => node.busy),
      number('Load', (node) => percent(node.load), (node) => node.load ?? -1),
      number('Memory', (node) => used(node.memory), (node) => usedPart(node.memory)),
      number('Disk', (node) => used(node.disk), (node) => usedPart(node.disk)),
      number('Jobs', (node) => count(node.jobs), (node) => node.jobs),
      number('Time/job', (node) => time(each(node)), (node) => each(node) ?? -1),
      number('CPU time', (node) => time(node.jobTime), (node) => node.jobTime),
      number('Sent', (node) => bytes(node.sent), (node) => node.sent),
      number('Received', (node) => bytes(node.received), (node) => node.received),
      number('Last news', (node) => ago(node.lastNews), (node) => -(node.lastNews ?? 0)),
    ],
    (node) => node.name,
    nodeTools,
  );
  const ofJob = [
    { title: 'Job', text: (job) => job.id, style: 'id' },
    { title: 'What', text: (job) => job.what + (job.args === undefined ? '' : '(' + job.args + ')'), style: 'long' },
    { title: 'Status', text: (job) => job.status, mark: (job) => job.status },
    { title: 'Node', text: (job) => job.node ?? dash },
  ];
  const ran = (job) => (job.started === undefined ? undefined : job.ended - job.started);
  const showRunning = table(
    'jobs',
    [...ofJob, number('For', (job) => time(now() - job.started), (job) => -job.started)],
    (job) => job.id,
    cancelTools,
  );
  const showEnded = table(
    'ended',
    [
      ...ofJob,
      number('Took', (job) => time(ran(job)), (job) => ran(job) ?? -1),
      number('Ended', (job) => ago(job.ended), (job) => -job.ended),
      { title: 'Error', text: (job) => job.error ?? '', style: 'long' },
    ],
    (job) => job.id,
  );

  const show = () => {
    if (!totals) return;
    const over = totals.done + totals.failed + totals.cancelled;
    for (const name of ['submitted', 'queued', 'running', 'done', 'failed', 'cancelled']) {
      at(name).textContent = count(totals[name]);
    }
    const elapsed = now() - since;
    at('elapsed').textContent = time(elapsed);
    at('job-time').textContent = time(totals.jobTime);
    at('speed-up').textContent = elapsed > 0 ? (totals.jobTime / elapsed).toFixed(2) : dash;
    at('progress').max = Math.max(1, totals.submitted);
    at('progress').value = over;
    showNodes([...nodes.values()]);
    showRunning([...running.values()]);
    showEnded(ended);
  };

  const apply = (map, { set, gone }, keyOf) => {
    for (const key of gone) map.delete(key);
    for (const item of set) map.set(keyOf(item), item);
  };

  const source = new EventSource('/events');
  const listen = (event, act) =>
    source.addEventListener(event, ({ data }) => {
      const told = JSON.parse(data);
      if (told.at !== undefined) skew = Date.now() - told.at;
      act(told);
      show();
    });
  listen('picture', (picture) => {
    nodes.clear();
    running.clear();
    for (const node of picture.nodes) nodes.set(node.name, node);
    for (const job of picture.running) running.set(job.id, job);
    ({ totals, since, ended } = picture);
    at('state').textContent = 'Live';
  });
  listen('change', (change) => {
    if (change.totals) totals = change.totals;
    if (change.nodes) apply(nodes, change.nodes, (node) => node.name);
    if (change.running) apply(running, change.running, (job) => job.id);
    if (change.ended) ended = [...change.ended, ...ended].slice(0, 100);
  });
  let isOver = false;
  listen('end', () => {
    isOver = true;
    source.close();
    at('state').textContent = 'The job server has ended.';
    for (const tool of document.querySelectorAll('td button, td input')) tool.disabled = true;
  });
  source.addEventListener('error', () => {
    if (isOver) return;
    at('state').textContent =
      source.readyState === EventSource.CLOSED
        ? 'The job server lets nobody in without its token: open the URL that it gave.'
        : 'The connection is lost; trying again…';
  });
  // Times go on between changes.
  setInterval(() => isOver || show(), 1000);
})();
`;
