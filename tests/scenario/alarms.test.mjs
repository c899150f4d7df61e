// Alarms on objects: fired once in their time, in order, tried again, and never in silence.
import assert from 'node:assert/strict';
import { Inbox, gate, rejects, sdk, startDaemon, startManual, test, waitFor } from './lib.mjs';

const START = '2026-01-01T00:00:00.000Z';
const ZERO = Date.parse(START);
const MINUTE = 60000;
const HOUR = 60 * MINUTE;

const onAlarm = (more = {}) => ({
  triggers: [{ id: 'bell', type: 'alarm', function: 'bell', scope: 'users', ...more }],
});

// Notes every call, and does with it what it is told to.
function bell(t, daemon, act = async () => null, id = 'bell') {
  const inbox = new Inbox();
  sdk(t, daemon).registerFunction(id, async (event) => {
    inbox.put(event);
    return act(event, inbox.items.length);
  });
  return inbox;
}

const set = (daemon, more) => daemon.call('alarm::set', { scope: 'users', key: 'ada', ...more });
const get = (daemon, more) => daemon.call('alarm::get', { scope: 'users', key: 'ada', ...more });
const list = async (daemon, more = {}) => (await daemon.call('alarm::list', more)).alarms;
const gone = (daemon, more) => waitFor('the alarm to be gone', async () =>
  (await get(daemon, more)) === undefined);
const inState = (daemon, state) => waitFor(`the alarm to be ${state}`, async () => {
  const alarm = await get(daemon);
  return alarm?.state === state && alarm;
});

test('an alarm fires once, in its time, with its payload and what its object is then', async (t) => {
  const daemon = await startManual(t, onAlarm(), START);
  const calls = bell(t, daemon);
  await daemon.set('users', 'ada', { plan: 'trial' });
  const shown = await set(daemon, { name: 'end', delay: '30m', payload: { n: 1 } });
  assert.deepEqual([shown.state, shown.scheduled_at], ['scheduled', ZERO + 30 * MINUTE]);
  await daemon.set('users', 'ada', { plan: 'pro' });
  await daemon.advance(30 * MINUTE - 1);
  assert.equal(calls.items.length, 0);
  assert.deepEqual(await get(daemon, { name: 'end' }), shown);
  await daemon.advance(1);
  const [event] = await calls.count(1);
  const { id, seq, time, delivery_id, ...rest } = event;
  assert.deepEqual(rest, {
    type: 'alarm', event_type: 'alarm:due', scope: 'users', key: 'ada', name: 'end',
    scheduled_at: ZERO + 30 * MINUTE, fired_at: ZERO + 30 * MINUTE, payload: { n: 1 },
    attempt: 1, retry_count: 0, is_retry: false, value: { plan: 'pro' },
  });
  assert.ok(id && seq && delivery_id && time === new Date(ZERO + 30 * MINUTE).toISOString());
  await gone(daemon, { name: 'end' });
  await daemon.advance(48 * HOUR);
  assert.equal(calls.items.length, 1);
});

test('past or now fires once and promptly, also from inside the handler', async (t) => {
  const daemon = await startManual(t, onAlarm(), START);
  const worker = sdk(t, daemon);
  const calls = new Inbox();
  const done = gate();
  worker.registerFunction('bell', async (event) => {
    calls.put(event);
    if (calls.items.length === 1) {
      await worker.call('alarm::set', { scope: 'users', key: 'ada', at: 1, payload: 'again' });
      await done.promise;
    }
  });
  await set(daemon, { at: '2001-01-01T00:00:00Z' });
  await calls.count(1);
  const running = await get(daemon);
  assert.deepEqual([running.state, running.payload], ['running', 'again']);
  done.open();
  const [, second] = await calls.count(2);
  assert.deepEqual([second.payload, second.scheduled_at, second.attempt, second.value],
    ['again', 1, 1, null]);
  await gone(daemon);
  assert.equal(calls.items.length, 2);
});

