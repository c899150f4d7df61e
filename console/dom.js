// This file makes elements and fills them; text is always text, never markup.
// SPDX-License-Identifier: Apache-2.0

const SVG = 'http://www.w3.org/2000/svg';

function give(element, name, value) {
  if (value === undefined || value === null || value === false) return;
  if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
  else if (name === 'value' || name === 'checked' || name === 'disabled') element[name] = value;
  else element.setAttribute(name, value === true ? '' : String(value));
}

function make(element, rest) {
  for (const part of rest.flat(3)) {
    if (part === undefined || part === null || part === false) continue;
    if (part instanceof Node || typeof part !== 'object') element.append(part);
    else for (const [name, value] of Object.entries(part)) give(element, name, value);
  }
  return element;
}

// h('td.num', { title: 'why' }, 'text', [more, nodes]): what is null or false is left out.
export function h(what, ...rest) {
  const [tag, ...classes] = what.split('.');
  const element = document.createElement(tag || 'div');
  if (classes.length) element.className = classes.join(' ');
  return make(element, rest);
}

export function svg(tag, ...rest) {
  return make(document.createElementNS(SVG, tag), rest);
}

export function fill(element, ...children) {
  element.replaceChildren(...children.flat(3).filter((one) =>
    one !== undefined && one !== null && one !== false));
  return element;
}

const nameOf = (element) => element.getAttribute('href') || element.id || element.textContent;

// As fill, but what is there stays when it would be the same, and the focus stays where it was.
export function refill(element, ...children) {
  const next = fill(element.cloneNode(false), ...children);
  if (next.isEqualNode(element)) return element;
  const focused = element.contains(document.activeElement) && nameOf(document.activeElement);
  element.replaceChildren(...next.childNodes);
  if (focused) {
    [...element.querySelectorAll('a, button')].find((one) => nameOf(one) === focused)?.focus();
  }
  return element;
}

export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

export const button = (label, onclick, props = {}) =>
  h('button', { type: 'button', onclick, ...props }, label);

// An element's id that no other has, for labels.
let ids = 0;
export const freshId = (stem) => `${stem}-${++ids}`;

export function copyButton(text, label = 'Copy') {
  const copy = button(label, async () => {
    await navigator.clipboard?.writeText(typeof text === 'function' ? text() : text);
    copy.textContent = 'Copied';
    setTimeout(() => (copy.textContent = label), 1200);
  }, { class: 'quiet' });
  return copy;
}
