// Shared by all scenarios: a daemon of its own for each test, real peers, a link that can be cut.
// Nothing here sleeps: everything waits for a condition or an event, with a deadline.
import assert from 'node:assert/strict';
import { spawn, execFile } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { test as nodeTest } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { registerWorker } from 'iii-sdk';
import { WebSocket } from 'ws';

export const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');
export const program = process.env.PAWL_BIN ?? path.join(root, 'build/pawl');
const DEADLINE_MS = 15000;
const POLL_MS = 10;

console.debug = () => {}; // the SDK tells its life there

export const test = (name, fn, timeout = 60000) => nodeTest(name, { timeout }, fn);

// Calls `look` until it answers something true; what it throws is shown when time is up.
export async function waitFor(what, look, deadline = DEADLINE_MS) {
  const end = performance.now() + deadline;
  let last;
  for (;;) {
    try {
      const found = await look();
      if (found) return found;
      last = undefined;
    } catch (error) {
      last = error;
    }
    if (performance.now() > end) {
      throw new Error(`waited ${deadline} ms in vain for ${what}`, { cause: last });
    }
    await delay(POLL_MS);
  }
}

export async function within(what, promise, deadline = DEADLINE_MS) {
  const stop = new AbortController();
  const late = delay(deadline, undefined, { signal: stop.signal }).then(
    () => Promise.reject(new Error(`waited ${deadline} ms in vain for ${what}`)),
    () => {},
  );
  try {
    return await Promise.race([promise, late]);
  } finally {
    stop.abort();
  }
}

// What came, and who waits for it.
export class Inbox {
  items = [];
  #waiting = new Set();

  put = (item) => {
    this.items.push(item);
    for (const look of this.#waiting) look();
  };

  async until(what, condition, deadline) {
    if (condition(this.items)) return this.items;
    let look;
    const reached = new Promise((resolve) => {
      look = () => condition(this.items) && resolve();
      this.#waiting.add(look);
    });
    try {
      await within(`${what}; there is ${JSON.stringify(this.items).slice(0, 2000)}`, reached,
        deadline);
    } finally {
      this.#waiting.delete(look);
    }
    return this.items;
  }

  count(n, deadline) {
    return this.until(`${n} items`, (items) => items.length >= n, deadline);
  }
}

// A promise with its handles outside: for handlers that wait until the test lets them go on.
export function gate() {
  let open;
  let shut;
  const promise = new Promise((resolve, reject) => {
    open = resolve;
    shut = reject;
  });
  return { promise, open, shut };
}

export async function freePort() {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

export function tempDir(t) {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'pawl-'));
  t.after(() => fs.rmSync(dir, { recursive: true, force: true }));
  return dir;
}

// Runs a program to its end; never throws for an exit code.
export function run(file, args, options = {}) {
  return new Promise((resolve, reject) => {
    const child = execFile(file, args, { maxBuffer: 64 << 20, ...options },
      (error, stdout, stderr) => {
        if (error && typeof error.code !== 'number' && !error.signal) reject(error);
        else resolve({ code: error ? error.code : 0, signal: error?.signal ?? null, stdout, stderr });
      });
    if (options.input !== undefined) child.stdin.end(options.input);
  });
}

export class Daemon {
  log = '';
  process = null;
  command = [program]; // what `run` is said to

  constructor(dir, port, config, env = {}, args = []) {
    this.dir = dir;
    this.port = port;
    this.data = path.join(dir, 'data');
    this.configFile = path.join(dir, 'config.yaml');
    this.config = config;
    this.env = env;
    this.args = args;
    this.url = `http://127.0.0.1:${port}`;
    this.address = `ws://127.0.0.1:${port}`;
  }

  spawn() {
    const config = { listen: `127.0.0.1:${this.port}`, data: this.data, ...this.config };
    fs.writeFileSync(this.configFile, JSON.stringify(config, null, 1)); // YAML, too
    const [file, ...before] = this.command;
    this.process = spawn(file, [...before, 'run', '--config', this.configFile, ...this.args], {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { ...process.env, ...this.env },
      cwd: root,
    });
    this.gone = once(this.process, 'exit').then(([code, signal]) => {
      this.process = null;
      return { code, signal };
    });
    this.process.stderr.setEncoding('utf8').on('data', (text) => (this.log += text));
  }

  async start() {
    this.spawn();
    await waitFor('the daemon to be ready', async () => {
      if (!this.process) throw new Error(`the daemon has ended:\n${this.log}`);
      return (await fetch(`${this.url}/readyz`)).ok;
    }, 30000).catch((error) => {
      throw new Error(`${error.message}\n${this.log}`, { cause: error.cause });
    });
    return this;
  }

  async stop(signal = 'SIGTERM') {
    if (!this.process) return { code: 0, signal: null };
    this.process.kill(signal);
    return within(`the daemon to end after ${signal}`, this.gone, 20000);
  }

