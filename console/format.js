// This file writes figures, times and values as people read them.
// SPDX-License-Identifier: Apache-2.0
import { h } from './dom.js';

const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
const short = new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 1 });

export const number = (n) => (n === undefined || n === null ? '–' : whole.format(n));

export function rate(n) {
  if (n === undefined || n === null) return '–';
  if (n >= 10000) return short.format(n);
  return n >= 10 || n === 0 ? whole.format(n) : n.toFixed(1);
}

export function bytes(n) {
  if (n < 1024) return `${number(n)} B`;
  const units = ['KiB', 'MiB', 'GiB', 'TiB'];
  let unit = -1;
  for (; n >= 1024 && unit < units.length - 1; unit++) n /= 1024;
  return `${n < 10 ? n.toFixed(1) : number(n)} ${units[unit]}`;
}

// 1.5 s, 3 min, 2 h, 5 d
export function duration(ms) {
  const size = Math.abs(ms);
  if (size < 1000) return `${Math.round(size)} ms`;
  if (size < 60e3) return `${size < 10e3 ? (size / 1000).toFixed(1) : Math.round(size / 1000)} s`;
  if (size < 3600e3) return `${Math.round(size / 60e3)} min`;
  if (size < 48 * 3600e3) return `${Math.round(size / 3600e3)} h`;
  return `${Math.round(size / 86400e3)} d`;
}

export const millis = (time) => (typeof time === 'number' ? time : Date.parse(time));

const two = (n) => String(n).padStart(2, '0');
export function clock(time) {
  const at = new Date(millis(time));
  return `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
}
export function day(time) {
  const at = new Date(millis(time));
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
}
export const stamp = (time) => `${day(time)} ${clock(time)}`;

export function relative(time, now = Date.now()) {
  const away = millis(time) - now;
  if (Math.abs(away) < 1000) return 'now';
  return away > 0 ? `in ${duration(away)}` : `${duration(away)} ago`;
}

// A time that stays true while it is looked at: app.js goes over all of them once a second.
export function ago(time) {
  if (!time) return '–';
  const at = millis(time);
  return h('time', { datetime: new Date(at).toISOString(), title: stamp(at), 'data-at': at },
    relative(at));
}

export function moment(time, today = day(Date.now())) {
  if (!time) return '–';
  const at = millis(time);
  const text = day(at) === today ? clock(at) : stamp(at);
  return h('time', { datetime: new Date(at).toISOString(), title: new Date(at).toISOString() }, text);
}

// A value on one line; long ones are cut.
export function brief(value, most = 160) {
  const text = value === undefined ? '' : JSON.stringify(value);
  return text.length > most ? `${text.slice(0, most)}…` : text;
}

export const plural = (n, one, many = `${one}s`) => `${number(n)} ${n === 1 ? one : many}`;
