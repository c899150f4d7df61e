// Counts hits: each one in `counters`, those of a page and a minute together in `rollups`.
// usage: node worker.mjs [ADDRESS]    (default ws://127.0.0.1:49134)
import { registerWorker } from 'iii-sdk';

const worker = registerWorker(process.argv[2] ?? process.env.III_URL ?? 'ws://127.0.0.1:49134');

// Increments are atomic, whoever else increments. A delivery may come twice: with a key for each
// write the second one changes nothing.
const increment = (scope, key, by, idempotency_key) => worker.trigger({
  function_id: 'state::update',
  payload: { scope, key, idempotency_key,
    ops: Object.entries(by).map(([path, n]) => ({ type: 'increment', path, by: n })) },
});

worker.registerFunction('counters::count', async ({ id, page }) => {
  await increment('counters', page, { views: 1 }, `count/${id}`);
});

worker.registerFunction('counters::rollup', async ({ events }) => {
  const good = events.filter((hit) => Number.isInteger(hit.ms));
  const minutes = new Map();
  for (const hit of good) {
    const key = `${hit.page} ${hit.time.slice(0, 16)}`;
    minutes.set(key, [...(minutes.get(key) ?? []), hit]);
  }
  for (const [key, hits] of minutes) {
    const ms = hits.reduce((sum, hit) => sum + hit.ms, 0);
    // What is tried again may be a part of the batch: the key names its first hit and how many.
    const once = `rollup/${hits[0].id}/${hits.length}`;
    await increment('rollups', key, { views: hits.length, ms }, once);
  }
  const odd = events.filter((hit) => !good.includes(hit));
  if (odd.length) return { $pawl: { failed: odd.map(({ id }) => ({ id, reason: 'ms is no integer' })) } };
  return null;
});
