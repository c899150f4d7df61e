// Functions: who serves them, how they are called, what callers are told.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import { Inbox, Link, RawWorker, gate, rejects, sdk, startDaemon, test, waitFor } from './lib.mjs';

const served = (daemon, id, providers = 1) =>
  waitFor(`${id} to be served ${providers} times`, async () => {
    const { functions } = await daemon.call('engine::functions::list');
    return functions.find((one) => one.function_id === id && one.providers === providers);
  });

test('a worker calls a function of another worker and gets its result', async (t) => {
  const daemon = await startDaemon(t);
  const server = sdk(t, daemon);
  server.registerFunction('math::double', async ({ n }) => ({ doubled: 2 * n }));
  const client = sdk(t, daemon);
  await served(daemon, 'math::double');
  assert.deepEqual(await client.call('math::double', { n: 21 }), { doubled: 42 });
});

test('a handler without a result resolves with undefined, null stays null', async (t) => {
  const daemon = await startDaemon(t);
  const worker = sdk(t, daemon);
  worker.registerFunction('gives::nothing', async () => undefined);
  worker.registerFunction('gives::null', async () => null);
  await served(daemon, 'gives::null');
  assert.equal(await worker.call('gives::nothing'), undefined);
  assert.equal(await worker.call('gives::null'), null);
});

test('an error of the handler reaches the caller with its message and stack', async (t) => {
  const daemon = await startDaemon(t);
  const worker = sdk(t, daemon);
  worker.registerFunction('fails', async () => {
    throw new Error('no such "user"\n\u00e9');
  });
  await served(daemon, 'fails');
  const error = await rejects(worker.call('fails'), 'invocation_failed');
  assert.match(error.message, /no such "user"\n\u00e9/);
  assert.match(String(error.stacktrace), /functions\.test\.mjs/);
});

test('a void call runs and is not waited for', async (t) => {
  const daemon = await startDaemon(t);
  const worker = sdk(t, daemon);
  const calls = new Inbox();
  worker.registerFunction('notify', async (data, metadata) => calls.put({ data, metadata }));
  await served(daemon, 'notify');
  assert.equal(await worker.call('notify', { a: 1 },
    { action: { type: 'void' }, metadata: { from: 'test' } }), undefined);
  await calls.count(1);
  assert.deepEqual(calls.items, [{ data: { a: 1 }, metadata: { from: 'test' } }]);
});

test('metadata of a call travels to the handler', async (t) => {
  const daemon = await startDaemon(t);
  const worker = sdk(t, daemon);
  worker.registerFunction('echo', async (data, metadata) => ({ data, metadata }));
  await served(daemon, 'echo');
  assert.deepEqual(await worker.call('echo', [1, 'x', null], { metadata: { a: [1] } }),
    { data: [1, 'x', null], metadata: { a: [1] } });
});

test('a caller that waits too long is told TIMEOUT and others go on', async (t) => {
  const daemon = await startDaemon(t);
  const worker = sdk(t, daemon);
  const slow = gate();
  worker.registerFunction('slow', () => slow.promise);
  worker.registerFunction('quick', async () => 'here');
  await served(daemon, 'quick');
  await rejects(worker.call('slow', {}, { timeoutMs: 100 }), 'TIMEOUT');
  const reply = await daemon.http('POST', '/v1/functions/slow/invoke?timeout_ms=100', {});
  assert.equal(reply.json.code, 'TIMEOUT');
  assert.equal(reply.status, 504);
  assert.equal(await worker.call('quick'), 'here');
  slow.open('late');
});

test('big and odd values go through unchanged', async (t) => {
  const daemon = await startDaemon(t);
  const worker = sdk(t, daemon);
  worker.registerFunction('echo', async (data) => data);
  await served(daemon, 'echo');
  const odd = { '': [[], {}, ''], 'key "with" \\ and \u0007': '\u0000\ud83d\ude00\uffff',
    n: [0, -0.5, 1e300, 9007199254740991], long: 'x'.repeat(5 << 20) };
  assert.deepEqual(await worker.call('echo', odd), odd);
});

test('two workers share the calls of one function', async (t) => {
  const daemon = await startDaemon(t);
  const gates = [];
  const counts = [0, 0];
  for (const who of [0, 1]) {
    sdk(t, daemon).registerFunction('shared', async () => {
      counts[who]++;
      const mine = gate();
      gates.push(mine);
      return mine.promise;
    });
  }
  await served(daemon, 'shared', 2);
  const client = sdk(t, daemon);
  const calls = Array.from({ length: 10 }, () => client.call('shared'));
  await waitFor('all calls to run', () => gates.length === 10);
  gates.forEach((one) => one.open());
  await Promise.all(calls);
  assert.deepEqual(counts, [5, 5]);
});

