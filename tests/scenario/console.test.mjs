// How the console's files are served: to whom, with what protection, and each that another names.
import assert from 'node:assert/strict';
import { startDaemon, test } from './lib.mjs';

const html = { accept: 'text/html,application/xhtml+xml,*/*;q=0.8' };

test('a browser gets the page, others the JSON that they always got', async (t) => {
  const daemon = await startDaemon(t);
  const page = await daemon.http('GET', '/', undefined, html);
  assert.equal(page.status, 200);
  assert.equal(page.headers.get('content-type'), 'text/html; charset=utf-8');
  assert.match(page.text, /^<!doctype html>/);
  const others = await daemon.http('GET', '/');
  assert.equal(others.json.name, 'pawl');
  for (const reply of [page, others]) assert.equal(reply.headers.get('vary'), 'Accept');
});

test('files are protected, cached by their bytes, and only these are there', async (t) => {
  const daemon = await startDaemon(t);
  const script = await daemon.http('GET', '/console/app.js');
  assert.equal(script.status, 200);
  assert.equal(script.headers.get('content-type'), 'text/javascript; charset=utf-8');
  assert.equal(script.headers.get('cache-control'), 'no-cache');
  assert.equal(script.headers.get('x-content-type-options'), 'nosniff');
  assert.equal(script.headers.get('referrer-policy'), 'no-referrer');
  assert.equal(script.headers.get('content-security-policy'), "default-src 'none'; script-src 'self'; " +
    "style-src 'self'; connect-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; " +
    "frame-ancestors 'none'");
  const etag = script.headers.get('etag');
  const again = await daemon.http('GET', '/console/app.js', undefined, { 'if-none-match': etag });
  assert.deepEqual([again.status, again.text, again.headers.get('etag')], [304, '', etag]);
  const other = await daemon.http('GET', '/console/base.css', undefined, { 'if-none-match': etag });
  assert.deepEqual([other.status, other.headers.get('content-type')], [200, 'text/css; charset=utf-8']);
  const head = await daemon.http('HEAD', '/console/app.js');
  assert.deepEqual([head.status, head.text, head.headers.get('content-length')],
    [200, '', String(Buffer.byteLength(script.text))]);

  for (const path of ['nothing.js', 'embed.cmake', '..%2Fapp.js', '%2E%2E%2Fconfig.yaml', 'APP.JS']) {
    const reply = await daemon.http('GET', `/console/${path}`);
    assert.deepEqual([path, reply.status, reply.json.code], [path, 404, 'not_found']);
  }
  assert.equal((await daemon.http('POST', '/console/app.js', {})).status, 405);
  const foreign = await daemon.http('GET', '/', undefined, { ...html, origin: 'http://evil.example' });
  assert.equal(foreign.status, 403);
});

test('every file that a file names is there, and nothing is named elsewhere', async (t) => {
  const daemon = await startDaemon(t);
  const names = new Set(['']);
  for (const name of names) {
    const reply = await daemon.http('GET', name ? `/console/${name}` : '/', undefined, html);
    assert.equal(reply.status, 200, name);
    for (const [, found] of reply.text.matchAll(/'\.\/([\w.]+)'|\/console\/([\w.]+)/g)) if (found) names.add(found);
    for (const [, found] of reply.text.matchAll(/"\/console\/([\w.]+)"/g)) names.add(found);
    assert.doesNotMatch(reply.text.replaceAll('http://www.w3.org/2000/svg', ''), /https?:\/\//, name);
  }
  assert.ok(names.size > 20, [...names].join(' '));
});