test('what is set while a handler runs queues behind it, and cancels no retry', async (t) => {
  const daemon = await startManual(t, onAlarm({ retry: { jitter: 0 } }), START);
  const calls = bell(t, daemon, async (event, n) => {
    if (n <= 2) throw new Error('not now');
  });
  await set(daemon, { delay_ms: 0, payload: 1 });
  await calls.count(1);
  await waitFor('the retry', async () => (await daemon.jobs())[0]?.state === 'sleeping');
  await set(daemon, { delay_ms: 0, payload: 2 });
  await daemon.advance(1000);
  assert.equal(calls.items.length, 1);
  await daemon.advance(MINUTE);
  await calls.count(4);
  assert.deepEqual(calls.items.map((one) => [one.payload, one.attempt, one.retry_count, one.is_retry]),
    [[1, 1, 0, false], [1, 2, 1, true], [1, 3, 2, true], [2, 1, 0, false]]);
  await gone(daemon);
});

test('it is tried seven times, 2 s doubling; then it has failed, with an event and a dead letter', async (t) => {
  const daemon = await startManual(t, {
    ...onAlarm(),
    alarms: { retry: { jitter: 0 } },
  }, START);
  daemon.config.triggers.push({ id: 'alas', type: 'alarm', function: 'alas', events: ['failed'] });
  await daemon.restart();
  const told = bell(t, daemon, async () => null, 'alas');
  const times = [];
  const calls = bell(t, daemon, async () => {
    times.push(Date.parse((await daemon.http('GET', '/v1/clock')).json.now) - ZERO);
    throw new Error('never');
  });
  await set(daemon, { delay_ms: 0, payload: 7 });
  await calls.count(1);
  await waitFor('the retry', async () => (await daemon.jobs())[0]?.state === 'sleeping');
  await daemon.advance(HOUR);
  assert.deepEqual(times.map((ms) => ms / 1000), [0, 2, 6, 14, 30, 62, 126]);
  const failed = await inState(daemon, 'failed');
  assert.equal(failed.failure.attempts, 7);
  assert.match(failed.failure.message, /never/);
  assert.deepEqual([failed.payload, failed.scheduled_at], [7, ZERO]);
  const [event] = await told.count(1);
  assert.deepEqual([event.event_type, event.scope, event.key, event.failure.code],
    ['alarm:failed', 'users', 'ada', failed.failure.code]);
  assert.equal((await daemon.dead()).length, 1);
  await daemon.restart();
  assert.equal((await get(daemon)).state, 'failed');
  await daemon.call('alarm::fire', { scope: 'users', key: 'ada' });
  await calls.count(8);
});

test('a worker that is not there uses no attempt', async (t) => {
  const daemon = await startManual(t, onAlarm(), START);
  await set(daemon, { delay_ms: 0 });
  await inState(daemon, 'running');
  await daemon.advance(HOUR);
  const calls = bell(t, daemon);
  const [event] = await calls.count(1);
  assert.deepEqual([event.attempt, event.fired_at], [1, ZERO]);
  await gone(daemon);
});

test('deleting it while its handler runs lets that end, and no retry comes', async (t) => {
  const daemon = await startManual(t, onAlarm(), START);
  const done = gate();
  const calls = bell(t, daemon, async () => {
    await done.promise;
    throw new Error('not now');
  });
  await set(daemon, { delay_ms: 0 });
  await calls.count(1);
  assert.equal((await daemon.http('DELETE', '/v1/alarms/users/ada')).status, 200);
  assert.equal((await daemon.http('DELETE', '/v1/alarms/users/ada')).status, 404);
  done.open();
  await waitFor('the retry', async () => (await daemon.jobs())[0]?.state === 'sleeping');
  await daemon.advance(HOUR);
  assert.equal(calls.items.length, 1);
  assert.deepEqual([await daemon.jobs(), await daemon.dead(), await list(daemon)], [[], [], []]);
});

test('of one object one handler runs at a time, of others beside it', async (t) => {
  const daemon = await startManual(t, onAlarm(), START);
  const done = gate();
  let running = 0;
  const calls = bell(t, daemon, async (event) => {
    if (event.key === 'ada') assert.equal(++running, 1);
    await done.promise;
    if (event.key === 'ada') running--;
  });
  for (const name of ['a', 'b', 'c']) await set(daemon, { name, delay_ms: 0 });
  await set(daemon, { key: 'bob', delay_ms: 0 });
  await calls.count(2);
  done.open();
  await calls.count(4);
});

