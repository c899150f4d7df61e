// An engine with something of everything in it: what the console is shown with.
// `node world.mjs [PORT]` starts one for a person to look at.
import { once } from 'node:events';
import { pathToFileURL } from 'node:url';
import { sdk, startDaemon, waitFor, Daemon, tempDir } from '../scenario/lib.mjs';

export const config = {
  functions: [
    { id: 'audit', exec: { command: ['cat'] } },
    { id: 'invoice', exec: { command: ['sh', '-c', 'echo "no template for this plan" >&2; exit 1'] } },
  ],
  triggers: [
    { id: 'welcome-pro', type: 'state', scope: 'users', function: 'welcome',
      when: 'became("plan", "pro") && new_value.email.endsWith("@example.com")' },
    { id: 'audit-gone', type: 'state', scope: 'users', events: ['deleted'], function: 'audit' },
    { id: 'seats', type: 'state', scope: 'users', events: ['updated'], changed: ['seats'],
      function: 'sync-seats' },
    { id: 'invoice-run', type: 'state', scope: 'orders', function: 'invoice',
      retry: { max_attempts: 1 } },
    { id: 'payment-retry', type: 'state', scope: 'payments', function: 'charge',
      retry: { max_attempts: 8, schedule: ['100ms', '1h'] } },
    { id: 'nightly', type: 'cron', expression: '0 3 * * *', zone: 'Europe/Berlin', function: 'audit' },
    { id: 'trial-ends', type: 'alarm', scope: 'users', function: 'welcome' },
    { id: 'absent', type: 'state', scope: 'flags', function: 'flags-changed' },
  ],
  queues: { mail: { concurrency: 4 } },
};

const people = ['ada', 'alan', 'barbara', 'dennis', 'donald', 'edsger', 'frances', 'grace', 'ken',
  'linus', 'margaret', 'radia', 'tony'];

export async function populate(t, daemon) {
  const worker = sdk(t, daemon, { workerName: 'mailer' });
  worker.registerFunction('welcome', async () => ({ sent: true }));
  worker.registerFunction('sync-seats', async () => ({}));
  worker.registerFunction('add', async ({ a, b }) => ({ sum: a + b }));
  worker.registerFunction('charge', async () => {
    throw new Error('the card was declined');
  });
  await waitFor('the worker', async () => (await daemon.http('GET', '/v1/workers')).json.workers.length);
  for (const [i, key] of people.entries()) {
    await daemon.set('users', key, { plan: 'free', email: `${key}@example.com`, seats: i });
  }
  await daemon.set('users', 'ada', { plan: 'pro', email: 'ada@example.com', seats: 3 });
  await daemon.set('users', 'grace', { plan: 'free', email: 'grace@example.org', seats: 9 });
  await daemon.set('shop/cart-17', 'items', ['tea', 'honey']);
  await daemon.set('shop/cart-17', 'total', 12.5);
  await daemon.set('shop/cart-18', 'items', []);
  await daemon.set('orders', 'o-1001', { plan: 'pro', amount: 49 });
  await daemon.set('payments', 'p-1', { amount: 49, card: '4242' });
  await daemon.set('flags', 'dark-mode', { on: true });
  await daemon.http('PUT', '/v1/alarms/users/ada', { delay: '3d', payload: { why: 'trial' } });
  await daemon.http('PUT', '/v1/alarms/users/grace', { every: '1h' });
  await daemon.http('PUT', '/v1/alarms/shop%2Fcart-17', { delay: '30m', name: '' });
  await daemon.http('POST', '/v1/queues/mail/welcome', { to: 'ada' });
  await waitFor('a dead letter and a job', async () =>
    (await daemon.dead()).length &&
    (await daemon.jobs()).some((job) => job.failed_attempts === 2));
  return worker;
}

export async function startWorld(t) {
  const daemon = await startDaemon(t, config);
  daemon.worker = await populate(t, daemon);
  return daemon;
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const ends = [];
  const t = { after: (end) => ends.unshift(end) };
  const daemon = await new Daemon(tempDir(t), Number(process.argv[2] ?? 49200), config).start();
  t.after(() => daemon.stop());
  await populate(t, daemon);
  console.log(daemon.url);
  await once(process, 'SIGTERM');
  for (const end of ends) await end();
  process.exit();
}
