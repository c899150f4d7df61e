// This file shows rows in a table that keeps its place, its focus and its rows while they change.
// SPDX-License-Identifier: Apache-2.0
import { fill, h } from './dom.js';

const WAITING = 'Looking…';

// columns: [{ title, cell(row), kind }]; kind: num, wide (only where there is room), grow, mid.
// The first cell links to href(row): it is what j, k and Enter go by.
export function dataTable({ caption, columns, key, href, empty = 'Nothing here.' }) {
  const known = new Map(); // key -> { tr, seen }
  const body = h('tbody');
  const nothing = h('p.empty', WAITING);
  const table = h('table', { hidden: true }, h('caption.unseen', caption),
    h('thead', h('tr', columns.map((column) =>
      h('th', { scope: 'col', class: column.kind }, column.title)))), body);
  const element = h('div.table', table, nothing);

  body.addEventListener('click', (event) => {
    const isControl = event.target.closest('a, button, input, label');
    const anchor = event.target.closest('tr')?.querySelector('a[data-row]');
    if (!isControl && anchor && !String(getSelection())) anchor.click();
  });

  function cells(row) {
    return columns.map((column, i) => {
      const content = column.cell(row);
      const isLink = i === 0 && href;
      return h(isLink ? 'th' : 'td', { class: column.kind, scope: isLink && 'row' },
        isLink ? h('a', { href: href(row), 'data-row': true }, content) : content);
    });
  }

  function rowOf(row) {
    const id = String(key(row));
    const seen = JSON.stringify(row);
    let entry = known.get(id);
    if (!entry) {
      entry = { tr: h('tr', { 'data-key': id }) };
      known.set(id, entry);
    }
    if (entry.seen !== seen) {
      const hadFocus = entry.tr.querySelector('a[data-row]:focus') !== null;
      fill(entry.tr, cells(row));
      if (hadFocus) entry.tr.querySelector('a[data-row]').focus({ preventScroll: true });
      entry.seen = seen;
    }
    return entry.tr;
  }

  function set(rows) {
    const wanted = rows.map(rowOf);
    const ids = new Set(rows.map((row) => String(key(row))));
    for (const [id, entry] of known) {
      if (ids.has(id)) continue;
      entry.tr.remove();
      known.delete(id);
    }
    wanted.forEach((tr, i) => {
      if (body.children[i] !== tr) body.insertBefore(tr, body.children[i] ?? null);
    });
    nothing.hidden = rows.length > 0;
    nothing.textContent = empty;
    table.hidden = rows.length === 0;
  }

  // Other rows are to come.
  function wait() {
    set([]);
    nothing.textContent = WAITING;
  }

  function select(id) {
    for (const [one, entry] of known) {
      if (one === id) entry.tr.querySelector('a[data-row]')?.setAttribute('aria-current', 'true');
      else entry.tr.querySelector('a[data-row]')?.removeAttribute('aria-current');
      entry.tr.classList.toggle('chosen', one === id);
    }
  }
  return { element, set, select, wait };
}
