// This file is the panel State: scopes, their keys, and the value that is opened.
// SPDX-License-Identifier: Apache-2.0
import { at, get, query, send } from './api.js';
import { ask } from './dialog.js';
import { button, fill, h, setText } from './dom.js';
import { ago, brief, number, plural } from './format.js';
import { tellProblem } from './notice.js';
import { pulse } from './pulse.js';
import { go, link } from './router.js';
import { dataTable } from './table.js';
import { openValue } from './value.js';
import { filterField, watchBy } from './view.js';

const PAGE = 100;
const MOST_SCOPES = 500;

const decoded = (part) => {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
};

// "shop/cart-17" is the object cart-17 of the namespace shop; others are plain scopes.
export function splitScope(scope) {
  const slash = scope.indexOf('/');
  return slash < 0 ? { object: scope }
    : { namespace: decoded(scope.slice(0, slash)), object: decoded(scope.slice(slash + 1)) };
}

function scopeItem(scope, label, current) {
  return h('li', h('a', { href: link('state', [scope]), 'data-row': true,
    'aria-current': scope === current && 'true' }, label));
}

// Plain scopes, then each namespace with its objects.
function scopeTree(scopes, filter, current, isMore) {
  const found = scopes.filter((scope) => scope.toLowerCase().includes(filter.toLowerCase()));
  const spaces = new Map();
  for (const scope of found) {
    const { namespace = '', object } = splitScope(scope);
    if (!spaces.has(namespace)) spaces.set(namespace, []);
    spaces.get(namespace).push(scopeItem(scope, object, current));
  }
  const plain = spaces.get('') ?? [];
  spaces.delete('');
  return [
    h('ul', plain),
    [...spaces].map(([namespace, items]) => h('details', { open: true },
      h('summary', namespace, h('span.count', number(items.length))), h('ul', items))),
    isMore && h('p.quiet', 'There are more: filter by how they begin.'),
    found.length === 0 && h('p.empty',
      scopes.length ? 'No scope fits. Enter opens it all the same.' : 'There is no state yet.'),
  ];
}

async function askForNew(scope) {
  const made = await ask({
    title: 'New value', action: 'Create',
    fields: [
      { name: 'scope', label: 'Scope', value: scope ?? '', required: true,
        hint: 'A name, or namespace/object.' },
      { name: 'key', label: 'Key', required: true },
      { name: 'value', label: 'Value', type: 'json', value: '{}', required: true },
      { name: 'ttl', label: 'Expires after', placeholder: '30m, 12h, 7d', hint: 'Empty: never.' },
    ],
    run: async ({ value, ttl, ...place }) => {
      await send('PUT', at`/v1/state/${place.scope}/${place.key}` + query({ ttl }),
        { body: value, headers: { 'if-none-match': '*' } });
      return place;
    },
  });
  if (made) go(link('state', [made.scope, made.key]));
}

