-- Trims the ledger to what is kept for readers and to what no exporter has yet, whichever is more. An exporter
-- that has not told anything for too long is forgotten, unless it has everything.
-- KEYS[1]  prefix
-- ARGV     number of entries kept, ms after which an exporter is forgotten, now
-- Returns  forgotten exporters
local prefix, kept, forget_ms, now = KEYS[1], tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local exporters = prefix .. 'ledger:exporters'
local last = tonumber(redis.call('GET', prefix .. 'ledger:seq') or 0)

local behind, forgotten = 0, {}
local told = redis.call('HGETALL', exporters)
for i = 1, #told, 2 do
  local seq, at = string.match(told[i + 1], '^(%d+) (%d+)$')
  local lacks = math.max(0, last - tonumber(seq))
  if lacks > 0 and now - tonumber(at) > forget_ms then
    redis.call('HDEL', exporters, told[i])
    forgotten[#forgotten + 1] = told[i]
  else
    behind = math.max(behind, lacks)
    if lacks == 0 then
      redis.call('HSET', exporters, told[i], seq .. ' ' .. ARGV[3])
    end
  end
end
-- LIMIT 0: all of it; else Redis trims no more than 10,000 at a time, and a busy fleet writes more.
redis.call('XTRIM', prefix .. 'ledger', 'MAXLEN', '~', math.max(kept, behind), 'LIMIT', 0)
return forgotten
