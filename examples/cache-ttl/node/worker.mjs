// A cache of prices: an entry lasts as long as its scope says, and one that was asked for often is fetched again as it expires.
// usage: node worker.mjs [ADDRESS]    (default ws://127.0.0.1:49134)
import { registerWorker } from 'iii-sdk';

const POPULAR = 3; // times that it was asked for
const worker = registerWorker(process.argv[2] ?? process.env.III_URL ?? 'ws://127.0.0.1:49134');
const call = (function_id, payload) => worker.trigger({ function_id, payload });
const count = (scope, key, path) => call('state::update', { scope, key, ops: [{ type: 'increment', path, by: 1 }] });

// The slow and costly place that the cache stands before.
async function origin(item) {
  await count('origin', item, 'calls');
  return 100 + item.length;
}

// No word of a time: the scope has one.
async function fetchAgain(item) {
  const price = await origin(item);
  await call('state::set', { scope: 'prices', key: item, value: { price, hits: 0 } });
  return price;
}

worker.registerFunction('prices::get', async ({ item }) => {
  const entry = await call('state::get', { scope: 'prices', key: item });
  if (!entry) return { price: await fetchAgain(item), cached: false };
  await count('prices', item, 'hits'); // an update keeps the time that the entry has
  return { price: entry.price, cached: true };
});

worker.registerFunction('prices::expired', async ({ key, old_value }) => {
  if (old_value.hits >= POPULAR) await fetchAgain(key);
});
worker.registerTrigger({ type: 'state', function_id: 'prices::expired',
  config: { scope: 'prices', events: ['deleted'], when: "event.?reason.orValue('') == 'expired'" } });
