// Kills a real daemon under load, again and again, and checks after each restart what was promised:
// every acknowledged write is there, with its rev; every acknowledged change is delivered; starts of
// a key are in order; what has an outcome does not run again; no event id is given twice.
//
// usage: kill.mjs [--kills N] [--seed S] [--keep]
// Every other kill comes at a random time from outside; those between come at each named point of
// base/crash.h in turn (PAWL_CRASH_AT). The same seed makes the same kills and the same writes; what
// the machine does in between is its own.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { WebSocket } from '../scenario/node_modules/ws/wrapper.mjs';
import { Daemon, freePort } from '../scenario/lib.mjs';

const { values: options } = parseArgs({ options: {
  kills: { type: 'string', default: '20' },
  seed: { type: 'string', default: String(Date.now() % 1e6) },
  keep: { type: 'boolean', default: false },
} });
const KILLS = Number(options.kills);
const WRITERS = 8;
const KEYS_EACH = 6;
// Every event is owed to each of them: `all` is quick, `flaky` fails, asks to wait and gives up, and
// the function of `late` is served in one life of four, so that it is far behind.
const TRIGGERS = ['all', 'flaky', 'late'];
// And each to this one, which batches them; of a batch it fails some. It is checked that each event is
// of one batch and that all are done.
const BATCHES = 'rolled';
// Fires every second: it is checked that the journal has each second once.
const CLOCK = 'clock';
// An outcome is durable at the latest so long after the answer was sent: that of a delivery with a
// job record (it had failed, or it took long) at once, any other when the cursor passes it. A machine
// may stand still: what counts is the time up to the last write that was acknowledged.
const RECORDED_MS = 500;
const OUTCOME_MS = 1500;
const POINT_MS = 8000; // to reach a point
const BEHIND_MAX = 20000; // events; then nobody writes until the triggers have caught up
const STUCK_MS = 60000; // in which no cursor moves
const POINTS = [['write', 60], ['sync', 60], ['answer', 60], ['apply', 3], ['applied', 3],
  ['cursor', 30], ['job', 30], ['outcome', 30], ['window', 30], ['cron', 3], ['roll', 1]];

// ---- chance, by the seed (mulberry32) ----

let state = Number(options.seed) >>> 0;
function chance() {
  state = (state + 0x6d2b79f5) >>> 0;
  let x = Math.imul(state ^ (state >>> 15), 1 | state);
  x = (x + Math.imul(x ^ (x >>> 7), 61 | x)) ^ x;
  return ((x ^ (x >>> 14)) >>> 0) / 4294967296;
}
const pick = (n) => Math.floor(chance() * n);

// ---- the daemon ----

const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'pawl-crash-'));
const daemon = new Daemon(dir, await freePort(), {
  log: { level: 'warn' },
  delivery: { job_max: 300, retry: { initial_ms: 30, max_ms: 200, max_attempts: 5 } },
  workers: { reattach_grace: '0ms' },
  triggers: [...TRIGGERS.map((id) => ({ id, function: id, scope: 'load', concurrency: 50 })),
    { id: BATCHES, function: BATCHES, scope: 'load', concurrency: 50,
      batch: { max_size: 20, max_wait: '500ms', key: 'key' } },
    { id: CLOCK, function: 'engine::health::check', type: 'cron', expression: '* * * * * *',
      overlap: 'allow', catch_up: 'all', max: 1000 }],
});

// ---- what is known ----

let faults = [];
const fault = (text) => faults.push(text);
let life = 0;
const ends = new Map(); // life -> how it ended, and when it was known to be well last
let wellAt = 0; // when the last write was sent that was acknowledged
const acked = new Map(); // key -> { rev, value } as acknowledged last; value undefined = deleted
const pending = new Map(); // key -> value that was sent and not answered
const pairs = new Set(); // keys of transactions that were sent and not answered
const changes = new Map(); // seq -> key, of every acknowledged change
const events = new Map(); // event id -> what it says
const seqOwner = new Map(); // rev -> key and value that were told this rev

function learnEvent({ id, scope, key, rev, event_type, new_value }) {
  const text = JSON.stringify([scope, key, rev, event_type, new_value?.n]);
  const known = events.get(id);
  if (known !== undefined && known !== text) fault(`event id ${id} was given twice: ${known}, ${text}`);
  events.set(id, text);
}

// ---- a connection of the worker protocol ----

