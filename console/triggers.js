// This file is the panel Triggers: their figures, pauses, and what they would say to past events.
// SPDX-License-Identifier: Apache-2.0
import { at, get, post, remove, send } from './api.js';
import { ask } from './dialog.js';
import { button, fill, h, refill } from './dom.js';
import { jsonEditor, jsonView } from './editor.js';
import { ago, moment, number, plural } from './format.js';
import { act, problem, tell } from './notice.js';
import { go, link } from './router.js';
import { dataTable } from './table.js';
import { chip, facts, filterField, fits, splitView, watchBy } from './view.js';

const TONES = { live: 'good', lagging: 'warn', paused: 'warn', unbound: 'bad', detached: 'warn' };

export async function askToPause(id, what = `trigger ${id}`) {
  return ask({
    title: `Pause ${what}?`, action: 'Pause',
    fields: [
      { name: 'mode', label: 'Its events meanwhile', type: 'select', value: 'hold',
        options: [['hold', 'wait for it'], ['drop', 'are dropped']] },
      { name: 'reason', label: 'Reason', hint: 'It is shown to whoever looks.' },
    ],
    run: async ({ mode, reason }) => {
      await post(at`/v1/triggers/${id}/pause`, reason ? { mode, reason } : { mode });
      tell(`Paused ${what}.`);
      return true;
    },
  });
}

// Makes a durable trigger, or another version of one.
const askForTrigger = (one) => ask({
  title: one ? `Edit trigger ${one.id}` : 'New trigger', action: one ? 'Save' : 'Create',
  text: one && 'Events from now on are judged by the new version.',
  fields: [
    ...(one ? [] : [{ name: 'id', label: 'Id', required: true }]),
    { name: 'type', label: 'Type', value: one?.trigger_type ?? 'state', required: true },
    { name: 'function_id', label: 'Function', value: one?.function_id ?? '', required: true },
    { name: 'config', label: 'Config', type: 'json', required: true, rows: 8,
      value: one ? JSON.stringify(one.config, null, 2) : '{\n  "scope": ""\n}' },
  ],
  run: async ({ id = one?.id, type, function_id, config }) => {
    const body = `${JSON.stringify({ type, function_id }).slice(0, -1)},"config":${config}}`;
    await send('PUT', at`/v1/triggers/${id}`, { body });
    tell(one ? `Saved ${id}.` : `Made ${id}.`);
    return id;
  },
});

export const resume = (id) => post(at`/v1/triggers/${id}/resume`);

// Those of the config and of workers are changed where they come from.
const isOurs = (one) => one.durable && one.origin !== 'config' && !one.worker_name;

function figures(one) {
  const pairs = [['Matched', one.matched], ['Delivered', one.delivered], ['Waiting', one.waiting],
    ['Running', one.running], ['Failed attempts', one.failed_attempts], ['Retries', one.retries],
    ['Dead', one.dead], ['Dropped', one.dropped], ['Considered', one.considered],
    ['Condition false', one.condition_false], ['Condition errors', one.condition_errors],
    ['Paused keys', one.paused_keys]];
  return h('dl.tiles', pairs.map(([name, n]) => h('div', h('dt', name), h('dd', number(n)))));
}

function story(one) {
  return facts([
    ['Status', [chip(one.status, TONES[one.status]), one.paused_because && ` ${one.paused_because}`]],
    ['Type', one.trigger_type],
    ['Function', h('a', { href: link('functions', [one.function_id]) }, one.function_id)],
    ['Comes from', one.worker_name ? `worker ${one.worker_name}` : one.origin],
    ['Judges events', one.until_seq ? `${one.from_seq} to ${one.until_seq - 1}`
      : `from ${one.from_seq}, version ${one.version}`],
    ['Condition', one.config.when && h('code', one.config.when)],
    ['Cursor', number(one.cursor)],
    ['Next time', one.next_fire && [ago(one.next_fire), ' · ', moment(one.next_fire)]],
    ['Last time', one.last_fire && ago(one.last_fire)],
    ['Last error', one.last_error],
    ['Condition failed', one.last_condition_error && [one.last_condition_error.text, ' ',
      h('a', { href: link('events', [one.last_condition_error.seq]) },
        `event ${one.last_condition_error.seq}`)]],
  ]);
}

function trialResult(answer) {
  const counts = Object.entries(answer.counts).map(([reason, n]) => `${number(n)} ${reason}`);
  return [
    h('p', h('strong', `${number(answer.matched)} of ${plural(answer.seen, 'event')} would have fired it.`),
      h('span.quiet', ` ${counts.join(', ')}`)),
    answer.first_error && h('p.bad', `Event ${answer.first_error.seq}: ${answer.first_error.text}`),
    h('ul.lines', answer.matches.slice(-50).toReversed().map((event) => h('li',
      h('a', { href: link('events', [event.seq]) }, `event ${event.seq}`),
      h('span.grow', ` ${event.event_type} ${event.scope} ${event.key}`), moment(event.time)))),
    answer.matches.length > 50 && h('p.quiet', 'The last 50 of them are shown.'),
  ];
}

