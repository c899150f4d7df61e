// How the command line reaches an engine: what stands in --url and PAWL_URL.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import fs from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import net from 'node:net';
import path from 'node:path';
import { certificate } from './certificates.mjs';
import { program, run, tempDir, test } from './lib.mjs';

// Somebody who answers there, over TLS if there are keys, and tells what was asked.
async function answerOn(t, where, keys) {
  const asked = [];
  const answer = (request, response) => {
    asked.push([request.method, request.url, request.headers.host]);
    response.setHeader('Content-Type', 'application/json');
    response.end(asked.large ? JSON.stringify('x'.repeat(asked.large)) : '{"value":7}');
  };
  const server = (keys ? https.createServer(keys, answer) : http.createServer(answer)).listen(where);
  asked.server = server;
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
  assert.deepEqual([...asked], [['GET', '/v1/state/s/k', 'localhost'],
    ['PUT', '/v1/state/s/k', 'localhost']]);
});

async function answerOverTls(t, certs, more = {}) {
  const { cert, key } = await certificate(certs, 'engine');
  const asked = await answerOn(t, { port: 0, host: '127.0.0.1' },
    { cert: fs.readFileSync(cert), key: fs.readFileSync(key), ...more });
  asked.port = asked.server.address().port;
  asked.ca = cert;
  return asked;
}

test('https is an address of an engine, if its certificate is trusted', async (t) => {
  const certs = tempDir(t);
  const asked = await answerOverTls(t, certs);
  const other = await certificate(certs, 'other');
  const get = (host, args, env) =>
    run(program, ['get', 's', 'k', '--json', '--url', `https://${host}:${asked.port}`, ...args], { env: { ...env } });
  for (const host of ['localhost', '127.0.0.1']) {
    const said = await get(host, ['--ca', asked.ca]);
    assert.equal(said.stdout, '{"value":7}\n', said.stderr);
  }
  assert.equal((await get('localhost', [], { PAWL_CA: asked.ca })).code, 0);
  assert.equal((await get('localhost', ['--insecure-tls'])).code, 0);
  assert.equal(asked.length, 4);
  assert.deepEqual(asked[0], ['GET', '/v1/state/s/k', `localhost:${asked.port}`]);

  for (const args of [[], ['--ca', other.cert]]) {
    const { code, stderr } = await get('localhost', args);
    assert.equal(code, 3);
    assert.match(stderr, /is not trusted: .*self-signed certificate; name who signed its certificate with --ca/);
  }
  const noFile = await get('localhost', ['--ca', `${certs}/none.crt`]);
  assert.equal(noFile.code, 2);
  assert.match(noFile.stderr, /certificates to trust .*none.crt: No such file/);
  assert.equal(asked.length, 4); // nothing was told to who is not trusted
});

test('a large answer comes whole over TLS', async (t) => {
  const asked = await answerOverTls(t, tempDir(t));
  asked.large = 20e6;
  const { stdout, stderr } = await run(program,
    ['get', 's', 'k', '--json', '--url', `https://localhost:${asked.port}`, '--ca', asked.ca]);
  assert.equal(stdout.length, 20e6 + 3, stderr);
});

test('https to who speaks plainly, and an old version, are refused', async (t) => {
  const asked = await answerOn(t, { port: 0, host: '127.0.0.1' });
  const plain = await run(program, ['get', 's', 'k', '--url', `https://127.0.0.1:${asked.server.address().port}`]);
  assert.equal(plain.code, 3);
  assert.match(plain.stderr, /no engine answers at https:.*\((wrong version number|it hung up)/);
  const old = await answerOverTls(t, tempDir(t),
    { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT:@SECLEVEL=0' });
  const said = await run(program, ['get', 's', 'k', '--url', `https://localhost:${old.port}`, '--ca', old.ca]);
  assert.equal(said.code, 3);
  assert.equal(old.length, 0);
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

test('who hangs up without a word has not answered', async (t) => {
  const server = net.createServer((socket) => socket.once('data', () => socket.end()));
  t.after(() => server.close());
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { code, stderr } = await run(program, ['set', 's', 'k', '1', '--url', `http://127.0.0.1:${server.address().port}`]);
  assert.equal(code, 3);
  assert.match(stderr, /the connection ended before the answer/);
});
