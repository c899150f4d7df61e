// Requests that come twice: done once, answered as often.
import assert from 'node:assert/strict';
import { CloudEvent, HTTP } from 'cloudevents';
import { rejects, sdk, startDaemon, test, waitFor } from './lib.mjs';

const plus = (idempotency_key) => ({ scope: 'counters', key: 'n', idempotency_key,
  ops: [{ type: 'increment', path: 'n', by: 1 }] });
const count = async (daemon) => (await daemon.get('counters', 'n'))?.n ?? 0;

test('a write with a key is done once: over HTTP, over the socket, from the command line', async (t) => {
  const daemon = await startDaemon(t);
  const worker = sdk(t, daemon);
  const send = (key, body = '{"v":1}') => daemon.http('PUT', '/v1/state/s/k', body, { 'idempotency-key': key });
  const first = await send('"a-1"');
  assert.deepEqual([first.status, first.headers.get('idempotent-replay')], [200, null]);
  const again = await send('a-1'); // the quotes are no part of it
  assert.deepEqual([again.status, again.headers.get('idempotent-replay'), again.text, again.headers.get('etag')],
    [200, 'true', first.text, first.headers.get('etag')]);
  const other = await send('a-1', '{"v":2}');
  assert.deepEqual([other.status, other.json.code], [422, 'idempotency_conflict']);
  assert.deepEqual(await worker.call('state::set', { scope: 's', key: 'k', value: { v: 1 }, idempotency_key: 'a-1' }), first.json);
  const cli = () => daemon.cli('set', 's', 'c', '5', '--idempotency-key', 'from here', '--json');
  assert.deepEqual((await cli()).stdout, (await cli()).stdout);
  assert.equal((await daemon.cli('set', 's', 'c', '6', '--idempotency-key', 'from here')).code, 1);
  for (let n = 0; n < 3; n += 1) {
    const sum = await daemon.http('POST', '/v1/state/counters/n/update', { ops: plus().ops }, { 'idempotency-key': 'u' });
    assert.equal(sum.json.new_value.n, 1);
  }
  assert.equal((await daemon.cli('update', 'counters', 'n', JSON.stringify(plus().ops), '--idempotency-key', 'u2')).code, 0);
  assert.equal(await count(daemon), 2);
  // What deleted nothing deletes nothing later.
  const gone = () => daemon.http('DELETE', '/v1/state/s/x', undefined, { 'idempotency-key': 'd' });
  assert.equal((await gone()).status, 404);
  await daemon.set('s', 'x', 1);
  assert.equal((await gone()).status, 404);
  assert.equal(await daemon.get('s', 'x'), 1);
  const all = () => daemon.http('POST', '/v1/state:transact',
    { ops: [{ type: 'set', scope: 's', key: 't', value: 1 }] }, { 'idempotency-key': 't' });
  assert.equal((await all()).text, (await all()).text);
  assert.equal((await daemon.events()).length, 6);
});

test('a key that is none, or where none is taken, is refused', async (t) => {
  const daemon = await startDaemon(t);
  const put = (key) => daemon.http('PUT', '/v1/state/s/k', '1', { 'idempotency-key': key });
  for (const key of ['x'.repeat(256), '"open', '"a\\b"', '""']) {
    const { status, json } = await put(key);
    assert.deepEqual([status, json.code], [400, 'invalid_idempotency_key'], key);
  }
  assert.equal((await put('x'.repeat(255))).status, 200);
  for (const [method, where] of [['POST', '/v1/triggers'], ['DELETE', '/v1/state/s'], ['POST', '/v1/functions/f/invoke']]) {
    const { status, json } = await daemon.http(method, where, method === 'POST' ? {} : undefined, { 'idempotency-key': 'k' });
    assert.deepEqual([status, json.code], [400, 'invalid_idempotency_key'], where);
  }
  assert.equal((await daemon.http('GET', '/v1/state/s/k', undefined, { 'idempotency-key': 'k' })).status, 200);
  await rejects(daemon.call('state::clear', { scope: 's', idempotency_key: 'k' }), 'not_available');
});

