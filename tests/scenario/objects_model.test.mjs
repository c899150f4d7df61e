// The two ways to name records against a model of them: random writes and reads through both, over
// crashes and stops. A seed makes a run; PAWL_SEED repeats one.
import assert from 'node:assert/strict';
import { startDaemon, test } from './lib.mjs';

const seed = Number(process.env.PAWL_SEED ?? Date.now() % 1000000);
const ROUNDS = 6;
const STEPS = 60;

function random(state) {
  return (most) => {
    state = (state * 1103515245 + 12345) & 0x7fffffff;
    return (state >> 8) % most;
  };
}

const spell = (text) => text.replaceAll('%', '%25').replaceAll('/', '%2F');
const seg = encodeURIComponent;
const NAMES = ['a', 'a/b', '%', 'ü', 'a!'];
const base = '/v1/services/default/state/namespaces';

class Model {
  records = new Map(); // scope -> key -> {value, encoding}

  put(scope, key, record) {
    if (!this.records.has(scope)) this.records.set(scope, new Map());
    this.records.get(scope).set(key, record);
  }

  drop(scope, key) {
    this.records.get(scope)?.delete(key);
    if (this.records.get(scope)?.size === 0) this.records.delete(scope);
  }

  get = (scope, key) => this.records.get(scope)?.get(key);
}

async function step(daemon, model, pick) {
  const [namespace, object, key] = [0, 0, 0].map(() => NAMES[pick(NAMES.length)]);
  const scope = `${spell(namespace)}/${spell(object)}`;
  const value = `${base}/${seg(namespace)}/objects/${seg(object)}/values/${seg(key)}`;
  const flat = `/v1/state/${seg(scope)}/${seg(key)}`;
  const text = `t${pick(4)}`;
  const bytes = Buffer.from([pick(4), 255]);
  const put = async (where, body, type, record) => {
    const reply = await fetch(daemon.url + where, { method: 'PUT', body, headers: { 'content-type': type } });
    assert.equal(reply.status, 200, await reply.text());
    model.put(scope, key, record);
  };
  switch (pick(8)) {
    case 0:
      return put(value, text, 'text/plain', { value: text, encoding: 'text' });
    case 1:
      return put(value, bytes, 'application/octet-stream', { value: bytes.toString('base64'), encoding: 'base64' });
    case 2:
      return put(value, JSON.stringify({ value: text, encoding: 'json' }), 'application/json', { value: text, encoding: 'json' });
    case 3:
      return put(flat, JSON.stringify(text), 'application/json', { value: text, encoding: 'json' });
    case 4: {
      const there = model.get(scope, key);
      await daemon.call('state::update', { scope, key, ops: [{ type: 'set', path: '', value: text }] });
      const keeps = there?.encoding === 'text' || there?.value === text;
      return model.put(scope, key, { value: text, encoding: keeps && there ? there.encoding : 'json' });
    }
    case 5:
      await daemon.call('state::transact', { ops: [{ type: 'set', scope, key, value: text, encoding: 'text' }] });
      return model.put(scope, key, { value: text, encoding: 'text' });
    case 6:
      await daemon.call('state::set', { scope, key, value: bytes.toString('base64'), encoding: 'base64', ttl_ms: 3600000 });
      return model.put(scope, key, { value: bytes.toString('base64'), encoding: 'base64' });
    default: {
      const { status } = await daemon.http('DELETE', pick(2) ? value : flat);
      assert.equal(status, model.get(scope, key) ? 200 : 404);
      return model.drop(scope, key);
    }
  }
}

async function pages(daemon, where, list, name, limit) {
  const all = [];
  for (let cursor = ''; ;) {
    const { json } = await daemon.http('GET', `${where}?limit=${limit}${cursor}`);
    all.push(...json[list].map((one) => (name ? one[name] : one)));
    if (json.cursor === undefined) return all;
    cursor = `&cursor=${seg(json.cursor)}`;
  }
}

async function compare(daemon, model, pick) {
  const scopes = [...model.records.keys()];
  const limit = 1 + pick(4);
  assert.deepEqual((await pages(daemon, '/v1/state', 'groups', '', limit)).sort(), scopes.sort());
  const namespaces = await pages(daemon, base, 'namespaces', 'namespace', limit);
  const found = [];
  for (const namespace of namespaces) {
    const home = `${base}/${seg(namespace)}/objects`;
    for (const object of await pages(daemon, home, 'objects', 'object_key', limit)) {
      const scope = `${spell(namespace)}/${spell(object)}`;
      found.push(scope);
      const keys = await pages(daemon, `${home}/${seg(object)}/keys`, 'items', 'key', limit);
      assert.deepEqual(keys.sort(), [...model.records.get(scope).keys()].sort());
      for (const key of keys) {
        const { json } = await daemon.http('GET', `${home}/${seg(object)}/values/${seg(key)}`);
        assert.deepEqual({ value: json.value, encoding: json.encoding }, model.get(scope, key), `${scope} ${key}`);
        assert.deepEqual(await daemon.get(scope, key), json.value);
      }
    }
  }
  assert.deepEqual(found.sort(), scopes.sort());
  assert.equal(new Set(namespaces).size, namespaces.length);
}

test(`records under both names, over crashes and stops (seed ${seed})`, async (t) => {
  const pick = random(seed);
  const daemon = await startDaemon(t);
  const model = new Model();
  for (let round = 0; round < ROUNDS; round++) {
    for (let i = 0; i < STEPS; i++) await step(daemon, model, pick);
    if (round % 2 === 0) await daemon.kill();
    else await daemon.stop();
    await daemon.start();
    await compare(daemon, model, pick);
  }
});
