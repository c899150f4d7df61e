// What peers say while the engine starts waits until it knows what it owes.
import assert from 'node:assert/strict';
import net from 'node:net';
import { once } from 'node:events';
import { Inbox, sdk, startDaemon, test, waitFor } from './lib.mjs';

// Connects as soon as somebody listens, and says this.
async function sayAtOnce(port, text) {
  for (;;) {
    const socket = net.connect(port, '127.0.0.1');
    try {
      await once(socket, 'connect');
      socket.write(text);
      return socket;
    } catch {
      socket.destroy();
    }
  }
}

const request = (method, where, body) => {
  const text = JSON.stringify(body);
  return `${method} ${where} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n` +
    `Content-Length: ${text.length}\r\nConnection: close\r\n\r\n${text}`;
};

// A text frame of a client, masked with zeros.
const frame = (message) => {
  const text = JSON.stringify(message);
  const length = text.length < 126 ? [text.length] : [126, text.length >> 8, text.length & 255];
  return String.fromCharCode(0x81, 0x80 | length[0], ...length.slice(1), 0, 0, 0, 0) + text;
};

// So many triggers that loading them takes a while.
const withTriggers = (t) => startDaemon(t, {
  triggers: Array.from({ length: 5000 }, (_, i) =>
    ({ id: `none-${i}`, function: 'nobody', scope: `none-${i}` })),
});

test('a trigger that is new in the config sees the first write of the run', async (t) => {
  const daemon = await withTriggers(t);
  await daemon.stop();
  daemon.config.triggers.push({ id: 'new', function: 'new', scope: 's' });
  daemon.spawn();
  const socket = await sayAtOnce(daemon.port, request('PUT', '/v1/state/s/first', 1));
  const [answer] = await once(socket, 'data');
  assert.match(String(answer), /^HTTP\/1.1 200/);
  const calls = new Inbox();
  sdk(t, daemon).registerFunction('new', (event) => calls.put(event.key));
  await calls.count(1);
  assert.deepEqual(calls.items, ['first']);
});

test('a worker that comes at once meets its trigger of the last run', async (t) => {
  const daemon = await withTriggers(t);
  const frames = [
    { type: 'invokefunction', function_id: 'engine::workers::register',
      data: { name: 'early', runtime: 'node', version: '1' } },
    { type: 'registerfunction', id: 'early' },
    { type: 'registertrigger', id: '8c2b7d9e-0c5e-4b43-9c61-5a3a3f0e6f11', trigger_type: 'state',
      function_id: 'early', config: { scope: 's' } },
  ].map(frame).join('');
  const hello = 'GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n' +
    'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n\r\n';
  const connect = async () => {
    const socket = await sayAtOnce(daemon.port, Buffer.from(hello + frames, 'latin1'));
    socket.on('error', () => {}).resume();
    t.after(() => socket.destroy());
  };
  await connect();
  const first = await daemon.trigger('early');
  await daemon.set('other', 'k', 1);
  await daemon.kill();
  daemon.spawn();
  await connect();
  await waitFor('the engine', async () => (await fetch(`${daemon.url}/readyz`)).ok);
  await waitFor('the worker', async () => (await daemon.call('engine::workers::list')).workers
    .some((one) => one.name === 'early' && one.function_count === 1));
  const all = (await daemon.triggers()).filter((one) => one.function_id === 'early');
  assert.deepEqual(all.map((one) => [one.id, one.version, one.from_seq]),
    [[first.id, first.version, first.from_seq]]);
});
