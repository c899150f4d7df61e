// What Prometheus scrapes: read by a parser of its format, compared with what happened.
import assert from 'node:assert/strict';
import parse from 'parse-prometheus-text-format';
import { sdk, startDaemon, test, waitFor } from './lib.mjs';

const scrape = async (daemon) => {
  const reply = await daemon.http('GET', '/metrics');
  assert.equal(reply.status, 200);
  assert.equal(reply.headers.get('content-type'), 'text/plain; version=0.0.4; charset=utf-8');
  const families = new Map(parse(reply.text).map((one) => [one.name, one]));
  // The parser passes over what it does not understand: count for ourselves.
  const types = [...reply.text.matchAll(/^# TYPE (\S+) /gm)].map((found) => found[1]);
  assert.equal(new Set(types).size, types.length);
  const samples = reply.text.split('\n').filter((line) => line && !line.startsWith('#'));
  const series = samples.map((line) => line.slice(0, line.lastIndexOf(' ')));
  assert.equal(new Set(series).size, series.length, 'a series comes twice');
  for (const line of samples) {
    assert.match(line, /^[a-z_]+(\{[a-z]+="(\\[\\n"]|[^\\"\n])*"(,[a-z]+="(\\[\\n"]|[^\\"\n])*")*\})? [0-9.]+$|_bucket\{le="\+Inf"\} \d+$/);
  }
  const value = (name, labels = {}) => {
    const found = families.get(name)?.metrics.find((one) =>
      Object.entries(labels).every(([label, text]) => one.labels?.[label] === text));
    return found === undefined ? undefined : Number(found.value ?? found.count);
  };
  return { text: reply.text, families, types, value };
};

test('the figures are those of what happened', async (t) => {
  const daemon = await startDaemon(t, { delivery: { retry: { initial_ms: 1, max_ms: 1, max_attempts: 2 } } });
  const worker = sdk(t, daemon);
  worker.on('fails', { scope: 's', key: 'bad' }, async () => { throw new Error('no'); });
  worker.on('works', { scope: 's', when: 'new_value < 10' }, async () => 'ok');
  await daemon.trigger('fails');
  const { id } = await daemon.trigger('works');
  for (let i = 0; i < 5; i++) await worker.call('state::set', { scope: 's', key: `k${i}`, value: i });
  await worker.call('state::set', { scope: 's', key: 'bad', value: 'no number' });
  await daemon.settled();
  const figures = await scrape(daemon);
  const { value } = figures;
  assert.equal(value('pawl_ok'), 1);
  assert.ok(value('pawl_events_total') >= 7); // six changes, and what tells of the dead letter
  assert.deepEqual([value('pawl_deliveries_total', { outcome: 'delivered' }),
    value('pawl_deliveries_total', { outcome: 'dead' }), value('pawl_failed_attempts_total'),
    value('pawl_retries_total'), value('pawl_dead_letters'), value('pawl_condition_errors_total')],
    [5, 1, 2, 1, 1, 1]);
  assert.equal(value('pawl_trigger_deliveries_total', { trigger: id, outcome: 'delivered' }), 5);
  assert.equal(value('pawl_trigger_condition_errors_total', { trigger: id }), 1);
  assert.equal(value('pawl_calls_total', { end: 'failed' }), 2);
  assert.ok(value('pawl_workers') >= 1 && value('pawl_connections') >= 2);
  assert.ok(value('process_resident_memory_bytes') > 1e6 && value('process_open_fds') > 5);
  const lateness = figures.families.get('pawl_delivery_lateness_seconds').metrics[0];
  assert.deepEqual([Number(lateness.count), Number(lateness.buckets['+Inf'])], [6, 6]);
  assert.ok(Number(lateness.buckets['500']) === 6 && Number(lateness.sum) < 60);
  const attempts = figures.families.get('pawl_attempt_duration_seconds').metrics[0];
  assert.equal(Number(attempts.count), 7);
  const status = await daemon.call('engine::status');
  assert.equal(value('pawl_journal_last_seq'), status.store.last_seq);
  assert.equal(value('pawl_watchers'), 0);
  const stop = new AbortController();
  t.after(() => stop.abort());
  const stream = (await fetch(`${daemon.url}/v1/watch?scope=s`, { signal: stop.signal })).body.getReader();
  await waitFor('the watcher', async () => (await scrape(daemon)).value('pawl_watchers') === 1);
  await daemon.set('s', 'watched', 1);
  await stream.read();
  await waitFor('what it was sent', async () => (await scrape(daemon)).value('pawl_watch_sent_total') === 1);
  stop.abort();
  const before = value('pawl_commits_total');
  await daemon.set('s', 'k', 1);
  assert.ok((await scrape(daemon)).value('pawl_commits_total') > before);
});

test('the text of a trigger is a label, whatever it is; of many the rest stands together', async (t) => {
  const odd = ['a "quoted"', 'back\\slash', 'ünï', 'a{b="c"} 1', 'other'];
  const ids = [...odd, ...Array.from({ length: 1000 }, (_, i) => `t${i}`)];
  const daemon = await startDaemon(t, { functions: [{ id: 'f', exec: { command: ['true'] } }],
    triggers: ids.map((id) => ({ id, type: 'state', scope: 's', key: id, function: 'f' })) });
  for (const id of ['a "quoted"', 'other', 't1', 't998', 't999']) await daemon.set('s', id, 1);
  const at = (figures, trigger) => figures.value('pawl_trigger_deliveries_total', { trigger, outcome: 'delivered' });
  await waitFor('all to be delivered', async () =>
    (await scrape(daemon)).value('pawl_deliveries_total', { outcome: 'delivered' }) === 5);
  const figures = await scrape(daemon);
  const series = figures.families.get('pawl_trigger_matched_total').metrics;
  assert.equal(series.length, 1001);
  for (const id of odd) assert.ok(figures.text.includes(
    `pawl_trigger_waiting{trigger="${id.replace(/[\\"]/g, '\\$&')}"} 0\n`), id);
  assert.equal(at(figures, 't1'), 1);
  assert.equal(at(figures, 't999'), undefined);
  assert.ok(at(figures, 'other') >= 2); // its own, t999, perhaps t998
  const sum = figures.families.get('pawl_trigger_deliveries_total').metrics
    .filter((one) => one.labels.outcome === 'delivered').reduce((all, one) => all + Number(one.value), 0);
  assert.equal(sum, 5);
});

test('a trigger that goes takes its series along, the totals stay', async (t) => {
  const daemon = await startDaemon(t, { functions: [{ id: 'f', exec: { command: ['true'] } }] });
  const { id } = await daemon.call('engine::register_trigger', { trigger_type: 'state', function_id: 'f', config: { scope: 's' } });
  await daemon.set('s', 'k', 1);
  await daemon.settled();
  assert.equal((await scrape(daemon)).value('pawl_trigger_matched_total', { trigger: id }), 1);
  await daemon.call('engine::unregister_trigger', { id });
  const figures = await waitFor('it to go', async () => {
    const now = await scrape(daemon);
    return now.value('pawl_trigger_matched_total', { trigger: id }) === undefined && now;
  });
  assert.equal(figures.value('pawl_deliveries_total', { outcome: 'delivered' }), 1);
});