export function openState(main) {
  let route = { parts: [], query: {} };
  let scopes = null;
  let isMore = false; // there are more scopes than fit: the engine filters them, by their beginning
  let pages = []; // { cursor, first } of the pages before this one
  let first = 1; // the number of the first key that is shown
  let shown = 0;
  let limit = PAGE; // less where values are so large that a page is too much for one answer
  let cursor = '';
  let next = '';
  let seenSeq = -1;
  let value = null;

  const tree = h('div.tree', h('p.empty', 'Looking…'));
  const scopeFilter = filterField({ label: 'Filter scopes', onchange: () => {
    drawTree();
    if (isMore) lookAtScopes().catch(tellProblem);
  } });
  scopeFilter.input.addEventListener('keydown', ({ key }) => {
    const name = scopeFilter.input.value.trim();
    if (key === 'Enter' && name) go(link('state', [name]));
  });
  const keyFilter = filterField({ label: 'Key begins with', onchange: () => {
    toFirst();
    keys.now();
  } });
  const table = dataTable({
    caption: 'Keys of the scope', key: (row) => row.key, empty: 'No key fits.',
    href: (row) => link('state', [route.parts[0], row.key]),
    columns: [
      { title: 'Key', cell: (row) => row.key },
      { title: 'Value', kind: 'grow', cell: (row) => h('code', brief(row.value)) },
      { title: 'Expires', kind: 'wide tight', cell: (row) => (row.expires_at ? ago(row.expires_at) : '') },
      { title: 'Rev', kind: 'num wide', cell: (row) => row.rev },
    ],
  });
  const scopeName = h('h2');
  const pager = h('p.quiet', { 'aria-live': 'polite' });
  const earlier = button('Previous', () => {
    ({ cursor, first } = pages.pop());
    keys.now();
  });
  const later = button('Next', () => {
    pages.push({ cursor, first });
    cursor = next;
    first += shown;
    keys.now();
  });
  earlier.hidden = later.hidden = true;
  const keyList = h('section.keys-of', { 'data-list': true, 'aria-label': 'Keys', hidden: true },
    h('div.head', scopeName, h('a.close.back', { href: link('state'),
      'aria-label': 'Back to the scopes' }, '‹')),
    h('div.tools', keyFilter.element), table.element,
    h('div.row.pager', earlier, later, pager));
  const detail = h('section.detail', { 'aria-label': 'Details', hidden: true });
  const frame = h('div.browser',
    h('section.scopes', { 'data-list': true, 'aria-label': 'Scopes' },
      h('div.head', h('h1', 'State'), button('New…', () => askForNew(route.parts[0]))),
      h('div.tools', scopeFilter.element), tree), keyList, detail);
  fill(main, frame);

  function drawTree() {
    const focused = document.activeElement?.closest?.('.tree a')?.getAttribute('href');
    if (scopes === null) return;
    fill(tree, scopeTree(scopes, scopeFilter.input.value, route.parts[0], isMore));
    if (focused) tree.querySelector(`a[href="${CSS.escape(focused)}"]`)?.focus();
  }

  function toFirst() {
    pages = [];
    cursor = '';
    first = 1;
    limit = PAGE;
  }

  async function readPage(scope) {
    for (;;) {
      try {
        return await get(at`/v1/state/${scope}` +
          query({ prefix: keyFilter.input.value, limit, cursor }));
      } catch (error) {
        if (error.code !== 'result_too_large' || limit === 1) throw error;
        limit = Math.ceil(limit / 4);
      }
    }
  }

  async function lookAtKeys() {
    const scope = route.parts[0];
    if (scope === undefined) return;
    const page = await readPage(scope);
    if (scope !== route.parts[0]) return;
    next = page.cursor ?? '';
    shown = page.items.length;
    table.set(page.items);
    table.select(route.parts[1]);
    earlier.hidden = pages.length === 0;
    later.hidden = !next;
    setText(pager, next || pages.length
      ? `${number(first)} to ${number(first + shown - 1)}` : plural(shown, 'key'));
  }

  async function lookAtScopes() {
    const prefix = isMore ? scopeFilter.input.value : '';
    const { groups, cursor: more } = await get(`/v1/state${query({ limit: MOST_SCOPES, prefix })}`)
      .catch((error) => {
        fill(tree, h('p.empty', 'The scopes cannot be listed. Enter in the filter opens one by its name.'));
        throw error;
      });
    isMore ||= Boolean(more);
    const isNew = groups.length !== scopes?.length || groups.some((one, i) => one !== scopes[i]);
    scopes = groups;
    if (isNew) drawTree();
  }

  // Lists are read again only when something has been written.
  const keys = watchBy(async () => {
    const seq = pulse.status?.store.last_seq ?? 0;
    await lookAtKeys();
    if (seq === seenSeq) return;
    seenSeq = seq;
    await value?.look();
    await lookAtScopes();
  });

  function showValue() {
    const [scope, key] = route.parts;
    value?.close();
    value = null;
    detail.hidden = key === undefined;
    if (key === undefined) fill(detail);
    else value = openValue(detail, scope, key, () => keys.now());
  }

  return {
    update(given) {
      const [scope, key] = given.parts;
      const isOther = scope !== route.parts[0];
      const isOtherKey = isOther || key !== route.parts[1];
      route = given;
      frame.className = `browser ${key !== undefined ? 'at-value' : scope !== undefined ? 'at-keys' : ''}`;
      keyList.hidden = scope === undefined;
      if (isOther) {
        toFirst();
        keyFilter.input.value = given.query.prefix ?? '';
        const { namespace, object } = splitScope(scope ?? '');
        fill(scopeName, namespace && [namespace, h('span.quiet', ' / ')], object);
        table.wait();
      }
      drawTree();
      table.select(key);
      if (isOtherKey) showValue();
      keys.now();
    },
    close() {
      value?.close();
      keys.close();
    },
  };
}