test('what was due while the daemon was away fires once when it is back', async (t) => {
  const daemon = await startDaemon(t, onAlarm());
  const calls = bell(t, daemon);
  for (const [i, signal] of ['SIGTERM', 'SIGKILL'].entries()) {
    const { scheduled_at } = await set(daemon, { delay_ms: 300, payload: signal });
    await daemon.stop(signal);
    await waitFor('its time', () => Date.now() > scheduled_at);
    await daemon.start();
    const event = (await calls.count(i + 1))[i];
    assert.equal(event.scheduled_at, scheduled_at);
    assert.ok(event.fired_at >= scheduled_at && event.payload === signal);
    await gone(daemon);
    await daemon.settled();
    assert.equal(calls.items.length, i + 1);
  }
});

test('with an object its alarms go, in the group of its deletion, unless they are to be kept', async (t) => {
  const daemon = await startManual(t, onAlarm(), START);
  const calls = bell(t, daemon);
  const keys = async () => (await list(daemon, { scope: 'users' })).map((one) => `${one.key}/${one.name}`);
  const fill = async () => {
    for (const key of ['', 'a', 'ab', 'b']) {
      for (const name of ['', 'x']) await set(daemon, { key, name, delay: '1h' });
      if (key) await daemon.set('users', key, 1);
    }
  };
  for (const restarts of [false, true]) {
    await fill();
    if (restarts) await daemon.restart();
    await daemon.call('state::delete', { scope: 'users', key: 'a' });
    assert.deepEqual(await keys(), ['/', '/x', 'ab/', 'ab/x', 'b/', 'b/x']);
    await daemon.call('state::transact', { ops: [{ type: 'delete', scope: 'users', key: 'ab' }] });
    assert.deepEqual(await keys(), ['/', '/x', 'b/', 'b/x']);
    await daemon.call('state::delete', { scope: 'users', key: 'b', keep_alarms: true });
    assert.deepEqual(await keys(), ['/', '/x', 'b/', 'b/x']);
    await daemon.call('state::delete', { scope: 'users', key: 'b' }); // which has no value
    assert.deepEqual(await keys(), ['/', '/x']);
    await daemon.set('users', 'z', 1);
    await daemon.call('state::clear', { scope: 'users', keep_alarms: true });
    assert.deepEqual(await keys(), ['/', '/x']);
    await fill();
    await daemon.call('state::clear', { scope: 'users', prefix: 'a' });
    assert.deepEqual(await keys(), ['/', '/x', 'b/', 'b/x']);
    await daemon.call('state::clear', { scope: 'users' });
    assert.deepEqual(await keys(), []);
  }
  await daemon.set('users', 'ttl', 1);
  await daemon.call('state::set', { scope: 'users', key: 'ttl', value: 1, ttl: '1m' });
  await set(daemon, { key: 'ttl', delay: '2m' });
  await daemon.advance(3 * HOUR);
  assert.deepEqual((await calls.count(1)).map((one) => [one.key, one.value]), [['ttl', null]]);
});

test('one that no trigger is for has failed, and says so', async (t) => {
  const daemon = await startManual(t, onAlarm({ name: 'trial_*', when: "event.payload != 'skip'" }), START);
  const calls = bell(t, daemon);
  await set(daemon, { delay_ms: 0 });
  assert.equal((await inState(daemon, 'failed')).failure.code, 'no_trigger');
  await set(daemon, { name: 'trial_end', delay_ms: 0 });
  await set(daemon, { name: 'trial_skip', delay_ms: 0, payload: 'skip' }); // it wants not to be called
  await calls.count(1);
  await waitFor('both to be gone', async () => (await list(daemon)).length === 1);
  assert.equal(calls.items.length, 1);
});