test('of many at once one is done, and all are answered alike', async (t) => {
  const daemon = await startDaemon(t);
  const workers = [sdk(t, daemon), sdk(t, daemon)];
  const answers = await Promise.all(Array.from({ length: 60 }, (_, n) =>
    workers[n % 2].call('state::update', plus(`k${n % 3}`))));
  assert.equal(new Set(answers.map((one) => JSON.stringify(one))).size, 3);
  assert.equal(await count(daemon), 3);
});

for (const point of ['write:8', 'sync:8', 'answer:8', 'apply:2', 'applied:2']) {
  test(`killed at ${point}: a change and its answer are kept together`, async (t) => {
    const daemon = await startDaemon(t, {}, { PAWL_CRASH_AT: point });
    const answers = new Map();
    let n = 0;
    // It comes to the place when it has something to do there.
    await waitFor('the crash', async () => {
      for (const end = n + 100; n < end && daemon.process; n += 1) {
        await daemon.call('state::update', plus(`k${n}`)).then((answer) => answers.set(n, answer), () => {});
      }
      return daemon.process === null;
    });
    daemon.env = {};
    await daemon.start();
    // All that was asked is asked again, what was not answered, too.
    for (let m = 0; m < n; m += 1) {
      const answer = await daemon.call('state::update', plus(`k${m}`));
      if (answers.has(m)) assert.deepEqual(answer, answers.get(m));
    }
    assert.equal(await count(daemon), n);
    await daemon.kill();
    await daemon.start();
    await daemon.call('state::update', plus('k0'));
    assert.equal(await count(daemon), n);
  });
}

test('a handler that is called again does each of its steps once', async (t) => {
  const daemon = await startDaemon(t);
  const worker = sdk(t, daemon);
  let calls = 0;
  worker.on('order', { scope: 'orders', retry: { initial_ms: 20 } }, async (event) => {
    calls += 1;
    const step = (name) => `${event.delivery_id}:${name}`;
    await worker.call('state::update', plus(step('count')));
    if (event.attempt === 1) throw new Error('between two steps');
    await worker.call('state::set', { scope: 'done', key: event.key, value: true, idempotency_key: step('done') });
  });
  await daemon.trigger('order', (one) => one.status === 'live');
  for (let n = 0; n < 5; n += 1) await daemon.set('orders', `o${n}`, n);
  await daemon.settled();
  assert.equal(calls, 10);
  assert.equal(await count(daemon), 5);
});

test('a batch of CloudEvents has one key; with cloudevents: true each has its source and id', async (t) => {
  const daemon = await startDaemon(t);
  const one = (id, more = {}) => new CloudEvent({ id, source: '/shop', type: 'paid', time: '2026-01-01T00:00:00Z',
    data: { n: 1 }, ...more });
  const send = async (event, headers = {}) => {
    const message = HTTP.structured(event);
    const reply = await fetch(`${daemon.url}/v1/events`, { method: 'POST', headers: { ...message.headers, ...headers }, body: message.body });
    return { status: reply.status, replay: reply.headers.get('idempotent-replay'), ids: (await reply.json()).ids };
  };
  const first = await send(one('A'), { 'idempotency-key': 'x' });
  assert.deepEqual(await send(one('A'), { 'idempotency-key': 'x' }), { ...first, replay: 'true' });
  assert.equal((await send(one('B'), { 'idempotency-key': 'x' })).status, 422);
  assert.equal((await daemon.events()).length, 1);
  assert.notDeepEqual((await send(one('A'))).ids, first.ids); // nobody asked
  await daemon.restart('SIGTERM', { idempotency: { cloudevents: true } });
  const kept = await send(one('A'));
  assert.equal(kept.replay, null);
  await daemon.kill();
  await daemon.start();
  assert.deepEqual(await send(one('A', { data: { n: 2 } })), { ...kept, replay: 'true' });
  assert.notDeepEqual((await send(one('A', { source: '/other' }))).ids, kept.ids);
  const { ids } = await daemon.call('engine::events::publish', { events: ['A', 'C', 'C'].map((id) => ({ ...one(id).toJSON() })) });
  assert.equal(ids[0], kept.ids[0]);
  assert.equal(ids[1], ids[2]);
  assert.equal((await daemon.events()).length, 5);
});