// What this trigger, or a changed one, would have said to past events. It fires nothing.
function trial(one) {
  const result = h('div', { 'aria-live': 'polite' });
  const editor = jsonEditor({ label: 'Config to try', rows: 6,
    text: JSON.stringify(one.config, null, 2) });
  const last = h('input', { id: 'trial-last', type: 'number', min: 1, max: 100000, value: 1000 });
  const run = button('Test', () => act(run, async () => {
    if (!editor.isValid) return editor.showFault();
    const body = `{"trigger":{"type":${JSON.stringify(one.trigger_type)},"config":${editor.text}},` +
      `"last":${Number(last.value) || 1000}}`;
    try {
      fill(result, trialResult(await post('/v1/triggers:test', body)));
    } catch (error) {
      fill(result, problem(error));
    }
    return undefined;
  }), { class: 'primary' });
  return h('details.trial', h('summary', 'Test against past events'),
    h('p.quiet', 'Nothing is called, and no figure changes.'), editor.element,
    h('div.row', h('label', { for: 'trial-last' }, 'Last events'), last, run), result);
}

export function openTriggers(main) {
  let route = { parts: [], query: {} };
  let triggers = null;
  let opened = ''; // what of the chosen one is shown
  const filter = filterField({ label: 'Filter triggers', onchange: () => draw() });
  const unbound = h('input', { id: 'only-unbound', type: 'checkbox', onchange: () => go(link('triggers',
    route.parts, { show: unbound.checked ? 'unbound' : '' }), true) });
  const table = dataTable({
    caption: 'Triggers', key: (one) => one.id, empty: 'No trigger fits.',
    href: (one) => link('triggers', [one.id], route.query),
    columns: [
      { title: 'Id', cell: (one) => one.id },
      { title: 'Type', kind: 'wide', cell: (one) => one.trigger_type },
      { title: 'Function', kind: 'wide', cell: (one) => one.function_id },
      { title: 'Status', cell: (one) => chip(one.status, TONES[one.status]) },
      { title: 'Matched', kind: 'num mid', cell: (one) => number(one.matched) },
      { title: 'Delivered', kind: 'num', cell: (one) => number(one.delivered) },
      { title: 'Waiting', kind: 'num', cell: (one) => number(one.waiting + one.running) },
      { title: 'Failed', kind: 'num mid', cell: (one) => number(one.failed_attempts) },
      { title: 'Dead', kind: 'num', cell: (one) => number(one.dead) },
    ],
  });
  const view = splitView(main, { title: 'Triggers', list: table.element, tools: [filter.element,
    button('New…', async () => {
      const id = await askForTrigger();
      if (id) go(link('triggers', [id]));
    }),
    h('div.check', unbound, h('label', { for: 'only-unbound' }, 'only those whose function nobody serves'))],
  back: () => link('triggers', [], route.query) });

  function draw() {
    if (triggers === null) return;
    const shown = triggers.filter((one) => fits([one.id, one.trigger_type, one.function_id, one.status,
      one.config], filter.input.value) && (route.query.show !== 'unbound' || one.status === 'unbound'));
    table.set(shown);
    table.select(route.parts[0]);
  }

  async function askToRemove(one) {
    const done = await ask({ title: `Remove trigger ${one.id}?`, action: 'Remove', danger: true,
      text: 'What still waits for it is dropped.',
      run: async () => {
        await remove(at`/v1/triggers/${one.id}`);
        return true;
      } });
    if (done) go(link('triggers'));
  }

  // The parts that change are filled again; what a person writes beside them stays.
  function drawOne() {
    const id = route.parts[0];
    if (id === undefined) {
      opened = '';
      view.close();
      return;
    }
    const one = triggers.find((each) => each.id === id);
    if (!one) {
      opened = '';
      view.open(id, h('p.empty', 'There is no trigger of this id.'));
      return;
    }
    if (opened !== `${id} ${one.version}`) {
      opened = `${id} ${one.version}`;
      view.open(id, h('div.changing'), h('h3', 'Config'), jsonView(one.config, 'Config of the trigger'),
        trial(one));
    }
    const isPaused = one.status === 'paused';
    const toggle = isPaused
      ? button('Resume', () => act(toggle, () => resume(id), `Resumed ${id}.`).then(look.now))
      : button('Pause…', async () => (await askToPause(id)) && look.now());
    const place = view.detail.querySelector('.changing');
    refill(place, story(one), figures(one), h('div.row', toggle,
      h('a.button', { href: link('jobs', [], { trigger: id }) }, 'Its jobs'),
      h('a.button', { href: link('dead', [], { trigger: id }) }, 'Its dead letters'),
      h('span.gap'), isOurs(one) && [
        button('Edit…', async () => (await askForTrigger(one)) && look.now()),
        button('Remove…', () => askToRemove(one), { class: 'danger' })]));
  }

  const look = watchBy(async () => {
    triggers = (await get('/v1/triggers')).registered_triggers;
    draw();
    drawOne();
  });
  return {
    update(given) {
      route = given;
      unbound.checked = route.query.show === 'unbound';
      draw();
      if (triggers) drawOne();
    },
    close: look.close,
  };
}
