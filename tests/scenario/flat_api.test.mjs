// What the flat HTTP API shows one by one, and triggers that are replaced at run time.
import assert from 'node:assert/strict';
import { gate, sdk, startDaemon, test, waitFor } from './lib.mjs';

const NAMES = ['plain', 'a/b', '100%', 'what?', 'a#b', 'ü €', ' leading', 'a+b', '%2F'];
const seg = encodeURIComponent;

test('a trigger is put: made, left alone, replaced with a new version, kept when the new one is wrong', async (t) => {
  const daemon = await startDaemon(t, {
    functions: [{ id: 'keep', exec: { command: ['cat'] } }],
    triggers: [{ id: 'fixed', type: 'state', scope: 's', function: 'keep' }],
  });
  const worker = sdk(t, daemon);
  const calls = [];
  worker.registerFunction('note', async (event) => void calls.push(event.key));
  const put = (id, body) => daemon.http('PUT', `/v1/triggers/${seg(id)}`, body);
  const trigger = (key) => ({ trigger_type: 'state', function_id: 'note', config: { scope: 'users', key } });
  for (const name of NAMES) {
    const made = await put(name, { ...trigger('a'), id: 'another' });
    assert.equal(made.status, 200, made.text);
    assert.deepEqual(made.json, { id: name, version: 1, replaced: false });
    const shown = await daemon.http('GET', `/v1/triggers/${seg(name)}`);
    assert.deepEqual([shown.json.id, shown.json.version], [name, 1]);
    assert.equal((await daemon.http('DELETE', `/v1/triggers/${seg(name)}`)).status, 200);
  }
  assert.deepEqual((await put('one', trigger('a'))).json, { id: 'one', version: 1, replaced: false });
  assert.deepEqual((await put('one', trigger('a'))).json, { id: 'one', version: 1, replaced: true });
  await waitFor('the function', async () => (await daemon.http('GET', '/v1/functions/note')).status === 200);
  await daemon.set('users', 'a', 1);
  assert.deepEqual((await put('one', trigger('b'))).json, { id: 'one', version: 2, replaced: true });
  const wrong = await put('one', { ...trigger('b'), config: { when: 'new_value..x' } });
  assert.equal(wrong.status, 400);
  assert.equal((await daemon.http('GET', '/v1/triggers/one')).json.version, 2);
  await daemon.set('users', 'a', 2); // the new version does not want it
  await daemon.set('users', 'b', 1);
  await daemon.settled();
  assert.deepEqual(calls, ['a', 'b']);
  const fixed = await put('fixed', trigger('a'));
  assert.deepEqual([fixed.status, fixed.json.code], [409, 'trigger_in_config']);
  await daemon.kill();
  await daemon.start();
  assert.equal((await daemon.http('GET', '/v1/triggers/one')).json.version, 2);
});

test('names are percent-encoded in every path', async (t) => {
  const daemon = await startDaemon(t, { queues: { mail: {} } });
  const worker = sdk(t, daemon);
  const good = async (method, where, body) => {
    const reply = await daemon.http(method, where, body);
    assert.ok(reply.status < 300, `${method} ${where}: ${reply.text}`);
    return reply.json;
  };
  for (const name of NAMES) {
    worker.registerFunction(name, async (data) => ({ name, data }));
    await waitFor(name, async () =>
      (await daemon.http('GET', `/v1/functions/${seg(name)}`)).json?.function_id === name);
    assert.deepEqual(await good('POST', `/v1/functions/${seg(name)}/invoke`, 1), { name, data: 1 });
    await good('POST', `/v1/functions/${seg(name)}/enable`);
    await good('POST', `/v1/queues/mail/${seg(name)}`, 1);
    await good('POST', `/v1/topics/${seg(name)}?key=${seg(name)}`, 1);
    const object = `/v1/alarms/${seg(name)}/${seg(name)}?name=${seg(name)}`;
    await good('PUT', `${object}&delay=1h`);
    const alarm = await good('GET', object);
    assert.deepEqual([alarm.scope, alarm.key, alarm.name], [name, name, name]);
    await good('DELETE', object);
    const value = `/v1/state/${seg(name)}/${seg(name)}`;
    await good('PUT', `${value}?encoding=text`, JSON.stringify(name));
    await good('POST', `${value}/update`, { ops: [{ type: 'set', path: '', value: [name] }] });
    assert.deepEqual((await good('GET', `/v1/state/${seg(name)}?prefix=${seg(name)}`)).items[0].key, name);
    assert.deepEqual(await good('DELETE', value), [name]);
    await good('DELETE', `/v1/state/${seg(name)}`);
  }
});

test('one event, one function, one worker, one job', async (t) => {
  const daemon = await startDaemon(t);
  const worker = sdk(t, daemon);
  const hold = gate();
  worker.on('a/b c', { scope: 's' }, async () => hold.promise);
  await daemon.trigger('a/b c');
  await daemon.set('s', 'k', { n: 1 });
  const event = await daemon.http('GET', '/v1/events/1');
  assert.deepEqual(event.json, (await daemon.events())[0]);
  for (const [seq, status, code] of [['2', 404, 'event_not_found'], ['0', 400, 'invalid_argument'],
    ['x', 400, 'invalid_argument'], ['-1', 400, 'invalid_argument']]) {
    const none = await daemon.http('GET', `/v1/events/${seq}`);
    assert.deepEqual([none.status, none.json.code], [status, code], seq);
  }
  const shown = await daemon.http('GET', `/v1/functions/${seg('a/b c')}`);
  assert.equal(shown.json.function_id, 'a/b c');
  assert.equal((await daemon.http('GET', '/v1/functions/none')).status, 404);
  const [first] = (await daemon.http('GET', '/v1/workers')).json.workers;
  assert.equal((await daemon.http('GET', `/v1/workers/${first.id}`)).json.id, first.id);
  assert.equal((await daemon.http('GET', '/v1/workers/none')).status, 404);
  const job = await waitFor('the job', async () => (await daemon.jobs())[0]);
  const one = await daemon.http('GET', `/v1/jobs/${seg(job.id)}`);
  assert.equal(one.status, 200, one.text);
  assert.deepEqual([one.json.id, one.json.trigger, one.json.seq], [job.id, job.trigger, 1]);
  const none = await daemon.http('GET', `/v1/jobs/${seg(`${job.id}x`)}`);
  assert.deepEqual([none.status, none.json.code], [404, 'job_not_found']);
  hold.open();
  await daemon.settled();
  // White space inside an empty object is no member.
  const where = '/v1/triggers/x/pause?mode=hold';
  assert.equal((await daemon.http('POST', where, '{ \n}')).json.code, 'trigger_not_found');
});
