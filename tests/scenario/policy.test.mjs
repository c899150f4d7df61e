// Policies: how often and when a delivery is tried again, and how many run at a time.
import assert from 'node:assert/strict';
import { Inbox, gate, sdk, startDaemon, startManual, test, waitFor } from './lib.mjs';

const trigger = (more) => ({ id: 'watch', function: 'watch', scope: 's', ...more });

test('a schedule says each wait; the trigger goes before its function', async (t) => {
  const daemon = await startManual(t, {
    delivery: { retry: { jitter: 0, multiplier: 1.5 } },
    functions: [{ id: 'watch', retry: { schedule: ['10m', '2h'] } }],
    triggers: [trigger(), { ...trigger({ id: 'own', key: 'own' }), retry: { max_attempts: 1 } }],
  });
  const calls = new Inbox();
  sdk(t, daemon).registerFunction('watch', async (event) => {
    calls.put(event);
    throw new Error('never');
  });
  await daemon.set('s', 'k', 1);
  await calls.count(1);
  await daemon.advance(3 * 3600000);
  const [letter] = await daemon.dead();
  assert.equal(letter.attempts.length, 3);
  for (const attempt of letter.attempts) {
    assert.match(attempt.started, /^\d{4}-/);
    assert.ok(attempt.duration_ms >= 0);
    assert.ok(attempt.worker.length > 0);
    assert.match(attempt.message, /never/);
  }
  const [first, ...others] = letter.attempts.map((one) => Date.parse(one.started) / 60000);
  assert.deepEqual(others.map((at) => at - first), [10, 130]);
  await daemon.set('s', 'own', 1);
  const own = await waitFor('the other one', async () =>
    (await daemon.dead()).find((one) => one.trigger === 'own'));
  assert.equal(own.attempts.length, 1);
});

test('a function runs no more calls at a time than it is said to, whoever calls', async (t) => {
  const daemon = await startDaemon(t, {
    functions: [{ id: 'watch', concurrency: 2 }],
    triggers: [trigger(), trigger({ id: 'other' })],
  });
  let running = 0;
  let most = 0;
  let calls = 0;
  const go = gate();
  sdk(t, daemon).registerFunction('watch', async () => {
    calls += 1;
    most = Math.max(most, ++running);
    await go.promise;
    running -= 1;
  });
  for (let n = 0; n < 20; n += 1) await daemon.set('s', `k${n}`, n);
  await waitFor('two to run', () => running === 2);
  const invoked = daemon.call('watch', {});
  go.open();
  await invoked;
  await daemon.settled();
  assert.equal(most, 2);
  assert.equal(calls, 41);
});

test('on_exhausted: pause_key holds the key behind the dead one until a person decides', async (t) => {
  const daemon = await startDaemon(t, {
    triggers: [trigger({ on_exhausted: 'pause_key', retry: { max_attempts: 1 } })] });
  const inbox = new Inbox();
  let works = false;
  sdk(t, daemon).registerFunction('watch', async (event) => {
    inbox.put(event);
    if (event.new_value === 'bad' && !works) throw new Error('no such address');
  });
  const got = () => inbox.items.map((one) => `${one.key}=${one.new_value}`);
  const blocked = (count) => waitFor(`${count} paused keys`, async () =>
    (await daemon.triggers())[0].paused_keys === count);
  for (const key of ['a', 'b', 'c']) await daemon.set('s', key, 'bad');
  await blocked(3);
  for (const key of ['a', 'b', 'c', 'free']) await daemon.set('s', key, 'next');
  await inbox.count(4);
  await daemon.kill();
  await daemon.start();
  await blocked(3);
  const jobs = await daemon.jobs();
  assert.match(jobs.find((one) => one.state === 'blocked').because, /no such address/);
  // The crash may have forgotten its answer: perhaps twice, but nobody else's.
  assert.deepEqual(new Set(got().filter((one) => one.endsWith('=next'))), new Set(['free=next']));

  // One is released, one discarded, one replayed.
  const letter = async (key) => (await daemon.dead()).find((one) => one.event.key === key);
  assert.equal((await daemon.cli('trigger', 'resume', 'watch', '--key', 'a')).code, 0);
  await waitFor('the next of a', () => got().includes('a=next'));
  assert.equal((await daemon.cli('dead', 'discard', (await letter('b')).id)).code, 0);
  await waitFor('the next of b', () => got().includes('b=next'));
  works = true;
  assert.equal((await daemon.cli('dead', 'replay', (await letter('c')).id)).code, 0);
  await waitFor('the next of c', () => got().includes('c=next'));
  await daemon.settled();
  assert.deepEqual(got().filter((one) => one.startsWith('c')), ['c=bad', 'c=bad', 'c=next']);
  assert.deepEqual((await daemon.dead()).map((one) => one.event.key), ['a']);
  assert.equal((await daemon.cli('trigger', 'resume', 'watch', '--key', 'a')).code, 4);
});

test('on_exhausted: pause_trigger pauses it with the reason', async (t) => {
  const daemon = await startDaemon(t, {
    triggers: [trigger({ on_exhausted: 'pause_trigger', retry: { max_attempts: 1 } })] });
  sdk(t, daemon).registerFunction('watch', async () => {
    throw new Error('out of order');
  });
  await daemon.set('s', 'a', 1);
  const paused = await daemon.trigger('watch', (one) => one.status === 'paused');
  assert.match(paused.paused_because, /on_exhausted: event 1 is dead: .*out of order/);
});
