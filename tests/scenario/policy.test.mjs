// Policies: how often and when a delivery is tried again, and how many run at a time.
import assert from 'node:assert/strict';
import { Inbox, gate, sdk, startDaemon, test, waitFor } from './lib.mjs';

const trigger = (more) => ({ id: 'watch', function: 'watch', scope: 's', ...more });

test('a schedule says each wait; the trigger goes before its function', async (t) => {
  const daemon = await startDaemon(t, {
    delivery: { retry: { jitter: 0, multiplier: 1.5 } },
    functions: [{ id: 'watch', retry: { schedule: ['150ms', '300ms'] } }],
    triggers: [trigger(), { ...trigger({ id: 'own', key: 'own' }), retry: { max_attempts: 1 } }],
  });
  const times = new Inbox();
  sdk(t, daemon).registerFunction('watch', async (event) => {
    times.put({ at: performance.now(), id: event.delivery_id });
    throw new Error('never');
  });
  await daemon.set('s', 'k', 1);
  const [letter] = await waitFor('the dead letter', async () => {
    const dead = await daemon.dead();
    return dead.length && dead;
  });
  assert.equal(letter.attempts.length, 3);
  for (const attempt of letter.attempts) {
    assert.match(attempt.started, /^\d{4}-/);
    assert.ok(attempt.duration_ms >= 0);
    assert.ok(attempt.worker.length > 0);
    assert.match(attempt.message, /never/);
  }
  const [first, second, third] = times.items.map((one) => one.at);
  assert.ok(second - first >= 145 && third - second >= 295, `${second - first}, ${third - second}`);
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
