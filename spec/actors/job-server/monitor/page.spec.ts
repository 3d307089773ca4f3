import { createContext, runInContext } from 'node:vm';
import { describe, expect, test } from 'vitest';
import { PAGE_SCRIPT } from '../../../../actors/job-server/monitor/page-script.ts';
import { ask, bearer, begin, closeMonitors, open } from './asking.ts';
import { Figures } from './watched.ts';

const EVIL = '</script><script>alert(1)</script><img src=x onerror="alert(2)">\'&';

/** As much of an element as the page's program uses; it knows of no way to put HTML in. */
class Element {
  readonly tag: string;
  children: Element[] = [];
  parent: Element | undefined;
  readonly dataset: Record<string, string> = {};
  readonly attributes = new Map<string, string>();
  readonly listeners = new Map<string, () => void>();
  className = '';
  type = '';
  min = '';
  hidden = false;
  max = 0;
  value: unknown = '';
  valueAsNumber = 0;
  #text = '';

  constructor(tag: string) {
    this.tag = tag;
  }

  get textContent(): string {
    return this.#text + this.children.map((child) => child.textContent).join('');
  }
  set textContent(text: string) {
    this.#text = text;
  }
  get tBodies() {
    return this.children.filter(({ tag }) => tag === 'tbody');
  }
  get tHead() {
    return this.children.find(({ tag }) => tag === 'thead');
  }
  get rows() {
    return this.children;
  }
  get cells() {
    return this.children;
  }
  append(...children: Element[]): void {
    for (const child of children) this.insertBefore(child, null);
  }
  insertBefore(child: Element, before: Element | null): void {
    child.remove();
    const at = before ? this.children.indexOf(before) : this.children.length;
    this.children.splice(at, 0, child);
    const { children } = this;
    child.remove = () => {
      const index = children.indexOf(child);
      if (index >= 0) children.splice(index, 1);
    };
  }
  remove(): void {}
  setAttribute(name: string, value: string): void {
    this.attributes.set(name, value);
  }
  removeAttribute(name: string): void {
    this.attributes.delete(name);
  }
  addEventListener(event: string, act: () => void): void {
    this.listeners.set(event, act);
  }
}

