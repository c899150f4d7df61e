// The State API: services, namespaces, objects, their keys, values and alarms over HTTP.
import assert from 'node:assert/strict';
import { startDaemon, startManual, test } from './lib.mjs';

const ODD = ['plain', 'a/b', '100%', 'what?', 'a#b', 'ü €', ' leading', 'a+b', '%2F', '..', '"', '\\'];
const seg = encodeURIComponent;

// encodeURIComponent leaves dots, and fetch takes '..' for a step up, even as %2e%2e.
const odd = ODD.filter((one) => one !== '..');

function api(daemon, service = 'default') {
  const base = `/v1/services/${service}/state/namespaces`;
  const object = (namespace, key) => `${base}/${seg(namespace)}/objects/${seg(key)}`;
  return { base, object, value: (namespace, key, name) => `${object(namespace, key)}/values/${seg(name)}` };
}

async function send(daemon, method, where, body, type, headers = {}) {
  const reply = await fetch(daemon.url + where, {
    method, body, headers: type ? { 'content-type': type, ...headers } : headers });
  return { status: reply.status, type: reply.headers.get('content-type'), etag: reply.headers.get('etag'),
    bytes: Buffer.from(await reply.arrayBuffer()) };
}

test('a value goes with its encoding and comes back as it was put', async (t) => {
  const daemon = await startDaemon(t);
  const { value } = api(daemon);
  const where = value('rooms', 'lobby', 'topic');
  const envelopes = [
    { value: { n: [1, null] } }, { value: null, encoding: 'json' }, { value: 'just JSON', encoding: 'json' },
    { value: 'a text\n', encoding: 'text' }, { value: '', encoding: 'text' },
    { value: Buffer.from([0, 255, 1]).toString('base64'), encoding: 'base64' },
    { value: '', encoding: 'base64' },
  ];
  const check = async () => {
    for (const [i, envelope] of envelopes.entries()) {
      const got = await daemon.http('GET', value('rooms', 'lobby', `k${i}`));
      assert.equal(got.status, 200);
      assert.deepEqual(got.json, { value: envelope.value, rev: got.json.rev, encoding: envelope.encoding ?? 'json' });
      assert.equal(got.headers.get('etag'), `"${got.json.rev}"`);
    }
  };
  for (const [i, envelope] of envelopes.entries()) {
    const put = await daemon.http('PUT', value('rooms', 'lobby', `k${i}`), envelope);
    assert.equal(put.status, 200, put.text);
    assert.equal(put.headers.get('etag'), `"${put.json.rev}"`);
  }
  await check();
  await daemon.kill();
  await daemon.start();
  await check();
  await daemon.restart(); // now from the view
  await check();
  // The same records for who knows scopes and keys only.
  assert.deepEqual(await daemon.get('rooms/lobby', 'k0'), { n: [1, null] });
  assert.equal(await daemon.get('rooms/lobby', 'k5'), 'AP8B');
  await daemon.set('rooms/lobby', 'topic', 7);
  assert.deepEqual((await daemon.http('GET', where)).json.value, 7);
});

