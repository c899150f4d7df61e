import assert from 'node:assert/strict';
import test from 'node:test';
import { startEngine } from './engine.mjs';
import { trials } from './trials.mjs';

const DAY = 24;

// The workflow beside a mail server that is away as often as it is told to be.
async function start(t, failures = 0) {
  const engine = await startEngine(t, '2026-01-01T09:00:00Z');
  const mails = [];
  await engine.worker((worker) => trials(worker, async (user) => {
    mails.push([user, await engine.now()]);
    if (mails.length <= failures) throw new Error('the mail server is away');
  }));
  await engine.ask('PUT', '/v1/state/users/ada', { name: 'Ada' });
  return { engine, mails };
}

test('the mail comes two weeks after the sign-up, and not an hour before', async (t) => {
  const { engine, mails } = await start(t);
  await engine.advance(14 * DAY - 1);
  assert.deepEqual(mails, []);
  await engine.advance(1);
  assert.deepEqual(mails, [['ada', '2026-01-15T09:00:00.000Z']]);
  await engine.advance(365 * DAY);
  assert.equal(mails.length, 1);
});

test('a mail that fails is tried again after an hour and after six', async (t) => {
  const { engine, mails } = await start(t, 2);
  await engine.advance(15 * DAY);
  assert.deepEqual(mails.map(([, time]) => time),
    ['2026-01-15T09:00:00.000Z', '2026-01-15T10:00:00.000Z', '2026-01-15T16:00:00.000Z']);
  assert.deepEqual(await engine.dead(), []);
});

test('a mail that always fails ends among the dead letters', async (t) => {
  const { engine, mails } = await start(t, Infinity);
  await engine.advance(30 * DAY);
  const [letter] = await engine.dead();
  assert.deepEqual([mails.length, letter.function_id, letter.reason],
    [3, 'trials::over', 'invocation_failed']);
});
