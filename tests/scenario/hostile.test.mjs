// Peers that mean no good, or do not know better: the daemon stays up and serves the others.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import net from 'node:net';
import { RawWorker, sdk, startDaemon, test, waitFor, within } from './lib.mjs';

// Sends bytes as they are and gives all that comes back until the end.
async function exchange(port, bytes, { end = false } = {}) {
  const socket = net.connect(port, '127.0.0.1');
  let answer = Buffer.alloc(0);
  socket.on('data', (data) => (answer = Buffer.concat([answer, data])));
  socket.on('error', () => {});
  await once(socket, 'connect');
  socket.write(bytes);
  if (end) socket.end();
  await within('the connection to end', once(socket, 'close'), 20000);
  return answer.toString('latin1');
}

const request = (port, headers, method = 'GET', path = '/v1/status') =>
  new Promise((resolve, reject) => {
    const call = http.request({ port, host: '127.0.0.1', method, path, headers, setHost: false },
      (reply) => {
        let text = '';
        reply.setEncoding('utf8').on('data', (data) => (text += data));
        reply.on('end', () => resolve({ status: reply.statusCode, text, headers: reply.headers }));
      });
    call.on('error', reject);
    call.end(method === 'PUT' ? '1' : undefined);
  });

async function stillServes(daemon) {
  await daemon.set('alive', 'k', { at: 1 });
  assert.deepEqual(await daemon.get('alive', 'k'), { at: 1 });
}

test('10,000 connections that come and go leave nothing behind', async (t) => {
  const daemon = await startDaemon(t);
  await stillServes(daemon);
  const batch = async (n) => {
    await Promise.all(Array.from({ length: n }, async (_, i) => {
      const socket = net.connect(daemon.port, '127.0.0.1').on('error', () => {});
      await once(socket, 'connect');
      if (i % 3 === 1) socket.write('GET /v1/status HT');
      if (i % 3 === 2) socket.write('GET / HTTP/1.1\r\nHost: x\r\n');
      socket.resetAndDestroy();
    }));
  };
  for (let i = 0; i < 10; i++) await batch(200);
  const before = daemon.memory();
  for (let i = 0; i < 40; i++) await batch(200);
  await stillServes(daemon);
  const grown = daemon.memory() - before;
  daemon.assertGrowth(grown, 8 << 20);
});

test('connections over the limit are told 503, and places become free again', async (t) => {
  const daemon = await startDaemon(t, { limits: { max_connections: 20 } });
  const sockets = [];
  for (let i = 0; i < 19; i++) {
    const socket = net.connect(daemon.port, '127.0.0.1').on('error', () => {});
    await once(socket, 'connect');
    sockets.push(socket);
  }
  const tell = () => exchange(daemon.port,
    'GET /v1/status HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n');
  await waitFor('a refusal', async () => / 503 /.test(await tell()));
  sockets.forEach((socket) => socket.destroy());
  await waitFor('a place', async () => / 200 /.test(await tell()));
});

test('a message of 40 MiB is refused before it is taken in', async (t) => {
  const daemon = await startDaemon(t);
  const worker = (await RawWorker.open(t, daemon)).hello();
  const before = daemon.memory();
  worker.ws.send('x'.repeat(40 << 20), () => {});
  const { code } = await within('the close', worker.closed);
  assert.ok([1009, 1006].includes(code), `closed with ${code}`);
  daemon.assertGrowth(daemon.memory() - before, 40 << 20);
  const body = await daemon.http('PUT', '/v1/state/s/k', `"${'x'.repeat(40 << 20)}"`)
    .catch((error) => ({ status: 413, error }));
  assert.equal(body.status, 413);
  await stillServes(daemon);
});

test('a peer that does not read is bounded and stops nobody', async (t) => {
  const daemon = await startDaemon(t);
  const many = 2000; // of 256 KiB each: half a GiB of answers
  const big = 'x'.repeat(256 << 10);
  await daemon.set('s', 'big', big);
  const worker = (await RawWorker.open(t, daemon)).hello();
  await daemon.get('s', 'big');
  const before = daemon.memory();
  worker.ws._socket.pause();
  for (let i = 0; i < many; i++) {
    worker.send({ type: 'invokefunction', invocation_id: `i${i}`, function_id: 'state::get',
      data: { scope: 's', key: 'big' } });
  }
  for (let i = 0; i < 50; i++) await stillServes(daemon);
  worker.ws._socket.resume();
  let most = 0;
  await waitFor('all answers', () => {
    most = Math.max(most, daemon.memory() - before);
    return worker.frames.items.filter((one) => one.type === 'invocationresult').length === many;
  }, 60000);
  daemon.assertGrowth(most, 300 << 20);
});

