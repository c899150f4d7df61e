// This file shows one value of the state, lets it be edited, and shows who else has changed it.
// SPDX-License-Identifier: Apache-2.0
import { at, get, query, send } from './api.js';
import { alarmSection } from './alarm_form.js';
import { ask } from './dialog.js';
import { button, copyButton, fill, h, setText } from './dom.js';
import { jsonEditor, jsonView } from './editor.js';
import { ago, bytes } from './format.js';
import { layOut } from './json_text.js';
import { act, tell, tellProblem } from './notice.js';
import { go, link } from './router.js';
import { facts } from './view.js';

const unquoted = (etag) => etag?.replaceAll('"', '') ?? '';

// Reads { text, rev }, or null when there is no such value.
async function read(scope, key, known) {
  try {
    const reply = await send('GET', at`/v1/state/${scope}/${key}`,
      { headers: known ? { 'if-none-match': known } : {} });
    return reply.status === 304 ? 'same' : { text: reply.text, etag: reply.etag };
  } catch (error) {
    if (error.code === 'not_found') return null;
    throw error;
  }
}

// `onchange` is called when something was written or deleted here.
export function openValue(place, scope, key, onchange) {
  let base = null; // { text, etag }: what the editor began with
  let isOver = false;
  let isSaving = false;

  const editor = jsonEditor({ label: 'Value', onchange: () => drawState() });
  const about = h('div');
  const hint = h('p.hint', { 'aria-live': 'polite' });
  const conflict = h('div', { role: 'alert' });
  const save = button('Save', () => store(base?.etag), { class: 'primary', title: 'Ctrl + S' });
  const revert = button('Revert', () => take(base));
  const remove = button('Delete…', () => askToDelete(), { class: 'danger' });
  const body = h('div', { hidden: true }, about, editor.element,
    h('div.row', save, revert, button('Format', () => editor.format()), copyButton(() => editor.text),
      h('span.gap'), remove), hint, conflict);
  const gone = h('p.empty', { hidden: true }, 'There is no such value (any more).');
  const alarms = alarmSection(scope, key);
  fill(place,
    h('div.head', h('h2', key), h('a.close', { href: link('state', [scope]), 'data-close': true,
      'aria-label': 'Close the value' }, '×')),
    gone, body, alarms.element,
    h('p', h('a', { href: link('events', [], { scope, prefix: key }) }, 'Its events')));

  const isDirty = () => base !== null && editor.text !== layOut(base.text);

  function drawState() {
    save.disabled = isSaving || !isDirty() || !editor.isValid;
    revert.disabled = !isDirty();
    setText(hint, isDirty() ? 'Not saved yet.' : '');
  }

  async function lookAtExpiry() {
    const { items } = await get(at`/v1/state/${scope}` + query({ prefix: key, limit: 1 }));
    return items[0]?.key === key ? items[0].expires_at : undefined;
  }

  async function take(given) {
    base = given;
    gone.hidden = given !== null;
    body.hidden = given === null;
    fill(conflict);
    if (given === null) return;
    editor.text = layOut(given.text);
    drawState();
    const expires = await lookAtExpiry().catch(() => undefined);
    fill(about, facts([['Revision', unquoted(given.etag)],
      ['Size', bytes(new TextEncoder().encode(given.text).length)],
      ['Expires', expires && ago(expires)]]));
  }

  // Somebody else has written while this was edited: both are shown, and a person decides.
  function showConflict(theirs) {
    fill(conflict, h('section.conflict', h('h3', 'Somebody else has changed this value'),
      theirs === null ? h('p', 'It has been deleted.') : h('div.two',
        h('div', h('h4', `Theirs, revision ${unquoted(theirs.etag)}`),
          jsonView(theirs.text, 'Their value')),
        h('div', h('h4', `Yours, of revision ${unquoted(base.etag)}`),
          jsonView(editor.text, 'Your value'))),
      h('div.row',
        button('Save mine over it', () => store(theirs?.etag ?? null), { class: 'danger' }),
        button('Take theirs', () => take(theirs)),
        button('Go on editing', () => {
          if (theirs) base = { ...base, etag: theirs.etag, text: theirs.text };
          fill(conflict);
          drawState();
        }))));
    conflict.scrollIntoView({ block: 'nearest' });
  }

  // With the revision that it replaces; null: there must be none.
  async function store(etag) {
    if (!editor.isValid || isSaving) {
      editor.showFault();
      return;
    }
    isSaving = true;
    drawState();
    try {
      const text = editor.text.trim();
      await send('PUT', at`/v1/state/${scope}/${key}?ttl=keep`,
        { body: text, headers: etag ? { 'if-match': etag } : { 'if-none-match': '*' } });
      tell(`Saved ${key}.`);
      await take(await read(scope, key));
      onchange();
    } catch (error) {
      if (error.status === 412 || error.code === 'rev_conflict') {
        showConflict(await read(scope, key).catch(() => null));
      } else {
        tellProblem(error);
      }
    } finally {
      isSaving = false;
      drawState();
    }
  }

  async function askToDelete() {
    const done = await ask({ title: `Delete ${key}?`, action: 'Delete', danger: true,
      text: `It makes an event in ${scope}, which may wake triggers.`,
      run: async () => {
        await send('DELETE', at`/v1/state/${scope}/${key}`, { headers: { 'if-match': base.etag } });
        return true;
      } });
    if (!done) return;
    tell(`Deleted ${key}.`);
    onchange();
    go(link('state', [scope]));
  }

  // Looks whether it is another one by now; what a person has written is never overwritten.
  async function look() {
    if (isOver || isSaving) return;
    const now = await read(scope, key, base?.etag);
    if (isOver || isSaving || now === 'same' || (now === null && base === null)) return;
    if (base === null || !isDirty()) await take(now);
    else if (!conflict.firstChild) showConflict(now);
    alarms.look();
  }

  const onKey = (event) => {
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === 's') {
      event.preventDefault();
      store(base?.etag);
    }
  };
  place.addEventListener('keydown', onKey);
  act(save, async () => {
    await take(await read(scope, key));
    await alarms.look();
  }).then(drawState);
  return { look, close() {
    isOver = true;
    place.removeEventListener('keydown', onKey);
  } };
}
