// Several workers: how many calls each gets at a time, and how one leaves without a loss.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { Inbox, RawWorker, gate, rejects, sdk, startDaemon, test, waitFor } from './lib.mjs';

const few = (daemon, n) => ({ address: `${daemon.address}/?max_in_flight=${n}` });

async function worker(daemon, name, condition = () => true) {
  return waitFor(`the worker ${name}`, async () =>
    (await daemon.call('engine::workers::list')).workers.find((one) => one.name === name && condition(one)));
}

// A handler that counts what it runs, and waits for `go`.
function counter(go) {
  const seen = { running: 0, most: 0, calls: new Inbox() };
  seen.handle = async (event) => {
    seen.running += 1;
    seen.most = Math.max(seen.most, seen.running);
    seen.calls.put(event);
    await go.promise;
    seen.running -= 1;
  };
  return seen;
}

test('a credit of one among two workers: each has one call, the others wait', async (t) => {
  const daemon = await startDaemon(t);
  const go = gate();
  const one = counter(go);
  const two = counter(go);
  sdk(t, few(daemon, 1), { workerName: 'one' }).on('watch', { scope: 's' }, one.handle);
  sdk(t, few(daemon, 1), { workerName: 'two' }).registerFunction('watch', two.handle);
  await worker(daemon, 'one', ({ function_count }) => function_count === 1);
  const { max_in_flight } = await worker(daemon, 'two', ({ function_count }) => function_count === 1);
  assert.equal(max_in_flight, 1);
  await daemon.trigger('watch');
  for (let n = 0; n < 8; n += 1) await daemon.set('s', `k${n}`, n);
  await Promise.all([one.calls.count(1), two.calls.count(1)]);
  const busy = await worker(daemon, 'one', ({ in_flight }) => in_flight === 1);
  assert.deepEqual([busy.in_flight, busy.max_in_flight, busy.draining], [1, 1, false]);
  assert.equal(one.calls.items.length + two.calls.items.length, 2);
  go.open();
  await daemon.settled();
  assert.deepEqual([one.most, two.most], [1, 1]);
  assert.equal(one.calls.items.length + two.calls.items.length, 8);
  assert.ok(one.calls.items.every(({ attempt }) => attempt === 1));
});

test('a worker says it in its metadata; the config is the bound; nonsense is refused', async (t) => {
  const daemon = await startDaemon(t, { workers: { credit: 4 } });
  const raw = await RawWorker.open(t, daemon);
  const register = (data) => raw.call('engine::workers::register', { name: 'raw', ...data });
  const limit = async () => (await worker(daemon, 'raw')).max_in_flight;
  await register({});
  assert.equal(await limit(), 4);
  await register({ max_in_flight: 2 });
  assert.equal(await limit(), 2);
  await register({ max_in_flight: 1000 });
  assert.equal(await limit(), 4);
  for (const max_in_flight of [0, -1, 1.5, '2', 100001, [1], true]) {
    await rejects(register({ max_in_flight }), 'invalid_max_in_flight');
  }
  assert.equal(await limit(), 4);
  await register({ max_in_flight: 3 });
  const say = (credit) => fs.writeFileSync(daemon.configFile, JSON.stringify({ workers: { credit },
    listen: `127.0.0.1:${daemon.port}`, data: daemon.data }));
  for (const [credit, is] of [[2, 2], [10, 3]]) {
    say(credit);
    assert.equal((await daemon.http('POST', '/v1/config:reload', {})).status, 200);
    assert.equal(await limit(), is);
  }
  const wrong = await RawWorker.open(t, `${daemon.address}/?max_in_flight=none`);
  const { code, reason } = await wrong.closed;
  assert.equal(code, 1008);
  assert.match(reason, /max_in_flight must be a whole number from 1 to 100000, not none/);
});

