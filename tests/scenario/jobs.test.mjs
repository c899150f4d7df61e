// Jobs: what is owed and what it waits for; cancelled for good, or tried again now.
import assert from 'node:assert/strict';
import { Inbox, sdk, startDaemon, test, waitFor } from './lib.mjs';

const config = {
  triggers: [{ id: 'mail', function: 'mail', scope: 's', retry: { initial_ms: 3600000, max_ms: 3600000 } }],
};

// Fails for the value "bad" as long as it is told to.
function mailer(t, daemon) {
  const inbox = new Inbox();
  const mailer = { inbox, works: false };
  sdk(t, daemon).registerFunction('mail', async (event) => {
    inbox.put(event);
    if (event.new_value === 'bad' && !mailer.works) throw new Error('no such address');
  });
  return mailer;
}

const sleeping = (daemon) => waitFor('the job', async () =>
  (await daemon.jobs()).find((one) => one.state === 'sleeping'));

test('a cancelled delivery never runs again, and the next of its key goes on', async (t) => {
  const daemon = await startDaemon(t, config);
  const { inbox } = mailer(t, daemon);
  await daemon.set('s', 'k', 'bad');
  const job = await sleeping(daemon);
  await daemon.set('s', 'k', 'next');
  assert.equal(job.waits_for, 'retry');
  assert.equal(job.id, inbox.items[0].delivery_id);
  assert.ok(job.age_ms >= 0);
  const cancelled = await daemon.cli('jobs', 'cancel', job.id, '--json');
  assert.equal(cancelled.code, 0, cancelled.stderr);
  assert.deepEqual(JSON.parse(cancelled.stdout), { id: job.id, cancelled: true });
  await daemon.kill();
  await daemon.start();
  await waitFor('the next one', () => inbox.items.some((one) => one.new_value === 'next'));
  await daemon.settled();
  assert.equal(inbox.items.filter((one) => one.new_value === 'bad').length, 1);
  assert.deepEqual([await daemon.jobs(), await daemon.dead()], [[], []]);
  assert.equal((await daemon.cli('jobs', 'cancel', job.id)).code, 4);
});

test('a delivery that waits is tried again now, by HTTP or by a worker', async (t) => {
  const daemon = await startDaemon(t, config);
  const mail = mailer(t, daemon);
  await daemon.set('s', 'k', 'bad');
  let job = await sleeping(daemon);
  const where = `/v1/jobs/${encodeURIComponent(job.id)}/retry`;
  assert.equal((await daemon.http('POST', where)).json.retried, true);
  await mail.inbox.count(2);
  job = await sleeping(daemon);
  assert.equal(job.failed_attempts, 2);
  mail.works = true;
  await sdk(t, daemon).call('engine::jobs::retry', { id: job.id });
  await mail.inbox.count(3);
  await daemon.settled();
  const gone = await daemon.http('POST', where);
  assert.deepEqual([gone.status, gone.json.code], [404, 'job_not_found']);
});

test('jobs tell what they wait for, and are counted', async (t) => {
  const daemon = await startDaemon(t, config);
  await daemon.set('s', 'a', 1);
  await daemon.set('s', 'a', 2);
  const parked = (await daemon.http('GET', '/v1/jobs')).json;
  assert.deepEqual(parked.jobs.map((one) => one.waits_for), ['worker', 'turn']);
  assert.deepEqual([parked.total, parked.waiting, parked.running, parked.parked], [2, 2, 0, 1]);
  assert.match((await daemon.cli('jobs')).stdout, /ready .* worker /);
  await daemon.http('POST', '/v1/triggers/mail/pause');
  assert.equal((await daemon.jobs())[0].waits_for, 'resume');
  const refused = await daemon.http('POST', `/v1/jobs/${encodeURIComponent(parked.jobs[0].id)}/retry`);
  assert.deepEqual([refused.status, refused.json.code], [409, 'job_not_waiting']);
});
