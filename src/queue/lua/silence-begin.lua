-- Stores a silence.
-- KEYS[1]  prefix
-- ARGV     id, body, when it is over, event id, number of event ids kept, number of ledger entries kept at most,
--          ledger entry, score for views:dirty
-- Returns  'saved' | {'duplicate', id of then}
local prefix, id, body, event = KEYS[1], ARGV[1], ARGV[2], ARGV[4]

local led_to = seen(prefix, event)
if led_to then
  return { 'duplicate', led_to }
end
remember(prefix, event, id, tonumber(ARGV[5]))
ledger(prefix, ARGV[6], ARGV[7])
redis.call('HSET', prefix .. 'silence:' .. id, ':silence', body)
redis.call('HSET', prefix .. 'silences', id, body)
redis.call('ZADD', prefix .. 'silences:ends', ARGV[3], id)
redis.call('ZADD', prefix .. 'views:dirty', 'LT', ARGV[8], 'silence:' .. id)
return 'saved'