test('bodies by content type, and raw answers', async (t) => {
  const daemon = await startDaemon(t);
  const where = api(daemon).value('rooms', 'lobby', 'topic');
  const steps = [ // type, query, body, then what a raw read answers
    ['application/json', '?raw=true', '{"value":1, "x":2}', 'application/json', '{"value":1, "x":2}'],
    ['application/vnd.pawl.value+json', '', '[1, 2]', 'application/json', '[1, 2]'],
    ['text/plain; charset=UTF-8', '', 'schön\n"', 'text/plain; charset=utf-8', 'schön\n"'],
    ['application/octet-stream', '', Buffer.from([0, 1, 254]), 'application/octet-stream', Buffer.from([0, 1, 254])],
    ['application/octet-stream', '', Buffer.alloc(0), null, ''],
  ];
  for (const [type, query, body, gets, text] of steps) {
    assert.equal((await send(daemon, 'PUT', where + query, body, type)).status, 200);
    const raw = await send(daemon, 'GET', `${where}?raw`);
    assert.equal(raw.type, gets);
    assert.deepEqual(raw.bytes, Buffer.from(text));
    assert.match(raw.etag, /^"\d+"$/);
  }
  const wrong = [ // type, body, status, code
    ['application/json', '{"value":1,"other":2}', 400, 'invalid_request'],
    ['application/json', '[1]', 400, 'invalid_request'],
    ['application/json', '{"encoding":"json"}', 400, 'invalid_request'],
    ['application/json', '{"value":1,"encoding":7}', 400, 'invalid_request'],
    ['application/json', '{"value":1,"encoding":"text"}', 400, 'invalid_encoding'],
    ['application/json', '{"value":"a b","encoding":"base64"}', 400, 'invalid_encoding'],
    ['application/json', '{"value":"a","encoding":"utf-16"}', 400, 'invalid_encoding'],
    ['application/json', '{', 400, 'invalid_json'],
    ['application/json', '', 400, 'value_required'],
    ['text/plain', Buffer.from([0xff]), 400, 'invalid_encoding'],
    ['text/plain; charset=latin1', 'a', 415, 'unsupported_media_type'],
    ['image/png', 'a', 415, 'unsupported_media_type'],
  ];
  for (const [type, body, status, code] of wrong) {
    const reply = await send(daemon, 'PUT', where, body, type);
    assert.equal(reply.status, status, `${type} ${body}`);
    assert.equal(JSON.parse(reply.bytes).code, code, `${type} ${body}`);
  }
});

test('ETags: conditional writes and reads', async (t) => {
  const daemon = await startDaemon(t);
  const where = api(daemon).value('rooms', 'lobby', 'topic');
  const put = (value, headers) => daemon.http('PUT', where, { value }, headers);
  const first = await put(1, { 'if-none-match': '*' });
  assert.equal(first.status, 200);
  assert.equal((await put(2, { 'if-none-match': '*' })).status, 412);
  const etag = first.headers.get('etag');
  const second = await put(2, { 'if-match': etag });
  assert.equal(second.status, 200);
  const stale = await put(3, { 'if-match': etag });
  assert.equal(stale.status, 412);
  assert.equal(stale.json.code, 'rev_conflict');
  const now = second.headers.get('etag');
  const unchanged = await daemon.http('GET', where, undefined, { 'if-none-match': now });
  assert.equal(unchanged.status, 304);
  assert.equal(unchanged.text, '');
  assert.equal((await daemon.http('GET', where, undefined, { 'if-none-match': etag })).json.value, 2);
  assert.equal((await daemon.http('DELETE', where, undefined, { 'if-match': etag })).status, 412);
  assert.equal((await daemon.http('DELETE', where, undefined, { 'if-match': now })).json, 2);
  assert.equal((await daemon.http('GET', where)).status, 404);
  assert.equal((await daemon.http('DELETE', where)).status, 404);
  // A member of the value is not its rev.
  await put({ rev: 'mine' });
  const gone = await daemon.http('DELETE', where);
  assert.deepEqual(gone.json, { rev: 'mine' });
  assert.equal(gone.headers.get('etag'), null);
});

