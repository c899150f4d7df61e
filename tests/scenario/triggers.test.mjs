// Triggers: what wakes them, what their handlers get, how failures end.
import assert from 'node:assert/strict';
import { Inbox, RawWorker, gate, rejects, sdk, startDaemon, test, waitFor } from './lib.mjs';

const quick = { retry: { initial_ms: 20, max_ms: 100, jitter: 0 } };

// A worker with one state trigger whose handler only writes down what it gets.
async function watcher(t, config = {}, daemonConfig = {}) {
  const daemon = await startDaemon(t, daemonConfig);
  const worker = sdk(t, daemon);
  const inbox = new Inbox();
  worker.on('watch', config, async (event, metadata) => inbox.put({ ...event, metadata }));
  await daemon.trigger('watch');
  return { daemon, worker, inbox };
}

const keys = (inbox) => inbox.items.map((one) => one.key);

test('a handler gets the whole event and the metadata of its trigger', async (t) => {
  const daemon = await startDaemon(t);
  const worker = sdk(t, daemon);
  const inbox = new Inbox();
  worker.on('watch', { scope: 'users' }, async (event, metadata) => inbox.put({ event, metadata }),
    { team: 'growth' });
  const trigger = await daemon.trigger('watch');
  await daemon.set('users', 'ada', { plan: 'free' });
  await daemon.set('users', 'ada', { plan: 'pro' });
  await daemon.call('state::delete', { scope: 'users', key: 'ada' });
  await daemon.set('others', 'x', 1);
  await inbox.count(3);
  await daemon.settled();
  const journal = await daemon.events();
  assert.deepEqual(inbox.items.map((one) => one.event), [
    ['state:created', null, { plan: 'free' }],
    ['state:updated', { plan: 'free' }, { plan: 'pro' }],
    ['state:deleted', { plan: 'pro' }, null],
  ].map(([event_type, old_value, new_value], i) => ({
    type: 'state', event_type, scope: 'users', key: 'ada', old_value, new_value,
    id: journal[i].id, seq: i + 1, rev: journal[i].rev, time: journal[i].time, attempt: 1,
    delivery_id: `${journal[i].id}/${trigger.id}`,
  })));
  assert.match(journal[0].time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  assert.match(journal[0].id, /^\w+-\d+-1$/);
  assert.deepEqual(inbox.items.map((one) => one.metadata), Array(3).fill({ team: 'growth' }));
});

test('a trigger of the config and one of a worker both get the event', async (t) => {
  const daemon = await startDaemon(t, { triggers: [
    { id: 'from-config', function: 'configured', scope: 's', events: ['created'],
      metadata: { origin: 'config' } }] });
  const worker = sdk(t, daemon);
  const inbox = new Inbox();
  worker.registerFunction('configured', async (event, metadata) =>
    inbox.put(['config', event.key, metadata]));
  worker.on('own', { scope: 's' }, async (event) => inbox.put(['worker', event.key, undefined]));
  await daemon.trigger('own');
  await daemon.set('s', 'a', 1);
  await inbox.count(2);
  assert.deepEqual([...inbox.items].sort(),
    [['config', 'a', { origin: 'config' }], ['worker', 'a', undefined]]);
  const trigger = (await daemon.triggers()).find((one) => one.id === 'from-config');
  assert.equal(trigger.origin, 'config');
  assert.equal(trigger.durable, true);
});

test('a trigger gets only what comes after its registration', async (t) => {
  const daemon = await startDaemon(t);
  await daemon.set('s', 'before', 1);
  const worker = sdk(t, daemon);
  const inbox = new Inbox();
  worker.on('watch', {}, async (event) => inbox.put(event));
  await daemon.trigger('watch');
  await daemon.set('s', 'after', 1);
  await daemon.settled();
  assert.deepEqual(keys(inbox), ['after']);
});

test('events: only the kinds that are named', async (t) => {
  const { daemon, inbox } = await watcher(t, { events: ['state:created', 'deleted'] });
  await daemon.set('s', 'a', 1);
  await daemon.set('s', 'a', 2);
  await daemon.call('state::delete', { scope: 's', key: 'a' });
  await daemon.settled();
  assert.deepEqual(inbox.items.map((one) => one.event_type), ['state:created', 'state:deleted']);
});

test('key: one key exactly, or a glob', async (t) => {
  const { daemon, worker, inbox } = await watcher(t, { scope: 's', key: 'paid_*' });
  const exact = new Inbox();
  worker.on('exact', { key: 'paid_1' }, async (event) => exact.put(event));
  await daemon.trigger('exact');
  for (const key of ['paid_1', 'paid_', 'unpaid_1', 'PAID_2', 'paid_2/x']) await daemon.set('s', key, 1);
  await daemon.settled();
  assert.deepEqual(keys(exact), ['paid_1']);
  assert.deepEqual(keys(inbox).filter((key) => key !== 'paid_2/x'), ['paid_1', 'paid_']);
});

test('key_regex: found anywhere unless it is anchored', async (t) => {
  const { daemon, worker, inbox } = await watcher(t, { key_regex: '^user_[0-9]+$' });
  const loose = new Inbox();
  worker.on('loose', { key_regex: 'r_1' }, async (event) => loose.put(event));
  await daemon.trigger('loose');
  for (const key of ['user_1', 'user_12', 'user_x', 'a user_1', 'superuser_1']) {
    await daemon.set('s', key, 1);
  }
  await daemon.settled();
  assert.deepEqual(keys(inbox).sort(), ['user_1', 'user_12']);
  assert.deepEqual(keys(loose).sort(), ['a user_1', 'superuser_1', 'user_1', 'user_12']);
});

test('changed: only when the value at a path differs', async (t) => {
  const { daemon, inbox } = await watcher(t, { changed: ['plan', '/address/city', ['a', 'b.c']] });
  const values = [
    { plan: 'free', n: 1 }, // created: it differs from nothing
    { plan: 'free', n: 2 },
    { plan: 'pro', n: 2 },
    { plan: 'pro', n: 3, address: { street: 'x' } },
    { plan: 'pro', n: 3, address: { street: 'y', city: 'Bern' } },
    { plan: 'pro', n: 4, address: { street: 'y', city: 'Bern' }, a: { 'b.c': 1.0 } },
    { a: { 'b.c': 1 }, plan: 'pro', address: { city: 'Bern' } },
  ];
  for (const value of values) await daemon.set('s', 'k', value);
  await daemon.settled();
  assert.deepEqual(inbox.items.map((one) => one.seq), [1, 3, 5, 6]);
});

test('a wrong or unknown field of the config is refused and the worker is told', async (t) => {
  const daemon = await startDaemon(t);
  const worker = (await RawWorker.open(t, daemon)).hello();
  const cases = [
    [{ scpoe: 's' }, /scpoe.*scope/],
    [{ key_regex: '(' }, /key_regex/],
    [{ events: ['exploded'] }, /events/],
    [{ concurrency: 0 }, /concurrency/],
    [{ when: 'new_valu.a' }, /'when': .*new_valu.*line 1, column 1/],
    [{ retry: { tries: 5 } }, /tries.*max_attempts/],
  ];
  for (const [i, [config, message]] of cases.entries()) {
    worker.send({ type: 'registertrigger', id: `t${i}`, trigger_type: 'state', function_id: 'f', config });
    const frame = await worker.frame('the refusal', (one) =>
      one.type === 'triggerregistrationresult' && one.id === `t${i}`);
    assert.equal(frame.error.code, 'trigger_registration_failed');
    assert.match(frame.error.message, message);
  }
  assert.deepEqual(await daemon.triggers(), []);
  worker.send({ type: 'registertrigger', id: 'good', trigger_type: 'state', function_id: 'f', config: {} });
  const good = await worker.frame('the answer', (one) => one.id === 'good');
  assert.equal(good.error, undefined);
  assert.equal((await daemon.triggers()).length, 1);
});

test('a handler that throws is tried again with the same delivery id until it succeeds', async (t) => {
  const daemon = await startDaemon(t);
  const worker = sdk(t, daemon);
  const inbox = new Inbox();
  worker.on('flaky', quick, async (event) => {
    inbox.put(event);
    if (event.attempt < 3) throw new Error(`attempt ${event.attempt}`);
  });
  await daemon.trigger('flaky');
  await daemon.set('s', 'a', { n: 1 });
  await inbox.count(3);
  await daemon.settled();
  assert.deepEqual(inbox.items.map((one) => one.attempt), [1, 2, 3]);
  assert.equal(new Set(inbox.items.map((one) => one.delivery_id)).size, 1);
  assert.deepEqual(inbox.items.map((one) => one.new_value), Array(3).fill({ n: 1 }));
  const trigger = await daemon.trigger('flaky');
  assert.deepEqual([trigger.matched, trigger.delivered, trigger.failed_attempts, trigger.retries,
    trigger.dead], [1, 1, 2, 2, 0]);
  assert.match(trigger.last_error, /attempt 2/);
  assert.deepEqual(await daemon.jobs(), []);
});

test('a waiting retry is a job that can be looked at, and survives a kill', async (t) => {
  const daemon = await startDaemon(t);
  const first = sdk(t, daemon);
  const config = { durable: true, retry: { initial_ms: 1500, jitter: 0 } };
  const seen = new Inbox();
  first.on('flaky', config, async (event) => {
    seen.put(event);
    throw new Error('not now');
  });
  await daemon.trigger('flaky');
  await daemon.set('s', 'a', 1);
  await seen.count(1);
  const job = await waitFor('the job to sleep', async () =>
    (await daemon.jobs()).find((one) => one.state === 'sleeping'));
  assert.equal(job.failed_attempts, 1);
  assert.deepEqual([job.scope, job.key, job.function_id], ['s', 'a', 'flaky']);
  assert.match(job.attempts[0].message ?? job.attempts[0].error, /not now/);
  await first.shutdown();
  await daemon.restart('SIGKILL');
  const inbox = new Inbox();
  sdk(t, daemon).on('flaky', config, async (event) => inbox.put(event));
  await inbox.count(1);
  assert.equal(inbox.items[0].attempt, 2);
  assert.equal(inbox.items[0].delivery_id, seen.items[0].delivery_id);
});

test('a handler that takes too long is given up and tried again', async (t) => {
  const daemon = await startDaemon(t);
  const worker = sdk(t, daemon);
  const inbox = new Inbox();
  worker.on('slow', { timeout_ms: 100, ...quick }, (event) => {
    inbox.put(event);
    return event.attempt === 1 ? new Promise(() => {}) : undefined;
  });
  await daemon.trigger('slow');
  await daemon.set('s', 'a', 1);
  await inbox.count(2);
  await daemon.settled();
  assert.match((await daemon.trigger('slow')).last_error, /TIMEOUT/);
});

test('a write of an attempt that was given up is refused as stale', async (t) => {
  const daemon = await startDaemon(t);
  const worker = (await RawWorker.open(t, daemon)).hello();
  worker.send({ type: 'registerfunction', id: 'slow' });
  worker.send({ type: 'registertrigger', id: 't', trigger_type: 'state', function_id: 'slow',
    config: { scope: 's', timeout_ms: 100, ...quick } });
  await daemon.trigger('slow');
  await daemon.set('s', 'a', 1);
  const invoked = (n) => (frame) => frame.type === 'invokefunction' && frame.data.attempt === n;
  const first = await worker.frame('the first attempt', invoked(1));
  const second = await worker.frame('the second attempt', invoked(2));
  assert.match(first.baggage, /pawl\.delivery=.*pawl\.attempt=1/);
  const write = (frame, key) => worker.call('state::set', { scope: 'out', key, value: 1 },
    { baggage: frame.baggage });
  await rejects(write(first, 'a'), 'stale_delivery');
  await write(second, 'b');
  worker.send({ type: 'invocationresult', invocation_id: second.invocation_id, function_id: 'slow' });
  await daemon.settled();
  assert.equal(await daemon.get('out', 'b'), 1);
});

test('$pawl.retry_after_ms asks for another call, any other result is ok', async (t) => {
  const daemon = await startDaemon(t);
  const worker = sdk(t, daemon);
  const inbox = new Inbox();
  worker.on('later', { retry: { initial_ms: 60000 } }, async (event) => {
    inbox.put(event);
    return event.attempt < 3 ? { $pawl: { retry_after_ms: 10 } } : { fail: true, $pawl: {} };
  });
  await daemon.trigger('later');
  await daemon.set('s', 'a', 1);
  await inbox.count(3);
  await daemon.settled();
  assert.equal((await daemon.trigger('later')).delivered, 1);
  assert.deepEqual(await daemon.dead(), []);
});

test('$pawl.fail makes a dead letter at once, with its reason', async (t) => {
  const daemon = await startDaemon(t);
  const worker = sdk(t, daemon);
  worker.on('refuses', {}, async () => ({ $pawl: { fail: true, reason: 'no such "plan"' } }));
  await daemon.trigger('refuses');
  await daemon.set('s', 'a', 1);
  const [letter] = await waitFor('the dead letter', async () => {
    const dead = await daemon.dead();
    return dead.length && dead;
  });
  assert.equal(letter.message, 'no such "plan"');
  assert.equal(letter.attempts.length, 1);
});

test('dead letters: listed, shown, replayed with the same id, discarded', async (t) => {
  const daemon = await startDaemon(t);
  const worker = sdk(t, daemon);
  const inbox = new Inbox();
  let broken = true;
  worker.on('fails', { retry: { max_attempts: 2, initial_ms: 5, jitter: 0 } }, async (event) => {
    inbox.put(event);
    if (broken) throw new Error(`attempt ${event.attempt} of ${event.key}`);
  });
  await daemon.trigger('fails');
  await daemon.set('s', 'a', { n: 1 });
  await daemon.set('s', 'b', 1);
  const dead = await waitFor('both dead letters', async () => {
    const all = await daemon.dead();
    return all.length === 2 && all;
  });
  await daemon.settled();
  assert.deepEqual(dead.map((one) => one.event.key), ['b', 'a'], 'newest first');
  const letter = dead[1];
  assert.equal(letter.id, inbox.items.find((one) => one.key === 'a').delivery_id);
  assert.equal(letter.function_id, 'fails');
  assert.deepEqual(letter.event.new_value, { n: 1 });
  assert.equal(letter.attempts.length, 2);
  assert.match(letter.attempts[1].message ?? letter.attempts[1].error, /attempt 2 of a/);
  assert.ok(Number.isInteger(letter.attempts[1].duration_ms));
  assert.deepEqual(await daemon.call('engine::dead::show', { id: letter.id }), letter);
  assert.equal((await daemon.trigger('fails')).dead, 2);

  await daemon.restart('SIGKILL');
  await daemon.trigger('fails', (one) => one.status === 'live');
  assert.equal((await daemon.dead()).length, 2);
  broken = false;
  const before = inbox.items.length;
  await daemon.call('engine::dead::replay', { id: letter.id });
  await inbox.count(before + 1);
  assert.equal(inbox.items[before].delivery_id, letter.id);
  assert.deepEqual(inbox.items[before].new_value, { n: 1 });
  await waitFor('the letter to be gone', async () => (await daemon.dead()).length === 1);
  await daemon.call('engine::dead::discard', { id: dead[0].id });
  assert.deepEqual(await daemon.dead(), []);
  await rejects(daemon.call('engine::dead::show', { id: letter.id }), 'dead_letter_not_found');
  await rejects(daemon.call('engine::dead::replay', { id: 'nonsense' }), 'dead_letter_not_found');
  await daemon.settled();
  assert.equal(inbox.items.length, before + 1);
});

test('the events behind a dead one of the same key go on', async (t) => {
  const daemon = await startDaemon(t);
  const worker = sdk(t, daemon);
  const inbox = new Inbox();
  worker.on('picky', { retry: { max_attempts: 2, initial_ms: 5, jitter: 0 } }, async (event) => {
    inbox.put(event);
    if (event.new_value === 2) throw new Error('two');
  });
  await daemon.trigger('picky');
  for (const value of [1, 2, 3]) await daemon.set('s', 'k', value);
  await daemon.settled();
  assert.deepEqual(inbox.items.map((one) => one.new_value), [1, 2, 2, 3]);
  assert.equal((await daemon.dead()).length, 1);
});

test('a condition function says yes or no', async (t) => {
  const daemon = await startDaemon(t);
  const worker = sdk(t, daemon);
  const asked = new Inbox();
  const inbox = new Inbox();
  const answers = { yes: true, text: 'x', object: {}, one: 1, no: false, zero: 0, empty: '',
    null: null, nothing: undefined };
  worker.registerFunction('wants', async (event) => {
    asked.put(event);
    return answers[event.key];
  });
  worker.on('watch', { condition_function_id: 'wants' }, async (event) => inbox.put(event));
  await daemon.trigger('watch');
  for (const key of Object.keys(answers)) await daemon.set('s', key, 1);
  await asked.count(9);
  await daemon.settled();
  assert.deepEqual(keys(inbox).sort(), ['object', 'one', 'text', 'yes']);
  assert.deepEqual(asked.items[0].new_value, 1);
  const trigger = await daemon.trigger('watch');
  assert.deepEqual([trigger.condition_false, trigger.delivered], [5, 4]);
});

test('with compat.condition iii only false means no', async (t) => {
  const { daemon, worker } = await watcher(t, {}, { compat: { condition: 'iii' } });
  const inbox = new Inbox();
  const answers = { no: false, zero: 0, null: null, nothing: undefined };
  worker.registerFunction('wants', async (event) => answers[event.key]);
  worker.on('iii', { condition_function_id: 'wants' }, async (event) => inbox.put(event));
  await daemon.trigger('iii');
  for (const key of Object.keys(answers)) await daemon.set('s', key, 1);
  await daemon.settled();
  assert.deepEqual(keys(inbox).sort(), ['nothing', 'null', 'zero']);
});

test('a condition that throws is a failed attempt; its yes is remembered', async (t) => {
  const daemon = await startDaemon(t);
  const worker = sdk(t, daemon);
  const asked = new Inbox();
  const inbox = new Inbox();
  worker.registerFunction('wants', async (event) => {
    asked.put(event);
    if (event.attempt === 1) throw new Error('do not know');
    return true;
  });
  worker.on('watch', { condition_function_id: 'wants', ...quick }, async (event) => {
    inbox.put(event);
    if (event.attempt < 4) throw new Error('not yet');
  });
  await daemon.trigger('watch');
  await daemon.set('s', 'a', 1);
  await daemon.settled();
  assert.deepEqual(asked.items.map((one) => one.attempt), [1, 2]);
  assert.deepEqual(inbox.items.map((one) => one.attempt), [2, 3, 4]);
});

test('an absent condition function parks the delivery and uses no attempt', async (t) => {
  const daemon = await startDaemon(t);
  const worker = sdk(t, daemon);
  const inbox = new Inbox();
  worker.on('watch', { condition_function_id: 'wants' }, async (event) => inbox.put(event));
  await daemon.trigger('watch');
  await daemon.set('s', 'a', 1);
  await waitFor('the delivery to wait', async () => (await daemon.trigger('watch')).waiting === 1);
  assert.deepEqual(keys(inbox), []);
  worker.registerFunction('wants', async () => true);
  await inbox.count(1);
  assert.equal(inbox.items[0].attempt, 1);
});

test('an absent function parks its deliveries; they come in order when it is there', async (t) => {
  const daemon = await startDaemon(t, { triggers: [{ id: 'x', function: 'late', scope: 's' }] });
  for (let i = 0; i < 20; i++) await daemon.set('s', 'k', i);
  const trigger = await daemon.trigger('late');
  assert.equal(trigger.status, 'unbound');
  const worker = sdk(t, daemon);
  const inbox = new Inbox();
  worker.registerFunction('late', async (event) => inbox.put(event));
  await inbox.count(20);
  assert.deepEqual(inbox.items.map((one) => one.new_value), [...Array(20).keys()]);
  assert.ok(inbox.items.every((one) => one.attempt === 1));
});

test('a trigger may wake a built-in function', async (t) => {
  const daemon = await startDaemon(t, { triggers: [
    { id: 'log', function: 'engine::log::info', scope: 's' }] });
  await daemon.set('s', 'k', { hello: 'log' });
  await waitFor('the line in the log', () => daemon.log.includes('hello'));
});

test('an unregistered trigger gets nothing more', async (t) => {
  const daemon = await startDaemon(t);
  const worker = sdk(t, daemon);
  const inbox = new Inbox();
  const handle = worker.on('watch', {}, async (event) => inbox.put(event));
  await daemon.trigger('watch');
  await daemon.set('s', 'a', 1);
  await inbox.count(1);
  handle.unregister();
  await waitFor('it to be gone', async () => (await daemon.triggers()).length === 0);
  await daemon.set('s', 'b', 1);
  await daemon.settled();
  assert.deepEqual(keys(inbox), ['a']);
});

test('two equal triggers of one worker are two', async (t) => {
  const daemon = await startDaemon(t);
  const worker = sdk(t, daemon);
  const inbox = new Inbox();
  worker.on('watch', { scope: 's' }, async (event) => inbox.put(event));
  const second = worker.registerTrigger({ type: 'state', function_id: 'watch', config: { scope: 's' } });
  await waitFor('both', async () => (await daemon.triggers()).length === 2);
  await daemon.set('s', 'a', 1);
  await inbox.count(2);
  assert.equal(new Set(inbox.items.map((one) => one.delivery_id)).size, 2);
  second.unregister();
  await waitFor('one to be left', async () => (await daemon.triggers()).length === 1);
  await daemon.set('s', 'b', 1);
  await daemon.settled();
  assert.deepEqual(keys(inbox), ['a', 'a', 'b']);
});

test('a durable trigger: two versions share the events without a gap or an overlap', async (t) => {
  const daemon = await startDaemon(t);
  const worker = sdk(t, daemon);
  const inbox = new Inbox();
  const hold = gate();
  worker.registerFunction('watch', async (event, metadata) => {
    if (event.key === 'a') await hold.promise;
    inbox.put([event.key, metadata.version]);
  });
  const register = (version, config) => worker.call('engine::register_trigger',
    { id: 'durable', trigger_type: 'state', function_id: 'watch', config, metadata: { version } });
  assert.deepEqual(await register(1, { scope: 's' }), { id: 'durable' });
  await daemon.set('s', 'a', 1);
  await register(2, { scope: 's', events: ['created'] });
  await daemon.set('s', 'b', 1);
  await daemon.set('s', 'b', 2);
  await inbox.count(1);
  assert.equal((await daemon.triggers()).length, 2);
  hold.open();
  await inbox.count(2);
  await waitFor('the old version to go', async () => (await daemon.triggers()).length === 1);
  assert.deepEqual([...inbox.items].sort(), [['a', 1], ['b', 2]]);
  assert.deepEqual(await worker.call('engine::unregister_trigger', { id: 'durable' }), { removed: true });
  assert.deepEqual(await daemon.triggers(), []);
  await rejects(worker.call('engine::unregister_trigger', { id: 'durable' }), 'trigger_not_found');
});

test('a trigger of the config changes with the config and cannot be removed otherwise', async (t) => {
  const daemon = await startDaemon(t, { triggers: [{ id: 'x', function: 'watch', scope: 'one' }] });
  await rejects(daemon.call('engine::unregister_trigger', { id: 'x' }), 'trigger_in_config');
  await daemon.set('one', 'a', 1);
  await daemon.restart('SIGTERM', { triggers: [{ id: 'x', function: 'watch', scope: 'two' }] });
  await daemon.set('one', 'b', 1);
  await daemon.set('two', 'c', 1);
  const inbox = new Inbox();
  sdk(t, daemon).registerFunction('watch', async (event) => inbox.put(event));
  await inbox.count(2);
  await daemon.settled();
  assert.deepEqual(keys(inbox).sort(), ['a', 'c']);
  await daemon.restart('SIGTERM', { triggers: [] });
  await daemon.set('two', 'd', 1);
  await waitFor('it to go', async () => (await daemon.triggers()).length === 0);
  assert.deepEqual(keys(inbox).sort(), ['a', 'c']);
});

test('a trigger type that a worker provides gets the bindings of others, late ones too', async (t) => {
  const daemon = await startDaemon(t);
  const user = (await RawWorker.open(t, daemon)).hello();
  const bind = (id) => user.send({ type: 'registertrigger', id, trigger_type: 'mqtt',
    function_id: 'on_message', config: { topic: id }, metadata: { a: 1 } });
  bind('early');
  const parked = await user.frame('an answer', (one) => one.id === 'early');
  assert.equal(parked.error, undefined);
  const provider = sdk(t, daemon);
  const bindings = new Inbox();
  provider.registerTriggerType({ id: 'mqtt', description: 'messages' }, {
    registerTrigger: async (binding) => {
      bindings.put({ did: 'register', ...binding });
      if (binding.id === 'bad') throw new Error('no such topic');
    },
    unregisterTrigger: async (binding) => bindings.put({ did: 'unregister', id: binding.id }),
  });
  await bindings.count(1);
  assert.deepEqual(bindings.items[0], { did: 'register', id: 'early', function_id: 'on_message',
    config: { topic: 'early' }, metadata: { a: 1 } });
  bind('bad');
  const refused = await user.frame('the refusal', (one) => one.id === 'bad' && one.error);
  assert.match(refused.error.message, /no such topic/);
  bind('late');
  await bindings.count(3);
  user.send({ type: 'unregistertrigger', id: 'late', trigger_type: 'mqtt' });
  await bindings.count(4);
  assert.deepEqual(bindings.items[3], { did: 'unregister', id: 'late' });
  user.ws.terminate();
  await bindings.until('the others to end', (all) =>
    all.some((one) => one.did === 'unregister' && one.id === 'early'));
});

test('a chain of triggers that wake each other ends at loop_depth', async (t) => {
  const daemon = await startDaemon(t, { delivery: { loop_depth: 4 } });
  const worker = (await RawWorker.open(t, daemon)).hello();
  worker.send({ type: 'registerfunction', id: 'loop' });
  worker.send({ type: 'registertrigger', id: 't', trigger_type: 'state', function_id: 'loop',
    config: { scope: 's' } });
  await daemon.trigger('loop');
  const seen = [];
  worker.ws.on('message', async (text) => {
    const frame = JSON.parse(text);
    if (frame.type !== 'invokefunction') return;
    seen.push(frame.data.cause?.depth ?? 0);
    await worker.call('state::set', { scope: 's', key: 'k', value: frame.data.new_value + 1 },
      { baggage: frame.baggage });
    worker.send({ type: 'invocationresult', invocation_id: frame.invocation_id, function_id: 'loop' });
  });
  await daemon.set('s', 'k', 0);
  const [letter] = await waitFor('the dead letter', async () => {
    const dead = await daemon.dead();
    return dead.length && dead;
  });
  assert.equal(letter.reason, 'loop_detected');
  const [trigger] = await daemon.triggers();
  assert.equal(trigger.status, 'paused');
  assert.match(trigger.paused_because, /loop_detected: event \d+ ends a chain of 4 changes/);
  assert.deepEqual(seen, [...seen.keys()]);
  assert.ok(seen.length <= 5, `it ran ${seen.length} times`);
  await daemon.set('s', 'k', 100);
  await daemon.call('engine::triggers::resume', { id: trigger.id });
  await waitFor('it to run again, and to be paused again', async () =>
    seen.length === 8 && (await daemon.triggers())[0].status === 'paused');
});