  kill = () => this.stop('SIGKILL');

  async restart(signal = 'SIGTERM', config) {
    await this.stop(signal);
    if (config) this.config = { ...this.config, ...config };
    return this.start();
  }

  // Resident memory in bytes.
  memory() {
    const status = fs.readFileSync(`/proc/${this.process.pid}/status`, 'utf8');
    return Number(/VmRSS:\s+(\d+)/.exec(status)[1]) * 1024;
  }

  // Memory counts are of no use under a sanitizer, which keeps what was freed.
  get isSanitized() {
    return fs.readFileSync(`/proc/${this.process.pid}/maps`, 'utf8').includes('libasan');
  }

  assertGrowth(bytes, most) {
    assert.ok(this.isSanitized || bytes < most, `memory grew by ${bytes} bytes, not below ${most}`);
  }

  cli(...args) {
    return run(program, args, { env: { ...process.env, PAWL_URL: this.url }, cwd: this.dir });
  }

  async http(method, where, body, headers = {}) {
    const reply = await fetch(this.url + where, {
      method,
      headers: body === undefined ? headers : { 'content-type': 'application/json', ...headers },
      body: body === undefined || typeof body === 'string' ? body : JSON.stringify(body),
    });
    const text = await reply.text();
    let json;
    try {
      json = text === '' ? undefined : JSON.parse(text);
    } catch {
      json = undefined;
    }
    return { status: reply.status, headers: reply.headers, text, json };
  }

  async call(function_id, data = {}, query = '') {
    const id = encodeURIComponent(function_id);
    const reply = await this.http('POST', `/v1/functions/${id}/invoke${query}`, data);
    if (reply.status >= 400) {
      throw Object.assign(new Error(`${function_id}: ${reply.text}`), reply.json, reply);
    }
    return reply.json;
  }

  // Of a manual clock: how far, in ms, or until when. What was due has happened when it is back.
  async advance(target, more = {}) {
    const aim = typeof target === 'number' ? { ms: target } : { to: target };
    const turned = await this.call('engine::clock::advance', { ...aim, ...more });
    assert.ok(turned.at_rest, JSON.stringify(turned));
    return turned;
  }

  set = (scope, key, value) => this.call('state::set', { scope, key, value });
  get = (scope, key) => this.call('state::get', { scope, key });

  async triggers() {
    return (await this.call('engine::registered-triggers::list')).registered_triggers;
  }

  // The trigger that wakes this function, once it is there and satisfies the condition.
  async trigger(function_id, condition = () => true) {
    return waitFor(`a trigger of ${function_id}`, async () =>
      (await this.triggers()).find((one) => one.function_id === function_id && condition(one)));
  }

  async events(since = 0) {
    const all = [];
    for (;;) {
      const page = await this.call('engine::events::list', { since, limit: 1000 });
      all.push(...page.events);
      since = page.next - 1;
      if (page.next > page.last) return all;
    }
  }

  async dead() {
    return (await this.call('engine::dead::list', { limit: 1000 })).dead;
  }

  async jobs() {
    return (await this.call('engine::jobs::list', { limit: 1000 })).jobs;
  }

  // Every event so far has been judged and handled by every trigger.
  async settled(deadline) {
    const { store } = await this.call('engine::status');
    return waitFor('all deliveries to be done', async () => {
      const left = (await this.triggers()).filter((one) => one.waiting || one.running ||
        one.cursor + 1 < (one.until_seq || store.last_seq + 1));
      if (left.length) throw new Error(`up to ${store.last_seq}: ${JSON.stringify(left)}`);
      return true;
    }, deadline);
  }
}

// A daemon that ends with the test and must end well.
export async function startDaemon(t, config = {}, env = {}, args = []) {
  const daemon = new Daemon(tempDir(t), await freePort(), config, env, args);
  t.after(async () => {
    const { code, signal } = await daemon.stop();
    if (code !== 0 || signal) throw new Error(`the daemon ended with ${code ?? signal}:\n${daemon.log}`);
  });
  return daemon.start();
}

// One whose time stands still until it is turned.
export const startManual = (t, config, start, env = {}) =>
  startDaemon(t, config, env, ['--clock', start ? `manual=${start}` : 'manual']);

// A worker of the real SDK. OpenTelemetry is global in a process, so it is off unless asked for.
export function sdk(t, address, options = {}) {
  const worker = registerWorker(address.address ?? address, {
    otel: { enabled: false },
    enableMetricsReporting: false,
    reconnectionConfig: { initialDelayMs: 20, maxDelayMs: 100, jitterFactor: 0 },
    ...options,
  });
  worker.logError = () => {}; // lost connections are what we test
  t.after(() => worker.shutdown());
  worker.call = (function_id, payload = {}, more = {}) =>
    worker.trigger({ function_id, payload, ...more });
  worker.on = (function_id, config, handler, metadata) => {
    worker.registerFunction(function_id, handler);
    return worker.registerTrigger({ type: 'state', function_id, config, metadata });
  };
  return worker;
}

