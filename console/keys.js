// This file is the keyboard: how one goes through lists, panels and filters without a mouse.
// SPDX-License-Identifier: Apache-2.0
import { show } from './dialog.js';
import { h } from './dom.js';
import { closeNotices } from './notice.js';
import { panels } from './panels.js';
import { link } from './router.js';

const CHORD_MS = 1200;
let chordUntil = 0;

const keys = () => [
  ['/', 'to the filter'],
  ['j, k or ↓, ↑', 'to the next or previous row'],
  ['Enter', 'opens the row'],
  ['Escape', 'closes what is open, and clears messages'],
  ['Ctrl + S', 'saves the value that is edited'],
  ...panels.map((panel) => [`g ${panel.key}`, panel.title]),
  ['?', 'shows this'],
];

export function showKeys() {
  show('Keys', h('dl.keys', keys().map(([key, text]) => [h('dt', h('kbd', key)), h('dd', text)])));
}

const isTyping = (target) => target.matches('input:not([type="checkbox"]), textarea, select');

// The rows of the list that has the focus, or else of the first one.
function rowsNear(main, focused) {
  const list = focused?.closest('[data-list]') ?? main.querySelector('[data-list]') ?? main;
  return [...list.querySelectorAll('a[data-row]')].filter((row) => row.offsetParent !== null);
}

function move(main, by) {
  const focused = document.activeElement;
  const rows = rowsNear(main, focused);
  if (rows.length === 0) return;
  const at = rows.indexOf(focused);
  const chosen = rows.findIndex((row) => row.getAttribute('aria-current') === 'true');
  const next = at >= 0 ? at + by : chosen >= 0 ? chosen + by : by > 0 ? 0 : rows.length - 1;
  const row = rows[Math.min(rows.length - 1, Math.max(0, next))];
  row.focus();
  row.scrollIntoView({ block: 'nearest' });
}

function toFilter(main) {
  const filter = [...main.querySelectorAll('[data-filter]')].findLast((one) => one.offsetParent);
  filter?.focus();
  filter?.select?.();
}

function escape(main) {
  const focused = document.activeElement;
  if (focused && focused !== document.body && isTyping(focused)) focused.blur();
  else if (!closeNotices()) main.querySelector('a[data-close]')?.click();
}

function toPanel(key) {
  const panel = panels.find((one) => one.key === key);
  if (panel) location.hash = link(panel.name);
}

const actions = (main) => ({
  '/': () => toFilter(main),
  j: () => move(main, 1),
  ArrowDown: () => move(main, 1),
  k: () => move(main, -1),
  ArrowUp: () => move(main, -1),
  g: () => (chordUntil = performance.now() + CHORD_MS),
  '?': showKeys,
});

export function startKeys(main) {
  const table = actions(main);
  document.addEventListener('keydown', (event) => {
    const { key, target } = event;
    if (document.querySelector('dialog[open]') || event.isComposing) return;
    if (key === 'Escape') {
      escape(main);
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey || isTyping(target)) return;
    const isArrow = key.startsWith('Arrow');
    if (isArrow && !target.matches('body, main, a[data-row]')) return; // it scrolls
    if (performance.now() < chordUntil) {
      chordUntil = 0;
      toPanel(key);
    } else if (table[key]) {
      table[key]();
    } else {
      return;
    }
    event.preventDefault();
  });
}