test('namespaces, objects and keys are listed page by page, odd names included', async (t) => {
  const daemon = await startDaemon(t);
  const { base, object, value } = api(daemon);
  for (const name of odd) {
    assert.equal((await daemon.http('PUT', value(name, name, name), { value: name })).status, 200, name);
    assert.equal((await daemon.http('GET', value(name, name, name))).json.value, name);
    const flat = `/v1/state/${seg(name)}/${seg(name)}`;
    assert.equal((await daemon.http('PUT', flat, JSON.stringify(name))).status, 200, name);
    assert.equal((await daemon.http('GET', flat)).json, name);
  }
  await Promise.all(Array.from({ length: 250 }, (_, i) =>
    daemon.set(`many/o${i}`, `k${i}`, i)));
  await Promise.all(Array.from({ length: 25 }, (_, i) => daemon.set('many/o0', `x${i}`, i)));
  await daemon.set('flat', 'k', 1);
  await daemon.set('a/b/c', 'k', 1);

  const pages = async (where, list, name, limit) => {
    const all = [];
    let cursor = '';
    for (;;) {
      const page = await daemon.http('GET', `${where}?limit=${limit}${cursor}`);
      assert.equal(page.status, 200, page.text);
      assert.ok(page.json[list].length <= limit);
      all.push(...page.json[list].map((one) => one[name]));
      if (page.json.cursor === undefined) return all;
      cursor = `&cursor=${seg(page.json.cursor)}`;
    }
  };
  for (const limit of [1, 3, 1000]) {
    const namespaces = await pages(base, 'namespaces', 'namespace', limit);
    assert.deepEqual(namespaces.sort(), [...odd, 'many', 'a'].sort()); // the flat scope a/b is a's b
  }
  assert.deepEqual((await pages(`${base}/many/objects`, 'objects', 'object_key', 100)).sort(),
    Array.from({ length: 250 }, (_, i) => `o${i}`).sort());
  assert.equal((await daemon.http('GET', `${base}/many/objects?prefix=o24`)).json.objects.length, 11);
  for (const name of odd) {
    assert.deepEqual(await pages(`${base}/${seg(name)}/objects`, 'objects', 'object_key', 10), [name]);
  }
  assert.deepEqual((await pages(`${object('many', 'o0')}/keys`, 'items', 'key', 10)).sort(),
    ['k0', ...Array.from({ length: 25 }, (_, i) => `x${i}`)].sort());
  const keys = await daemon.http('GET', `${object('many', 'o1')}/keys`);
  assert.deepEqual(Object.keys(keys.json.items[0]).sort(), ['key', 'rev']);
  assert.deepEqual((await daemon.http('GET', `${base}/none/objects`)).json, { objects: [] });
  // Scopes page by page in the flat API.
  const scopes = await daemon.http('GET', `/v1/state?prefix=${seg('many/o1')}&limit=3`);
  assert.deepEqual(scopes.json, { groups: ['many/o1', 'many/o10', 'many/o100'], cursor: 'many/o100' });
});

test('the alarm of an object, by delay or by time', async (t) => {
  const daemon = await startManual(t, {
    triggers: [{ id: 'ring', type: 'alarm', function: 'keep', scope: 'rooms/*' }],
    functions: [{ id: 'keep', exec: { command: ['cat'] } }],
  });
  const where = `${api(daemon).object('rooms', 'a/b')}/alarm`;
  assert.equal((await daemon.http('GET', where)).status, 404);
  assert.equal((await daemon.http('DELETE', where)).status, 404);
  const none = await daemon.http('PUT', where, {});
  assert.deepEqual([none.status, none.json.code], [400, 'state_alarm_schedule_required']);
  const both = await daemon.http('PUT', where, { delaySeconds: 1, scheduledAtUnixMs: 5 });
  assert.deepEqual([both.status, both.json.code], [400, 'state_alarm_schedule_conflict']);
  const set = await daemon.http('PUT', where, { delaySeconds: 60, key: 'other', name: 'other' });
  assert.equal(set.status, 200, set.text);
  const shown = await daemon.http('GET', where);
  assert.deepEqual([shown.json.scope, shown.json.key, shown.json.name], ['rooms/a%2Fb', '', '']);
  assert.deepEqual(await daemon.call('alarm::get', { scope: 'rooms/a%2Fb' }), shown.json);
  assert.equal((await daemon.http('DELETE', where)).status, 200);
  const { now } = await daemon.call('engine::clock::now');
  assert.equal((await daemon.http('PUT', where, { scheduledAtUnixMs: Date.parse(now) + 5000 })).status, 200);
  await daemon.advance(5000);
  const fired = (await daemon.events()).filter((one) => one.event_type === 'alarm:due');
  assert.deepEqual(fired.map((one) => one.scope), ['rooms/a%2Fb']);
  assert.equal((await daemon.http('GET', where)).status, 404);
});

test('another service is not here, and the answer names the one that is', async (t) => {
  const daemon = await startDaemon(t, { service: { name: 'shop' } });
  const wrong = await daemon.http('GET', api(daemon).base);
  assert.equal(wrong.status, 404);
  assert.equal(wrong.json.code, 'service_not_found');
  assert.match(wrong.json.detail, /"shop"/);
  assert.ok(wrong.json.agent_instruction);
  assert.deepEqual((await daemon.http('GET', api(daemon, 'shop').base)).json, { namespaces: [] });
  assert.equal((await daemon.http('PUT', api(daemon).value('a', 'b', 'c'), { value: 1 })).status, 404);
  assert.deepEqual((await daemon.http('GET', '/v1/state')).json, { groups: [] });
});
