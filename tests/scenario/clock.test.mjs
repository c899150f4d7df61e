// The manual clock: time stands still until it is turned, and what is due on the way happens on the way.
import assert from 'node:assert/strict';
import { Inbox, rejects, run, program, sdk, startDaemon, startManual, test, waitFor } from './lib.mjs';

const START = '2026-01-01T00:00:00.000Z';
const MINUTE = 60000;
const HOUR = 60 * MINUTE;
const at = (ms) => new Date(Date.parse(START) + ms).toISOString();

const retries = (retry) => ({
  triggers: [{ id: 'mail', function: 'mail', scope: 's', retry: { jitter: 0, ...retry } }],
});

// Fails as often as it is told to; notes what the engine's clock shows at each call.
function mailer(t, daemon, failures) {
  const calls = new Inbox();
  sdk(t, daemon).registerFunction('mail', async (event) => {
    const { now } = (await daemon.http('GET', '/v1/clock')).json;
    calls.put({ key: event.key, attempt: event.attempt, now });
    if (calls.items.length <= failures) throw new Error('not now');
  });
  return calls;
}

test('a retry schedule of hours is walked through in one request', async (t) => {
  const daemon = await startManual(t, retries({ schedule: ['1h', '4h', '12h'] }), START);
  const calls = mailer(t, daemon, 3);
  await daemon.set('s', 'k', 1);
  await calls.count(1);
  const turned = await daemon.advance(48 * HOUR);
  assert.deepEqual(calls.items.map((one) => one.now), [0, 1, 5, 17].map((h) => at(h * HOUR)));
  assert.deepEqual([turned.reached, turned.more, turned.running, turned.waiting],
    [at(48 * HOUR), false, 0, 0]);
  assert.deepEqual([await daemon.jobs(), await daemon.dead()], [[], []]);
});

test('nothing happens before its time', async (t) => {
  const daemon = await startManual(t, retries({ initial_ms: HOUR, max_ms: HOUR }), START);
  const calls = mailer(t, daemon, 1);
  await daemon.set('s', 'k', 1);
  await calls.count(1);
  const job = await waitFor('the job', async () =>
    (await daemon.jobs()).find((one) => one.state === 'sleeping'));
  assert.equal(job.due, at(HOUR));
  const clock = (await daemon.http('GET', '/v1/clock')).json;
  assert.deepEqual([clock.clock, clock.now, clock.waiting], ['manual', START, 1]);
  assert.ok(clock.next_due <= at(HOUR));
  await daemon.advance(HOUR - 1);
  assert.equal(calls.items.length, 1);
  assert.equal((await daemon.jobs())[0].age_ms, HOUR - 1);
  await daemon.advance(at(HOUR));
  assert.equal(calls.items.length, 2);
});

test('a lease of a handler that says nothing ends when the clock is turned', async (t) => {
  const daemon = await startManual(t, {
    triggers: [{ id: 'slow', function: 'slow', scope: 's', timeout_ms: 30000, retry: { max_attempts: 1 } }],
  }, START);
  const calls = new Inbox();
  sdk(t, daemon).registerFunction('slow', (event) => {
    calls.put(event);
    return new Promise(() => {});
  });
  await daemon.set('s', 'k', 1);
  await calls.count(1);
  let turned = await daemon.advance(29999, { settle_ms: 0 });
  assert.deepEqual([turned.running, (await daemon.dead()).length], [1, 0]);
  turned = await daemon.advance(1, { settle_ms: 0 });
  assert.equal(turned.running, 0);
  const [letter] = await daemon.dead();
  assert.deepEqual([letter.reason, letter.died_at], ['TIMEOUT', at(30000)]);
});

test('a worker that does not come back is missed when the clock says so', async (t) => {
  const daemon = await startManual(t, { workers: { detach_grace: '60s' } }, START);
  const worker = sdk(t, daemon);
  worker.on('f', { scope: 's' }, async () => {});
  await daemon.trigger('f');
  await worker.shutdown();
  await waitFor('the worker to be gone', async () =>
    (await daemon.http('GET', '/v1/workers')).json.workers.length === 0);
  await daemon.advance(59999);
  assert.equal((await daemon.triggers()).length, 1);
  await daemon.advance(1);
  assert.deepEqual(await daemon.triggers(), []);
});

test('the call of a peer is not made late by a turn of the clock', async (t) => {
  const daemon = await startManual(t, {}, START);
  const worker = sdk(t, daemon);
  worker.registerFunction('turns', () => worker.call('engine::clock::advance', { ms: HOUR, settle_ms: 0 }));
  await waitFor('the function', () => daemon.call('turns'));
  const turned = await daemon.call('turns', {}, '?timeout_ms=5000');
  assert.deepEqual([turned.reached, turned.more], [at(2 * HOUR), false]);
});

