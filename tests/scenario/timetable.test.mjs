// Triggers of type cron: each time fires once, whatever happens to workers, the engine and the clock.
import assert from 'node:assert/strict';
import { Inbox, gate, rejects, sdk, startDaemon, startManual, test, waitFor } from './lib.mjs';

const START = '2026-01-01T00:00:00.000Z';
const MINUTE = 60000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const at = (ms) => new Date(Date.parse(START) + ms).toISOString();

const cron = (config) => ({ triggers: [{ id: 'report', type: 'cron', function: 'report', ...config }] });
const hourly = (config) => cron({ expression: '@hourly', ...config });

// Notes what it is called with; `busy` keeps calls open until the test lets them go.
function reporter(t, daemon, handle = async () => {}) {
  const calls = new Inbox();
  sdk(t, daemon).registerFunction('report', async (event) => {
    calls.put(event);
    return handle(event);
  });
  return calls;
}

const scheduled = (calls) => calls.items.map((one) => one.scheduled_at);
const shown = async (daemon, id = 'report') => (await daemon.http('GET', `/v1/triggers/${id}`)).json;
const served = (daemon) => waitFor('the worker', async () => (await daemon.triggers()).every((one) =>
  !['unbound', 'waiting'].includes(one.status)));

// Another start, at another time: the engine was away meanwhile.
async function away(daemon, until, signal = 'SIGTERM') {
  await daemon.stop(signal);
  daemon.args = ['--clock', `manual=${until}`];
  await daemon.start();
}

test('it fires when the clocks of its zone say so, and tells when that was', async (t) => {
  const daemon = await startManual(t, cron({ expression: '30 9 * * MON-FRI', zone: 'Europe/Berlin', metadata: { to: 'ops' } }), START);
  const calls = reporter(t, daemon);
  await served(daemon);
  assert.equal((await shown(daemon)).next_fire, '2026-01-01T08:30:00.000Z');
  await daemon.advance(5 * DAY);
  await calls.count(3);
  assert.deepEqual(scheduled(calls),
    ['2026-01-01T08:30:00.000Z', '2026-01-02T08:30:00.000Z', '2026-01-05T08:30:00.000Z']);
  const [first] = calls.items;
  const { id, seq, time, delivery_id, ...rest } = first;
  assert.deepEqual(rest, {
    type: 'cron', event_type: 'cron:fired', trigger: 'cron', job_id: 'report', trigger_id: 'report',
    scheduled_time: '2026-01-01T08:30:00.000Z', actual_time: '2026-01-01T08:30:00.000Z',
    scheduled_at: '2026-01-01T08:30:00.000Z', fired_at: '2026-01-01T08:30:00.000Z',
    expression: '30 9 * * MON-FRI', zone: 'Europe/Berlin', attempt: 1,
  });
  assert.deepEqual([delivery_id, typeof seq, time], [`${id}/report`, 'number', first.fired_at]);
  const now = await shown(daemon);
  assert.deepEqual([now.last_fire, now.next_fire, now.fired, now.skipped, now.missed],
    ['2026-01-05T08:30:00.000Z', '2026-01-06T08:30:00.000Z', 3, 0, 0]);
  assert.match((await daemon.cli('triggers')).stdout, /NEXT[^]*2026-01-06T08:30:00.000Z/);
  assert.deepEqual((await daemon.events()).map((one) => [one.event_type, one.job_id]),
    Array(3).fill(['cron:fired', 'report']));
});

for (const [edge, from, until, nights] of [
  ['forward', '2026-03-28T12:00:00.000Z', '2026-03-30T12:00:00.000Z', ['2026-03-29T01:00:00.000Z', '2026-03-30T00:30:00.000Z']],
  ['back', '2026-10-24T12:00:00.000Z', '2026-10-26T12:00:00.000Z', ['2026-10-25T00:30:00.000Z', '2026-10-26T01:30:00.000Z']],
]) {
  test(`clocks are put ${edge}`, async (t) => {
    const zone = 'Europe/Berlin';
    const daemon = await startManual(t, {
      triggers: [
        { id: 'night', type: 'cron', function: 'report', expression: '30 2 * * *', zone },
        { id: 'half', type: 'cron', function: 'halves', expression: '*/30 * * * *', zone },
      ],
    }, from);
    const halves = new Inbox();
    sdk(t, daemon).registerFunction('halves', async (event) => halves.put(event));
    const calls = reporter(t, daemon);
    await served(daemon);
    assert.equal((await daemon.advance(until, { settle_ms: 30000 })).more, false); // 98 handlers
    await calls.count(2);
    assert.deepEqual(scheduled(calls), nights);
    await halves.count(96);
    assert.deepEqual(scheduled(halves), [...Array(96).keys()].map((n) =>
      new Date(Date.parse(from) + (n + 1) * 30 * MINUTE).toISOString()));
  });
}

