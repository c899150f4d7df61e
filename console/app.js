// This file is the console's frame: who is where, the keys, the pulse, the question for a token.
// SPDX-License-Identifier: Apache-2.0
import { setTokenPrompt, token } from './api.js';
import { ask } from './dialog.js';
import { button, fill, h, setText } from './dom.js';
import { relative } from './format.js';
import { showKeys, startKeys } from './keys.js';
import { noticePlace } from './notice.js';
import { panels } from './panels.js';
import { beatNow, onBeat, pulse, startPulse } from './pulse.js';
import { link, read } from './router.js';

const main = h('main', { id: 'main', tabindex: -1 });
const badges = {};
const links = {};
let shown = null; // { name, panel }

// ---- the frame ----

const dot = h('span.dot', { 'aria-hidden': 'true' });
const health = h('span.health-text', 'connecting…');
const where = h('span.quiet.where');
const tokenButton = button('Token', () => promptToken(), { class: 'quiet' });
const menu = button('Menu', () => toggleMenu(), { class: 'menu', 'aria-expanded': 'false',
  'aria-controls': 'nav' });

function toggleMenu(open = !document.body.classList.contains('menu-open')) {
  document.body.classList.toggle('menu-open', open);
  menu.setAttribute('aria-expanded', String(open));
}

function frame() {
  const items = panels.map(({ name, title }) => {
    badges[name] = h('span.badge', { hidden: true });
    links[name] = h('a', { href: link(name) }, title, badges[name]);
    return h('li', links[name]);
  });
  document.body.append(
    h('a.skip', { href: '#main', onclick: (event) => {
      event.preventDefault();
      main.focus();
    } }, 'Skip to the content'),
    h('header.top', menu, h('a.brand', { href: link('overview') },
      h('img', { src: '/console/pawl.svg', alt: '', width: 22, height: 22 }), 'pawl'), where,
      h('p.health', { role: 'status' }, dot, health), tokenButton,
      button('?', showKeys, { class: 'quiet', 'aria-label': 'Keys' })),
    h('nav', { id: 'nav', 'aria-label': 'Panels' }, h('ul', items)), main, noticePlace);
}

// ---- views ----

function show() {
  const route = read();
  const wanted = panels.find((panel) => panel.name === route.panel);
  toggleMenu(false);
  if (!wanted) {
    location.hash = link('overview');
    return;
  }
  for (const { name } of panels) {
    if (name === wanted.name) links[name].setAttribute('aria-current', 'page');
    else links[name].removeAttribute('aria-current');
  }
  document.title = `${[wanted.title, ...route.parts].join(' · ')} – pawl`;
  if (shown?.name === wanted.name) {
    shown.panel.update(route);
    return;
  }
  shown?.panel.close?.();
  fill(main);
  main.scrollTop = 0;
  const panel = wanted.open(main);
  shown = { name: wanted.name, panel };
  panel.update(route);
}

function badge(name, count, tone) {
  badges[name].hidden = !count;
  badges[name].className = `badge ${tone}`;
  setText(badges[name], count > 999 ? '999+' : String(count));
  badges[name].setAttribute('aria-label', `: ${count}`);
}

function tellHealth({ status, error }) {
  const isBad = error || status.status !== 'ok';
  document.body.classList.toggle('down', Boolean(error));
  dot.className = `dot ${isBad ? 'bad' : 'good'}`;
  setText(health, error ? error.message : status.status === 'ok' ? 'running' : status.status);
  if (!status) return;
  setText(where, `${status.service} · ${status.listen}`);
  badge('dead', status.dead_letters, 'bad');
  badge('triggers', status.unbound_triggers, 'warn');
}

// ---- the token ----

async function promptToken(reason) {
  const given = await ask({
    title: 'Token', action: 'Use it',
    text: reason ? reason.message : 'The engine is asked with this token until the tab is closed.',
    fields: [{ name: 'token', label: 'Token', type: 'password',
      hint: 'It is kept in this tab only. Leave it empty to go without one.' }],
    run: ({ token: text }) => {
      if (text.trim()) token.set(text.trim());
      else token.forget();
      return text.trim();
    },
  });
  tokenButton.classList.toggle('set', Boolean(token.get()));
  if (!reason && given) beatNow();
  return typeof given === 'string' ? given : null;
}

function tick() {
  const now = Date.now();
  for (const time of document.querySelectorAll('time[data-at]')) {
    setText(time, relative(Number(time.dataset.at), now));
  }
}

frame();
setTokenPrompt(promptToken);
startKeys(main);
window.addEventListener('hashchange', show);
onBeat(() => tellHealth(pulse));
show();
startPulse();
setInterval(tick, 1000);