test('many alarms on the way: the turn stops, tells where, and is asked for again', async (t) => {
  const daemon = await startManual(t, retries({ initial_ms: MINUTE, max_ms: MINUTE, max_attempts: 1000 }), START);
  const calls = mailer(t, daemon, Infinity);
  await daemon.set('s', 'k', 1);
  await calls.count(1);
  await waitFor('the job', async () => (await daemon.jobs()).find((one) => one.state === 'sleeping'));
  const first = await daemon.advance(at(HOUR), { limit: 5 });
  assert.ok(first.more && first.fired >= 5 && first.reached_ms < Date.parse(at(10 * MINUTE)), JSON.stringify(first));
  const last = await daemon.advance(at(HOUR));
  assert.deepEqual([last.more, last.reached, calls.items.length], [false, at(HOUR), 61]);
  assert.deepEqual(calls.items.map((one) => one.now), [...Array(61).keys()].map((n) => at(n * MINUTE)));
});

test('an unreal target is refused, and so is every turn of a real clock', async (t) => {
  const daemon = await startManual(t, {}, START);
  const refuse = async (body, status, code) => {
    const { json } = await daemon.http('POST', '/v1/clock/advance', body);
    assert.deepEqual([json.status, json.code], [status, code], json.detail);
    return json.detail;
  };
  await refuse({}, 400, 'invalid_data');
  await refuse({ ms: 1, to: START }, 400, 'invalid_data');
  await refuse({ ms: -1 }, 400, 'invalid_data');
  await refuse({ ms: '1h' }, 400, 'invalid_data');
  await refuse({ to: 'tomorrow' }, 400, 'invalid_data');
  await refuse({ to: '9999-01-01T00:00:00Z' }, 400, 'invalid_data');
  assert.match(await refuse({ by: 5 }, 400, 'invalid_data'), /by/);
  assert.match(await refuse({ to: '2025-12-31T23:59:59Z' }, 400, 'clock_goes_forward'), /2026-01-01/);
  assert.equal((await daemon.advance(0)).reached, START);
  const real = await startDaemon(t);
  const clock = (await real.http('GET', '/v1/clock')).json;
  assert.equal(clock.clock, 'real');
  assert.ok(Math.abs(clock.now_ms - Date.now()) < 5000);
  const { json } = await real.http('POST', '/v1/clock/advance', { ms: 1 });
  assert.deepEqual([json.status, json.code], [409, 'clock_is_real']);
  await rejects(sdk(t, real).call('engine::clock::advance', { ms: 1 }), 'clock_is_real');
});

test('two cannot turn at once', async (t) => {
  const daemon = await startManual(t, retries({}), START);
  const calls = new Inbox();
  sdk(t, daemon).registerFunction('mail', () => new Promise((done) => calls.put(done)));
  await daemon.set('s', 'k', 1);
  await calls.count(1);
  const first = daemon.advance(HOUR, { settle_ms: 60000 });
  await waitFor('the second to be refused', () =>
    rejects(daemon.advance(0), 'clock_is_turning'));
  calls.items[0]();
  assert.deepEqual([(await first).running, (await first).reached], [0, at(HOUR)]);
});

test('the command line turns it, and goes on while alarms fire', async (t) => {
  const daemon = await startManual(t, {}, START);
  const shown = await daemon.cli('clock');
  assert.deepEqual([shown.code, JSON.parse(shown.stdout).now], [0, START]);
  const advanced = await daemon.cli('clock', 'advance', '90s');
  assert.equal(advanced.code, 0, advanced.stderr);
  assert.match(advanced.stdout, /^2026-01-01T00:01:30.000Z: \d+ alarms fired, 0 deliveries run, 0 wait\n$/);
  const to = await daemon.cli('clock', 'to', '2026-01-02T00:00:00+01:00', '--json');
  assert.deepEqual([to.code, JSON.parse(to.stdout).reached], [0, at(23 * HOUR)]);
  assert.equal((await daemon.cli('clock', 'to', String(Date.parse(at(24 * HOUR))))).code, 0);
  assert.equal((await daemon.cli('clock', 'to', START)).code, 1);
  assert.equal((await daemon.cli('clock', 'advance', 'soon')).code, 2);
  const wrong = await run(program, ['run', '--clock', 'manual=noon']);
  assert.equal(wrong.code, 2);
  assert.match(wrong.stderr, /--clock is manual, or manual=TIME/);
});