test('the SDK registers one unmodified; two workers are one trigger and one fire', async (t) => {
  const daemon = await startManual(t, { workers: { reattach_grace: '100ms' } }, START);
  const calls = new Inbox();
  const workers = [sdk(t, daemon), sdk(t, daemon)];
  workers.forEach((worker) => {
    worker.registerFunction('report', async (event) => calls.put(event));
    worker.registerTrigger({ type: 'cron', function_id: 'report', config: { expression: '0 0 */2 * * * *' } });
  });
  const connected = async () => (await daemon.http('GET', '/v1/workers')).json.workers.length;
  await waitFor('both', async () => await connected() === 2);
  await daemon.trigger('report');
  await daemon.advance(5 * HOUR);
  await calls.count(2);
  assert.deepEqual(scheduled(calls), [at(2 * HOUR), at(4 * HOUR)]);
  assert.equal((await daemon.triggers()).length, 1);
  await workers[0].shutdown();
  await waitFor('the other one alone', async () => await connected() === 1);
  await daemon.advance(2 * HOUR);
  await calls.count(3);
  assert.equal(calls.items.length, 3);
});

test('overlap: skip: a time that comes while the last fire runs is skipped and counted', async (t) => {
  const daemon = await startManual(t, hourly({ timeout_ms: 10 * HOUR }), START);
  const doors = [gate(), gate()];
  const calls = reporter(t, daemon, () => doors[calls.items.length - 1].promise);
  await served(daemon);
  await daemon.advance(3 * HOUR + MINUTE, { settle_ms: 0 });
  await calls.count(1);
  assert.deepEqual(scheduled(calls), [at(HOUR)]);
  let now = await shown(daemon);
  assert.deepEqual([now.fired, now.skipped, now.next_fire], [1, 2, at(4 * HOUR)]);
  doors[0].open();
  await daemon.settled();
  await daemon.advance(HOUR, { settle_ms: 0 });
  await calls.count(2);
  assert.deepEqual(scheduled(calls), [at(HOUR), at(4 * HOUR)]);
  doors[1].open();
});

test('overlap: queue: they run one after the other', async (t) => {
  const daemon = await startManual(t, hourly({ overlap: 'queue', timeout_ms: 10 * HOUR }), START);
  const doors = [gate(), gate(), gate()];
  const calls = reporter(t, daemon, () => doors[calls.items.length - 1].promise);
  await served(daemon);
  await daemon.advance(3 * HOUR + MINUTE, { settle_ms: 0 });
  await calls.count(1);
  const now = await shown(daemon);
  assert.deepEqual([now.fired, now.skipped, now.running, now.waiting], [3, 0, 1, 2]);
  for (let i = 0; i < 3; i++) {
    await calls.count(i + 1);
    assert.equal(calls.items.length, i + 1);
    doors[i].open();
  }
  await daemon.settled();
  assert.deepEqual(scheduled(calls), [1, 2, 3].map((h) => at(h * HOUR)));
});

test('overlap: allow: they run beside each other', async (t) => {
  const daemon = await startManual(t, hourly({ overlap: 'allow', timeout_ms: 10 * HOUR }), START);
  const door = gate();
  const calls = reporter(t, daemon, () => door.promise);
  await served(daemon);
  await daemon.advance(3 * HOUR + MINUTE, { settle_ms: 0 });
  await calls.count(3);
  assert.equal((await shown(daemon)).running, 3);
  door.open();
  await daemon.settled();
});

test('overlap: cancel: the one that runs makes room', async (t) => {
  const daemon = await startManual(t, hourly({ overlap: 'cancel', timeout_ms: 10 * HOUR }), START);
  const doors = [gate(), gate(), gate()];
  const calls = reporter(t, daemon, () => doors[calls.items.length - 1].promise);
  await served(daemon);
  for (let h = 1; h <= 3; h++) {
    await daemon.advance(HOUR, { settle_ms: 0 });
    await calls.count(h);
  }
  const now = await shown(daemon);
  assert.deepEqual([now.fired, now.cancelled, now.running, now.waiting], [3, 2, 1, 0]);
  doors.forEach((door) => door.open());
  await daemon.settled();
  assert.deepEqual([(await shown(daemon)).delivered, await daemon.dead()], [1, []]);
});