test('a wrong Origin or Host gets 403 and no upgrade', async (t) => {
  const daemon = await startDaemon(t);
  const host = `127.0.0.1:${daemon.port}`;
  const upgrade = { connection: 'Upgrade', upgrade: 'websocket', 'sec-websocket-version': '13',
    'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==' };
  for (const headers of [{ host: 'evil.example' }, { host: `evil.example:${daemon.port}` },
    { host, origin: 'http://evil.example' }, { host, origin: 'null' },
    { host, origin: `http://127.0.0.1.evil.example:${daemon.port}` }]) {
    const plain = await request(daemon.port, headers);
    assert.equal(plain.status, 403, JSON.stringify(headers));
    assert.ok(['origin_not_allowed', 'host_not_allowed'].includes(JSON.parse(plain.text).code));
    assert.equal((await request(daemon.port, { ...headers, 'content-type': 'application/json',
      'content-length': '1' }, 'PUT', '/v1/state/s/k')).status, 403);
    assert.equal((await request(daemon.port, { ...headers, ...upgrade }, 'GET', '/')).status, 403);
  }
  for (const headers of [{ host }, { host: 'localhost' }, { host, origin: `http://${host}` }]) {
    assert.equal((await request(daemon.port, headers)).status, 200, JSON.stringify(headers));
  }
  assert.equal(await daemon.get('s', 'k').catch(() => undefined), undefined);
});

test('allowed hosts and origins pass', async (t) => {
  const daemon = await startDaemon(t, { http: { allowed_hosts: ['pawl.lan'],
    allowed_origins: ['https://app.example.com'] } });
  assert.equal((await request(daemon.port, { host: 'pawl.lan' })).status, 200);
  assert.equal((await request(daemon.port, { host: 'localhost', origin: 'https://app.example.com' })).status, 200);
  assert.equal((await request(daemon.port, { host: 'localhost', origin: 'https://example.com' })).status, 403);
});

test('a write without a JSON content type is refused', async (t) => {
  const daemon = await startDaemon(t);
  const host = `127.0.0.1:${daemon.port}`;
  for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data']) {
    const reply = await request(daemon.port, { host, 'content-type': type, 'content-length': '1' },
      'PUT', '/v1/state/s/k');
    assert.equal(reply.status, 415, type);
  }
});

test('malformed frames are answered or counted, and the connection lives', async (t) => {
  const daemon = await startDaemon(t);
  const worker = (await RawWorker.open(t, daemon)).hello();
  for (const frame of ['', '{', 'null', '[]', '"text"', '{"type":5}', '{"type":"no such"}', '{}',
    '{"type":"registerfunction"}', '{"type":"registertrigger","id":"x"}',
    '{"type":"invocationresult"}', '{"type":"invocationresult","invocation_id":"x","function_id":"y"}',
    '{"type":"reattach","previous_worker_id":"x","reattach_token":"y"}', `${'['.repeat(600)}`]) {
    worker.send(frame);
  }
  worker.ws.send(Buffer.from('OTLP{"resourceSpans":[]}'));
  worker.ws.send(Buffer.from('MTRC{}'));
  worker.ws.send(Buffer.from('LOGS\u0000\u0001'));
  worker.send({ type: 'invokefunction', invocation_id: 'no-function' });
  const error = await worker.frame('an answer', (one) => one.invocation_id === 'no-function');
  assert.ok(error.error.code && error.error.message);
  worker.send({ type: 'invokefunction', invocation_id: 'no-object', function_id: 'state::get', data: 5 });
  const refused = await worker.frame('an answer', (one) => one.invocation_id === 'no-object');
  assert.equal(refused.error.code, 'invalid_data');
  await worker.call('state::set', { scope: 's', key: 'k', value: 1 });
  const { workers } = await worker.call('engine::workers::list', {});
  assert.ok(workers[0].bad_frames >= 5, `${workers[0].bad_frames} bad frames`);
});

test('bytes that are no WebSocket frame close that connection alone', async (t) => {
  const daemon = await startDaemon(t);
  const worker = (await RawWorker.open(t, daemon)).hello();
  worker.ws._socket.write(Buffer.from([0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]));
  await within('the close', worker.closed);
  const unmasked = (await RawWorker.open(t, daemon)).hello();
  unmasked.ws._socket.write(Buffer.from([0x81, 0x02, 0x7b, 0x7d]));
  const { code } = await within('the close', unmasked.closed);
  assert.equal(code, 1002);
  await stillServes(daemon);
});

test('requests that are no HTTP get 400 and the end', async (t) => {
  const daemon = await startDaemon(t);
  for (const bytes of ['\r\n\r\n\u0000\u0001', 'GET\r\n\r\n', 'GET / HTTP/1.1\r\n\r\n',
    'GET / HTTP/1.1\nHost: localhost\n\n', 'GET / HTTP/1.1\r\nHost : localhost\r\n\r\n',
    'GET / HTTP/1.1\r\nHost: localhost\r\n folded\r\n\r\n',
    'PUT /v1/state/s/k HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n',
    'PUT /v1/state/s/k HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n',
    `GET / HTTP/1.1\r\nHost: localhost\r\nX: ${'x'.repeat(70000)}\r\n\r\n`]) {
    const answer = await exchange(daemon.port, bytes);
    assert.match(answer, /^HTTP\/1\.1 4\d\d /, JSON.stringify(bytes.slice(0, 60)));
  }
  await stillServes(daemon);
});

