// How the command line reaches an engine: what stands in --url and PAWL_URL.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import path from 'node:path';
import { program, run, tempDir, test } from './lib.mjs';

// Somebody who answers on a Unix socket, and tells what was asked.
async function answerOn(t, where) {
  const asked = [];
  const server = http.createServer((request, response) => {
    asked.push([request.method, request.url, request.headers.host]);
    response.setHeader('Content-Type', 'application/json');
    response.end('{"value":7}');
  }).listen(where);
  await once(server, 'listening');
  t.after(() => server.close());
  return asked;
}

test('a Unix socket is an address of an engine', async (t) => {
  const socket = path.join(tempDir(t), 'pawl.sock');
  const asked = await answerOn(t, socket);
  const get = await run(program, ['get', 's', 'k', '--json', '--url', `unix:${socket}`]);
  assert.equal(get.stdout, '{"value":7}\n', get.stderr);
  const set = await run(program, ['set', 's', 'k', '7'], { env: { PAWL_URL: `unix:${socket}` } });
  assert.equal(set.code, 0, set.stderr);
  assert.deepEqual(asked, [['GET', '/v1/state/s/k', 'localhost'],
    ['PUT', '/v1/state/s/k', 'localhost']]);
});

test('where nobody answers, the address is named', async (t) => {
  const socket = path.join(tempDir(t), 'pawl.sock');
  const { code, stderr } = await run(program, ['get', 's', 'k', '--url', `unix:${socket}`]);
  assert.equal(code, 3);
  assert.match(stderr, new RegExp(`no engine answers at unix:${socket} \\(No such file`));
});

test('what is no address is a mistake of the command line', async () => {
  for (const url of ['unix:', `unix:/${'x'.repeat(108)}`, 'ftp://127.0.0.1', '127.0.0.1:49134']) {
    const { code, stderr } = await run(program, ['get', 's', 'k', '--url', url]);
    assert.equal(code, 2, url);
    assert.match(stderr, /is no address of an engine/);
  }
});
