// This file is the panel Functions: who serves each, and calling one by hand.
// SPDX-License-Identifier: Apache-2.0
import { at, get, post, query, send } from './api.js';
import { button, fill, h, refill } from './dom.js';
import { jsonEditor, jsonView } from './editor.js';
import { duration, number } from './format.js';
import { act, problem } from './notice.js';
import { go, link } from './router.js';
import { dataTable } from './table.js';
import { chip, facts, filterField, fits, splitView, watchBy } from './view.js';

const idOf = (one) => `${one.namespace}/${one.function_id}`;

// Calls the function with the JSON that a person writes, and shows what it answers.
function invoker(one) {
  const editor = jsonEditor({ label: 'Data', text: '{}', rows: 6 });
  const result = h('div', { 'aria-live': 'polite' });
  const run = button('Invoke', () => act(run, async () => {
    if (!editor.isValid) return editor.showFault();
    const start = performance.now();
    fill(result, h('p.quiet', 'It runs…'));
    try {
      const path = at`/v1/functions/${one.function_id}/invoke` + query({ namespace: one.namespace });
      const { text } = await send('POST', path, { body: editor.text });
      fill(result, h('h3', 'Result'), h('p.quiet', `after ${duration(performance.now() - start)}`),
        text ? jsonView(text, 'Result') : h('p.empty', 'It answered without a result.'));
    } catch (error) {
      fill(result, h('h3', 'It failed'), h('p.quiet', `after ${duration(performance.now() - start)}`),
        problem(error));
    }
    return undefined;
  }), { class: 'primary' });
  return h('section', h('h3', 'Invoke'), editor.element, h('div.row', run), result);
}

export function openFunctions(main) {
  let route = { parts: [], query: {} };
  let functions = null;
  let opened = '';
  const filter = filterField({ label: 'Filter functions', onchange: () => draw() });
  const internal = h('input', { id: 'internal', type: 'checkbox', onchange: () => go(link('functions',
    route.parts, { internal: internal.checked ? 'true' : '' }), true) });
  const table = dataTable({
    caption: 'Functions', key: idOf, empty: 'Nobody serves a function that fits.',
    href: (one) => link('functions', [one.function_id, one.namespace], route.query),
    columns: [
      { title: 'Function', cell: (one) => one.function_id },
      { title: 'Namespace', kind: 'wide', cell: (one) => one.namespace },
      { title: 'Kind', cell: (one) => chip(one.kind) },
      { title: 'Providers', kind: 'num', cell: (one) => number(one.providers) },
      { title: 'Running', kind: 'num', cell: (one) => number(one.running) },
      { title: 'Description', kind: 'grow wide', cell: (one) => one.description },
    ],
  });
  const view = splitView(main, { title: 'Functions', list: table.element, tools: [filter.element,
    h('div.check', internal, h('label', { for: 'internal' }, 'also the engine’s own'))],
  back: () => link('functions', [], route.query) });

  const chosen = () => functions?.find((one) => one.function_id === route.parts[0] &&
    (route.parts[1] === undefined || one.namespace === route.parts[1]));

  function draw() {
    if (functions === null) return;
    table.set(functions.filter((one) => fits(one, filter.input.value)));
    const one = chosen();
    table.select(one && idOf(one));
  }

  function drawOne() {
    const one = chosen();
    if (route.parts[0] === undefined) {
      opened = '';
      view.close();
      return;
    }
    if (opened !== (one ? idOf(one) : '-')) {
      opened = one ? idOf(one) : '-';
      view.open(route.parts[0], one ? [h('div.changing'), invoker(one)]
        : h('p.empty', 'Nobody serves this function at the moment.'));
    }
    if (!one) return;
    const enable = one.disabled && button('Enable', () => act(enable, () =>
      post(at`/v1/functions/${one.function_id}/enable` + query({ namespace: one.namespace })),
    'It may be called again.').then(look.now));
    refill(view.detail.querySelector('.changing'), facts([
      ['Namespace', one.namespace], ['Kind', chip(one.kind)], ['Description', one.description],
      ['Providers', number(one.providers)], ['Running', number(one.running)],
      ['Worker', one.kind === 'worker' && h('a', { href: link('workers', [one.worker_id]) }, one.worker_id)],
      ['Disabled', one.disabled && [chip('disabled', 'bad'), ` ${one.disabled} `, enable]]]));
  }

  const look = watchBy(async () => {
    const own = route.query.internal === 'true' ? 'true' : '';
    functions = (await get(`/v1/functions${query({ include_internal: own })}`)).functions;
    draw();
    drawOne();
  });
  return {
    update(given) {
      const isOther = given.query.internal !== route.query.internal;
      route = given;
      internal.checked = route.query.internal === 'true';
      if (isOther) table.wait();
      draw();
      if (functions) drawOne();
      if (isOther) look.now();
    },
    close: look.close,
  };
}
