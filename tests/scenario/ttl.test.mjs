// Records that expire: exact events though nobody reads, over restarts and crashes, many at once.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { Inbox, startDaemon, sdk, test, waitFor } from './lib.mjs';

const expiries = (events) => events.filter((one) => one.reason === 'expired');

test('a trigger hears of every record that expires, in its time and with its last value', async (t) => {
  const daemon = await startDaemon(t);
  const worker = sdk(t, daemon);
  const inbox = new Inbox();
  worker.on('bye', { scope: 'sessions', events: ['deleted'] }, async (event) => inbox.put(event));
  await daemon.trigger('bye');
  await worker.call('state::set', { scope: 'sessions', key: 'a', value: { user: 'ada' }, ttl_ms: 300 });
  await worker.call('state::update', { scope: 'sessions', key: 'a', // keeps its time
    ops: [{ type: 'set', path: 'n', value: 1 }] });
  await worker.call('state::set', { scope: 'sessions', key: 'b', value: 1, ttl_ms: 300 });
  await worker.call('state::set', { scope: 'sessions', key: 'b', value: 2 }); // lasts now
  const [event] = await inbox.count(1);
  assert.deepEqual([event.key, event.reason, event.old_value, event.new_value],
    ['a', 'expired', { user: 'ada', n: 1 }, null]);
  const late = Date.parse(event.time) - Date.parse(event.expires_at);
  assert.ok(late >= 0 && late < 2000, `${late} ms late`); // 50 on a quiet machine; see bench
  assert.equal(await daemon.get('sessions', 'b'), 2);
  assert.equal(await daemon.get('sessions', 'a'), undefined);
  await daemon.settled();
  assert.equal(inbox.items.length, 1);
});

test('what expired while the daemon was away ends once, as soon as it is back', async (t) => {
  const daemon = await startDaemon(t);
  for (const signal of ['SIGTERM', 'SIGKILL']) {
    const key = `k${signal}`;
    const { expires_at } = await daemon.call('state::set', { scope: 's', key, value: 1, ttl: '50ms' });
    await daemon.stop(signal);
    await waitFor('its time', () => Date.now() > Date.parse(expires_at));
    await daemon.start();
    assert.equal(await daemon.get('s', key), undefined);
    await waitFor('its event', async () => expiries(await daemon.events()).some((one) => one.key === key));
    await daemon.restart(signal);
    assert.equal(expiries(await daemon.events()).filter((one) => one.key === key).length, 1);
  }
});

for (const point of ['expire:1', 'sync:4', 'answer:4', 'apply:2']) {
  test(`a crash at ${point} neither loses nor repeats the end of a record`, async (t) => {
    const daemon = await startDaemon(t, {}, { PAWL_CRASH_AT: point });
    const keys = [...Array(40).keys()].map((i) => `k${i}`);
    const far = { scope: 's', key: 'far', value: 1, ttl: '1h' };
    const written = async (one) => {
      await daemon.call('state::set', one);
      return one.key;
    };
    const set = await Promise.allSettled([far, ...keys.map((key) =>
      ({ scope: 's', key, value: 1, ttl_ms: 150 }))].map(written));
    const acknowledged = set.filter((one) => one.value && one.value !== 'far').map((one) => one.value);
    if (point !== 'apply:2') assert.equal((await daemon.gone).signal, 'SIGKILL');
    else await daemon.kill();
    daemon.env = {};
    await daemon.start();
    await waitFor('all to expire', async () => {
      const ended = new Set(expiries(await daemon.events()).map((one) => one.key));
      return acknowledged.every((key) => ended.has(key));
    });
    const ended = expiries(await daemon.events()).map((one) => one.key);
    assert.equal(new Set(ended).size, ended.length);
    assert.ok(!ended.includes('far'));
    const { items } = await daemon.call('state::list', { scope: 's', with_keys: true });
    assert.ok(items.every((one) => one.key === 'far'));
  });
}

test('ten thousand that expire in one instant all end, while others are served', async (t) => {
  const daemon = await startDaemon(t);
  const expires_at = Date.now() + 3000;
  const ops = [...Array(10000).keys()].map((i) =>
    ({ type: 'set', scope: 's', key: `k${i}`, value: i, expires_at }));
  for (let i = 0; i < ops.length; i += 100) {
    await daemon.call('state::transact', { ops: ops.slice(i, i + 100) });
  }
  await daemon.restart(); // they come from the disk, page by page
  await waitFor('their time', () => Date.now() >= expires_at);
  const begun = performance.now();
  await daemon.set('other', 'k', 1);
  const took = performance.now() - begun;
  assert.ok(took < 2000, `a write took ${took} ms meanwhile`);
  await waitFor('all to end', async () => {
    const { store } = await daemon.call('engine::status');
    return store.last_seq === 20001;
  });
  const ended = expiries(await daemon.events());
  assert.equal(new Set(ended.map((one) => one.key)).size, 10000);
  assert.equal(ended.length, 10000);
});

test('the command line says how long, and shows it', async (t) => {
  const daemon = await startDaemon(t);
  const set = await daemon.cli('set', 's', 'k', '1', '--ttl', '30m', '--json');
  assert.equal(set.code, 0, set.stderr);
  const { expires_at } = JSON.parse(set.stdout);
  const left = Date.parse(expires_at) - Date.now();
  assert.ok(left > 29 * 60000 && left <= 30 * 60000, `${left}`);
  const wrong = await daemon.cli('set', 's', 'k', '1', '--ttl', 'soon');
  assert.equal(wrong.code, 1);
  assert.match(wrong.stderr, /"30m"/);
  const put = await daemon.http('PUT', '/v1/state/s/k?expires_at=2099-01-01T00:00:00Z', 1);
  assert.equal(put.json.expires_at, '2099-01-01T00:00:00.000Z');
});

test('a scope gives its records a time, and a reload changes that for those that come', async (t) => {
  const daemon = await startDaemon(t, { scopes: [{ match: 'cache-*', ttl: '1h' }] });
  const until = async (scope, key) => {
    const { expires_at } = await daemon.call('state::set', { scope, key, value: 1 });
    return expires_at && Math.round((Date.parse(expires_at) - Date.now()) / 60000);
  };
  assert.equal(await until('cache-a', 'k'), 60);
  assert.equal(await until('users', 'k'), undefined);
  const rewrite = (scopes) => fs.writeFileSync(daemon.configFile, JSON.stringify(
    { listen: `127.0.0.1:${daemon.port}`, data: daemon.data, scopes }));
  rewrite([{ match: 'users', ttl: '2h' }]);
  const { stdout } = await daemon.cli('reload', '--json');
  assert.match(stdout, /"id":\s*"scopes"/);
  assert.equal(await until('cache-b', 'k'), undefined);
  assert.equal(await until('users', 'l'), 120);
  rewrite([{ match: '[', ttl: 'soon' }]);
  const wrong = await daemon.cli('reload');
  assert.notEqual(wrong.code, 0);
  assert.match(wrong.stderr, /match/);
  assert.equal(await until('users', 'm'), 120);
});