test('a worker that drains gets nothing new, and is told when its last call has ended', async (t) => {
  const daemon = await startDaemon(t);
  const go = gate();
  const leaving = counter(go);
  const open = gate();
  open.open();
  const staying = counter(open);
  const one = sdk(t, daemon, { workerName: 'leaving' });
  one.on('watch', { scope: 's' }, leaving.handle);
  await daemon.trigger('watch', ({ status }) => status === 'live');
  await daemon.set('s', 'held', 1);
  await leaving.calls.count(1);
  sdk(t, daemon, { workerName: 'staying' }).registerFunction('watch', staying.handle);
  await worker(daemon, 'staying', ({ function_count }) => function_count === 1);
  let told = false;
  const drained = one.call('engine::workers::drain').finally(() => (told = true));
  const shown = await worker(daemon, 'leaving', ({ draining }) => draining);
  assert.deepEqual([shown.status, shown.in_flight], ['draining', 1]);
  for (let n = 0; n < 6; n += 1) await daemon.set('s', `k${n}`, n);
  await staying.calls.count(6);
  assert.equal(leaving.calls.items.length, 1);
  assert.equal(told, false);
  go.open();
  assert.deepEqual(await drained, { id: shown.id, draining: true, in_flight: 0 });
  await one.shutdown();
  await daemon.settled();
  const [trigger] = await daemon.triggers();
  assert.deepEqual([trigger.delivered, trigger.failed_attempts, trigger.retries], [7, 0, 0]);
});

test('one that drains and goes leaves its calls to the others, at once and without an attempt', async (t) => {
  const daemon = await startDaemon(t, { workers: { reattach_grace: '1h' },
    delivery: { retry: { max_attempts: 1 } } });
  const go = gate();
  const leaving = counter(go);
  const one = sdk(t, daemon, { workerName: 'leaving' });
  one.on('watch', { scope: 's' }, leaving.handle);
  await daemon.trigger('watch', ({ status }) => status === 'live');
  await daemon.set('s', 'k', 1);
  await leaving.calls.count(1);
  assert.deepEqual(await one.call('engine::workers::drain', { wait: false }),
    { id: (await worker(daemon, 'leaving')).id, draining: true, in_flight: 1 });
  const staying = new Inbox();
  sdk(t, daemon, { workerName: 'staying' }).registerFunction('watch', async (event) => staying.put(event));
  await worker(daemon, 'staying', ({ function_count }) => function_count === 1);
  await one.shutdown();
  const [event] = await staying.count(1);
  assert.equal(event.delivery_id, leaving.calls.items[0].delivery_id);
  await daemon.settled();
  assert.deepEqual(await daemon.dead(), []);
  go.open();
});

test('an operator drains and resumes a worker', async (t) => {
  const daemon = await startDaemon(t);
  const go = gate();
  const calls = counter(go);
  sdk(t, daemon, { workerName: 'far' }).on('watch', { scope: 's' }, calls.handle);
  await daemon.trigger('watch', ({ status }) => status === 'live');
  await daemon.set('s', 'a', 1);
  await calls.calls.count(1);
  const { id } = await worker(daemon, 'far');
  const early = await daemon.cli('worker', 'drain', id, '--wait', 'false');
  assert.equal(early.code, 0, early.stderr);
  assert.match((await daemon.cli('workers')).stdout, /far +default +draining +1 +1 +256/);
  await daemon.set('s', 'b', 1);
  const waiting = daemon.http('POST', `/v1/workers/${id}/drain`, {});
  await daemon.http('POST', `/v1/workers/${id}/resume`, {});
  assert.deepEqual((await waiting).json, { id, draining: true, in_flight: 1 });
  await calls.calls.count(2);
  go.open();
  await daemon.settled();
  assert.equal((await daemon.http('POST', '/v1/workers/nobody/drain', {})).json.code, 'worker_not_found');
});

test('a worker that drains and reattaches goes on draining', async (t) => {
  const daemon = await startDaemon(t);
  const old = (await RawWorker.open(t, daemon)).hello({ name: 'raw' });
  const { worker_id, reattach_token } = await old.frame('the greeting', ({ type }) => type === 'workerregistered');
  old.send({ type: 'registerfunction', id: 'f' });
  await worker(daemon, 'raw', ({ function_count }) => function_count === 1);
  await old.call('engine::workers::drain', {});
  const fresh = await RawWorker.open(t, daemon);
  fresh.send({ type: 'reattach', previous_worker_id: worker_id, reattach_token });
  fresh.hello({ name: 'raw' });
  fresh.send({ type: 'registerfunction', id: 'f' });
  const shown = await worker(daemon, 'raw', ({ id, function_count }) => id !== worker_id && function_count === 1);
  assert.equal(shown.status, 'draining');
  const reply = await daemon.http('POST', '/v1/functions/f/invoke?timeout_ms=50', {});
  assert.equal(reply.status, 504);
  await fresh.call('engine::workers::resume', {});
  const call = daemon.call('f', { n: 1 });
  const frame = await fresh.frame('the call', ({ type }) => type === 'invokefunction');
  fresh.send({ type: 'invocationresult', invocation_id: frame.invocation_id, function_id: 'f', result: 2 });
  assert.equal(await call, 2);
});
