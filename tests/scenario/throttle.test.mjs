// Throttled triggers with a real worker: the rate, the order, and no burst behind kill -9.
import assert from 'node:assert/strict';
import { Inbox, sdk, startDaemon, startManual, test, waitFor } from './lib.mjs';

const config = (throttle) => ({ triggers: [{ id: 'crm', function: 'crm', scope: 's', order: 'none', throttle }] });

test('calls begin at the rate, in order, and each value has its own', async (t) => {
  const daemon = await startManual(t, config({ rate: 10, per: '1h', key: 'new_value.tenant' }));
  const inbox = new Inbox();
  const now = async () => (await daemon.http('GET', '/v1/clock')).json.now_ms;
  sdk(t, daemon).registerFunction('crm', async (event) => inbox.put({ ...event, at: await now() }));
  await daemon.trigger('crm', (one) => one.status !== 'unbound');
  const begin = await now();
  for (let n = 0; n < 12; n += 1) await daemon.set('s', `k${n}`, { tenant: n % 2 ? 'a' : 'b', n });
  await inbox.count(2);
  const waiting = await daemon.jobs();
  assert.ok(waiting.some((job) => job.waits_for === 'throttle' && job.state === 'ready'));
  await daemon.advance(29 * 60000);
  assert.equal(inbox.items.length, 10);
  await daemon.advance(60000);
  for (const [tenant, first] of [['a', 1], ['b', 0]]) {
    const got = inbox.items.filter((one) => one.new_value.tenant === tenant);
    assert.deepEqual(got.map((one) => one.new_value.n), [0, 2, 4, 6, 8, 10].map((n) => n + first));
    assert.deepEqual(got.map((one) => (one.at - begin) / 60000), [0, 6, 12, 18, 24, 30]);
  }
  await daemon.settled();
  assert.equal((await daemon.triggers()).find((one) => one.id === 'crm').throttled, 0);
});

test('a restart lets no burst through', async (t) => {
  const daemon = await startDaemon(t, config({ rate: 1, per: '1h' }));
  const inbox = new Inbox();
  sdk(t, daemon).registerFunction('crm', async (event) => inbox.put(event));
  for (let n = 0; n < 3; n += 1) await daemon.set('s', `k${n}`, n);
  await inbox.count(1);
  await waitFor('the outcome and the next slot to be on disk', async () =>
    (await daemon.triggers()).find((one) => one.id === 'crm').delivered === 1);
  await daemon.set('other', 'k', 1); // a group that the cursor rides in
  await waitFor('the jobs', async () => (await daemon.jobs()).every((job) => job.waits_for === 'throttle'));
  for (const signal of ['SIGTERM', 'SIGKILL']) {
    await daemon.restart(signal);
    await daemon.trigger('crm', (one) => one.status !== 'unbound');
    await waitFor('both to wait again', async () => {
      const jobs = await daemon.jobs();
      return jobs.length === 2 && jobs.every((job) => job.waits_for === 'throttle');
    });
    assert.equal(inbox.items.length, 1, signal);
  }
});

test('a throttle without its rate is refused', async (t) => {
  const daemon = await startDaemon(t, {});
  const answer = await daemon.http('POST', '/v1/triggers',
    { id: 'x', type: 'state', function_id: 'f', config: { throttle: { per: '1s' } } });
  assert.equal(answer.status, 400);
  assert.match(answer.json.detail, /'throttle' needs a rate and a per/);
});
