// This file is the panel Workers: who is connected, what it does, and letting it go in peace.
// SPDX-License-Identifier: Apache-2.0
import { at, get, post } from './api.js';
import { ask } from './dialog.js';
import { button, h } from './dom.js';
import { jsonView } from './editor.js';
import { ago, number } from './format.js';
import { act, tell } from './notice.js';
import { link } from './router.js';
import { dataTable } from './table.js';
import { chip, facts, filterField, fits, splitView, watchBy } from './view.js';

const stateOf = (one) => (one.draining ? 'draining' : one.status);

const askToDrain = (one) => ask({
  title: `Drain ${one.name || one.id}?`, action: 'Drain',
  text: 'It gets no new calls; what it runs may finish.',
  run: async () => {
    await post(at`/v1/workers/${one.id}/drain?wait=false`);
    tell('It gets no new calls.');
    return true;
  },
});

export function openWorkers(main) {
  let route = { parts: [], query: {} };
  let workers = null;
  let opened = '';
  const filter = filterField({ label: 'Filter workers', onchange: () => draw() });
  const table = dataTable({
    caption: 'Workers', key: (one) => one.id, empty: 'No worker is connected.',
    href: (one) => link('workers', [one.id]),
    columns: [
      { title: 'Name', cell: (one) => one.name || one.id },
      { title: 'Namespace', kind: 'wide', cell: (one) => one.namespace },
      { title: 'Status', cell: (one) => chip(stateOf(one), one.draining ? 'warn' : 'good') },
      { title: 'Functions', kind: 'num mid', cell: (one) => number(one.function_count) },
      { title: 'In flight', kind: 'num', cell: (one) =>
        `${number(one.in_flight)} of ${number(one.max_in_flight)}` },
      { title: 'Connected', kind: 'mid', cell: (one) => ago(one.connected_at) },
      { title: 'Runtime', kind: 'wide', cell: (one) => one.metadata?.runtime ?? '' },
    ],
  });
  const view = splitView(main, { title: 'Workers', list: table.element, tools: [filter.element],
    back: () => link('workers') });

  function draw() {
    if (workers === null) return;
    table.set(workers.filter((one) => fits(one, filter.input.value)));
    table.select(route.parts[0]);
  }

  function openOne(one) {
    const toggle = one.draining
      ? button('Resume', () => act(toggle, () => post(at`/v1/workers/${one.id}/resume`),
        'It gets calls again.').then(look.now))
      : button('Drain…', async () => (await askToDrain(one)) && look.now());
    view.open(one.name || one.id, facts([
      ['Status', chip(stateOf(one), one.draining ? 'warn' : 'good')], ['Id', h('code', one.id)],
      ['Namespace', one.namespace], ['Connected', ago(one.connected_at)],
      ['In flight', `${number(one.in_flight)} of ${number(one.max_in_flight)}`],
      ['Bad frames', number(one.bad_frames)]]), h('div.row', toggle),
    h('h3', 'Functions'), h('ul.lines', one.functions.map((id) => h('li',
      h('a', { href: link('functions', [id, one.namespace]) }, id)))),
    one.metadata && [h('h3', 'What it says of itself'), jsonView(one.metadata, 'Metadata')]);
  }

  function drawOne() {
    const one = workers?.find((each) => each.id === route.parts[0]);
    const seen = JSON.stringify(one ?? route.parts[0]);
    if (seen === opened) return;
    opened = seen;
    if (route.parts[0] === undefined) view.close();
    else if (one) openOne(one);
    else view.open('Worker', h('p.empty', 'It is not connected any more.'));
  }

  const look = watchBy(async () => {
    workers = (await get('/v1/workers')).workers;
    draw();
    drawOne();
  });
  return {
    update(given) {
      route = given;
      draw();
      if (workers) drawOne();
    },
    close: look.close,
  };
}
