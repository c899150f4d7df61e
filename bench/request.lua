-- This file makes the requests of `bench http` for wrk, and prints what came of them as JSON.
-- wrk ... -s request.lua URL -- SERVER get|put KEYS
local PAD = string.rep("x", 140)
local STEP = 7919 -- a prime: every key comes once before the first comes again
local server, kind, keys
local sent = 0

local function base64(text)
  local alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
  local out = {}
  for i = 1, #text, 3 do
    local a, b, c = text:byte(i, i + 2)
    local bits = a * 65536 + (b or 0) * 256 + (c or 0)
    for place = 1, 4 do
      local sextet = math.floor(bits / 64 ^ (4 - place)) % 64
      local is_missing = (place == 3 and not b) or (place == 4 and not c)
      out[#out + 1] = is_missing and "=" or alphabet:sub(sextet + 1, sextet + 1)
    end
  end
  return table.concat(out)
end

-- 200 bytes of JSON, never the same twice: writing the value that is there changes nothing.
local function value()
  return string.format('{"n":%12d,"name":"user","pad":"%s","more":"%018d"}', sent, PAD, sent)
end

local make = { pawl = {}, etcd = {} }

function make.pawl.get(key)
  return wrk.format("GET", "/v1/state/bench/" .. key)
end

function make.pawl.put(key)
  return wrk.format("PUT", "/v1/state/bench/" .. key, nil, value())
end

function make.etcd.get(key)
  return wrk.format("POST", "/v3/kv/range", nil, '{"key":"' .. base64(key) .. '"}')
end

function make.etcd.put(key)
  return wrk.format("POST", "/v3/kv/put", nil,
    '{"key":"' .. base64(key) .. '","value":"' .. base64(value()) .. '"}')
end

function init(args)
  server, kind, keys = args[1], args[2], tonumber(args[3])
  wrk.headers["Content-Type"] = "application/json"
end

function request()
  sent = sent + 1
  return make[server][kind](string.format("user-%08d", sent * STEP % keys))
end

function done(summary, latency)
  local errors = summary.errors
  print(string.format(
    '{"requests":%d,"seconds":%.3f,"failed":%d,"p50_us":%d,"p99_us":%d,"max_us":%d}',
    summary.requests, summary.duration / 1e6,
    errors.connect + errors.read + errors.write + errors.status + errors.timeout,
    latency:percentile(50), latency:percentile(99), latency.max))
end