test('a client that sends its headers too slowly is let go', async (t) => {
  const daemon = await startDaemon(t, { http: { header_timeout: '1s' } });
  const answer = await exchange(daemon.port, 'GET /v1/status HTTP/1.1\r\nHost: loc');
  assert.match(answer, /^(HTTP\/1\.1 408 |$)/);
});

test('pipelined requests are answered in order, unknown paths with a hint', async (t) => {
  const daemon = await startDaemon(t);
  const put = (key, value) => `PUT /v1/state/s/${key} HTTP/1.1\r\nHost: localhost\r\n` +
    `Content-Type: application/json\r\nContent-Length: ${value.length}\r\n\r\n${value}`;
  const get = (key, last) => `GET /v1/state/s/${key} HTTP/1.1\r\nHost: localhost\r\n` +
    `${last ? 'Connection: close\r\n' : ''}\r\n`;
  const answer = await exchange(daemon.port, put('a', '"first"') + put('a', '"second"') + get('a') + get('none', true));
  assert.deepEqual([...answer.matchAll(/HTTP\/1\.1 (\d+)/g)].map((match) => match[1]), ['200', '200', '200', '404']);
  assert.ok(answer.indexOf('"new_value":"first"') < answer.indexOf('"new_value":"second"'));
  const unknown = await daemon.http('GET', '/v1/tiggers');
  assert.equal(unknown.status, 404);
  assert.match(unknown.text, /\/v1\/triggers/);
  const method = await daemon.http('POST', '/v1/state/s/a', {});
  assert.equal(method.status, 405);
  assert.match(method.headers.get('allow'), /PUT/);
});

test('bad JSON bodies are refused with the place', async (t) => {
  const daemon = await startDaemon(t);
  for (const body of ['{', '[01]', '{"a":1,}', '\u0001', 'nope', '"\\ud8"']) {
    const reply = await daemon.http('PUT', '/v1/state/s/k', body);
    assert.equal(reply.status, 400, body);
    assert.ok(reply.json.code && reply.json.detail);
  }
  assert.equal((await daemon.http('GET', '/v1/state/s/k')).status, 404);
});

test('a worker that answers twice, late, or for others changes nothing', async (t) => {
  const daemon = await startDaemon(t);
  const worker = (await RawWorker.open(t, daemon)).hello();
  worker.send({ type: 'registerfunction', id: 'twice' });
  await waitFor('it to be served', async () => (await daemon.call('engine::functions::list')).functions.length);
  const thief = (await RawWorker.open(t, daemon)).hello();
  const call = daemon.call('twice');
  const frame = await worker.frame('the call', (one) => one.type === 'invokefunction');
  const answer = (peer, result) => peer.send({ type: 'invocationresult',
    invocation_id: frame.invocation_id, function_id: 'twice', result });
  answer(thief, 'stolen');
  await thief.call('engine::functions::list', {}); // it has been read
  answer(worker, 'right');
  answer(worker, 'again');
  assert.equal(await call, 'right');
  await stillServes(daemon);
});

test('a wrong reattach token takes nothing over', async (t) => {
  const daemon = await startDaemon(t);
  const worker = (await RawWorker.open(t, daemon)).hello();
  const { worker_id } = await worker.frame('its id', (one) => one.type === 'workerregistered');
  worker.send({ type: 'registerfunction', id: 'mine' });
  const thief = await RawWorker.open(t, daemon);
  thief.send({ type: 'reattach', previous_worker_id: worker_id,
    reattach_token: '00000000-0000-0000-0000-000000000000' });
  thief.hello();
  await thief.call('engine::functions::list', {});
  assert.equal(worker.ws.readyState, worker.ws.OPEN);
  const { workers } = await thief.call('engine::workers::list', {});
  assert.equal(workers.length, 2);
});

test('webhooks to private addresses are refused unless allowed', async (t) => {
  const server = http.createServer((req, reply) => reply.end('{"ok":true}')).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  const url = `http://127.0.0.1:${server.address().port}/hook`;
  const functions = [{ id: 'hook', http: { url } }];
  const careful = await startDaemon(t, { functions });
  await assert.rejects(careful.call('hook'), /private|loopback|not allowed/i);
  const open = await startDaemon(t, { functions, webhooks: { allow_private: true } });
  assert.deepEqual(await open.call('hook'), { ok: true });
});

test('many workers at once', async (t) => {
  const daemon = await startDaemon(t);
  const workers = Array.from({ length: 50 }, (_, i) => {
    const worker = sdk(t, daemon);
    worker.registerFunction(`f${i}`, async () => i);
    return worker;
  });
  await waitFor('all', async () => (await daemon.call('engine::functions::list')).functions.length === 50);
  const all = await Promise.all(workers.map((worker, i) => worker.call(`f${(i + 1) % 50}`)));
  assert.deepEqual(all, workers.map((_, i) => (i + 1) % 50));
});
