// This file gives every view an address: #/panel/part/part?name=value
// SPDX-License-Identifier: Apache-2.0

export function link(panel, parts = [], query = {}) {
  const path = [panel, ...parts].map(encodeURIComponent).join('/');
  const given = Object.entries(query).filter(([, value]) => value !== '' && value !== undefined);
  const search = new URLSearchParams(given).toString();
  return `#/${path}${search && `?${search}`}`;
}

function decode(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

export function read(hash = location.hash) {
  const [path, search = ''] = hash.replace(/^#\/?/, '').split('?');
  const [panel, ...parts] = path.split('/').map(decode);
  return { panel: panel || 'overview', parts,
    query: Object.fromEntries(new URLSearchParams(search)) };
}

export function go(address, replace = false) {
  if (replace) {
    history.replaceState(null, '', address);
    window.dispatchEvent(new HashChangeEvent('hashchange'));
  } else {
    location.hash = address;
  }
}
