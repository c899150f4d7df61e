// TLS: who gets in, who does not, and what becomes of connections when the certificate changes.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import net from 'node:net';
import path from 'node:path';
import { Duplex } from 'node:stream';
import tls from 'node:tls';
import { WebSocket } from 'ws';
import { certificate } from './certificates.mjs';
import { Daemon, freePort, program, root, run, startDaemon, tempDir, test, waitFor, within } from './lib.mjs';

// A daemon that listens over TLS, too.
async function startTls(t, more = {}, tlsMore = {}) {
  const certs = tempDir(t);
  const { cert, key } = await certificate(certs, 'engine');
  const port = await freePort();
  const daemon = await startDaemon(t,
    { tls: { listen: `127.0.0.1:${port}`, cert, key, ...tlsMore }, ...more });
  return Object.assign(daemon, { certs, cert, key, tlsPort: port, ca: fs.readFileSync(cert) });
}

// A request over TLS; `agent` keeps the connection.
const ask = (daemon, options = {}) => new Promise((resolve, reject) => {
  const request = https.request({ host: 'localhost', port: daemon.tlsPort, ca: daemon.ca, path: '/v1/status',
    ...options }, (response) => {
    let text = '';
    const cert = response.socket.getPeerCertificate();
    response.setEncoding('utf8').on('data', (piece) => { text += piece; });
    response.on('end', () => resolve({ status: response.statusCode, text, cert }));
  });
  request.on('error', reject).end(options.body);
});

const openssl = (daemon, ...args) => run('timeout', ['10', 'openssl', 's_client', '-connect', `127.0.0.1:${daemon.tlsPort}`,
  '-CAfile', daemon.cert, ...args], { input: '' });

const connections = async (daemon) => Number(/^pawl_connections (\d+)/m.exec((await daemon.http('GET', '/metrics')).text)[1]);

test('curl, the command line, workers of the SDK and other WebSockets speak TLS', async (t) => {
  const daemon = await startTls(t);
  const url = `https://localhost:${daemon.tlsPort}`;
  const set = await run(program, ['set', 's', 'k', '{"n":1}', '--url', url, '--ca', daemon.cert]);
  assert.equal(set.code, 0, set.stderr);
  const curl = await run('curl', ['-sS', '--cacert', daemon.cert, `${url}/v1/state/s/k`]);
  assert.deepEqual(JSON.parse(curl.stdout), { n: 1 }, curl.stderr);
  const untrusting = await run('curl', ['-sS', `${url}/v1/state/s/k`]);
  assert.equal(untrusting.code, 60);
  const status = JSON.parse((await ask(daemon)).text);
  assert.equal(status.tls_listen, `127.0.0.1:${daemon.tlsPort}`);
  assert.match(daemon.log, new RegExp(`, https://127.0.0.1:${daemon.tlsPort} `));

  const worker = spawn(process.execPath, [path.join(root, 'tests/scenario/tls_worker.mjs'), `wss://localhost:${daemon.tlsPort}`],
    { stdio: ['pipe', 'pipe', 'inherit'], env: { ...process.env, NODE_EXTRA_CA_CERTS: daemon.cert } });
  t.after(() => worker.kill('SIGKILL'));
  await waitFor('the worker to serve', async () => (await daemon.call('tls::echo', { a: 1 }).catch(() => null))?.a === 1);
  const large = 'x'.repeat(4 << 20);
  assert.equal((await daemon.call('tls::echo', { large })).large, large);
});

test('versions before 1.2 and protocols other than http/1.1 are refused', async (t) => {
  const daemon = await startTls(t);
  for (const version of ['-tls1_2', '-tls1_3']) {
    const said = await openssl(daemon, version, '-alpn', 'h2,http/1.1');
    assert.match(said.stdout, /Verify return code: 0 \(ok\)/);
    assert.match(said.stdout, /ALPN protocol: http\/1\.1/);
    assert.match(said.stdout, /Secure Renegotiation IS|TLSv1\.3/);
  }
  for (const version of ['-tls1', '-tls1_1']) {
    const said = await openssl(daemon, version, '-cipher', 'DEFAULT:@SECLEVEL=0');
    assert.notEqual(said.code, 0);
    assert.match(said.stderr + said.stdout, /alert protocol version|no protocols available/);
  }
  assert.match((await openssl(daemon, '-alpn', 'h2')).stderr, /no application protocol/);
  assert.equal((await ask(daemon)).status, 200);
});