test('one whose trigger is removed while it waits has failed; one that a person cancels is gone', async (t) => {
  const daemon = await startManual(t, {}, START);
  const register = () => daemon.call('engine::register_trigger',
    { id: 'bell', type: 'alarm', function_id: 'bell', config: { scope: 'users' } });
  await register();
  await set(daemon, { delay_ms: 0 });
  await inState(daemon, 'running');
  assert.equal((await daemon.http('DELETE', '/v1/triggers/bell')).status, 200);
  assert.equal((await inState(daemon, 'failed')).failure.code, 'trigger_gone');
  await register();
  await daemon.call('alarm::fire', { scope: 'users', key: 'ada' });
  const [job] = await waitFor('the job', async () => {
    const jobs = await daemon.jobs();
    return jobs.length && jobs;
  });
  await daemon.call('engine::jobs::cancel', { id: job.id });
  await gone(daemon);
});

test('a trigger that drops what comes while it is paused drops alarms, and a plan goes on', async (t) => {
  const daemon = await startManual(t, onAlarm(), START);
  const calls = bell(t, daemon);
  await daemon.call('engine::triggers::pause', { id: 'bell', mode: 'drop' });
  await set(daemon, { delay: '1m' });
  await set(daemon, { name: 'plan', every: '1m' });
  await daemon.advance(150000);
  await gone(daemon);
  await daemon.call('engine::triggers::resume', { id: 'bell' });
  await daemon.advance(MINUTE);
  assert.deepEqual((await calls.count(1)).map((one) => one.scheduled_at), [ZERO + 3 * MINUTE]);
});

test('two triggers want one alarm: each gets it, and it is over when both are done', async (t) => {
  const daemon = await startManual(t, {
    triggers: [...onAlarm().triggers, { id: 'other', type: 'alarm', function: 'other', scope: 'us*' }],
  }, START);
  const done = gate();
  const first = bell(t, daemon);
  const second = bell(t, daemon, () => done.promise, 'other');
  await set(daemon, { delay_ms: 0 });
  await first.count(1);
  await second.count(1);
  await daemon.advance(1);
  assert.equal((await get(daemon)).state, 'running');
  done.open();
  await gone(daemon);
});

test('one that names a function calls it, beside the triggers that want it, and tries it again', async (t) => {
  const daemon = await startManual(t, onAlarm(), START);
  const named = bell(t, daemon, async (event, n) => {
    if (n <= 7) throw new Error('never');
  }, 'named');
  const wanted = bell(t, daemon);
  await set(daemon, { key: 'x', delay_ms: 0, function_id: 'named', payload: 1 });
  await named.count(1);
  await wanted.count(1);
  await daemon.advance(HOUR);
  assert.equal(named.items.length, 7);
  const [letter] = await daemon.dead();
  assert.equal(letter.function_id, 'named');
  assert.equal((await get(daemon, { key: 'x' })).failure.attempts, 7);
  await daemon.call('engine::dead::replay', { id: letter.id });
  assert.equal((await named.count(8))[7].payload, 1);
  await daemon.call('alarm::set', { scope: 'else', function_id: 'late', delay_ms: 0 });
  await daemon.advance(MINUTE); // it waits for who serves it
  const late = bell(t, daemon, async () => null, 'late');
  assert.deepEqual((await late.count(1)).map((one) => [one.scope, one.key, one.function_id, one.attempt]),
    [['else', '', 'late', 1]]);
  await waitFor('the alarm to be gone', async () => (await list(daemon, { scope: 'else' })).length === 0);
  assert.deepEqual((await daemon.triggers()).map((one) => one.id), ['bell']);
});