const newElement = (tag: string): Element =>
  new Proxy(new Element(tag), {
    get: (target, name) => {
      if (!(name in target)) throw new Error(`Elements of this spec have no ${String(name)}.`);
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
    set: (target, name, value) => {
      if (!(name in target)) throw new Error(`Elements of this spec have no ${String(name)}.`);
      return Reflect.set(target, name, value, target);
    },
  });

/** The page's program in a page of its own. */
const page = () => {
  const elements = new Map<string, Element>();
  const getElementById = (id: string): Element => {
    let element = elements.get(id);
    if (!element) {
      element = newElement('div');
      if (id.endsWith('-table')) {
        const [head, body] = [newElement('thead'), newElement('tbody')];
        head.append(newElement('tr'));
        element.append(head, body);
      }
      elements.set(id, element);
    }
    return element;
  };
  const heard = new Map<string, (told: { data: string }) => void>();
  const asked: { path: string; body: string }[] = [];
  class EventSource {
    addEventListener(event: string, act: (told: { data: string }) => void): void {
      heard.set(event, act);
    }
    close(): void {}
  }
  const document = {
    getElementById,
    createElement: (tag: string) => newElement(tag),
    querySelectorAll: () => [],
  };
  const fetch = async (path: string, { body }: { body: string }) => {
    asked.push({ path, body });
    return { ok: false, json: async () => ({ error: EVIL }) };
  };
  const context = { document, EventSource, fetch, confirm: () => true, setInterval: () => 0 };
  runInContext(PAGE_SCRIPT, createContext(context));
  return {
    at: getElementById,
    asked,
    tell: (event: string, data: object) => heard.get(event)!({ data: JSON.stringify(data) }),
    rows: (table: string) => getElementById(`${table}-table`).tBodies[0]!.rows,
  };
};

const evil = () => {
  const watched = new Figures(EVIL);
  watched.list = [{ ...watched.list[0]!, name: EVIL, server: EVIL, state: EVIL }];
  watched.now = [{ ...watched.now[0]!, id: EVIL, what: EVIL, args: EVIL, node: EVIL, status: EVIL }];
  watched.past = [{ ...watched.now[0]!, ended: 5, error: EVIL }];
  return watched;
};

const picture = (watched: Figures) => ({
  at: Date.now(),
  since: watched.since,
  totals: watched.all,
  nodes: watched.list,
  running: watched.now,
  ended: watched.past,
});

describe('the page of a monitor', () => {
  closeMonitors();

  test('names that are HTML are escaped wherever the server writes them', async () => {
    const monitor = await open(evil());
    const headers = bearer(monitor);
    const [html, json] = await Promise.all(
      ['/', '/status.json'].map((path) => ask(monitor, path, { headers }).then(({ text }) => text)),
    );
    expect(html).toContain('&lt;img src=x onerror=&quot;alert(2)&quot;&gt;&#39;&amp;');
    expect(html).not.toMatch(/<img|<script>|onerror="/);
    // The one script of the page, and no style or handler within it.
    expect(html!.match(/<script/g)).toHaveLength(1);
    expect(html).not.toMatch(/ style=| on[a-z]+="|<style/);
    expect(json).not.toContain('<');
    expect(JSON.parse(json!).running[0].what).toBe(EVIL);
    const response = await begin(monitor, '/events', { headers });
    expect(response.headers['content-type']).toBe('text/event-stream; charset=utf-8');
    for await (const piece of response.setEncoding('utf8')) {
      expect(piece).not.toContain('<');
      break;
    }
    const { text } = await ask(monitor, `/${new URL(monitor.url).search}`);
    expect(text).not.toMatch(/<img|<script/);
  });

  test('a job whose name is <script> is shown as that text', () => {
    const { tell, rows, at } = page();
    tell('picture', picture(evil()));
    const [job] = rows('jobs');
    expect(job!.cells.map((cell) => cell.textContent).slice(0, 4)).toEqual([
      EVIL,
      `${EVIL}(${EVIL})`,
      EVIL,
      EVIL,
    ]);
    expect(rows('nodes')[0]!.cells[0]!.textContent).toBe(EVIL);
    expect(rows('ended')[0]!.cells.at(-1)!.textContent).toBe(EVIL);
    expect(at('submitted').textContent).toBe('7');
    // There is no way by which text becomes HTML or code.
    expect(PAGE_SCRIPT).not.toMatch(
      /innerHTML|outerHTML|insertAdjacent|document\.write|eval|Function\(|srcdoc|href/,
    );
  });

  test('changes come into the rows that they belong to, and what is gone goes', () => {
    const { tell, rows, at } = page();
    const watched = new Figures();
    tell('picture', picture(watched));
    const [row] = rows('jobs');
    const [job] = watched.now;
    tell('change', {
      at: Date.now(),
      totals: { ...watched.all, done: 2 },
      running: {
        set: [
          { ...job, id: 'j-2' },
          { ...job, status: 'ending' },
        ],
        gone: [],
      },
    });
    expect(rows('jobs').map((each) => each.cells[0]!.textContent)).toEqual(['j-1', 'j-2']);
    expect(rows('jobs')[0]).toBe(row);
    expect(row!.cells[2]!.textContent).toBe('ending');
    tell('change', {
      running: { set: [], gone: ['j-1'] },
      ended: [{ ...job, ended: 1_002, status: 'finished' }],
    });
    expect(rows('jobs').map((each) => each.cells[0]!.textContent)).toEqual(['j-2']);
    expect(
      rows('ended')[0]!
        .cells.map((cell) => cell.textContent)
        .slice(0, 5),
    ).toEqual(['j-1', 'work.js#sum', 'finished', 'a', '1.0 s']);
    expect(at('done').textContent).toBe('2');
  });

  test('its buttons ask for what they say, and a refusal is shown', async () => {
    const { tell, rows, at, asked } = page();
    tell('picture', picture(evil()));
    const press = (row: Element, title: string) => {
      const tools = row.cells.at(-1)!.children;
      tools.find(({ textContent }) => textContent === title)!.listeners.get('click')!();
    };
    press(rows('jobs')[0]!, 'Cancel');
    const [node] = rows('nodes');
    press(node!, 'Drain');
    node!.cells.at(-1)!.children.find(({ tag }) => tag === 'input')!.valueAsNumber = 3;
    press(node!, 'Set cpus');
    const name = encodeURIComponent(EVIL);
    expect(asked).toEqual([
      { path: `/jobs/${name}/cancel`, body: '{}' },
      { path: `/nodes/${name}/drain`, body: '{}' },
      { path: `/nodes/${name}/cpus`, body: '{"cpus":3}' },
    ]);
    await new Promise(setImmediate);
    expect([at('said').textContent, at('said').hidden]).toEqual([EVIL, false]);
  });
});
