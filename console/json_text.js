// This file checks JSON text, says where it is wrong, and lays it out without changing a number.
// SPDX-License-Identifier: Apache-2.0

const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;

const STRING = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y;
const SPACE = /[ \t\n\r]*/y;
const DEEPEST = 500;

// Reads text and gives its tokens to `take(kind, text)`; throws { at, message }.
class Reader {
  constructor(text, take) {
    this.text = text;
    this.take = take;
    this.at = 0;
  }

  fail(message, at = this.at) {
    throw { at, message };
  }

  match(pattern) {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text);
    if (found) this.at = pattern.lastIndex;
    return found?.[0];
  }

  space() {
    this.match(SPACE);
    return this.text[this.at];
  }

  found() {
    const next = this.text[this.at];
    return next === undefined ? 'the text ends' : `there is ${JSON.stringify(next)}`;
  }

  string(what) {
    const text = this.match(STRING);
    if (text === undefined && this.text[this.at] === '"') {
      this.fail('this string is not closed, or holds what must be escaped');
    }
    return text ?? this.fail(`${what} must stand here, but ${this.found()}`);
  }

  value(depth) {
    const next = this.space();
    if (depth > DEEPEST) this.fail(`this is more than ${DEEPEST} levels deep`);
    if (next === '{') return this.members('{', '}', depth);
    if (next === '[') return this.members('[', ']', depth);
    if (next === '"') return this.take('leaf', this.string('a string'));
    const word = ['true', 'false', 'null'].find((one) => this.text.startsWith(one, this.at));
    if (word) {
      this.at += word.length;
      return this.take('leaf', word);
    }
    return this.take('leaf', this.match(NUMBER) ??
      this.fail(`a value must stand here, but ${this.found()}`));
  }

  members(open, close, depth) {
    this.at++;
    this.take('open', open);
    if (this.space() === close) {
      this.at++;
      return this.take('close', close);
    }
    for (;;) {
      if (open === '{') {
        this.space();
        this.take('name', this.string('a name in quotes'));
        if (this.space() !== ':') this.fail(`':' must stand here, but ${this.found()}`);
        this.at++;
      }
      this.value(depth + 1);
      const next = this.space();
      if (next !== ',' && next !== close) {
        this.fail(`',' or '${close}' must stand here, but ${this.found()}`);
      }
      this.at++;
      if (next === close) return this.take('close', close);
      this.take('comma', ',');
    }
  }

  whole() {
    this.value(0);
    if (this.space() !== undefined) this.fail(`nothing may follow the value, but ${this.found()}`);
  }
}

// null, or { line, column, message } of the first mistake.
export function fault(text) {
  try {
    new Reader(text, () => {}).whole();
    return null;
  } catch (error) {
    if (error instanceof Error) throw error;
    const before = text.slice(0, error.at).split('\n');
    return { line: before.length, column: before.at(-1).length + 1, message: error.message };
  }
}

// Small lists and objects stay on their line.
const ON_ONE_LINE = 60;

// The text laid out with two spaces a level; as it was if it is no JSON.
export function layOut(text) {
  const stack = [];
  let node = [];
  const take = (kind, token) => {
    if (kind === 'open') {
      const child = { open: token, items: [] };
      node.push(child);
      stack.push(node);
      node = child.items;
    } else if (kind === 'close') {
      node = stack.pop();
      node.at(-1).close = token;
    } else if (kind !== 'comma') {
      node.push(kind === 'name' ? { name: token } : token);
    }
  };
  try {
    new Reader(text, take).whole();
  } catch (error) {
    if (error instanceof Error) throw error;
    return text;
  }
  return print(node[0], '');
}

function pairs(items) {
  const out = [];
  for (let i = 0; i < items.length; i++) {
    out.push(items[i].name ? [`${items[i].name}: `, items[++i]] : ['', items[i]]);
  }
  return out;
}

function print(node, indent) {
  if (typeof node === 'string') return node;
  if (node.items.length === 0) return node.open + node.close;
  const deeper = `${indent}  `;
  const lines = pairs(node.items).map(([name, value]) => name + print(value, deeper));
  const line = `${node.open}${node.open === '{' ? ' ' : ''}${lines.join(', ')}${node.open === '{' ? ' ' : ''}${node.close}`;
  if (indent && line.length <= ON_ONE_LINE && !line.includes('\n')) return line;
  return `${node.open}\n${lines.map((one) => deeper + one).join(',\n')}\n${indent}${node.close}`;
}
