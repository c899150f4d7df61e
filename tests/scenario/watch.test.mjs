// Watch streams: what a real EventSource gets, cut off again and again; snapshots, filters, positions.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { EventSource } from 'eventsource';
import { Inbox, Link, startDaemon, test, waitFor, within } from './lib.mjs';

const NAMES = ['message', 'ready', 'snapshot_begin', 'snapshot', 'snapshot_end', 'condition_error'];

// An EventSource whose events are collected: {name, id, ...data}.
function watch(t, url, query) {
  const inbox = new Inbox();
  const source = new EventSource(`${url}/v1/watch?${new URLSearchParams(query)}`);
  for (const name of NAMES) {
    source.addEventListener(name, (event) =>
      inbox.put({ name, lastId: event.lastEventId, ...JSON.parse(event.data) }));
  }
  t.after(() => source.close());
  return { source, inbox, of: (name) => inbox.items.filter((one) => one.name === name) };
}

const opened = (stream) =>
  stream.inbox.until('the stream to begin', (items) => items.length > 0);

// The bytes of a stream, by hand.
async function raw(t, daemon, target, { version = '1.1', headers = '', method = 'GET' } = {}) {
  const socket = net.connect(daemon.port, '127.0.0.1');
  const got = { socket, text: '' };
  const inbox = new Inbox();
  socket.setEncoding('utf8').on('data', (text) => {
    got.text += text;
    inbox.put(text);
  });
  socket.on('error', () => {});
  t.after(() => socket.destroy());
  await once(socket, 'connect');
  socket.write(`${method} ${target} HTTP/${version}\r\nHost: 127.0.0.1\r\n${headers}\r\n`);
  got.until = (part, deadline) => {
    let from = 0;
    return inbox.until(part, () => {
      const found = got.text.indexOf(part, from) >= 0;
      from = Math.max(0, got.text.length - part.length);
      return found;
    }, deadline);
  };
  got.ended = once(socket, 'end');
  return got;
}

// Many writes in one connection, one behind the other: [method, key, body].
async function pipeline(daemon, scope, writes) {
  const socket = net.connect(daemon.port, '127.0.0.1');
  let answers = 0;
  let refused;
  let rest = '';
  const inbox = new Inbox();
  socket.setEncoding('latin1').on('data', (text) => {
    const all = rest + text;
    const found = all.match(/HTTP\/1\.1 \d{3}/g) ?? [];
    answers += found.length;
    refused ??= found.some((one) => !/ (20.|404)$/.test(one)) ? all : undefined;
    rest = /H[^H]{0,11}$/.exec(all)?.[0] ?? '';
    if (/^HTTP\/1\.1 \d{3}/.test(rest)) rest = '';
    inbox.put(0);
  });
  await once(socket, 'connect');
  for (let at = 0; at < writes.length; at += 500) {
    socket.write(writes.slice(at, at + 500).map(([method, key, body = '']) =>
      `${method} /v1/state/${scope}/${key} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n` +
      `Content-Length: ${body.length}\r\n\r\n${body}`).join(''));
  }
  await inbox.until('all answers', () => refused || answers >= writes.length, 60000);
  assert.equal(refused, undefined);
  socket.destroy();
}

const range = (count, from = 0) => Array.from({ length: count }, (_, i) => i + from);
const status = (daemon) => daemon.call('engine::status');

test('changes come as they happen, in order, with ids; each event is written out once for all', async (t) => {
  const daemon = await startDaemon(t);
  const streams = range(5).map(() => watch(t, daemon.url, { scope: 'users' }));
  const other = watch(t, daemon.url, { scope: 'orders' });
  const all = watch(t, daemon.url, {});
  await Promise.all([...streams, other, all].map(opened));
  await daemon.set('users', 'a', { n: 1 });
  await daemon.set('users', 'a', { n: 2 });
  await daemon.call('state::delete', { scope: 'users', key: 'a' });
  await daemon.set('orders', 'o', 1);
  for (const { inbox, of } of streams) {
    await inbox.count(4);
    assert.deepEqual(of('message').map((one) => [one.event_type, one.old_value, one.new_value]), [
      ['state:created', null, { n: 1 }], ['state:updated', { n: 1 }, { n: 2 }],
      ['state:deleted', { n: 2 }, null]]);
    assert.ok(of('message').every((one) => one.lastId === one.id));
  }
  await all.inbox.count(5);
  await other.inbox.count(2);
  assert.deepEqual(other.of('message').map((one) => one.key), ['o']);
  const { watchers, watch: figures } = await status(daemon);
  assert.equal(watchers, 7);
  assert.deepEqual(figures, { interests: 3, events: 4, sent: 3 * 5 + 1 + 4, reread: 0, cut: 0 });
});

