// This file is the panel Queues: what waits and runs in each, pauses, and putting a call in.
// SPDX-License-Identifier: Apache-2.0
import { at, get, post } from './api.js';
import { ask } from './dialog.js';
import { button, h } from './dom.js';
import { jsonView } from './editor.js';
import { number } from './format.js';
import { act, tell } from './notice.js';
import { link } from './router.js';
import { dataTable } from './table.js';
import { askToPause, resume } from './triggers.js';
import { chip, facts, filterField, fits, splitView, watchBy } from './view.js';

const askToEnqueue = (queue) => ask({
  title: `Put a call into ${queue}`, action: 'Enqueue',
  fields: [{ name: 'fn', label: 'Function', required: true },
    { name: 'data', label: 'Data', type: 'json', value: '{}', required: true }],
  run: async ({ fn, data }) => {
    const { messageReceiptId: receipt } = await post(at`/v1/queues/${queue}/${fn}`, data);
    tell(`Enqueued as ${receipt}.`);
    return true;
  },
});

export function openQueues(main) {
  let route = { parts: [], query: {} };
  let queues = null;
  let opened = '';
  const filter = filterField({ label: 'Filter queues', onchange: () => draw() });
  const table = dataTable({
    caption: 'Queues', key: (one) => one.queue, empty: 'No queue fits.',
    href: (one) => link('queues', [one.queue]),
    columns: [
      { title: 'Queue', cell: (one) => one.queue },
      { title: 'Type', kind: 'mid', cell: (one) => one.type },
      { title: 'Status', cell: (one) => chip(one.status, one.status === 'live' ? 'good' : 'warn') },
      { title: 'Waiting', kind: 'num', cell: (one) => number(one.waiting) },
      { title: 'Running', kind: 'num', cell: (one) => `${number(one.running)} of ${number(one.concurrency)}` },
      { title: 'Parked', kind: 'num wide', cell: (one) => number(one.parked) },
      { title: 'Done', kind: 'num mid', cell: (one) => number(one.delivered) },
      { title: 'Failed', kind: 'num wide', cell: (one) => number(one.failed_attempts) },
      { title: 'Dead', kind: 'num', cell: (one) => number(one.dead) },
    ],
  });
  const view = splitView(main, { title: 'Queues', list: table.element, tools: [filter.element],
    back: () => link('queues') });

  function draw() {
    if (queues === null) return;
    table.set(queues.filter((one) => fits(one, filter.input.value)));
    table.select(route.parts[0]);
  }

  function openOne(one) {
    const id = `queue:${one.queue}`;
    const toggle = one.status === 'paused'
      ? button('Resume', () => act(toggle, () => resume(id), `Resumed ${one.queue}.`).then(look.now))
      : button('Pause…', async () => (await askToPause(id, `queue ${one.queue}`)) && look.now());
    view.open(one.queue, facts([
      ['Type', one.type], ['Concurrency', number(one.concurrency)], ['Waiting', number(one.waiting)],
      ['Running', number(one.running)], ['Parked', number(one.parked)],
      ['Done', number(one.delivered)], ['Failed attempts', number(one.failed_attempts)],
      ['Retries', number(one.retries)], ['Dead', number(one.dead)],
    ]), h('div.row', button('Enqueue…', async () => (await askToEnqueue(one.queue)) && look.now(),
      { class: 'primary' }), toggle,
    h('a.button', { href: link('jobs', [], { trigger: id }) }, 'Its jobs'),
    h('a.button', { href: link('dead', [], { trigger: id }) }, 'Its dead letters')),
    h('h3', 'Config'), jsonView(one.config, 'Config of the queue'));
  }

  function drawOne() {
    const one = queues.find((each) => each.queue === route.parts[0]);
    const seen = JSON.stringify(one ?? route.parts[0]);
    if (seen === opened) return;
    opened = seen;
    if (route.parts[0] === undefined) view.close();
    else if (one) openOne(one);
    else view.open(route.parts[0], h('p.empty', 'There is no queue of this name.'));
  }

  const look = watchBy(async () => {
    queues = (await get('/v1/queues')).queues;
    draw();
    drawOne();
  }, 1);
  return {
    update(given) {
      route = given;
      draw();
      if (queues) drawOne();
    },
    close: look.close,
  };
}
