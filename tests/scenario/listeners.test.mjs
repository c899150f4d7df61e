// Several places to listen on, all leading to the same: TCP and a Unix socket.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import fs from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import path from 'node:path';
import { WebSocket } from 'ws';
import { Daemon, freePort, program, run, startDaemon, tempDir, test, waitFor } from './lib.mjs';

const get = (options) => new Promise((resolve, reject) => {
  http.get(options, (response) => {
    let body = '';
    response.on('data', (piece) => { body += piece; });
    response.on('end', () => resolve({ status: response.statusCode, body }));
  }).on('error', reject);
});

test('a Unix socket serves what the port serves, to whom its mode lets in', async (t) => {
  const socket = path.join(tempDir(t), 'pawl.sock');
  const daemon = await startDaemon(t, { unix: { path: socket, mode: '0600' } });
  assert.equal(fs.statSync(socket).mode & 0o777, 0o600);
  const status = (await daemon.http('GET', '/v1/status')).json;
  assert.equal(status.listen, `127.0.0.1:${daemon.port}`);
  assert.equal(status.unix_path, socket);
  assert.match(daemon.log, new RegExp(`listens on http://127.0.0.1:${daemon.port}, unix:${socket} `));

  const set = await run(program, ['set', 's', 'k', '{"n":1}', '--url', `unix:${socket}`]);
  assert.equal(set.code, 0, set.stderr);
  assert.deepEqual((await daemon.http('GET', '/v1/state/s/k')).json, { n: 1 });
  const curl = await run('curl', ['-s', '--unix-socket', socket, 'http://anything/v1/state/s/k']);
  assert.deepEqual(JSON.parse(curl.stdout), { n: 1 });

  const worker = new WebSocket(`ws+unix://${socket}:/`);
  await once(worker, 'open');
  worker.close();
  await once(worker, 'close');
});

test('Host means nothing on a Unix socket, a page of another origin is refused', async (t) => {
  const socketPath = path.join(tempDir(t), 'pawl.sock');
  await startDaemon(t, { unix: { path: socketPath }, http: { allowed_origins: ['https://ours.example'] } });
  const ask = (headers) => get({ socketPath, path: '/v1/status', headers });
  assert.equal((await ask({ host: 'evil.example' })).status, 200);
  const refused = await ask({ origin: 'http://localhost' });
  assert.equal(refused.status, 403);
  assert.match(refused.body, /origin_not_allowed/);
  assert.equal((await ask({ origin: 'https://ours.example' })).status, 200);
});

// One that is asked for by its socket only.
async function startOnSocket(t, socketPath, config = {}) {
  const daemon = new Daemon(tempDir(t), 0, { listen: 'none', unix: { path: socketPath }, ...config });
  t.after(() => daemon.stop());
  daemon.spawn();
  await waitFor('the daemon to be ready', async () => {
    if (!daemon.process) throw new Error(daemon.log);
    return (await get({ socketPath, path: '/readyz' })).status === 200;
  });
  return daemon;
}

test('without a port the socket is all there is', async (t) => {
  const socketPath = path.join(tempDir(t), 'pawl.sock');
  const daemon = await startOnSocket(t, socketPath);
  const status = JSON.parse((await get({ socketPath, path: '/v1/status' })).body);
  assert.equal(status.listen, undefined);
  assert.match(daemon.log, /listens on unix:/);
  const doctor = await run(program, ['doctor', '--config', daemon.configFile], { env: {} });
  assert.match(doctor.stdout, /it answers at unix:/);
});

test('the socket goes with its engine; one that a dead engine left is replaced', async (t) => {
  const socketPath = path.join(tempDir(t), 'pawl.sock');
  const first = await startOnSocket(t, socketPath);
  await first.stop();
  assert.equal(fs.existsSync(socketPath), false);

  const killed = await startOnSocket(t, socketPath);
  await killed.kill();
  assert.equal(fs.existsSync(socketPath), true);
  await startOnSocket(t, socketPath);
});

// Starts one that cannot; what it says.
async function refusal(t, config) {
  const daemon = new Daemon(tempDir(t), await freePort(), config);
  daemon.spawn();
  const { code } = await daemon.gone;
  assert.equal(code, 1, daemon.log);
  return daemon.log;
}

test('a socket that somebody answers on, and a file that is none, are left alone', async (t) => {
  const dir = tempDir(t);
  const socketPath = path.join(dir, 'pawl.sock');
  await startOnSocket(t, socketPath);
  assert.match(await refusal(t, { unix: { path: socketPath } }), /unix\.path: another process listens on/);
  assert.equal((await get({ socketPath, path: '/readyz' })).status, 200);

  const stranger = net.createServer(() => {}).listen(path.join(dir, 'stranger.sock'));
  await once(stranger, 'listening');
  t.after(() => stranger.close());
  assert.match(await refusal(t, { unix: { path: path.join(dir, 'stranger.sock') } }), /another process listens/);

  fs.writeFileSync(path.join(dir, 'file'), 'precious');
  assert.match(await refusal(t, { unix: { path: path.join(dir, 'file') } }), /there already and is no socket/);
  assert.equal(fs.readFileSync(path.join(dir, 'file'), 'utf8'), 'precious');
  assert.match(await refusal(t, { unix: { path: path.join(dir, 'none', 'x') } }), /No such file or directory/);
  assert.match(await refusal(t, { unix: { path: path.join(dir, 'x'), group: 'nobody-has-this' } }), /no such group/);
  assert.equal(fs.existsSync(path.join(dir, 'x')), false);
  assert.match(await refusal(t, { listen: 'none' }), /needs another listener/);
  assert.match(await refusal(t, { unix: { path: path.join(dir, 'x'), mode: '0999' } }), /must be octal/);
});

test('max_connections counts all listeners together; SIGTERM ends connections of each', async (t) => {
  const socketPath = path.join(tempDir(t), 'pawl.sock');
  const daemon = await startDaemon(t, { unix: { path: socketPath }, limits: { max_connections: 2 } });
  const held = net.connect(socketPath);
  await once(held, 'connect');
  const other = net.connect(socketPath);
  await once(other, 'connect');
  await waitFor('both to be counted', async () => {
    const refused = await get({ socketPath, path: '/healthz' });
    return refused.status === 503;
  });
  const ended = [once(held, 'close'), once(other, 'close')];
  held.resume();
  other.resume();
  const { code } = await daemon.stop();
  assert.equal(code, 0);
  await Promise.all(ended);
});
