// This file shows the attempts that were made of a delivery.
// SPDX-License-Identifier: Apache-2.0
import { h } from './dom.js';
import { duration, stamp } from './format.js';

export function attemptList(attempts = [], total = attempts.length) {
  return h('section', h('h3', 'Attempts'),
    attempts.length === 0 && h('p.quiet', 'None yet.'),
    total > attempts.length && h('p.quiet', `The last ${attempts.length} of ${total}.`),
    h('ol.attempts', attempts.map((one) => h('li',
      h('div.row', h('time', { datetime: one.started }, stamp(one.started)),
        h('span.quiet', duration(one.duration_ms)), h('code', one.code)),
      h('p', one.message), one.worker && h('p.quiet', `by ${one.worker}`)))));
}

export const seqOf = (id) => /-(\d+)(?:\/|$)/.exec(id)?.[1];
