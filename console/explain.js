// This file shows why each trigger did or did not fire for an event.
// SPDX-License-Identifier: Apache-2.0
import { h } from './dom.js';
import { number } from './format.js';
import { link } from './router.js';
import { chip } from './view.js';

function seen({ source, value, error }) {
  return h('li', h('code', source), error ? ' failed: ' : ' is ',
    error ? error.text : h('code', String(value)));
}

function judgement(one) {
  return [
    one.conjunct && h('p', h('code', one.conjunct.source),
      one.conjunct.error ? ` failed: ${one.conjunct.error.text}` : ` is ${one.conjunct.value}`),
    one.saw?.length > 0 && h('ul.saw', one.saw.map(seen)),
  ];
}

function verdict(one) {
  const tone = one.fired ? 'good' : one.reason.includes('error') ? 'bad' : '';
  return h(`li.verdict${one.fired ? '.fired' : ''}`,
    h('div.row', h('a', { href: link('triggers', [one.id]) }, one.id),
      chip(one.fired ? 'fired' : 'did not fire', tone), h('span.quiet', `→ ${one.function_id}`)),
    h('p.reason', one.text), judgement(one),
    one.now && h('div.now', h('p', `Its present version ${one.now.fires ? 'fires' : 'does not fire'}.`),
      judgement(one.now)));
}

// What /v1/events/{seq}/explain answers. Those that fired come first, then the nearest misses.
export function explanation(answer) {
  const rest = Object.entries(answer.rest ?? {});
  const fired = answer.triggers.filter((one) => one.fired).length;
  return h('section.explain', h('h3', 'Why did it (not) fire?'),
    h('p.quiet', `${number(fired)} of ${number(answer.triggers.length)} triggers fired`,
      rest.length > 0 && `; not shown: ${rest.map(([reason, n]) => `${number(n)} ${reason}`).join(', ')}`),
    answer.triggers.length ? h('ul.verdicts', answer.triggers.map(verdict))
      : h('p.empty', 'There is no trigger.'));
}
