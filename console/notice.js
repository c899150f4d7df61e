// This file tells what has happened, and what went wrong with what to do about it.
// SPDX-License-Identifier: Apache-2.0
import { button, h } from './dom.js';

const SHOWN_MS = 5000;
// Polite for what went well; errors stay until they are closed.
const told = h('div.notices', { role: 'status', 'aria-live': 'polite' });
const alerts = h('div.notices', { role: 'alert' });
export const noticePlace = h('div.notice-place', told, alerts);

export function tell(text) {
  const note = h('p.notice', text);
  told.append(note);
  setTimeout(() => note.remove(), SHOWN_MS);
}

export function problem(error) {
  return h('div.problem', h('p', error.message),
    error.advice && h('p.advice', error.advice), error.code && h('code', error.code));
}

export function tellProblem(error) {
  if (error.name === 'AbortError') return;
  const note = h('div.notice.bad', problem(error));
  note.append(button('Close', () => note.remove(), { class: 'quiet' }));
  alerts.replaceChildren(note);
}

export function closeNotices() {
  const any = alerts.childElementCount > 0;
  alerts.replaceChildren();
  return any;
}

// Runs what a button asks for: the button rests meanwhile, errors are told.
export async function act(target, work, done) {
  target.disabled = true;
  try {
    const result = await work();
    if (done) tell(typeof done === 'function' ? done(result) : done);
    return result;
  } catch (error) {
    tellProblem(error);
    return undefined;
  } finally {
    target.disabled = false;
  }
}
