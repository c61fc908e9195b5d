-- Script of wrk: requests another folder each time, or the URL if there is no prefix. Prints its counts as one line of JSON.
-- wrk ... URL -- [PREFIX]
local prefix
local same
local requests = 0

function init(arguments)
  prefix = arguments[1]
  same = wrk.format("GET")
end

function request()
  if not prefix or prefix == "" then return same end
  requests = requests + 1
  return wrk.format("GET", "/listar_archivos?ruta=" .. prefix .. requests)
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '\n{"requests":%d,"perSecond":%.2f,"p50Ms":%.3f,"p99Ms":%.3f,"errors":%d}\n',
    summary.requests, summary.requests / summary.duration * 1e6,
    latency:percentile(50) / 1000, latency:percentile(99) / 1000,
    errors.connect + errors.read + errors.write + errors.timeout + errors.status))
end