class Peer {
  #waiting = new Map();
  #next = 0;

  static async open(onInvoke) {
    const peer = new Peer();
    peer.ws = new WebSocket(daemon.address, { perMessageDeflate: false });
    peer.ws.on('error', () => {});
    peer.gone = new Promise((resolve) => peer.ws.on('close', resolve));
    peer.gone.then(() => {
      for (const { reject } of peer.#waiting.values()) reject(new Error('gone'));
    });
    await Promise.race([new Promise((resolve) => peer.ws.on('open', resolve)),
      peer.gone.then(() => Promise.reject(new Error('gone')))]);
    peer.ws.on('message', (data) => {
      const frame = JSON.parse(data);
      if (frame.type === 'invokefunction') onInvoke?.(peer, frame);
      if (frame.type !== 'invocationresult') return;
      const waiting = peer.#waiting.get(frame.invocation_id);
      peer.#waiting.delete(frame.invocation_id);
      if (frame.error) waiting?.reject(Object.assign(new Error(frame.error.message), frame.error));
      else waiting?.resolve(frame.result);
    });
    peer.send({ type: 'invokefunction', function_id: 'engine::workers::register', data: {},
      action: { type: 'void' } });
    return peer;
  }

  send(frame) {
    this.ws.send(JSON.stringify(frame), () => {});
  }

  call(function_id, data) {
    if (this.ws.readyState !== WebSocket.OPEN) return Promise.reject(new Error('gone'));
    const invocation_id = String(this.#next++);
    return new Promise((resolve, reject) => {
      this.#waiting.set(invocation_id, { resolve, reject });
      this.send({ type: 'invokefunction', invocation_id, function_id, data });
    });
  }
}

// ---- the writers ----

let written = 0;

const newValue = (heavy) => ({ n: ++written,
  pad: 'x'.repeat(heavy ? 400000 : pick(10) === 0 ? 20000 : pick(300)) });

async function writeOnce(peer, keys, heavy) {
  const at = pick(keys.length);
  const key = keys[at];
  if (pick(8) === 0) {
    await writeTwo(peer, [key, keys[(at + 1) % keys.length]]);
    return;
  }
  const before = acked.get(key);
  const remove = before?.value !== undefined && pick(12) === 0;
  const value = newValue(heavy);
  const sent = performance.now();
  pending.set(key, remove ? undefined : value);
  const reply = remove
    ? await peer.call('state::delete', { scope: 'load', key })
    : await peer.call('state::set', { scope: 'load', key, value });
  pending.delete(key);
  wellAt = Math.max(wellAt, sent);
  if (remove) {
    acked.set(key, { value: undefined });
    return;
  }
  noteAnswer(key, value, reply);
}

async function writeTwo(peer, two) {
  const values = two.map(() => newValue(false));
  two.forEach((key, i) => pending.set(key, values[i]));
  pairs.add(two);
  const { results } = await peer.call('state::transact', { ops: two.map((key, i) =>
    ({ type: 'set', scope: 'load', key, value: values[i] })) });
  pairs.delete(two);
  two.forEach((key, i) => {
    pending.delete(key);
    noteAnswer(key, values[i], results[i]);
  });
  if (Number(results[1].rev) !== Number(results[0].rev) + 1) fault(`${two} do not stand together`);
}

function noteAnswer(key, value, { rev, old_value: old }) {
  const owner = seqOwner.get(rev);
  if (owner !== undefined) fault(`rev ${rev} was given to ${owner} and to ${key} n=${value.n}`);
  seqOwner.set(rev, `${key} n=${value.n}`);
  const before = acked.get(key);
  if (before && before.value?.n !== old?.n) {
    fault(`the old value of ${key} is n=${old?.n}, not n=${before.value?.n}`);
  }
  acked.set(key, { rev, value });
  changes.set(Number(rev), key);
}

async function write(index, heavy) {
  const keys = Array.from({ length: KEYS_EACH }, (_, i) => `w${index}-${i}`);
  try {
    const peer = await Peer.open();
    for (;;) await writeOnce(peer, keys, heavy);
  } catch (error) {
    if (error.message !== 'gone') fault(`a write was refused: ${error.code} ${error.message}`);
  }
}

// ---- the worker ----

const running = new Map(); // trigger and key -> seq that has been started in this life and not ended
const highest = new Map(); // trigger and key -> highest seq that was ever started
const started = Object.fromEntries(TRIGGERS.map((id) => [id, new Set()]));
const ended = new Map(); // trigger and seq -> when its outcome was sent, in which life
let calls = 0;

const doomed = (n) => n % 250 === 7; // few: a page of dead letters holds 1,000

// What the handler answers: { end } says whether that is the delivery's outcome.
function decide(trigger, event) {
  const n = (event.new_value ?? event.old_value).n;
  if (trigger !== 'flaky') return { end: true, result: null };
  if (doomed(n)) return { end: true, result: { $pawl: { fail: true, reason: 'doomed' } } };
  if (n % 5 === 1 && event.attempt < 3) return { end: false, error: { code: 'x', message: 'not yet' } };
  if (n % 11 === 3 && event.attempt < 2) return { end: false, result: { $pawl: { retry_after_ms: 20 } } };
  return { end: true, result: n };
}

function noteStart(trigger, event) {
  const lane = `${trigger}/${event.key}`;
  const seq = event.seq;
  learnEvent(event);
  const busy = running.get(lane);
  if (busy !== undefined && busy !== seq) {
    fault(`${lane}: ${seq} was started before ${busy} had ended`);
  }
  running.set(lane, seq);
  const outcome = ended.get(`${trigger}/${seq}`);
  if (outcome?.life === life) {
    fault(`${lane}: ${seq} ran again in the same life (attempt ${event.attempt})`);
  } else if (outcome && ends.get(outcome.life).at - outcome.at > outcome.within[ends.get(outcome.life).how]) {
    const { at, how } = ends.get(outcome.life);
    fault(`${lane}: ${seq} was answered ${Math.round(at - outcome.at)} ms before the last write that ` +
      `${how} left, and ran again`);
  }
  if (!started[trigger].has(seq) && seq < (highest.get(lane) ?? 0)) {
    fault(`${lane}: ${seq} was started after ${highest.get(lane)}`);
  }
  highest.set(lane, Math.max(seq, highest.get(lane) ?? 0));
  started[trigger].add(seq);
}

const batchOf = new Map(); // seq -> delivery id
const rolled = new Set(); // seqs that were answered as done

async function handleBatch(peer, frame) {
  const { delivery_id, attempt, events: members } = frame.data;
  for (const event of members) {
    learnEvent(event);
    const other = batchOf.get(event.seq);
    if (other !== undefined && other !== delivery_id) {
      fault(`${event.seq} is in the batches ${other} and ${delivery_id}`);
    }
    batchOf.set(event.seq, delivery_id);
  }
  const mine = life;
  await delay(members.length % 7);
  if (peer.ws.readyState !== WebSocket.OPEN || mine !== life) return;
  const fails = (event) => (event.seq % 9 === 4 && attempt < 3);
  for (const event of members) if (!fails(event)) rolled.add(event.seq);
  peer.send({ type: 'invocationresult', invocation_id: frame.invocation_id,
    function_id: frame.function_id,
    result: { $pawl: { failed: members.filter(fails).map(({ id }) => id) } } });
}

async function handle(peer, frame) {
  const trigger = frame.function_id;
  if (trigger === BATCHES) {
    await handleBatch(peer, frame);
    return;
  }
  const event = frame.data;
  calls++;
  noteStart(trigger, event);
  const mine = life;
  const draw = calls % 97;
  await delay(draw === 0 ? 1300 : draw < 10 ? 30 : draw % 3);
  if (peer.ws.readyState !== WebSocket.OPEN || mine !== life) return;
  const { end, result, error } = decide(trigger, event);
  const lane = `${trigger}/${event.key}`;
  if (running.get(lane) === event.seq && end) running.delete(lane);
  if (end) {
    // A clean stop waits for what runs.
    const within = { SIGTERM: 0, SIGKILL: event.attempt > 1 || draw === 0 ? RECORDED_MS : OUTCOME_MS };
    ended.set(`${trigger}/${event.seq}`, { at: performance.now(), life, within });
  }
  peer.send({ type: 'invocationresult', invocation_id: frame.invocation_id,
    function_id: frame.function_id, result, error });
}

async function serve(isLate) {
  const peer = await Peer.open((from, frame) => void handle(from, frame));
  for (const id of [...TRIGGERS, BATCHES]) {
    if (id !== 'late' || isLate) peer.send({ type: 'registerfunction', id });
  }
  return peer;
}

// ---- checks after a restart ----

async function checkRecords() {
  const items = new Map();
  for (let cursor; ;) {
    const page = await daemon.call('state::list', { scope: 'load', limit: 20, ...(cursor && { cursor }) });
    for (const item of page.items) items.set(item.key, item);
    if (!page.cursor) break;
    ({ cursor } = page);
  }
  for (const two of pairs) {
    const [a, b] = two.map((key) => items.get(key)?.value.n === pending.get(key).n);
    if (a !== b) fault(`of the transaction on ${two} one half is there`);
  }
  pairs.clear();
  const keys = new Set([...acked.keys(), ...pending.keys()]);
  for (const key of keys) {
    const found = items.get(key);
    const told = acked.get(key);
    const isTold = found === undefined ? told?.value === undefined
      : told?.value?.n === found.value.n && told.rev === found.rev;
    const isSent = pending.has(key) && pending.get(key)?.n === found?.value.n;
    if (!isTold && !isSent) {
      fault(`${key} is ${found ? `n=${found.value.n} rev ${found.rev}` : 'absent'}, acknowledged was ` +
        `n=${told?.value?.n} rev ${told?.rev}, sent ${pending.has(key) ? pending.get(key)?.n : 'nothing'}`);
    }
    if (!isTold && isSent) {
      acked.set(key, found ? { rev: found.rev, value: found.value } : { value: undefined });
      if (found) changes.set(Number(found.rev), key);
    }
  }
  for (const key of items.keys()) if (!keys.has(key)) fault(`${key} was never written`);
  pending.clear();
}

let readTo = 0;

async function checkEvents() {
  let last = readTo;
  for (const event of await daemon.events(readTo)) {
    if (event.seq !== last + 1) fault(`event ${event.seq} follows ${last}`);
    last = event.seq;
    learnEvent(event);
  }
  for (const [seq, key] of changes) {
    if (seq > last) fault(`the acknowledged change ${seq} of ${key} is not in the journal`);
  }
  readTo = last;
}

// Waits until no trigger is further behind than that, for as long as they go on.
async function caughtUp(most) {
  const { store } = await daemon.call('engine::status');
  let moved = performance.now();
  for (let before; ;) {
    const triggers = await daemon.triggers();
    const left = triggers.filter((one) => one.cursor + most < store.last_seq ||
      (most === 0 && (one.waiting || one.running || one.windows?.open)));
    if (left.length === 0) return;
    const now = JSON.stringify(triggers.map((one) => [one.cursor, one.delivered, one.dead]));
    if (now !== before) moved = performance.now();
    before = now;
    if (performance.now() - moved > STUCK_MS) {
      fault(`nothing moved for ${STUCK_MS} ms: ${JSON.stringify(left)}`);
      return;
    }
    await delay(250);
  }
}

async function isFarBehind() {
  const { store } = await daemon.call('engine::status');
  return (await daemon.triggers()).some((one) => one.cursor + BEHIND_MAX < store.last_seq);
}

async function checkEnd() {
  await caughtUp(0);
  const dead = new Map();
  for (const letter of await daemon.dead()) {
    const name = `${letter.trigger}/${letter.event.seq}`;
    if (dead.has(name)) fault(`two dead letters for ${name}`);
    dead.set(name, letter);
    if (letter.trigger !== 'flaky') fault(`a dead letter of ${letter.trigger}: ${letter.message}`);
  }
  for (const [seq, key] of changes) {
    for (const trigger of TRIGGERS) {
      if (!started[trigger].has(seq)) fault(`change ${seq} of ${key} never reached ${trigger}`);
      if (!ended.has(`${trigger}/${seq}`)) fault(`change ${seq} of ${key} has no outcome in ${trigger}`);
    }
  }
  for (const [seq, key] of changes) {
    if (!rolled.has(seq)) fault(`change ${seq} of ${key} was in no batch that was done`);
  }
  const told = new Set();
  let second;
  for (const event of await daemon.events(0)) {
    if (event.type === 'cron') {
      const next = Date.parse(event.scheduled_at);
      if (second !== undefined && next !== second + 1000) {
        fault(`the second ${event.scheduled_at} follows ${new Date(second).toISOString()}`);
      }
      second = next;
      continue;
    }
    if (event.type === 'dead') {
      if (told.has(event.dead.id)) fault(`the dead letter ${event.dead.id} is told twice`);
      told.add(event.dead.id);
      continue;
    }
    const value = event.new_value ?? event.old_value;
    if (event.scope === 'load' && doomed(value.n) && !dead.has(`flaky/${event.seq}`)) {
      fault(`change ${event.seq} of ${event.key} should be a dead letter`);
    }
  }
  if (second === undefined) fault('the clock never fired');
  for (const { id } of dead.values()) {
    if (!told.has(id)) fault(`the dead letter ${id} is told to nobody`);
  }
  if (told.size !== dead.size) fault(`${told.size} dead letters are told, there are ${dead.size}`);
}

// ---- the run ----

function startLoad(heavy) {
  const load = [serve(life % 4 === 0).catch(() => {})];
  for (let i = 0; i < WRITERS; i++) load.push(write(i, heavy));
  return load;
}

async function end(how) {
  ends.set(life, { at: how === 'SIGKILL' ? wellAt : performance.now(), how });
  await daemon.stop(how);
}

// Writes that wake nobody show that the daemon is well.
async function probe() {
  try {
    const peer = await Peer.open();
    for (let n = 0; ; n++) {
      const sent = performance.now();
      await peer.call('state::set', { scope: 'probe', key: 'k', value: n });
      wellAt = Math.max(wellAt, sent);
      await delay(50);
    }
  } catch (error) {
    if (error.message !== 'gone') fault(`a probe was refused: ${error.code} ${error.message}`);
  }
}

// A life without writers, so that a long run is no longer than its kills.
async function catchUp() {
  life++;
  running.clear();
  await serve(true);
  void probe();
  await caughtUp(BEHIND_MAX / 4);
}

// One life under load, its end, and a second life in which everything is looked at.
async function liveAndDie(kill) {
  const point = kill % 2 === 1 ? POINTS[((kill - 1) / 2) % POINTS.length] : null;
  // Short lives meet what has just begun, long ones what should have been settled.
  const time = kill % 4 === 0 ? 2500 + pick(2000) : 100 + pick(1400);
  const label = point ? `${point[0]}:${1 + pick(point[1])}` : `after ${time} ms`;
  life++;
  running.clear();
  daemon.env = point ? { PAWL_CRASH_AT: label } : {};
  daemon.log = '';
  // A point may come by before the daemon is ready: then that was its life.
  await daemon.start().catch((error) => {
    if (!point || daemon.process) throw error;
  });
  const load = daemon.process ? startLoad(point?.[0] === 'roll') : [];
  const fell = await Promise.race([daemon.gone.then(() => true), delay(point ? POINT_MS : time, false)]);
  if (point && !fell) console.log(`      ${label} was not reached in ${POINT_MS} ms`);
  await end('SIGKILL');
  const { code, signal } = await daemon.gone;
  if (signal !== 'SIGKILL') fault(`the daemon ended by itself: ${signal ?? code}`);
  await Promise.all(load);
  daemon.env = {};
  await daemon.start();
  await checkRecords();
  await checkEvents();
  return label;
}

let passed = 0;
let failed = 0;

function judge(what) {
  if (faults.length === 0) {
    passed++;
    return;
  }
  failed++;
  console.log(`FAILED ${what}`);
  faults.slice(0, 10).forEach((text) => console.log(`      ${text}`));
  if (faults.length > 10) console.log(`      and ${faults.length - 10} more`);
  if (daemon.log) console.log(daemon.log.split('\n').slice(-10).join('\n'));
  faults = [];
}

console.log(`${KILLS} kills, seed ${options.seed}`);
for (let kill = 0; kill < KILLS; kill++) {
  const label = await liveAndDie(kill);
  const isBehind = await isFarBehind();
  if (isBehind) await catchUp();
  judge(`kill ${kill + 1}, ${label}`);
  const how = pick(2) ? 'SIGKILL' : 'SIGTERM'; // an idle one may end either way
  await (isBehind ? end(how) : daemon.stop(how));
}
life++;
running.clear();
await daemon.start();
await serve(true);
await checkEnd();
judge('at the end: everything delivered');
await daemon.stop();
console.log(`${passed} passed, ${failed} failed (${changes.size} acknowledged changes, ${calls} calls)`);
if (options.keep || failed) console.log(`the data is in ${dir}`);
else fs.rmSync(dir, { recursive: true, force: true });
process.exit(failed ? 1 : 0);
