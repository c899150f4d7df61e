// This file asks a person: dialogs with fields, which stay open while the engine says no.
// SPDX-License-Identifier: Apache-2.0
import { button, fill, freshId, h } from './dom.js';
import { jsonEditor } from './editor.js';
import { problem } from './notice.js';

// A field: { name, label, type: text | password | number | select | json | check, value, hint,
// options, required }. Answers { element, read() }.
function field(spec) {
  const id = freshId('field');
  const hint = spec.hint && h('p.hint', { id: `${id}-hint` }, spec.hint);
  if (spec.type === 'json') {
    const editor = jsonEditor({ label: spec.label, text: spec.value ?? '', rows: spec.rows ?? 6,
      empty: !spec.required });
    return { element: h('div.field', editor.element, hint), read: () => editor.text.trim(),
      check: () => editor.isValid || (editor.showFault(), false) };
  }
  const common = { id, name: spec.name, required: spec.required,
    'aria-describedby': hint && hint.id };
  let input;
  if (spec.type === 'select') {
    input = h('select', common, spec.options.map(([value, text]) =>
      h('option', { value, selected: value === spec.value }, text)));
  } else if (spec.type === 'check') {
    input = h('input', { ...common, type: 'checkbox', checked: spec.value });
    return { element: h('div.field.check', input, h('label', { for: id }, spec.label), hint),
      read: () => input.checked, check: () => true };
  } else {
    input = h('input', { ...common, type: spec.type ?? 'text', value: spec.value ?? '',
      placeholder: spec.placeholder, autocomplete: 'off', spellcheck: 'false', step: 'any' });
  }
  return { element: h('div.field', h('label', { for: id }, spec.label), input, hint),
    read: () => input.value, check: () => input.reportValidity() };
}

// Shows fields; `run(values)` does what was asked for, and its error is shown without losing a
// word. Answers what `run` answered, or null when the person thought better of it.
export function ask({ title, text, fields = [], action = 'OK', danger = false, run = (all) => all }) {
  const id = freshId('dialog');
  const parts = fields.map((spec) => ({ spec, ...field(spec) }));
  const failure = h('div', { role: 'alert' });
  const submit = h(danger ? 'button.danger' : 'button.primary', { type: 'submit' }, action);
  const dialog = h('dialog', { 'aria-labelledby': id },
    h('form', { novalidate: true }, h('h2', { id }, title),
      text && h('p', text), parts.map((part) => part.element), failure,
      h('div.row.end', button('Cancel', () => dialog.close()), submit)));
  document.body.append(dialog);
  const before = document.activeElement;
  return new Promise((resolve) => {
    let result = null;
    dialog.addEventListener('close', () => {
      dialog.remove();
      before?.isConnected && before.focus();
      resolve(result);
    });
    dialog.addEventListener('submit', async (event) => {
      event.preventDefault();
      if (!parts.every((part) => part.check())) return;
      submit.disabled = true;
      try {
        const values = Object.fromEntries(parts.map((part) => [part.spec.name, part.read()]));
        result = (await run(values)) ?? true;
        dialog.close();
      } catch (error) {
        fill(failure, problem(error));
      } finally {
        submit.disabled = false;
      }
    });
    dialog.showModal();
  });
}

// A dialog that only shows something.
export function show(title, ...content) {
  const id = freshId('dialog');
  const dialog = h('dialog', { 'aria-labelledby': id }, h('h2', { id }, title), content,
    h('div.row.end', button('Close', () => dialog.close(), { class: 'primary' })));
  dialog.addEventListener('close', () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
}