test('an EventSource that is cut 200 times during 50,000 writes misses nothing and gets nothing twice', async (t) => {
  const WRITES = 50000;
  const CUTS = 200;
  const daemon = await startDaemon(t, { watch: { retry: '10ms' } });
  const link = await Link.open(t, daemon.port);
  const seen = [];
  const done = new Inbox();
  const source = new EventSource(`${link.address.replace('ws:', 'http:')}/v1/watch?scope=s`);
  t.after(() => source.close());
  source.onmessage = (event) => {
    seen.push(JSON.parse(event.data).seq);
    if (seen.length === WRITES) done.put(true);
  };
  await within('the stream to be ready', once(source, 'ready')); // it knows `retry` by now
  let cuts = 0;
  let due = 0; // how many cuts this lot of writes is to have
  let written = 0;
  const cutting = (async () => {
    while (cuts < CUTS) {
      await waitFor('more writes', () => cuts < due, 60000);
      const more = Math.floor(Math.random() * 400);
      const aim = Math.min(seen.length + more, written);
      await waitFor('some events', () => seen.length >= aim, 60000);
      const before = link.opened;
      link.cut();
      link.mend();
      cuts++;
      await waitFor('the next connection', () => link.opened > before);
    }
  })();
  for (const lot of range(10)) {
    due += CUTS / 10;
    await pipeline(daemon, 's',
      range(WRITES / 10, lot * (WRITES / 10)).map((n) => ['PUT', `k${n % 97}`, String(n)]));
    written += WRITES / 10;
    await waitFor('the cuts of this lot', () => cuts >= due, 60000);
  }
  await cutting;
  await done.count(1, 60000);
  assert.equal(cuts, CUTS);
  const wrong = seen.findIndex((seq, i) => seq !== i + 1);
  assert.equal(wrong, -1, `at ${wrong}: ${seen.slice(wrong - 2, wrong + 3)}`);
  assert.equal(seen.length, WRITES);
}, 180000);

test('a snapshot with what comes after it ends as the state does, whatever is written meanwhile', async (t) => {
  const daemon = await startDaemon(t);
  await pipeline(daemon, 's', range(3000).map((n) => ['PUT', `a${n}`, `{"n":${n},"t":"${'x'.repeat(300)}"}`]));
  await pipeline(daemon, 's', [['PUT', 'other', '1']]);
  const writing = pipeline(daemon, 's', range(6000).map((n) => {
    const key = `a${(n * 7919) % 4000}`;
    return n % 3 === 0 ? ['DELETE', key] : ['PUT', key, `{"again":${n}}`];
  }));
  const stream = watch(t, daemon.url, { scope: 's', prefix: 'a', snapshot: true });
  await writing;
  await daemon.set('s', 'a-last', 'end');
  await stream.inbox.until('the last change', (items) => items.at(-1)?.key === 'a-last', 30000);
  const names = stream.inbox.items.map((one) => one.name);
  const end = names.indexOf('snapshot_end');
  assert.equal(names[0], 'snapshot_begin');
  assert.ok(names.slice(1, end).every((name) => name === 'snapshot'));
  assert.ok(names.slice(end + 1).every((name) => name === 'message'));
  assert.equal(stream.inbox.items[end].records, end - 1);
  const state = new Map();
  for (const one of stream.inbox.items) {
    if (one.name === 'snapshot') state.set(one.key, one.value);
    else if (one.event_type === 'state:deleted') state.delete(one.key);
    else if (one.name === 'message') state.set(one.key, one.new_value);
  }
  const { items } = await daemon.call('state::list', { scope: 's', prefix: 'a', with_keys: true });
  const sorted = (pairs) => [...pairs].sort(([a], [b]) => (a < b ? -1 : 1));
  assert.deepEqual(sorted(state), sorted(items.map((one) => [one.key, one.value])));
}, 120000);

