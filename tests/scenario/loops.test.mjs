// Triggers that wake themselves: told by their rate where the SDK brings no baggage back.
import assert from 'node:assert/strict';
import { childWorker, sdk, startDaemon, test, waitFor } from './lib.mjs';

const loop = (worker, id = 'count', scope = 'counters') => {
  worker.on(id, { scope }, async (event) => {
    await worker.call('state::update', { scope: event.scope, key: event.key, ops: [{ type: 'increment', path: 'n', by: 1 }] });
  });
};

test('a trigger that wakes itself where no cause is known is paused as suspected', async (t) => {
  const daemon = await startDaemon(t, { delivery: { loop_rate: 50 } });
  loop(sdk(t, daemon)); // OpenTelemetry is off: no baggage comes back
  await daemon.trigger('count', (one) => one.status === 'live');
  for (let n = 0; n < 8; n += 1) await daemon.set('counters', `k${n}`, { n: 0 });
  const paused = await daemon.trigger('count', (one) => one.status === 'paused');
  assert.match(paused.paused_because, /^loop_suspected: its function wrote \d+ .*loop_rate 50/);
  assert.match(daemon.log, /trigger \S+ is paused: loop_suspected/);
  // It holds what came meanwhile, over a kill, and goes on when somebody says so.
  await daemon.kill();
  await daemon.start();
  await daemon.trigger('count', (one) => one.status === 'paused');
  const before = (await daemon.events()).length;
  assert.equal((await daemon.cli('trigger', 'resume', paused.id)).code, 0);
  await waitFor('it to go on', async () => (await daemon.events()).length > before);
  await daemon.trigger('count', (one) => one.status === 'paused');
});

test('who writes from outside its handlers is not suspected, and 0 suspects nobody', async (t) => {
  const daemon = await startDaemon(t, { delivery: { loop_rate: 50 } });
  const worker = sdk(t, daemon);
  let handled = 0;
  worker.on('count', { scope: 'counters' }, async () => {
    handled += 1;
  });
  await daemon.trigger('count', (one) => one.status === 'live');
  const other = sdk(t, daemon);
  const end = performance.now() + 3000;
  let written = 0;
  while (performance.now() < end) {
    await Promise.all(Array.from({ length: 20 }, (_, n) => other.call('state::set', { scope: 'counters', key: `k${n}`, value: written + n })));
    written += 20;
  }
  await daemon.settled();
  assert.ok(written / 3 > 50, `${written} events in 3 s`);
  assert.equal(handled, written);
  await daemon.restart('SIGTERM', { delivery: { loop_rate: 0 } });
  loop(worker, 'free', 'free');
  const { id } = await daemon.trigger('free', (one) => one.status === 'live');
  await daemon.set('free', 'k', { n: 0 });
  await waitFor('many rounds', async () => (await daemon.get('free', 'k')).n > 600);
  assert.deepEqual((await daemon.triggers()).filter((one) => one.status === 'paused'), []);
  assert.equal((await daemon.cli('trigger', 'pause', id)).code, 0); // or it would never end
});

test('a trigger whose function is known to write what wakes it is warned of', async (t) => {
  const daemon = await startDaemon(t);
  childWorker(t, daemon, 'notes.mjs'); // OpenTelemetry is on: its writes say what made them
  await daemon.trigger('note', (one) => one.status === 'live');
  await daemon.set('notes', 'in1', 'x');
  await waitFor('the note', () => daemon.get('notes', 'out-in1'));
  assert.equal((await daemon.trigger('note')).warning, undefined);
  const register = (id, config) => daemon.call('engine::register_trigger',
    { id, trigger_type: 'state', function_id: 'note', config: { scope: 'notes', paused: true, ...config } });
  assert.equal((await register('deletions', { events: ['deleted'] })).warning, undefined);
  const { warning } = await register('all', {});
  assert.match(warning, /has written the key "out-in1" of the scope "notes" \(event 2\)/);
  assert.match(daemon.log, /trigger all may wake itself: its function has written the key/);
  assert.equal((await daemon.http('GET', '/v1/triggers/all')).json.warning, warning);
  assert.equal((await daemon.triggers()).find((one) => one.id === 'all').warning, warning);
});

test('what the config says by itself is told by pawl check, and where the trigger is listed', async (t) => {
  const copy = (scope) => ({ id: `to-${scope}`, function: 'state::set', scope: 'users',
    select: { scope: `'${scope}'`, key: 'key', value: 'new_value' } });
  const daemon = await startDaemon(t, { triggers: [copy('users'), copy('others')] });
  const text = await daemon.cli('check', '--config', daemon.configFile);
  assert.equal(text.code, 0);
  assert.match(text.stdout, /^ok: 0 functions, 2 triggers\nline \d+: trigger to-users may wake itself: its function state::set writes the scope that wakes it\n$/);
  const { warnings, ok } = JSON.parse((await daemon.cli('check', '--config', daemon.configFile, '--json')).stdout);
  assert.deepEqual([ok, warnings.length], [true, 1]);
  assert.deepEqual((await daemon.triggers()).map((one) => [one.id, typeof one.warning]),
    [['to-users', 'string'], ['to-others', 'undefined']]);
  assert.match((await daemon.cli('triggers')).stdout, /\n\nto-users may wake itself: its function state::set writes/);
});