test('every hour: no drift, and what was missed is made up for once, wholly, or not', async (t) => {
  const daemon = await startManual(t, onAlarm(), START);
  await set(daemon, { key: 'once', every: '1h' });
  await set(daemon, { key: 'all', every: '1h', catch_up: 'all', max: 3 });
  await set(daemon, { key: 'skip', every: '1h', catch_up: 'skip' });
  await daemon.stop();
  const start = new Date(ZERO + 5 * HOUR + 30 * MINUTE).toISOString();
  daemon.args = ['--clock', `manual=${start}`];
  await daemon.start();
  const calls = bell(t, daemon);
  const hours = (key) => calls.items.filter((one) => one.key === key)
    .map((one) => (one.scheduled_at - ZERO) / HOUR);
  await calls.count(4);
  await daemon.advance(2 * HOUR);
  assert.deepEqual(hours('once'), [5, 6, 7]);
  assert.deepEqual(hours('all'), [3, 4, 5, 6, 7]);
  assert.deepEqual(hours('skip'), [6, 7]);
  assert.equal(calls.items.find((one) => one.key === 'once').missed, 4);
  assert.equal(calls.items.find((one) => one.key === 'all').missed, 2);
  assert.equal((await list(daemon)).length, 3);
});

test('by cron, in a zone', async (t) => {
  const daemon = await startManual(t, onAlarm(), START);
  const calls = bell(t, daemon);
  const { scheduled_at } = await set(daemon, { cron: '30 9 * * *', zone: 'Europe/Berlin' });
  assert.equal(new Date(scheduled_at).toISOString(), '2026-01-01T08:30:00.000Z');
  await daemon.advance(72 * HOUR);
  assert.deepEqual(calls.items.map((one) => new Date(one.scheduled_at).toISOString().slice(8, 16)),
    ['01T08:30', '02T08:30', '03T08:30']);
});

test('a slow handler does not delay the plan: the times that it takes are one', async (t) => {
  const daemon = await startManual(t, onAlarm(), START);
  const done = gate();
  const calls = bell(t, daemon, async (event, n) => n === 1 && done.promise);
  await set(daemon, { every: '10s' });
  await daemon.advance(10000, { settle_ms: 0 });
  await calls.count(1);
  await daemon.advance(35000, { settle_ms: 0 });
  done.open();
  const [, second] = await calls.count(2);
  assert.deepEqual([second.scheduled_at - ZERO, second.missed], [40000, 2]);
  await daemon.advance(10000);
  assert.equal(calls.items.at(-1).scheduled_at - ZERO, 50000);
});

test('who sets one wrongly is told what is wrong', async (t) => {
  const daemon = await startDaemon(t);
  await rejects(set(daemon, {}), 'state_alarm_schedule_required');
  await rejects(set(daemon, { delay_ms: 1, at: 5 }), 'state_alarm_schedule_conflict');
  await rejects(set(daemon, { delaySeconds: 1, scheduledAtUnixMs: 5 }), 'state_alarm_schedule_conflict');
  await rejects(set(daemon, { cron: 'never' }), 'invalid_cron');
  await rejects(set(daemon, { cron: '@daily', zone: 'Atlantis/North' }), 'unknown_zone');
  await rejects(set(daemon, { at: 'soon' }), 'invalid_data');
  await rejects(set(daemon, { delay_ms: 1, key: 'a\0b' }), 'invalid_data');
  await rejects(daemon.call('alarm::set', { delay_ms: 1 }), 'invalid_data');
  await rejects(daemon.call('alarm::fire', { scope: 's' }), 'alarm_not_found');
  const put = await daemon.http('PUT', '/v1/alarms/s/k?name=n', { delaySeconds: 60 });
  assert.equal(put.status, 200, put.text);
  assert.equal((await daemon.http('GET', '/v1/alarms/s/k?name=n')).json.state, 'scheduled');
  assert.equal((await daemon.http('GET', '/v1/alarms/s/k')).status, 404);
  assert.equal((await daemon.http('PUT', '/v1/alarms/s', { delay: '1m' })).json.key, '');
});

