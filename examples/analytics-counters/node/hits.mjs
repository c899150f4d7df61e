// Writes hits of a few pages, a hundred in each transaction.
// usage: node hits.mjs [COUNT [ADDRESS]]
import { randomUUID } from 'node:crypto';
import { registerWorker } from 'iii-sdk';

const count = Number(process.argv[2] ?? 1000);
const worker = registerWorker(process.argv[3] ?? process.env.III_URL ?? 'ws://127.0.0.1:49134');
const pages = ['/', '/', '/', '/docs', '/docs', '/prices'];

for (let sent = 0; sent < count;) {
  const ops = Array.from({ length: Math.min(100, count - sent) }, () => ({
    type: 'set', scope: 'hits', key: randomUUID(),
    value: { page: pages[Math.floor(Math.random() * pages.length)], ms: 5 + Math.floor(Math.random() * 90) },
  }));
  await worker.trigger({ function_id: 'state::transact', payload: { ops } });
  sent += ops.length;
}
await worker.shutdown();
process.exit(0);
