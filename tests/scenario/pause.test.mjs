// Paused triggers: by command, by HTTP, by a worker; what waits, what is dropped, what a crash leaves.
import assert from 'node:assert/strict';
import { Inbox, gate, sdk, startDaemon, test, waitFor } from './lib.mjs';

const config = {
  triggers: [{ id: 'audit', function: 'audit', scope: 's' }],
};

function recorder(t, daemon, function_id = 'audit') {
  const inbox = new Inbox();
  sdk(t, daemon).registerFunction(function_id, async (event) => inbox.put(event));
  return inbox;
}

async function shown(daemon) {
  return (await daemon.triggers()).find((one) => one.id === 'audit');
}

test('a paused trigger holds its events over kill -9 and drains them in order', async (t) => {
  const daemon = await startDaemon(t, config);
  const inbox = recorder(t, daemon);
  await daemon.set('s', 'k', 0);
  await inbox.count(1);
  const paused = await daemon.cli('trigger', 'pause', 'audit', '--reason', 'the database moves');
  assert.equal(paused.code, 0, paused.stderr);
  for (let n = 1; n <= 50; n += 1) await daemon.set('s', n % 2 ? 'k' : 'j', n);
  assert.deepEqual(await daemon.jobs(), []);
  await daemon.kill();
  await daemon.start();
  await daemon.trigger('audit', (one) => one.status === 'paused');
  const table = await daemon.cli('triggers');
  assert.match(table.stdout, /audit .*paused .*the database moves/);
  await daemon.set('s', 'k', 51);
  assert.equal(inbox.items.length, 1);

  assert.equal((await daemon.cli('trigger', 'resume', 'audit')).code, 0);
  await inbox.count(52);
  await daemon.settled();
  for (const key of ['k', 'j']) {
    const got = inbox.items.filter((one) => one.key === key).map((one) => one.seq);
    assert.deepEqual(got, [...got].sort((a, b) => a - b));
  }
  assert.equal(inbox.items.length, 52);
  assert.notEqual((await shown(daemon)).status, 'paused');
});

test('what runs when a trigger is paused may finish; its retries wait', async (t) => {
  const daemon = await startDaemon(t, {
    triggers: [{ ...config.triggers[0], retry: { initial_ms: 1, jitter: 0 } }] });
  const go = gate();
  const inbox = new Inbox();
  sdk(t, daemon).registerFunction('audit', async (event) => {
    inbox.put(event);
    await go.promise;
    if (event.attempt === 1) throw new Error('not yet');
  });
  await daemon.set('s', 'k', 1);
  await inbox.count(1);
  assert.equal((await daemon.http('POST', '/v1/triggers/audit/pause')).json.paused, true);
  go.open();
  await waitFor('the attempt to have failed', async () => (await shown(daemon)).failed_attempts === 1);
  await waitFor('its wait to be over', async () => (await daemon.jobs())[0].state === 'ready');
  assert.equal(inbox.items.length, 1);
  await daemon.http('POST', '/v1/triggers/audit/resume');
  await inbox.count(2);
  await daemon.settled();
  assert.equal(inbox.items[1].attempt, 2);
});

test('a worker pauses a trigger that drops what comes meanwhile', async (t) => {
  const daemon = await startDaemon(t, config);
  const inbox = recorder(t, daemon);
  const worker = sdk(t, daemon);
  await worker.call('engine::triggers::pause', { id: 'audit', mode: 'drop', reason: 'import' });
  for (let n = 0; n < 10; n += 1) await daemon.set('s', 'k', n);
  await daemon.settled();
  const trigger = await shown(daemon);
  assert.equal(trigger.dropped, 10);
  assert.equal(trigger.pause, 'drop');
  assert.equal(trigger.paused_because, 'import');
  await worker.call('engine::triggers::resume', { id: 'audit' });
  await daemon.kill(); // the cursor may not have passed what was dropped
  await daemon.start();
  await daemon.set('s', 'k', 'after');
  await inbox.count(1);
  await daemon.settled();
  assert.deepEqual(inbox.items.map((one) => one.new_value), ['after']);
});

test('a trigger may begin paused, and a wrong request is refused', async (t) => {
  const daemon = await startDaemon(t, { triggers: [{ ...config.triggers[0], paused: true }] });
  const inbox = recorder(t, daemon);
  await daemon.set('s', 'k', 1);
  assert.match((await shown(daemon)).paused_because, /paused: true/);
  const unknown = await daemon.http('POST', '/v1/triggers/nobody/pause');
  assert.deepEqual([unknown.status, unknown.json.code], [404, 'trigger_not_found']);
  const odd = await daemon.http('POST', '/v1/triggers/audit/pause', { mode: 'often' });
  assert.deepEqual([odd.status, odd.json.code], [400, 'invalid_data']);
  assert.equal((await daemon.cli('trigger', 'resume', 'nobody')).code, 4);
  await daemon.http('POST', '/v1/triggers/audit/resume');
  await inbox.count(1);
  await daemon.restart(); // resumed is what it stays, whatever the config began with
  assert.notEqual((await shown(daemon)).status, 'paused');
});