test('the command line sets, shows, fires, lists and deletes them; the status counts them', async (t) => {
  const daemon = await startManual(t, onAlarm(), START);
  const calls = bell(t, daemon);
  const pawl = async (...args) => {
    const { code, stdout, stderr } = await daemon.cli('alarm', ...args, '--json');
    return code === 0 ? JSON.parse(stdout) : { code, stderr };
  };
  const alarm = await pawl('set', 'users', 'ada', '{"payload":{"n":1}}', '--name', 'x', '--delay', '30m');
  assert.deepEqual([alarm.state, alarm.scheduled_at, alarm.payload, alarm.name],
    ['scheduled', ZERO + 30 * MINUTE, { n: 1 }, 'x']);
  assert.equal((await pawl('set', 'users', '', '--every', '1h', '--catch-up', 'skip')).catch_up, 'skip');
  assert.equal((await pawl('set', 'users', 'a')).code, 1);
  assert.deepEqual(await pawl('get', 'users', 'ada', '--name', 'x'), alarm);
  assert.equal((await pawl('list', '--scope', 'users')).alarms.length, 2);
  assert.equal((await pawl('get', 'users', 'ada')).code, 4);
  await pawl('fire', 'users', 'ada', '--name', 'x');
  assert.equal((await calls.count(1))[0].scheduled_at, ZERO);
  assert.equal((await pawl('delete', 'users', '')).key, '');
  await waitFor('all to be gone', async () => (await list(daemon)).length === 0);
  const { alarms } = await daemon.call('engine::status');
  assert.deepEqual([alarms.fired, alarms.failed], [1, 0]);
  assert.deepEqual(Object.keys(alarms.lateness_ms), ['p50', 'p99', 'max']);
});

test('they are listed by scope, prefix, state and time, page by page', async (t) => {
  const daemon = await startManual(t, {}, START);
  for (const scope of ['a', 'b', 'c']) {
    for (const key of ['x1', 'x2', 'y']) {
      await daemon.call('alarm::set', { scope, key, delay: key === 'y' ? '1h' : '2h' });
    }
  }
  const names = (alarms) => alarms.map((one) => one.scope + one.key).join(' ');
  assert.equal(names(await list(daemon)), 'ax1 ax2 ay bx1 bx2 by cx1 cx2 cy');
  assert.equal(names(await list(daemon, { scope: 'b', prefix: 'x' })), 'bx1 bx2');
  assert.equal(names(await list(daemon, { due_before: ZERO + HOUR })), 'ay by cy');
  assert.equal(names(await list(daemon, { state: 'failed' })), '');
  const seen = [];
  let cursor;
  do {
    const page = await daemon.call('alarm::list', { limit: 2, cursor });
    seen.push(...page.alarms);
    cursor = page.cursor;
  } while (cursor);
  assert.equal(names(seen), 'ax1 ax2 ay bx1 bx2 by cx1 cx2 cy');
});

for (const point of ['alarm:1', 'alarm:2', 'sync:3', 'answer:3', 'sync:4', 'answer:4', 'outcome:1', 'cursor:1']) {
  test(`a crash at ${point} loses no alarm and fires none twice`, async (t) => {
    const daemon = await startDaemon(t, onAlarm({ retry: { max_attempts: 2, initial_ms: 20 } }),
      { PAWL_CRASH_AT: point });
    const calls = bell(t, daemon, async (event) => {
      if (event.key === 'bad') throw new Error('never');
    });
    const acknowledged = [];
    for (const key of ['good', 'bad']) {
      await set(daemon, { key, delay_ms: 50 }).then(() => acknowledged.push(key), () => null);
    }
    if (!point.startsWith('outcome') && !point.startsWith('cursor')) await daemon.gone;
    else await Promise.race([daemon.gone, waitFor('the end', async () => (await list(daemon)).length <= 1)]);
    daemon.env = {};
    if (daemon.process) await daemon.kill();
    await daemon.start();
    await waitFor('all to end', async () =>
      (await list(daemon)).every((one) => one.state === 'failed'));
    await daemon.settled();
    const events = await daemon.events();
    for (const key of ['good', 'bad']) {
      const of = (kind) => events.filter((one) => one.event_type === kind && one.key === key).length;
      const fired = of('alarm:due');
      assert.ok(fired === 1 || (fired === 0 && !acknowledged.includes(key)), `${key}: ${fired}`);
      assert.equal(of('alarm:failed'), key === 'bad' ? fired : 0, key);
      assert.equal(calls.items.some((one) => one.key === key), fired === 1, key);
      assert.equal((await get(daemon, { key }))?.state, key === 'bad' && fired ? 'failed' : undefined);
    }
  });
}
