// This file is a field for JSON text that says at once where it is wrong.
// SPDX-License-Identifier: Apache-2.0
import { button, freshId, h, setText } from './dom.js';
import { fault, layOut } from './json_text.js';

const MOST_ROWS = 24;
const LEAST_ROWS = 4;

// `onchange(isValid)` is called when a person changes it; `empty` allows an empty text.
export function jsonEditor({ label, text = '', rows, empty = false, onchange = () => {} }) {
  const id = freshId('json');
  const says = h('p.json-state', { id: `${id}-state`, 'aria-live': 'polite' });
  const area = h('textarea.json', { id, spellcheck: 'false', autocomplete: 'off', wrap: 'off',
    'aria-describedby': says.id });
  const go = button('Go to the mistake', () => showFault(), { class: 'quiet', hidden: true });
  let wrong = null;

  function showFault() {
    if (!wrong) return;
    const lines = area.value.split('\n');
    const at = lines.slice(0, wrong.line - 1).reduce((sum, one) => sum + one.length + 1, 0) +
      wrong.column - 1;
    area.focus();
    area.setSelectionRange(at, Math.min(at + 1, area.value.length));
  }

  function judge() {
    const isEmpty = area.value.trim() === '';
    wrong = empty && isEmpty ? null : fault(area.value);
    setText(says, wrong ? `Line ${wrong.line}, column ${wrong.column}: ${wrong.message}`
      : isEmpty ? '' : 'Valid JSON');
    says.classList.toggle('bad', Boolean(wrong));
    area.setAttribute('aria-invalid', String(Boolean(wrong)));
    go.hidden = !wrong;
    const lines = area.value.split('\n').length;
    area.rows = rows ?? Math.min(MOST_ROWS, Math.max(LEAST_ROWS, lines + 1));
  }

  area.addEventListener('input', () => {
    judge();
    onchange(!wrong);
  });
  area.value = text;
  const element = h('div.editor', h('label', { for: id }, label), area,
    h('div.row', says, go));
  judge();
  return {
    element,
    area,
    get text() { return area.value; },
    set text(value) {
      area.value = value;
      judge();
    },
    get isValid() { return !wrong; },
    format() {
      area.value = layOut(area.value);
      judge();
      onchange(!wrong);
    },
    showFault,
  };
}

// A value that is only looked at.
export function jsonView(value, label) {
  const text = typeof value === 'string' ? layOut(value) : layOut(JSON.stringify(value) ?? 'null');
  return h('pre.json', { tabindex: 0, role: 'region', 'aria-label': label }, colored(text));
}

const TOKEN = /("(?:[^"\\]|\\.)*")(\s*:)?|\b(true|false|null)\b|-?\d[\d.eE+-]*/g;

// Names, texts and other values each in their colour.
function colored(text) {
  const out = [];
  let at = 0;
  for (const found of text.matchAll(TOKEN)) {
    const [whole, string, colon] = found;
    out.push(text.slice(at, found.index));
    const kind = colon ? 'name' : string ? 'text' : 'plain';
    out.push(h(`span.j-${kind}`, colon ? string : whole), colon ?? '');
    at = found.index + whole.length;
  }
  return [...out, text.slice(at)];
}