test('when one of two workers goes away, the other one serves on', async (t) => {
  const daemon = await startDaemon(t);
  const first = sdk(t, daemon);
  first.registerFunction('shared', async () => 'first');
  await served(daemon, 'shared');
  sdk(t, daemon).registerFunction('shared', async () => 'second');
  await served(daemon, 'shared', 2);
  await first.shutdown();
  await served(daemon, 'shared', 1);
  assert.equal(await daemon.call('shared'), 'second');
});

test('calling what nobody serves is an error that says so', async (t) => {
  const daemon = await startDaemon(t);
  const worker = sdk(t, daemon);
  const error = await rejects(worker.call('no::such'), 'function_not_found');
  assert.match(error.message, /no::such/);
  const reply = await daemon.http('POST', '/v1/functions/no%3A%3Asuch/invoke', {});
  assert.equal(reply.status, 404);
  assert.equal(reply.json.code, 'function_not_found');
  assert.ok(reply.json.agent_instruction.length > 0);
});

test('a function of another namespace is not found, and the error names where it is', async (t) => {
  const daemon = await startDaemon(t);
  const other = (await RawWorker.open(t, daemon)).hello({ namespace: 'billing' });
  other.send({ type: 'registerfunction', id: 'bill::pay' });
  await served(daemon, 'bill::pay');
  const worker = sdk(t, daemon);
  const error = await rejects(worker.call('bill::pay'), 'function_not_found');
  assert.match(error.message, /billing/);
});

test('an unregistered function is gone', async (t) => {
  const daemon = await startDaemon(t);
  const worker = sdk(t, daemon);
  const handle = worker.registerFunction('short', async () => 1);
  await served(daemon, 'short');
  handle.unregister();
  await waitFor('it to be gone', async () =>
    (await daemon.call('engine::functions::list')).functions.length === 0);
  await rejects(worker.call('short'), 'function_not_found');
});

test('lists show functions, workers, trigger types and triggers', async (t) => {
  const daemon = await startDaemon(t);
  const worker = sdk(t, daemon, { workerName: 'lister' });
  worker.registerFunction('listed', async () => 1, { description: 'is listed',
    request_format: { type: 'object' } });
  worker.registerTrigger({ type: 'state', function_id: 'listed', config: { scope: 'a' } });
  await daemon.trigger('listed');
  const { functions } = await worker.call('engine::functions::list');
  assert.deepEqual(functions.map((one) => [one.function_id, one.description]),
    [['listed', 'is listed']]);
  const all = await worker.call('engine::functions::list', { include_internal: true });
  for (const id of ['state::set', 'state::transact', 'engine::workers::list']) {
    assert.ok(all.functions.some((one) => one.function_id === id), id);
  }
  const info = await worker.call('engine::functions::info', { function_id: 'listed' });
  assert.deepEqual(info.request_format, { type: 'object' });
  const { workers } = await worker.call('engine::workers::list');
  assert.deepEqual(workers.map((one) => one.name), ['lister']);
  assert.equal(workers[0].metadata.runtime, 'node');
  const one = await worker.call('engine::workers::info', { id: workers[0].id });
  assert.equal(one.name, 'lister');
  const { triggers } = await worker.call('engine::triggers::list');
  assert.ok(triggers.some((type) => type.id === 'state'));
  const { registered_triggers: bindings } = await worker.call('engine::registered-triggers::list');
  assert.deepEqual(bindings.map((each) => [each.trigger_type, each.function_id]),
    [['state', 'listed']]);
});

test('an id of the engine cannot be taken', async (t) => {
  const daemon = await startDaemon(t);
  const worker = (await RawWorker.open(t, daemon)).hello();
  worker.send({ type: 'registerfunction', id: 'engine::mine' });
  worker.send({ type: 'registerfunction', id: 'state::set' });
  for (const id of ['engine::mine', 'state::set']) {
    const frame = await worker.frame('the rejection', (one) =>
      one.type === 'registrationrejected' && one.function_id === id);
    assert.equal(frame.code, 'FUNCTION_NAMESPACE_CONFLICT');
  }
});

test('a second worker of one name is refused only when names must be unique', async (t) => {
  const daemon = await startDaemon(t, { workers: { unique_names: true } });
  const first = (await RawWorker.open(t, daemon)).hello({ name: 'api' });
  await waitFor('it to be known', async () =>
    (await daemon.call('engine::workers::list')).workers.some((one) => one.name === 'api'));
  const second = (await RawWorker.open(t, daemon)).hello({ name: 'api' });
  const frame = await second.frame('a rejection', (one) => one.type === 'registrationrejected');
  assert.equal(frame.code, 'WORKER_NAMESPACE_CONFLICT');
  assert.equal(first.ws.readyState, first.ws.OPEN);
});