for (const [catch_up, more, times, missed] of [
  ['once', {}, [26], 24],
  ['all', { overlap: 'queue', max: 3 }, [24, 25, 26], 22],
  ['skip', {}, [], 25],
]) {
  test(`catch_up: ${catch_up}: what the engine slept through`, async (t) => {
    const daemon = await startManual(t, hourly({ catch_up, ...more }), START);
    const calls = reporter(t, daemon);
    await served(daemon);
    await daemon.advance(HOUR);
    await calls.count(1);
    await away(daemon, at(26 * HOUR + 30 * MINUTE));
    await served(daemon);
    await calls.count(1 + times.length);
    await waitFor('the times to be dealt with', async () => (await shown(daemon)).missed === missed);
    await daemon.advance(HOUR);
    await calls.count(2 + times.length);
    assert.deepEqual(scheduled(calls), [1, ...times, 27].map((h) => at(h * HOUR)));
    if (times.length) assert.equal(calls.items[1].missed, missed);
    assert.equal((await shown(daemon)).fired, 2 + times.length);
  });
}

test('a pause that holds is caught up with, one that drops is not', async (t) => {
  for (const [mode, times] of [['hold', [1, 5, 6]], ['drop', [1, 6]]]) {
    const daemon = await startManual(t, hourly(), START);
    const calls = reporter(t, daemon);
    await served(daemon);
    await daemon.advance(HOUR);
    await daemon.call('engine::triggers::pause', { id: 'report', mode });
    await daemon.advance(4 * HOUR + MINUTE);
    assert.equal(calls.items.length, 1);
    assert.equal((await shown(daemon)).next_fire, mode === 'hold' ? null : at(6 * HOUR));
    await daemon.call('engine::triggers::resume', { id: 'report' });
    await daemon.advance(HOUR);
    await calls.count(times.length);
    assert.deepEqual(scheduled(calls), times.map((h) => at(h * HOUR)), mode);
  }
});

test('an edit goes on if the times are the same, and begins anew if they are not', async (t) => {
  const daemon = await startManual(t, hourly({ timeout_ms: 1000 }), START);
  const calls = reporter(t, daemon);
  await served(daemon);
  await daemon.advance(HOUR);
  await calls.count(1);
  await daemon.stop();
  daemon.config = { ...daemon.config, ...hourly({ timeout_ms: 2000 }) };
  await away(daemon, at(3 * HOUR + MINUTE));
  await calls.count(2); /* its times are the same: what was missed is caught up with */
  assert.deepEqual([(await shown(daemon)).version, scheduled(calls)], [2, [at(HOUR), at(3 * HOUR)]]);
  await daemon.settled();
  daemon.config = { ...daemon.config, ...cron({ expression: '*/30 * * * *', timeout_ms: 2000 }) };
  await away(daemon, at(9 * HOUR + MINUTE));
  await served(daemon);
  const now = await shown(daemon);
  assert.deepEqual([now.version, now.fired, now.next_fire], [3, 0, at(9 * HOUR + 30 * MINUTE)]);
  await daemon.advance(HOUR);
  await calls.count(4);
  assert.deepEqual(scheduled(calls).slice(2), [at(9 * HOUR + 30 * MINUTE), at(10 * HOUR)]);
});

test('jitter: each fire comes a little later, the same after a restart', async (t) => {
  const daemon = await startManual(t, hourly({ jitter: '10m' }), START);
  const calls = reporter(t, daemon);
  await served(daemon);
  const next = (await shown(daemon)).next_fire;
  await daemon.restart();
  assert.equal((await shown(daemon)).next_fire, next);
  await served(daemon);
  await daemon.advance(24 * HOUR + 11 * MINUTE);
  await calls.count(24);
  const late = calls.items.map((one) => Date.parse(one.fired_at) - Date.parse(one.scheduled_at));
  assert.equal(calls.items[0].fired_at, next);
  assert.deepEqual(scheduled(calls), [...Array(24).keys()].map((h) => at((h + 1) * HOUR)));
  assert.ok(late.every((ms) => ms >= 0 && ms <= 10 * MINUTE), late.join());
  assert.ok(new Set(late).size > 12, late.join());
});

