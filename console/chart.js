// This file draws small charts as SVG: a line over the last two minutes, and bars.
// SPDX-License-Identifier: Apache-2.0
import { h, refill, setText, svg } from './dom.js';

const WIDTH = 240;
const HEIGHT = 56;
const POINTS = 120;

// The least of 1, 2, 5, 10, 20, ... that is not below n: a scale that does not jump at each value.
export function ceiling(n) {
  if (n <= 0) return 1;
  const power = 10 ** Math.floor(Math.log10(n));
  return [1, 2, 5, 10].map((step) => step * power).find((one) => one >= n);
}

// { title, unit, format } of figures that come one after the other; `hint` says what they are.
export function lineChart({ title, hint = '', format, tone = '' }) {
  const now = h('span.figure', '–');
  const top = h('span.scale');
  const area = svg('path', { class: 'area' });
  const line = svg('path', { class: 'line' });
  const picture = svg('svg', { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: 'none',
    role: 'img', 'aria-label': title }, area, line);
  const element = h(`section.chart${tone && `.${tone}`}`, { title: hint },
    h('h3', title), now, h('div.plot', picture, top));

  function set(points, shown = points.at(-1)) {
    setText(now, shown === undefined ? '–' : format(shown));
    const most = ceiling(Math.max(0, ...points));
    setText(top, points.some((y) => y > 0) ? format(most) : '');
    picture.setAttribute('aria-label', `${title}: ${now.textContent}, the highest of ` +
      `${points.length} seconds ${format(Math.max(0, ...points))}`);
    const step = WIDTH / (POINTS - 1);
    const left = WIDTH - step * (points.length - 1);
    const path = points.map((y, i) =>
      `${i ? 'L' : 'M'}${(left + i * step).toFixed(1)} ${(HEIGHT - 2 - (y / most) * (HEIGHT - 8)).toFixed(1)}`)
      .join('');
    line.setAttribute('d', path);
    area.setAttribute('d', points.length > 1 ? `${path}L${WIDTH} ${HEIGHT}L${left.toFixed(1)} ${HEIGHT}Z` : '');
  }
  return { element, set };
}

// Rows of { label, value, text, tone, href }: how much each has of the most.
export function bars(title, rows, empty) {
  const most = Math.max(1, ...rows.map((row) => row.value));
  return h('section.bars', h('h3', title), rows.length === 0 && h('p.quiet', empty),
    h('dl', rows.map((row) => [
      h('dt', row.href ? h('a', { href: row.href }, row.label) : row.label),
      h('dd', svg('svg', { viewBox: '0 0 100 6', preserveAspectRatio: 'none', 'aria-hidden': 'true',
        class: row.tone ?? '' }, svg('rect', { class: 'track', width: 100, height: 6 }),
        svg('rect', { class: 'bar', width: (100 * row.value) / most, height: 6 })), h('span', row.text))])));
}

export function setBars(place, ...args) {
  refill(place, bars(...args));
}
