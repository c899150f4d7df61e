// Alarms against a model of a few lines: random sets, deletes, failures, turns of the clock, restarts and kills.
import assert from 'node:assert/strict';
import { Inbox, sdk, startManual, test, waitFor } from './lib.mjs';

const ZERO = Date.parse('2026-01-01T00:00:00.000Z');
const MINUTE = 60000;
const STEPS = 60;

// Mulberry32: a seed makes a day.
function dice(seed) {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % below;
  };
}

for (const seed of [1, 2, 3, 4]) {
  test(`a day of alarms is what the model says (seed ${seed})`, async (t) => {
    const roll = dice(seed);
    const daemon = await startManual(t, {
      triggers: [{ id: 'bell', type: 'alarm', function: 'bell', retry: { jitter: 0 } }],
    }, new Date(ZERO).toISOString());
    const worker = sdk(t, daemon);
    const tries = new Map(); // payload -> attempts
    const done = new Inbox();
    worker.registerFunction('bell', async ({ payload }) => {
      tries.set(payload.id, (tries.get(payload.id) ?? 0) + 1);
      if (tries.get(payload.id) <= payload.fails) throw new Error('not now');
      done.put(payload.id);
    });
    const served = () => waitFor('the worker', async () =>
      (await daemon.call('engine::functions::list')).functions.some((one) => one.function_id === 'bell'));
    await served();
    // The model: what is to come, and what must have come. Times end in half minutes, turns are whole ones.
    const alarms = new Map();
    const expected = [];
    let now = ZERO;
    const ops = {
      async set(address, name) {
        const at = now + roll(20) * MINUTE + MINUTE / 2;
        const payload = { id: `p${alarms.size}-${tries.size}-${roll(1e9)}`, fails: roll(3) };
        await daemon.call('alarm::set', { ...address, at, payload });
        alarms.set(name, { at, id: payload.id });
      },
      async drop(address, name) {
        await daemon.call('alarm::delete', address);
        alarms.delete(name);
      },
      async deleteObject({ scope, key }) {
        await daemon.call('state::delete', { scope, key });
        for (const name of alarms.keys()) if (name.startsWith(`${scope}/${key}/`)) alarms.delete(name);
      },
      async turn() {
        const by = (1 + roll(8)) * MINUTE;
        now += by;
        await daemon.advance(by);
        for (const [name, one] of alarms) {
          if (one.at <= now && alarms.delete(name)) expected.push(one.id);
        }
      },
      async restart() {
        daemon.args = ['--clock', `manual=${new Date(now).toISOString()}`];
        await daemon.restart(roll(2) ? 'SIGKILL' : 'SIGTERM');
        await served();
      },
    };
    const chances = ['set', 'set', 'set', 'set', 'drop', 'deleteObject', 'turn', 'turn', 'restart'];
    for (let i = 0; i < STEPS; i++) {
      const address = { scope: `s${roll(2)}`, key: ['', 'a', 'b'][roll(3)], name: ['', 'x'][roll(2)] };
      const name = `${address.scope}/${address.key}/${address.name}`;
      const op = chances[roll(chances.length)];
      if (op === 'deleteObject' && address.key === '') continue;
      await ops[op](address, name);
      const { alarms: listed } = await daemon.call('alarm::list', { limit: 1000 });
      assert.deepEqual(
        listed.map((one) => `${one.scope}/${one.key}/${one.name} ${one.state} ${one.scheduled_at}`).sort(),
        [...alarms].map(([where, one]) => `${where} scheduled ${one.at}`).sort(), `${i}: ${op} ${name}`);
      assert.deepEqual([...done.items].sort(), [...expected].sort(), `${i}: ${op} ${name}`);
    }
    assert.ok(expected.length > 5, `${expected.length}`);
    assert.deepEqual(await daemon.dead(), []);
  });
}