for (const point of ['cron:1', 'cron:2', 'write:4', 'sync:4', 'answer:4', 'write:5', 'sync:5', 'answer:5']) {
  test(`kill -9 at ${point}: no time is lost, and none fires twice`, async (t) => {
    const daemon = await startDaemon(t, hourly({ overlap: 'allow', catch_up: 'all' }), {},
      ['--clock', `manual=${START}`]);
    await daemon.stop();
    daemon.env = { PAWL_CRASH_AT: point };
    daemon.spawn();
    const stop = new AbortController();
    await waitFor('the crash', async () => {
      if (!daemon.process) return true;
      await fetch(`${daemon.url}/v1/clock/advance`, { method: 'POST', signal: stop.signal,
        headers: { 'content-type': 'application/json' }, body: JSON.stringify({ ms: HOUR }) }).catch(() => {});
      return !daemon.process;
    });
    daemon.env = {};
    daemon.args = ['--clock', `manual=${at(30 * HOUR)}`];
    await daemon.start();
    const fires = await waitFor('the last time', async () => {
      const all = (await daemon.events()).filter((one) => one.event_type === 'cron:fired');
      return all.some((one) => one.scheduled_at === at(30 * HOUR)) && all;
    });
    assert.deepEqual(fires.map((one) => one.scheduled_at),
      [...Array(30).keys()].map((h) => at((h + 1) * HOUR)));
    const calls = reporter(t, daemon);
    await calls.until('all calls', (items) => new Set(items.map((one) => one.scheduled_at)).size === 30);
  });
}

test('when, select, retry: as with every trigger', async (t) => {
  const daemon = await startManual(t, hourly({
    when: "event.scheduled_at.endsWith('2:00:00.000Z')", select: ['new_value.scheduled_at', 'scope'],
    retry: { initial_ms: MINUTE, max_attempts: 2, jitter: 0 }, overlap: 'allow',
  }), START);
  const calls = reporter(t, daemon, async () => {
    if (calls.items.length === 1) throw new Error('not now');
  });
  await served(daemon);
  await daemon.advance(13 * HOUR);
  await calls.count(3);
  assert.deepEqual(calls.items, [[at(2 * HOUR), 'report'], [at(2 * HOUR), 'report'], [at(12 * HOUR), 'report']]);
});

test('what is refused, and what is said of it', async (t) => {
  const daemon = await startManual(t, hourly(), START);
  const refuse = async (config, code, words) => {
    const body = { id: 'x', type: 'cron', function_id: 'report', config };
    const error = await daemon.call('engine::register_trigger', body).then(() => null, (e) => e);
    assert.equal(error?.code, code, JSON.stringify(config));
    assert.match(error.message, words);
  };
  await refuse({}, 'invalid_trigger', /'expression' is missing/);
  await refuse({ expression: '60 * * * *' }, 'invalid_cron', /60 is not within 0 to 59/);
  await refuse({ expression: '0 0 1 1 * * 2030' }, 'invalid_cron', /there is none for the year/);
  await refuse({ expression: '@daily', zone: 'Europe/Berln' }, 'unknown_zone', /Europe\/Berln/);
  await refuse({ expression: '*/5 2 * 3 SUN#L', zone: 'Europe/Berlin' }, 'invalid_cron', /never fires/);
  await refuse({ expression: '@daily', scope: 's' }, 'invalid_trigger', /has no 'scope'/);
  await refuse({ expression: '@daily', order: 'none' }, 'invalid_trigger', /has no 'order'/);
  await refuse({ expression: '@daily', catch_up: 'all' }, 'invalid_trigger', /overlap: queue or allow/);
  await refuse({ expression: '@daily', on_exhausted: 'pause_key' }, 'invalid_trigger', /pause_trigger/);
  const { json } = await daemon.http('POST', '/v1/triggers:test', { trigger: { type: 'cron', config: { expression: '@daily' } } });
  assert.match(json.detail, /would fire first at 2026-01-02T00:00:00.000Z/);
  await rejects(daemon.call('engine::register_trigger', { id: 'y', type: 'stream', function_id: 'f', config: {} }), 'not_available');
});

test('a trigger of the API that is removed and made again begins anew', async (t) => {
  const daemon = await startManual(t, {}, START);
  const make = () => daemon.call('engine::register_trigger',
    { id: 'report', type: 'cron', function_id: 'report', config: { expression: '@hourly' } });
  const calls = reporter(t, daemon);
  await make();
  await daemon.advance(2 * HOUR);
  await calls.count(2);
  await daemon.call('engine::unregister_trigger', { id: 'report' });
  await daemon.advance(5 * HOUR + MINUTE);
  await make();
  const now = await shown(daemon);
  assert.deepEqual([now.last_fire, now.next_fire, now.fired], [null, at(8 * HOUR), 0]);
  assert.equal(calls.items.length, 2);
});
