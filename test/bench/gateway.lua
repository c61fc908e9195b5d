-- Script of wrk: requests the paths in turn, and prints its counts as one line of JSON.
-- wrk ... URL -- ETAG AUTHORIZATION PATH...   (- for none; without a path the URL is requested)
local requests = {}
local at = 0

function init(arguments)
  if arguments[1] and arguments[1] ~= "-" then
    wrk.headers["If-None-Match"] = arguments[1]
  end
  if arguments[2] and arguments[2] ~= "-" then
    wrk.headers["Authorization"] = arguments[2]
  end
  for place = 3, #arguments do
    requests[#requests + 1] = wrk.format("GET", arguments[place])
  end
  if #requests == 0 then
    requests[1] = wrk.format("GET")
  end
end

function request()
  at = at % #requests + 1
  return requests[at]
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '\n{"perSecond":%.2f,"bytes":%d,"p50Ms":%.3f,"p99Ms":%.3f,"errors":%d}\n',
    summary.requests / summary.duration * 1e6, summary.bytes,
    latency:percentile(50) / 1000, latency:percentile(99) / 1000,
    errors.connect + errors.read + errors.write + errors.status))
end