test('a position is good after SIGTERM and kill -9, and when it comes as since', async (t) => {
  const daemon = await startDaemon(t, { watch: { retry: '10ms' } });
  const stream = watch(t, daemon.url, { scope: 's' });
  await opened(stream);
  let count = 0;
  for (const signal of ['SIGKILL', 'SIGTERM', 'SIGKILL']) {
    await daemon.set('s', 'k', ++count);
    await stream.inbox.until('the change', () => stream.of('message').length === count);
    await daemon.stop(signal);
    await daemon.start();
    await daemon.set('s', 'k', ++count);
    await stream.inbox.until('the change behind the restart', () => stream.of('message').length === count);
  }
  assert.deepEqual(stream.of('message').map((one) => one.new_value), range(count, 1));
  assert.ok(new Set(stream.of('message').map((one) => one.id.split('-')[1])).size > 1, 'several epochs');
  const again = watch(t, daemon.url, { since: stream.of('message')[1].id });
  await again.inbox.count(count - 1);
  assert.deepEqual(again.of('message').map((one) => one.new_value), range(count - 2, 3));
  const plain = watch(t, daemon.url, { since: 0 });
  await plain.inbox.count(count + 1);
  const late = watch(t, daemon.url, { since: stream.of('message').at(-1).id });
  await opened(late);
  await daemon.set('s', 'k', 'new');
  await late.inbox.count(2);
  assert.deepEqual(late.of('message').map((one) => one.new_value), ['new']);
});

test('a position that is of no use is 410, or a snapshot if that was asked for', async (t) => {
  const daemon = await startDaemon(t);
  await daemon.set('s', 'k', 1);
  const [{ id }] = await daemon.events();
  const [log, epoch] = id.split('-');
  const cases = ['99', `${log}-${epoch}-99`, `zzzzzzzz-${epoch}-1`, `${log}-${Number(epoch) + 1}-1`, `${log}-0-1`];
  for (const since of cases) {
    for (const how of [[`/v1/watch?since=${since}`], ['/v1/watch?since=0', { 'last-event-id': since }]]) {
      const answer = await daemon.http('GET', how[0], undefined, how[1]);
      assert.equal(answer.status, 410, `${how}: ${answer.text}`);
      assert.equal(answer.json.code, 'compacted');
      assert.match(answer.json.detail, /snapshot=true/);
    }
  }
  const stream = watch(t, daemon.url, { scope: 's', since: '99', snapshot: true });
  await stream.inbox.count(3);
  assert.deepEqual(stream.inbox.items.map((one) => one.name), ['snapshot_begin', 'snapshot', 'snapshot_end']);
  const good = watch(t, daemon.url, { scope: 's', since: '0', snapshot: true });
  await good.inbox.count(2);
  assert.deepEqual(good.inbox.items.map((one) => one.name), ['ready', 'message']);
});

test('the events behind a position are gone: 410', async (t) => {
  const daemon = await startDaemon(t, { state: { adapter: { name: 'kv', config: { store_method: 'in_memory' } } } });
  const big = JSON.stringify('x'.repeat(1 << 20));
  await pipeline(daemon, 's', range(80).map((n) => ['PUT', `k${n}`, big]));
  const answer = await daemon.http('GET', '/v1/watch?since=1');
  assert.equal(answer.status, 410, answer.text);
  assert.match(answer.json.detail, /are gone up to \d+; ask with snapshot=true/);
});

test('filters: scopes by glob, a prefix, kinds of events, a condition', async (t) => {
  const daemon = await startDaemon(t);
  const glob = watch(t, daemon.url, { scope: 'team-*' });
  const exact = watch(t, daemon.url, { scope: 'team-\\*' });
  const prefix = watch(t, daemon.url, { scope: 'team-1', prefix: 'u_' });
  const created = watch(t, daemon.url, { events: 'created' });
  const every = watch(t, daemon.url, { events: 'all' });
  const when = watch(t, daemon.url, { when: 'new_value.plan == "pro" && changed("plan")' });
  await Promise.all([glob, exact, prefix, created, every, when].map(opened));
  await daemon.set('team-1', 'u_1', { plan: 'free' });
  await daemon.set('team-1', 'u_1', { plan: 'pro' });
  await daemon.set('team-2', 'x', { plan: 'pro' });
  await daemon.set('team-*', 'y', { plan: 'none' });
  await daemon.call('iii::durable::publish', { topic: 'news', data: 1 });
  await daemon.set('end', 'end', { plan: 'none' });
  const keys = (stream) => stream.of('message').map((one) => one.key ?? one.topic);
  await every.inbox.count(7);
  await created.inbox.count(5);
  await glob.inbox.count(5);
  await when.inbox.count(3);
  assert.deepEqual(keys(glob), ['u_1', 'u_1', 'x', 'y']);
  assert.deepEqual(keys(exact), ['y']);
  assert.deepEqual(keys(prefix), ['u_1', 'u_1']);
  assert.deepEqual(keys(created), ['u_1', 'x', 'y', 'end']);
  assert.deepEqual(keys(every), ['u_1', 'u_1', 'x', 'y', 'news', 'end']);
  assert.deepEqual(when.of('message').map((one) => [one.key, one.event_type]),
    [['u_1', 'state:updated'], ['x', 'state:created']]);
});

