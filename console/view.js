// This file is what panels share: a list with a filter, details beside it, and looking again.
// SPDX-License-Identifier: Apache-2.0
import { fill, freshId, h, refill } from './dom.js';
import { tellProblem } from './notice.js';
import { onBeat } from './pulse.js';

// A list at the left, what was chosen at the right; on a narrow screen one of the two.
export function splitView(main, { title, tools = [], list, back }) {
  const detail = h('section.detail', { 'aria-label': 'Details', hidden: true });
  const element = h('div.split',
    h('section.list', { 'data-list': true, 'aria-label': title },
      h('div.head', h('h1', title), h('div.tools', tools)), list), detail);
  fill(main, element);
  return {
    element,
    // The content, under a heading and a link that closes it.
    open(heading, ...content) {
      detail.hidden = false;
      element.classList.add('has-detail');
      refill(detail, h('div.head', h('h2', heading), h('a.close', { href: back(), 'data-close': true,
        'aria-label': 'Close the details' }, '×')), ...content);
    },
    close() {
      detail.hidden = true;
      element.classList.remove('has-detail');
      fill(detail);
    },
    detail,
  };
}

export function filterField({ label, value = '', placeholder = label, onchange, wide = false }) {
  const id = freshId('filter');
  const input = h('input', { id, type: 'search', value, placeholder, autocomplete: 'off',
    spellcheck: 'false', 'data-filter': true, oninput: () => onchange(input.value) });
  return { element: h(wide ? 'div.filter.wide-filter' : 'div.filter',
    h('label.unseen', { for: id }, label), input), input };
}

// Looks for `text` anywhere in what the row shows.
export function fits(row, text) {
  const wanted = text.trim().toLowerCase();
  return !wanted || JSON.stringify(row).toLowerCase().includes(wanted);
}

// Calls `look` now, at every `every`-th beat while the page is seen, and when asked; never twice at
// a time. What it throws is told once, until it works again.
export function watchBy(look, every = 2) {
  let isRunning = false;
  let again = false;
  let isOver = false;
  let failed = '';
  let beats = 0;
  async function run() {
    if (isRunning) {
      again = true;
      return;
    }
    isRunning = true;
    do {
      again = false;
      try {
        if (!isOver) await look();
        failed = '';
      } catch (error) {
        if (!isOver && failed !== error.message) tellProblem(error);
        failed = error.message;
      }
    } while (again && !isOver);
    isRunning = false;
  }
  const stop = onBeat(() => ++beats % every === 0 && run());
  run();
  return { now: run, close() {
    isOver = true;
    stop();
  } };
}

// Name and value, one under the other; what is absent is left out.
export function facts(pairs) {
  return h('dl.facts', pairs.filter(([, value]) => value !== undefined && value !== null &&
    value !== '' && value !== false).map(([name, value]) => [h('dt', name), h('dd', value)]));
}

export const chip = (text, tone = '') => h(`span.chip${tone && `.${tone}`}`, text);