test('an answer is kept as long as the config says', async (t) => {
  const daemon = await startDaemon(t, { idempotency: { ttl: '1s' } });
  await daemon.call('state::update', plus('k'));
  await waitFor('it to be forgotten', async () => {
    await daemon.call('state::update', plus('k'));
    return await count(daemon) === 2;
  });
});

test('a message with a key is queued and published once, over a kill', async (t) => {
  const daemon = await startDaemon(t);
  const calls = [];
  sdk(t, daemon).registerFunction('mail', async (data) => calls.push(data) && null);
  const send = (where, body) => daemon.http('POST', where, body, { 'idempotency-key': where });
  const first = await send('/v1/queues/default', { function_id: 'mail', payload: { to: 'ada' } });
  const topic = await send('/v1/topics/news', '"hello"');
  assert.ok(first.status < 300 && topic.status < 300, first.text + topic.text);
  await daemon.kill();
  await daemon.start();
  const again = await send('/v1/queues/default', { function_id: 'mail', payload: { to: 'ada' } });
  assert.deepEqual([again.text, again.headers.get('idempotent-replay')], [first.text, 'true']);
  assert.equal((await send('/v1/topics/news', '"hello"')).text, topic.text);
  assert.equal((await send('/v1/topics/news', '"other"')).json.code, 'idempotency_conflict');
  await waitFor('the call', () => calls.length > 0);
  await daemon.settled();
  assert.equal((await daemon.events()).length, 2);
});

test('an alarm with a key is set once, over a kill and after it has fired', async (t) => {
  const daemon = await startDaemon(t);
  const calls = [];
  sdk(t, daemon).registerFunction('ring', async (data) => calls.push(data) && null);
  const put = (body) => daemon.http('PUT', '/v1/alarms/users/ada', body, { 'idempotency-key': 'a' });
  const far = await put({ delay: '1h', function_id: 'ring' });
  assert.deepEqual([far.status, far.headers.get('idempotent-replay')], [200, null]);
  await daemon.kill();
  await daemon.start();
  const again = await put({ delay: '1h', function_id: 'ring' });
  assert.deepEqual([again.text, again.headers.get('idempotent-replay')], [far.text, 'true']);
  assert.equal((await put({ delay: '2h' })).json.code, 'idempotency_conflict');
  await rejects(daemon.call('alarm::set', { scope: 's', delay_ms: 0, idempotency_key: 7 }), 'invalid_idempotency_key');
  const now = { scope: 's', delay_ms: 0, function_id: 'ring', idempotency_key: 'b' };
  const first = await daemon.call('alarm::set', now);
  await waitFor('the alarm to be gone', async () =>
    calls.length === 1 && (await daemon.call('alarm::get', { scope: 's' })) === undefined);
  assert.deepEqual(await daemon.call('alarm::set', now), first);
  const many = { scope: 'm', delay: '1h', idempotency_key: 'c' };
  const answers = await Promise.all(Array.from({ length: 20 }, () => daemon.call('alarm::set', many)));
  assert.equal(new Set(answers.map((one) => JSON.stringify(one))).size, 1);
  const { stdout } = await daemon.cli('alarm', 'set', 'users', 'bob', '--delay', '1h', '--idempotency-key', 'd', '--json');
  assert.equal((await daemon.cli('alarm', 'set', 'users', 'bob', '--delay', '1h', '--idempotency-key', 'd', '--json')).stdout, stdout);
  assert.equal(calls.length, 1);
});