test('renegotiation is refused', async (t) => {
  const daemon = await startTls(t);
  const socket = tls.connect({ port: daemon.tlsPort, host: 'localhost', ca: daemon.ca, maxVersion: 'TLSv1.2' });
  await once(socket, 'secureConnect');
  const refused = new Promise((resolve) => {
    socket.on('error', resolve).on('close', () => resolve(new Error('closed')));
  });
  socket.renegotiate({}, (error) => error && socket.emit('error', error));
  assert.match((await within('the refusal', refused)).message, /no renegotiation|closed/i);
});

// Whatever a peer says without TLS; all that he is told.
async function tell(port, bytes) {
  const socket = net.connect(port, '127.0.0.1');
  let told = '';
  socket.setEncoding('latin1').on('data', (piece) => { told += piece; });
  socket.on('error', () => {});
  await once(socket, 'connect');
  socket.write(bytes);
  await within('the end', once(socket, 'close'));
  return told;
}

test('who speaks plain HTTP to the port is told so; garbage ends its connection', async (t) => {
  const daemon = await startTls(t, { log: { level: 'debug' } });
  const plain = await tell(daemon.tlsPort, 'GET /v1/status HTTP/1.1\r\nHost: localhost\r\n\r\n');
  assert.match(plain, /^HTTP\/1\.1 400 Bad Request\r\n/);
  assert.match(plain, /"code":"plain_http"/);
  assert.match(plain, /https:\/\//);
  for (const bytes of ['SSH-2.0-x\r\n', '\0'.repeat(4096), Buffer.from('16030100ff0100', 'hex').toString('latin1') + 'z'.repeat(300)]) {
    assert.doesNotMatch(await tell(daemon.tlsPort, bytes), /HTTP/);
  }
  await waitFor('no connection', async () => await connections(daemon) <= 1);
  assert.match(daemon.log, /a handshake failed: an HTTP request without TLS/);
  assert.match((await daemon.http('GET', '/metrics')).text, /^pawl_tls_handshake_failures_total 4$/m);
  assert.equal((await ask(daemon)).status, 200);
});

test('a handshake that does not come in time ends', async (t) => {
  const daemon = await startTls(t, { http: { header_timeout: '1s' }, log: { level: 'debug' } });
  const socket = net.connect(daemon.tlsPort, '127.0.0.1');
  socket.write(Buffer.from([0x16, 0x03, 0x01]));
  await within('the end', once(socket, 'close'), 10000);
  assert.match(daemon.log, /a handshake was not done in 1000 ms/);
});

test('1,000 connections that are cut during the handshake leave nothing behind', async (t) => {
  const daemon = await startTls(t);
  const hello = Buffer.concat(await new Promise((resolve) => {
    const pieces = [];
    const catcher = net.createServer((socket) => socket.on('data', (piece) => {
      pieces.push(piece);
      socket.destroy();
      catcher.close(() => resolve(pieces));
    })).listen(0, '127.0.0.1', () =>
      tls.connect({ port: catcher.address().port, host: '127.0.0.1' }).on('error', () => {}));
  }));
  const cut = async (i) => {
    const socket = net.connect(daemon.tlsPort, '127.0.0.1');
    socket.on('error', () => {});
    await once(socket, 'connect');
    if (i % 4 > 0) socket.write(hello.subarray(0, i % 4 === 1 ? hello.length : i % hello.length));
    if (i % 4 === 1) await once(socket, 'data').catch(() => {});
    if (i % 2) socket.resetAndDestroy();
    else socket.destroy();
    await once(socket, 'close');
  };
  const round = async () => {
    for (let i = 0; i < 1000; i += 50) {
      await Promise.all(Array.from({ length: 50 }, (_, k) => cut(i + k)));
    }
    await waitFor('no connection', async () => await connections(daemon) <= 1);
  };
  await round();
  const before = daemon.memory();
  await round();
  daemon.assertGrowth(daemon.memory() - before, 4 << 20);
  assert.equal((await ask(daemon)).status, 200);
});

test('clients need a certificate where client_ca is set', async (t) => {
  const certs = tempDir(t);
  const ca = await certificate(certs, 'clients');
  const daemon = await startTls(t, {}, { client_ca: ca.cert });
  const ours = await certificate(certs, 'ada', 'clients');
  const stranger = await certificate(certs, 'stranger');
  const as = (who) => ask(daemon, { cert: fs.readFileSync(who.cert), key: fs.readFileSync(who.key), agent: false });
  assert.equal((await as(ours)).status, 200);
  await assert.rejects(as(stranger), /alert|reset|hang up|EPIPE/i);
  await assert.rejects(ask(daemon, { agent: false }), /alert|reset|hang up|EPIPE/i);
});

test('a goodbye is answered by one, with the answers of what came before', async (t) => {
  const daemon = await startTls(t);
  const socket = tls.connect({ port: daemon.tlsPort, host: 'localhost', ca: daemon.ca });
  await once(socket, 'secureConnect');
  let told = '';
  socket.setEncoding('utf8').on('data', (piece) => { told += piece; });
  socket.end('GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n'.repeat(20));
  await within('the end', once(socket, 'end'));
  assert.equal(told.match(/HTTP\/1\.1 200/g).length, 20);

  // openssl complains of an end without goodbye.
  const said = await run('timeout', ['10', 'openssl', 's_client', '-connect', `127.0.0.1:${daemon.tlsPort}`, '-ign_eof', '-quiet',
    '-CAfile', daemon.cert], { input: 'GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n' });
  assert.match(said.stdout, /^HTTP\/1\.1 200/);
  assert.doesNotMatch(said.stderr, /unexpected eof/);
});

test('large bodies both ways, and a reader that does not read', async (t) => {
  const daemon = await startTls(t, { limits: { max_value: '16m', max_unsent: '1m' } });
  const value = JSON.stringify('v'.repeat(6e6));
  const put = await ask(daemon, { method: 'PUT', path: '/v1/state/s/large', body: value,
    headers: { 'content-type': 'application/json', 'content-length': value.length } });
  assert.equal(put.status, 200, put.text.slice(0, 300));
  assert.equal((await ask(daemon, { path: '/v1/state/s/large' })).text, value);

  const lazy = tls.connect({ port: daemon.tlsPort, host: 'localhost', ca: daemon.ca });
  await once(lazy, 'secureConnect');
  lazy.pause();
  lazy.write('GET /v1/state/s/large HTTP/1.1\r\nHost: localhost\r\n\r\n'.repeat(20));
  const before = daemon.memory();
  for (let i = 0; i < 20; i++) assert.equal((await ask(daemon)).status, 200);
  daemon.assertGrowth(daemon.memory() - before, 60e6); // not twenty times six megabytes
  let length = 0;
  lazy.on('data', (piece) => { length += piece.length; });
  lazy.resume();
  await waitFor('all twenty', async () => length >= 20 * value.length, 30000);
  lazy.destroy();
});

test('who is one too many is told so over TLS', async (t) => {
  const daemon = await startTls(t, { limits: { max_connections: 2 } });
  const socket = new WebSocket(`wss://localhost:${daemon.tlsPort}`, { ca: daemon.ca });
  await once(socket, 'open');
  const other = net.connect(daemon.port, '127.0.0.1');
  await once(other, 'connect');
  await waitFor('the refusal', async () => {
    const said = await ask(daemon, { agent: false });
    return said.status === 503 && /too_many_connections/.test(said.text);
  });
  other.destroy();
  socket.terminate();
  await waitFor('room', async () => (await ask(daemon, { agent: false })).status === 200);
});

// A connection that can hold back what is written, so that it leaves at once.
async function corked(port) {
  const raw = net.connect(port, '127.0.0.1');
  await once(raw, 'connect');
  let held = null;
  const line = new Duplex({
    read() { raw.resume(); },
    write(bytes, _, done) {
      if (!held) return raw.write(bytes, done);
      held.push(bytes);
      done();
    },
    final(done) { done(); },
  });
  raw.on('data', (bytes) => line.push(bytes) || raw.pause()).on('end', () => line.push(null));
  line.hold = () => { held = []; };
  line.release = () => { raw.write(Buffer.concat(held)); held = null; };
  return line;
}

test('what came before a goodbye is taken, also when it waits for room', async (t) => {
  const daemon = await startTls(t, { limits: { max_unsent: '64k' } });
  const value = JSON.stringify('v'.repeat(100000));
  for (const [method, path, body] of [['PUT', '/v1/state/s/k', value]]) {
    assert.equal((await ask(daemon, { method, path, body, headers: { 'content-type': 'application/json',
      'content-length': body.length } })).status, 200);
  }
  const line = await corked(daemon.tlsPort);
  const socket = tls.connect({ socket: line, servername: 'localhost', ca: daemon.ca });
  await once(socket, 'secureConnect');
  let length = 0;
  socket.on('data', (piece) => { length += piece.length; });
  line.hold();
  socket.end('GET /v1/state/s/k HTTP/1.1\r\nHost: localhost\r\n\r\n'.repeat(200));
  await within('our goodbye', once(socket, 'finish'));
  line.release();
  await within('the end', once(socket, 'end'));
  assert.ok(length > 200 * value.length, `${length}`);
});

test('a watch comes over TLS and over the Unix socket', async (t) => {
  const socketPath = path.join(tempDir(t), 'pawl.sock');
  const daemon = await startTls(t, { unix: { path: socketPath } });
  const watch = async (client, options) => {
    const request = client.get({ path: '/v1/watch?scope=s', headers: { accept: 'text/event-stream' }, ...options });
    const [response] = await once(request, 'response');
    assert.equal(response.statusCode, 200);
    const told = { text: '', end: () => request.destroy() };
    response.setEncoding('utf8').on('data', (piece) => { told.text += piece; }).on('error', () => {});
    return told;
  };
  const all = [await watch(https, { host: 'localhost', port: daemon.tlsPort, ca: daemon.ca, agent: false }),
    await watch(http, { socketPath })];
  for (let i = 0; i < 500; i++) await daemon.set('s', `k${i}`, { i, filler: 'x'.repeat(2000) });
  for (const told of all) {
    await waitFor('the last event', async () => /k499/.test(told.text));
    assert.equal(new Set(told.text.match(/"key":"k\d+"/g)).size, 500);
    told.end();
  }
});

test('a reload takes a new certificate for new connections; those that are open stay', async (t) => {
  const daemon = await startTls(t);
  const agent = new https.Agent({ keepAlive: true, maxSockets: 1 });
  t.after(() => agent.destroy());
  const socket = new WebSocket(`wss://localhost:${daemon.tlsPort}`, { ca: daemon.ca });
  await once(socket, 'open');
  const first = await ask(daemon, { agent });
  assert.equal(first.cert.subject.CN, 'engine');

  const next = await certificate(daemon.certs, 'renewed');
  fs.copyFileSync(next.cert, daemon.cert);
  fs.copyFileSync(next.key, daemon.key);
  const reload = await run(program, ['reload', '--url', daemon.url]);
  assert.equal(reload.code, 0, reload.stderr);
  const renewed = { ...daemon, ca: fs.readFileSync(next.cert) };
  assert.equal((await ask(renewed, { agent: false })).cert.subject.CN, 'renewed');
  assert.equal((await ask(daemon, { agent })).cert.subject.CN ?? 'engine', 'engine');
  socket.ping();
  await within('the answer', once(socket, 'pong'));

  const end = Number(/^pawl_tls_certificate_end_seconds (\S+)/m.exec((await daemon.http('GET', '/metrics')).text)[1]);
  assert.ok(Math.abs(end - Date.now() / 1000 - 30 * 86400) < 86400, `${end}`);

  // A broken pair is refused as a whole, with the rest of what the file says.
  const other = await certificate(daemon.certs, 'other');
  fs.copyFileSync(other.key, daemon.key);
  const broken = await run(program, ['reload', '--url', daemon.url]);
  assert.equal(broken.code, 1);
  assert.match(broken.stderr, /key values mismatch/);
  assert.equal((await ask(renewed, { agent: false })).cert.subject.CN, 'renewed');
  fs.rmSync(daemon.key);
  daemon.process.kill('SIGHUP');
  await waitFor('the refusal', async () => /the last good one stays: .*No such file/.test(daemon.log));
  assert.equal((await ask(renewed, { agent: false })).status, 200);

  fs.copyFileSync(other.cert, daemon.cert);
  fs.copyFileSync(other.key, daemon.key);
  daemon.process.kill('SIGHUP');
  const last = { ...daemon, ca: fs.readFileSync(other.cert) };
  await waitFor('the third', async () => (await ask(last, { agent: false })).cert.subject.CN === 'other');
  socket.terminate();
});

test('a pair that cannot serve is refused at the start and by check', async (t) => {
  const dir = tempDir(t);
  const one = await certificate(dir, 'one');
  const two = await certificate(dir, 'two');
  const listen = '127.0.0.1:0';
  for (const [config, why] of [
    [{ listen, cert: one.cert, key: two.key }, /invalid_certificate|key values mismatch/],
    [{ listen, cert: path.join(dir, 'none'), key: one.key }, /No such file/],
    [{ listen, cert: one.cert }, /'tls' needs 'listen', 'cert' and 'key'/],
    [{ listen: '0.0.0.0:0', cert: one.cert, key: one.key }, /'tls.listen' is not loopback/],
    [{ listen: 'x', cert: one.cert, key: one.key }, /'tls.listen' must be host:port/],
  ]) {
    const daemon = new Daemon(dir, await freePort(), { tls: config });
    daemon.spawn();
    assert.equal((await daemon.gone).code, 1, daemon.log);
    assert.match(daemon.log, why);
    const check = await run(program, ['check', '--config', daemon.configFile], { cwd: dir });
    assert.notEqual(check.code, 0);
    assert.match(check.stderr + check.stdout, why);
  }
});

test('doctor looks at the certificate and its key', async (t) => {
  const daemon = await startTls(t);
  const doctor = async () => {
    const { stdout } = await run(program, ['doctor', '--json', '--config', daemon.configFile]);
    return JSON.parse(stdout).findings.filter((one) => one.topic === 'tls');
  };
  fs.chmodSync(daemon.key, 0o600);
  const [fine, ...more] = await doctor();
  assert.match(JSON.stringify(fine), /"ok".*good for (29|30) days/);
  assert.equal(more.length, 0);
  fs.chmodSync(daemon.key, 0o644);
  assert.match(JSON.stringify((await doctor())[1]), /every user of this machine may read the key/);
  await certificate(daemon.certs, 'engine', undefined, 3);
  assert.match(JSON.stringify((await doctor())[0]), /good for (2|3) days.*pawl reload/);
});

test('a page of the TLS port is https', async (t) => {
  const daemon = await startTls(t);
  const from = (origin) => ask(daemon, { headers: { origin } });
  assert.equal((await from(`https://localhost:${daemon.tlsPort}`)).status, 200);
  assert.equal((await from(`http://localhost:${daemon.tlsPort}`)).status, 403);
  assert.equal((await from('https://evil.example')).status, 403);
});

test('SIGTERM ends an engine with connections over TLS, half done ones among them', async (t) => {
  const daemon = await startTls(t);
  const socket = new WebSocket(`wss://localhost:${daemon.tlsPort}`, { ca: daemon.ca });
  await once(socket, 'open');
  const agent = new https.Agent({ keepAlive: true });
  t.after(() => agent.destroy());
  await ask(daemon, { agent });
  const half = net.connect(daemon.tlsPort, '127.0.0.1');
  await once(half, 'connect');
  half.write(Buffer.from([0x16, 0x03, 0x01]));
  const closed = once(socket, 'close');
  const { code } = await daemon.stop();
  assert.equal(code, 0);
  assert.equal((await closed)[0], 1001);
  half.destroy();
});