test('a condition that takes long does not hold up the others, and misses nothing', async (t) => {
  const daemon = await startDaemon(t);
  const dear = watch(t, daemon.url, { scope: 's', when: 'new_value.list.all(x, new_value.list.exists(y, y == x))' });
  const cheap = watch(t, daemon.url, { scope: 's' });
  await Promise.all([dear, cheap].map(opened));
  const body = JSON.stringify({ list: range(140) });
  for (const lot of range(3)) await pipeline(daemon, 's', range(40, lot * 40).map((n) => ['PUT', `k${n}`, body]));
  for (const stream of [dear, cheap]) {
    await stream.inbox.count(121, 30000);
    assert.deepEqual(stream.of('message').map((one) => one.seq), range(120, 1));
  }
  const { watch: figures } = await status(daemon);
  assert.ok(figures.reread > 0, 'it has read on alone');
});

test('a condition that fails is told once, live and from the journal', async (t) => {
  const daemon = await startDaemon(t);
  const query = { scope: 's', when: 'new_value.n > 1' };
  const live = watch(t, daemon.url, query);
  await opened(live);
  for (const value of [{ n: 1 }, 'text', { n: 2 }, 'text', { n: 3 }]) await daemon.set('s', 'k', value);
  const late = watch(t, daemon.url, { ...query, since: 0 });
  for (const stream of [live, late]) {
    await stream.inbox.count(4);
    assert.deepEqual(stream.inbox.items.map((one) => one.name), ['ready', 'condition_error', 'message', 'message']);
    assert.deepEqual(stream.of('message').map((one) => one.new_value.n), [2, 3]);
    const [error] = stream.of('condition_error');
    assert.equal(error.seq, 2);
    assert.match(error.detail, /new_value\.n/);
  }
});

test('what cannot be is refused with the place', async (t) => {
  const daemon = await startDaemon(t);
  const cases = [
    ['when=a%20b', 'invalid_condition', /line 1, column 3/],
    ['when=1', 'invalid_condition', /line 1/],
    ['scope=%5B', 'invalid_parameter', /scope/],
    ['events=born', 'invalid_parameter', /born/],
    ['events=', 'invalid_parameter', /events/],
    ['since=x', 'invalid_parameter', /since/],
    ['snapshot=maybe', 'invalid_parameter', /snapshot/],
    ['snapshot=true', 'invalid_parameter', /one scope/],
    ['snapshot=true&scope=a*', 'invalid_parameter', /one scope/],
    ['key=a', 'unknown_parameter', /key/],
  ];
  for (const [query, code, detail] of cases) {
    const answer = await daemon.http('GET', `/v1/watch?${query}`);
    assert.equal(answer.status, 400, `${query}: ${answer.text}`);
    assert.equal(answer.json.code, code);
    assert.match(answer.json.detail, detail);
  }
  assert.equal((await daemon.http('POST', '/v1/watch')).status, 405);
  const { watchers, watch: figures } = await status(daemon);
  assert.deepEqual([watchers, figures.interests], [0, 0]);
});

test('HTTP/1.0, HEAD, heartbeats with the position, and an end by the peer', async (t) => {
  const daemon = await startDaemon(t, { watch: { heartbeat: '200ms' } });
  const old = await raw(t, daemon, '/v1/watch', { version: '1.0' });
  await old.until('event: ready\n');
  assert.match(old.text, /^HTTP\/1\.1 200 OK\r\n/);
  assert.doesNotMatch(old.text, /chunked/i);
  const head = await raw(t, daemon, '/v1/watch', { method: 'HEAD' });
  await within('the end', head.ended);
  assert.match(head.text, /^HTTP\/1\.1 200 OK\r\nContent-Type: text\/event-stream\r\n[^]*\r\n\r\n$/);
  const narrow = await raw(t, daemon, '/v1/watch?scope=never');
  await narrow.until('event: ready\n');
  await daemon.set('s', 'k', { 'two\nlines': 1 });
  const [{ id }] = await daemon.events();
  await old.until('two\\nlines');
  await narrow.until(`: hb\nid: ${id}\n\n`);
  assert.equal((await status(daemon)).watchers, 2);
  old.socket.end();
  narrow.socket.destroy();
  await waitFor('both to be gone', async () => (await status(daemon)).watchers === 0);
});

