import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { MonitorOptions } from '../../../../actors/job-server/monitor.ts';
import { rejection } from '../../../support/sites.ts';
import { ask, bearer, begin, closeMonitors, cookieOf, open, tokenOf } from './asking.ts';
import { Figures } from './watched.ts';

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'offsite-monitor-'));
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

const own = (port: number) => ({ Origin: `http://127.0.0.1:${port}`, Host: `127.0.0.1:${port}` });

describe('who may come to a monitor', () => {
  closeMonitors();

  test('D10: a monitor refuses an unauthenticated cancel', async () => {
    const watched = new Figures();
    const monitor = await open(watched);
    const { port } = monitor.address;
    const cancel = (headers: Record<string, string>, path = '/jobs/j-1/cancel') =>
      ask(monitor, path, { method: 'POST', headers });
    const cookie = await cookieOf(monitor);
    const refused: [code: number, headers: Record<string, string>, path?: string][] = [
      [401, {}],
      [401, own(port)],
      [401, { Authorization: 'Bearer' }],
      [401, { Authorization: `Bearer ${'A'.repeat(43)}` }],
      [401, { Authorization: `Basic ${tokenOf(monitor)}` }],
      [401, { ...own(port), Cookie: `${cookie.split('=')[0]}=${tokenOf(monitor)}` }],
      [401, { ...own(port), Cookie: `${cookie}x` }],
      // In the URL it opens the page and nothing else.
      [401, own(port), `/jobs/j-1/cancel?token=${tokenOf(monitor)}`],
      // Pages of others, for which the browser sends the cookie along.
      [403, { Cookie: cookie, Origin: 'https://example.com' }],
      [403, { Cookie: cookie, Origin: `http://127.0.0.1:${port + 1}` }],
      [403, { Cookie: cookie, Origin: 'null' }],
      [403, { Cookie: cookie }],
      [403, { ...own(port), Cookie: cookie, 'Sec-Fetch-Site': 'same-site' }],
      [403, { ...bearer(monitor), Origin: 'https://example.com' }],
      // A name that was made to lead here.
      [421, { ...bearer(monitor), Host: `example.com:${port}` }],
      [421, { Cookie: cookie, Host: `example.com:${port}`, Origin: `http://example.com:${port}` }],
      [421, { ...bearer(monitor), Host: `127.0.0.1.example.com:${port}` }],
    ];
    for (const [code, headers, path] of refused) {
      expect([await cancel(headers, path).then((answer) => answer.code), headers]).toEqual([code, headers]);
    }
    expect(watched.asked).toEqual([]);
    expect((await cancel(bearer(monitor))).code).toBe(202);
    expect((await cancel({ ...own(port), Cookie: cookie, 'Sec-Fetch-Site': 'same-origin' })).code).toBe(202);
    expect(watched.asked).toEqual(['cancel j-1', 'cancel j-1']);
  });

  test('nothing at all is told without the token, not even what there is', async () => {
    const monitor = await open(new Figures('a name'));
    const [first, ...others] = await Promise.all(
      ['/', '/events', '/status.json', '/metrics', '/monitor.js', '/none', '/%', '/?token=wrong', '//'].map(
        (path) => ask(monitor, path),
      ),
    );
    const { text, headers } = first!;
    expect(JSON.parse(text)).toEqual({ error: expect.stringContaining('needs its token') });
    expect(headers).toMatchObject({ 'www-authenticate': 'Bearer', connection: 'close' });
    for (const other of others) expect(other).toMatchObject({ code: 401, text });
  });

  test('its URL gives a browser a cookie for itself alone, and leads it on to a URL without the token', async () => {
    const monitor = await open(new Figures());
    const { port } = monitor.address;
    expect(monitor.url).toMatch(new RegExp(`^http://127\\.0\\.0\\.1:${port}/\\?token=[\\w-]{43}$`));
    const { code, headers, text } = await ask(monitor, `/?token=${tokenOf(monitor)}`);
    expect(code).toBe(200);
    expect(headers['set-cookie']).toEqual([
      expect.stringMatching(
        new RegExp(`^offsite-monitor-${port}=[\\w-]{43}; Path=/; HttpOnly; SameSite=Strict$`),
      ),
    ]);
    expect(headers).toMatchObject({ 'cache-control': 'no-store', 'referrer-policy': 'no-referrer' });
    expect(text).toContain('content="0; url=/"');
    expect(text).not.toContain(tokenOf(monitor));
    expect(headers['set-cookie']![0]).not.toContain(tokenOf(monitor));
    const page = await ask(monitor, '/', { headers: { Cookie: await cookieOf(monitor) } });
    expect(page).toMatchObject({ code: 200, headers: { 'content-type': 'text/html; charset=utf-8' } });
    expect(page.text).not.toContain(tokenOf(monitor));
  });

  test('each answer forbids other scripts, frames and guesses at its type', async () => {
    const monitor = await open(new Figures());
    for (const path of ['/', '/monitor.js', '/status.json', '/none']) {
      const { headers } = await ask(monitor, path, { headers: bearer(monitor) });
      expect(headers).toMatchObject({
        'content-security-policy': expect.stringMatching(
          /^default-src 'none'; script-src 'self'; .*frame-ancestors 'none'$/,
        ),
        'x-content-type-options': 'nosniff',
        'x-frame-options': 'DENY',
        'cross-origin-resource-policy': 'same-origin',
      });
      expect(headers['access-control-allow-origin']).toBeUndefined();
    }
  });

  test('no path leads to a file', async () => {
    const monitor = await open(new Figures());
    for (const path of [
      '/../../package.json',
      '/..%2f..%2fpackage.json',
      '/%2e%2e/%2e%2e/page-style.ts',
      '/constructor',
      '/__proto__',
      'http://127.0.0.1/../x.css',
    ]) {
      expect([path, (await ask(monitor, path, { headers: bearer(monitor) })).code]).toEqual([path, 404]);
    }
    expect((await ask(monitor, '/%', { headers: bearer(monitor) })).code).toBe(400);
    expect((await ask(monitor, '/', { method: 'PUT', headers: bearer(monitor) })).code).toBe(405);
  });

  test('further names by which it is reached are given by an option', async () => {
    const monitor = await open(new Figures(), { hostnames: ['Jobs.example'] });
    expect(monitor.url).toMatch(/^http:\/\/Jobs\.example:/);
    const code = async (host: string) =>
      (await ask(monitor, '/', { headers: { ...bearer(monitor), Host: host } })).code;
    expect(await code('jobs.example')).toBe(200);
    expect(await code('jobs.EXAMPLE:80')).toBe(200);
    expect(await code('localhost:9000')).toBe(200);
    expect(await code('[::1]:9000')).toBe(200);
    expect(await code('other.example')).toBe(421);
    expect(await code('[evil]')).toBe(421);
  });

  test('beyond loopback it listens only with a certificate, or where its user says that it may be insecure', async () => {
    const refusal = (options: object) => rejection(open(new Figures(), options as MonitorOptions));
    expect(await refusal({ host: '0.0.0.0' })).toMatchObject({
      code: 'ERR_OFFSITE_OPTION',
      option: 'host',
      message: expect.stringContaining('give certfile and keyfile'),
    });
    expect(await refusal({ host: '::' })).toMatchObject({ option: 'host' });
    expect(await refusal({ host: 'localhost.example.com' })).toMatchObject({ option: 'host' });
    expect(await refusal({ certfile: 'a.pem' })).toMatchObject({ option: 'keyfile' });
    expect(await refusal({ certfile: '/none', keyfile: '/none' })).toMatchObject({ option: 'certfile' });
    expect(await refusal({ port: 65_536 })).toMatchObject({ option: 'port' });
    expect(await refusal({ pol_sec: 10 })).toMatchObject({ option: 'pol_sec' });
    const monitor = await open(new Figures(), { host: '0.0.0.0', insecure: true });
    expect(monitor.url).not.toContain('0.0.0.0');
    expect((await ask(monitor, '/', {})).code).toBe(401);
    expect(await refusal({ port: monitor.address.port })).toMatchObject({ code: 'ERR_OFFSITE_DOOR' });
  });

  test('with a certificate it is reached by https alone, and its cookie stays there', async () => {
    const [certfile, keyfile] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
    const words = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
    const names = ['-subj', '/CN=jobs.example', '-addext', 'subjectAltName=DNS:jobs.example'];
    execFileSync('openssl', [...words, ...names, '-keyout', keyfile, '-out', certfile], { stdio: 'ignore' });
    const monitor = await open(new Figures(), { certfile, keyfile });
    expect(monitor.url).toMatch(/^https:/);
    const ca = readFileSync(certfile, 'utf8');
    const host = (name: string) => ({ ca, headers: { ...bearer(monitor), Host: name } });
    expect((await ask(monitor, '/status.json', host('jobs.example'))).code).toBe(200);
    expect((await ask(monitor, '/status.json', host('other.example'))).code).toBe(421);
    const { headers } = await ask(monitor, `/?token=${tokenOf(monitor)}`, { ca });
    expect(headers['set-cookie']![0]).toMatch(/^__Host-offsite-monitor-\d+=[\w-]+; .*; Secure$/);
    await rejection(begin({ ...monitor, url: 'http://' }, '/'));
    const broken = join(folder, 'broken.pem');
    writeFileSync(broken, 'no certificate');
    expect(await rejection(open(new Figures(), { certfile: broken, keyfile }))).toMatchObject({
      option: 'certfile',
    });
  });

  test('a token file is made for its user alone, used again, and refused if everybody may read it', async () => {
    const tokenFile = join(folder, 'new', 'token');
    const monitor = await open(new Figures(), { tokenFile });
    expect(readFileSync(tokenFile, 'utf8').trim()).toBe(tokenOf(monitor));
    expect(statSync(tokenFile).mode & 0o777).toBe(0o600);
    expect(tokenOf(await open(new Figures(), { tokenFile }))).toBe(tokenOf(monitor));
    chmodSync(tokenFile, 0o604);
    const refused = await rejection(open(new Figures(), { tokenFile }));
    expect(refused).toMatchObject({ option: 'tokenFile', message: expect.stringContaining('chmod') });
    expect(String(refused)).not.toContain(tokenOf(monitor));
    chmodSync(tokenFile, 0o600);
    writeFileSync(tokenFile, 'short');
    expect(await rejection(open(new Figures(), { tokenFile }))).toMatchObject({ option: 'tokenFile' });
  });
});