test('a restart never goes back, and its jobs are due when they were', async (t) => {
  const daemon = await startManual(t, retries({ initial_ms: 5 * HOUR, max_ms: 5 * HOUR }), START);
  const calls = mailer(t, daemon, 1);
  await daemon.advance(HOUR);
  await daemon.set('s', 'k', 1);
  await calls.count(1);
  await waitFor('the job', async () => (await daemon.jobs()).find((one) => one.state === 'sleeping'));
  await daemon.set('other', 'k', 1); // what was put before is durable, too
  await daemon.restart('SIGKILL');
  assert.equal((await daemon.http('GET', '/v1/clock')).json.now, at(HOUR));
  assert.match(daemon.log, /the clock is manual/);
  await daemon.advance(at(6 * HOUR - 1));
  assert.equal(calls.items.length, 1);
  await waitFor('the worker', async () => (await daemon.http('GET', '/v1/workers')).json.workers.length === 1);
  await daemon.advance(1);
  await calls.count(2);
  assert.equal(calls.items[1].now, at(6 * HOUR));
});

test('what nobody can handle is given up at its time, with everything else', async (t) => {
  const daemon = await startManual(t, { ...retries({}), delivery: { park_max: '7d' } }, START);
  await daemon.set('s', 'k', 1);
  await daemon.advance(7 * 24 * HOUR - 1);
  assert.deepEqual(await daemon.dead(), []);
  await daemon.advance(24 * HOUR);
  const [letter, ...others] = await daemon.dead();
  assert.deepEqual([letter.reason, letter.died_at, others], ['function_absent', at(7 * 24 * HOUR), []]);
});

test('the status tells how the timer is', async (t) => {
  const daemon = await startDaemon(t, retries({ initial_ms: 1, max_ms: 1 }));
  const calls = mailer(t, daemon, 2);
  await daemon.set('s', 'k', 1);
  await calls.count(3);
  await daemon.settled();
  const { clock, now, timers } = await daemon.call('engine::status');
  assert.deepEqual([clock, timers.overdue, timers.fired], ['real', 0, 2]);
  assert.ok(Math.abs(Date.parse(now) - Date.now()) < 5000);
  const { p50, p99, max } = timers.lateness_ms;
  assert.ok(p50 >= 0 && p50 <= p99 && p99 <= max && timers.pending >= 0);
});

test('records end in their order, each at its time, and what they cause is within the same turn', async (t) => {
  const daemon = await startManual(t, {}, START);
  const worker = sdk(t, daemon);
  // Each that ends leaves one behind that ends two hours later, three times.
  worker.on('again', { scope: 's', events: ['state:deleted'] }, async (event) => {
    if (event.key.length < 4) {
      await worker.call('state::set', { scope: 's', key: `${event.key}a`, value: 1, ttl_ms: 2 * HOUR });
    }
  });
  await daemon.trigger('again', (one) => one.status === 'live');
  await daemon.call('state::set', { scope: 's', key: 'a', value: 1, ttl_ms: HOUR });
  await daemon.call('state::set', { scope: 'other', key: 'b', value: 1, ttl_ms: 4 * HOUR });
  await daemon.call('state::set', { scope: 'other', key: 'far', value: 1, ttl_ms: 400 * 24 * HOUR });
  await daemon.advance(365 * 24 * HOUR);
  const ends = (await daemon.events()).filter((one) => one.reason === 'expired');
  assert.deepEqual(ends.map((one) => [one.key, one.time]), [
    ['a', at(HOUR)], ['aa', at(3 * HOUR)], ['b', at(4 * HOUR)], ['aaa', at(5 * HOUR)], ['aaaa', at(7 * HOUR)]]);
  assert.equal(await daemon.get('other', 'far'), 1);
});

test('an engine that is told to stop answers whoever turns its clock', async (t) => {
  const daemon = await startManual(t, retries({}), START);
  const calls = new Inbox();
  sdk(t, daemon).registerFunction('mail', () => new Promise((done) => calls.put(done)));
  await daemon.set('s', 'k', 1);
  await calls.count(1);
  const turning = daemon.http('POST', '/v1/clock/advance', { ms: HOUR, settle_ms: 60000 });
  await waitFor('it to turn', () => rejects(daemon.advance(0), 'clock_is_turning'));
  const stopped = daemon.stop();
  const { status, json } = await turning;
  calls.items[0]();
  assert.deepEqual([status, json.code, json.detail], [503, 'shutting_down', 'the engine is shutting down']);
  assert.deepEqual(await stopped, { code: 0, signal: null });
});

test('thousands that are due at one time have all ended when the answer comes', async (t) => {
  const daemon = await startManual(t, {}, START);
  const MANY = 3000;
  for (let from = 0; from < MANY; from += 100) {
    await daemon.call('state::transact', { ops: Array.from({ length: 100 }, (_, i) =>
      ({ type: 'set', scope: 's', key: `k${from + i}`, value: 1, ttl_ms: HOUR })) });
  }
  const before = await daemon.advance(HOUR - 1);
  assert.equal((await daemon.events()).length, MANY);
  assert.equal(before.next_due, at(HOUR));
  await daemon.advance(1);
  const ends = (await daemon.events()).slice(MANY);
  assert.equal(ends.length, MANY);
  assert.ok(ends.every((one) => one.reason === 'expired' && one.time === at(HOUR)));
});