test('a call survives a short cut of the link: the worker reattaches and answers', async (t) => {
  const daemon = await startDaemon(t);
  const link = await Link.open(t, daemon.port);
  const worker = sdk(t, link);
  const slow = gate();
  let runs = 0;
  worker.registerFunction('slow', () => {
    runs++;
    return slow.promise;
  });
  await served(daemon, 'slow');
  const before = (await daemon.call('engine::workers::list')).workers[0].id;
  const call = daemon.call('slow');
  await waitFor('the call to run', () => runs === 1);
  await link.cutFor(300);
  await waitFor('the worker to be back', async () => {
    const { workers } = await daemon.call('engine::workers::list');
    return workers.length === 1 && workers[0].id !== before && workers[0].status === 'connected';
  });
  slow.open({ done: true });
  assert.deepEqual(await call, { done: true });
  assert.equal(runs, 1);
});

test('a caller whose link was cut gets its answer on the new one', async (t) => {
  const daemon = await startDaemon(t);
  const slow = gate();
  let runs = 0;
  sdk(t, daemon).registerFunction('slow', () => {
    runs++;
    return slow.promise;
  });
  await served(daemon, 'slow');
  const link = await Link.open(t, daemon.port);
  const caller = sdk(t, link);
  const call = caller.call('slow');
  await waitFor('the call to run', () => runs === 1);
  await link.cutFor(100);
  await waitFor('the caller to be back', async () => {
    const { workers } = await daemon.call('engine::workers::list');
    return workers.length === 2 && workers.every((one) => one.status === 'connected');
  });
  slow.open('yes');
  assert.equal(await call, 'yes');
});

test('a call ends with invocation_stopped when its worker stays away', async (t) => {
  const daemon = await startDaemon(t, { workers: { reattach_grace: '200ms' } });
  const worker = sdk(t, daemon);
  worker.registerFunction('slow', () => new Promise(() => {}));
  await served(daemon, 'slow');
  const client = sdk(t, daemon);
  const call = client.call('slow');
  await waitFor('the call to run', async () =>
    (await daemon.call('engine::functions::list')).functions[0].running === 1);
  await worker.shutdown();
  await rejects(call, 'invocation_stopped');
});

test('functions of the config: a program per call, a program that stays, an error', async (t) => {
  const sh = (script) => ['sh', '-c', script];
  const daemon = await startDaemon(t, { functions: [
    { id: 'exec::echo', exec: { command: ['cat'] } },
    { id: 'exec::env', exec: { command: sh('printf \'"%s"\' "$WHO"'), env: { WHO: 'me' } } },
    { id: 'exec::fails', exec: { command: sh('echo "it broke" >&2; exit 3') } },
    { id: 'exec::lines', exec: { mode: 'lines', command: sh(`while read -r line; do
      id=$(printf '%s' "$line" | sed 's/.*"id":"\\([^"]*\\)".*/\\1/')
      echo "{\\"id\\":\\"$id\\",\\"result\\":$$}"
    done`) } },
  ] });
  assert.deepEqual(await daemon.call('exec::echo', { a: [1] }), { a: [1] });
  assert.equal(await daemon.call('exec::env'), 'me');
  const error = await rejects(daemon.call('exec::fails'), 'process_failed');
  assert.match(error.message, /it broke/);
  const pid = await daemon.call('exec::lines');
  assert.ok(Number.isInteger(pid));
  assert.equal(await daemon.call('exec::lines'), pid);
});

test('workers that register the same HTTP function share its calls, each leaves alone', async (t) => {
  const daemon = await startDaemon(t, { webhooks: { allow_private: true } });
  const asked = {};
  const server = http.createServer((req, reply) => {
    asked[req.url] = (asked[req.url] ?? 0) + 1;
    reply.end('{"ok":true}');
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  const register = async (path) => {
    const worker = (await RawWorker.open(t, daemon)).hello();
    worker.send({ type: 'registerfunction', id: 'hook',
      invocation: { url: `http://127.0.0.1:${server.address().port}${path}` } });
    return worker;
  };
  const first = await register('/first');
  const second = await register('/second');
  await served(daemon, 'hook', 2);
  for (let i = 0; i < 4; i++) assert.deepEqual(await daemon.call('hook'), { ok: true });
  assert.deepEqual(asked, { '/first': 2, '/second': 2 });
  first.ws.close();
  await served(daemon, 'hook', 1);
  assert.deepEqual(await daemon.call('hook'), { ok: true });
  assert.equal(asked['/second'], 3);
  second.send({ type: 'registerfunction', id: 'hook', // once more: in the place of its own
    invocation: { url: `http://127.0.0.1:${server.address().port}/third` } });
  await waitFor('the new address to be asked', async () => (await daemon.call('hook')).ok && asked['/third']);
  await served(daemon, 'hook', 1);
  second.send({ type: 'unregisterfunction', id: 'hook' });
  await waitFor('nobody to serve it', () => daemon.call('hook').then(() => false, (error) =>
    error.code === 'function_not_found'));
});