// A worker in a process of its own, which can be killed. It prints a line of JSON for every call.
export function childWorker(t, address, script, ...args) {
  const child = spawn(process.execPath, [path.join(root, 'tests/scenario', script),
    address.address ?? address, ...args], { stdio: ['pipe', 'pipe', 'inherit'] });
  const inbox = new Inbox();
  let rest = '';
  child.stdout.setEncoding('utf8').on('data', (text) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop();
    lines.forEach((line) => inbox.put(JSON.parse(line)));
  });
  child.gone = once(child, 'exit');
  child.stdin.on('error', () => {});
  t.after(async () => {
    child.kill('SIGKILL');
    await child.gone;
  });
  return { child, inbox, tell: (line) => child.stdin.write(`${line}\n`),
    kill: async () => {
      child.kill('SIGKILL');
      await child.gone;
    } };
}

// A peer that speaks the worker protocol by hand.
export class RawWorker {
  frames = new Inbox();
  #next = 0;

  static async open(t, daemon, options = {}) {
    const worker = new RawWorker();
    worker.ws = new WebSocket(daemon.address ?? daemon, { perMessageDeflate: false, ...options });
    worker.ws.on('message', (data) => worker.frames.put(JSON.parse(data.toString())));
    worker.ws.on('error', () => {});
    worker.closed = new Promise((resolve) =>
      worker.ws.on('close', (code, reason) => resolve({ code, reason: reason.toString() })));
    t?.after(() => worker.ws.terminate());
    await within('the WebSocket to open', once(worker.ws, 'open'));
    return worker;
  }

  send(frame) {
    this.ws.send(typeof frame === 'string' ? frame : JSON.stringify(frame));
  }

  hello(data = {}) {
    this.send({ type: 'invokefunction', function_id: 'engine::workers::register',
      data: { runtime: 'raw', ...data }, action: { type: 'void' } });
    return this;
  }

  async frame(what, condition, deadline) {
    const items = await this.frames.until(what, (all) => all.some(condition), deadline);
    return items.find(condition);
  }

  async call(function_id, data, more = {}) {
    const invocation_id = `raw-${this.#next++}`;
    this.send({ type: 'invokefunction', invocation_id, function_id, data, ...more });
    const reply = await this.frame(`the result of ${function_id}`, (frame) =>
      frame.type === 'invocationresult' && frame.invocation_id === invocation_id);
    if (reply.error) throw Object.assign(new Error(reply.error.message), reply.error);
    return reply.result;
  }
}

// A TCP link in front of the daemon that can be cut, held and mended.
export class Link {
  #server;
  #pairs = new Set();
  #refuses = false;
  opened = 0;

  static async open(t, port) {
    const link = new Link();
    link.#server = net.createServer((near) => link.#join(near, port));
    link.#server.listen(0, '127.0.0.1');
    await once(link.#server, 'listening');
    link.address = `ws://127.0.0.1:${link.#server.address().port}`;
    t.after(() => {
      link.cut();
      link.#server.close();
    });
    return link;
  }

  #join(near, port) {
    near.on('error', () => {});
    if (this.#refuses) {
      near.destroy();
      return;
    }
    this.opened++;
    const far = net.connect(port, '127.0.0.1').on('error', () => near.destroy());
    const pair = { near, far };
    this.#pairs.add(pair);
    near.pipe(far);
    far.pipe(near);
    const gone = () => {
      near.destroy();
      far.destroy();
      this.#pairs.delete(pair);
    };
    near.on('close', gone);
    far.on('close', gone);
  }

  // All connections break; new ones are refused until mend.
  cut() {
    this.#refuses = true;
    for (const { near, far } of this.#pairs) {
      near.resetAndDestroy();
      far.resetAndDestroy();
    }
  }

  // Nobody hears anything, and nobody learns that the link is down.
  hold() {
    for (const { near, far } of this.#pairs) {
      near.unpipe(far);
      far.unpipe(near);
      near.pause();
      far.pause();
    }
  }

  mend() {
    this.#refuses = false;
    for (const { near, far } of this.#pairs) {
      near.pipe(far);
      far.pipe(near);
    }
  }

  // Broken for so long, as a cable would be.
  async cutFor(ms) {
    this.cut();
    await delay(ms);
    this.mend();
  }
}

export async function rejects(promise, code) {
  try {
    await promise;
  } catch (error) {
    assert.equal(error.code, code, `another error than ${code}: ${error.stack}`);
    return error;
  }
  return assert.fail(`no error, where ${code} was due`);
}