test('a watcher that reads slowly is cut off and goes on behind its last id', async (t) => {
  const daemon = await startDaemon(t, { limits: { max_unsent: '1m' } });
  const slow = await raw(t, daemon, '/v1/watch?scope=s');
  await slow.until('event: ready\n');
  slow.socket.pause();
  const big = (n) => JSON.stringify({ n, t: 'x'.repeat(60000) });
  let written = 0;
  while ((await status(daemon)).watch.cut === 0) {
    await pipeline(daemon, 's', range(20, written).map((n) => ['PUT', 'k', big(n)]));
    written += 20;
    assert.ok(written < 2000, 'it is cut off');
  }
  slow.socket.resume();
  await within('the end', slow.ended);
  assert.ok(slow.text.endsWith('0\r\n\r\n'), 'it ends well');
  const events = slow.text.split('\n\n').filter((one) => one.includes('data: {"type"'));
  const numbers = events.map((one) => Number(/"new_value":\{"n":(\d+)/.exec(one)[1]));
  const last = /id: (\S+)/.exec(events.at(-1))[1];
  const rest = await raw(t, daemon, '/v1/watch?scope=s', { headers: `Last-Event-ID: ${last}\r\n` });
  if (numbers.length < written) await rest.until(`"new_value":{"n":${written - 1},`);
  for (const [, n] of rest.text.matchAll(/"new_value":\{"n":(\d+)/g)) numbers.push(Number(n));
  assert.deepEqual(numbers, range(written));
  assert.equal((await status(daemon)).watch.cut, 1, 'old events come as slowly as they are read');
});

test('who reads old events slowly is waited for, not cut off', async (t) => {
  const daemon = await startDaemon(t, { limits: { max_unsent: '1m' } });
  const text = 'x'.repeat(60000);
  await pipeline(daemon, 's', range(100).map((n) => ['PUT', `k${n}`, JSON.stringify({ n, t: text })]));
  const streams = [await raw(t, daemon, '/v1/watch?scope=s&since=0'),
    await raw(t, daemon, '/v1/watch?scope=s&snapshot=true')];
  for (const { socket } of streams) socket.pause();
  const before = daemon.memory();
  await waitFor('both to be there', async () => (await status(daemon)).watchers === 2);
  const figures = await status(daemon);
  assert.ok(figures.watch.reread < 100, 'it waits for its reader');
  daemon.assertGrowth(daemon.memory() - before, 16 << 20);
  for (const { socket } of streams) socket.resume();
  await streams[0].until('"n":99,');
  await streams[1].until('event: snapshot_end');
  assert.equal(streams[1].text.split('event: snapshot\n').length, 101);
  assert.equal((await status(daemon)).watch.cut, 0);
});

test('a thousand watchers: one writing out of each event, and little memory', async (t) => {
  const WATCHERS = 1000;
  const daemon = await startDaemon(t);
  const before = daemon.memory();
  const streams = [];
  for (const n of range(WATCHERS)) streams.push(await raw(t, daemon, `/v1/watch?scope=${n < 990 ? 's' : `s${n}`}`));
  await Promise.all(streams.map((one) => one.until('event: ready\n', 30000)));
  daemon.assertGrowth(daemon.memory() - before, 8 << 20);
  await pipeline(daemon, 's', range(20).map((n) => ['PUT', `k${n}`, String(n)]));
  await Promise.all(streams.slice(0, 990).map((one) => one.until('"new_value":19,', 30000)));
  const { watch: figures } = await status(daemon);
  assert.deepEqual(figures, { interests: 11, events: 20, sent: 20 * 990, reread: 0, cut: 0 });
  const { code } = await daemon.stop();
  assert.equal(code, 0);
  await Promise.all(streams.map((one) => within('the end', one.ended)));
  assert.ok(streams.every((one) => one.text.endsWith('0\r\n\r\n')), 'all end well');
}, 120000);
