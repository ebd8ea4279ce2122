-- Counts what a silence held back. A window of the fleet file gets its record by that, and keeps to the file where that
-- is changed while it is open.
-- KEYS[1]  prefix
-- ARGV     id, body, when it is over, event id, number of event ids kept, score for views:dirty, what was held back…
local prefix, id, event = KEYS[1], ARGV[1], ARGV[4]
local key, ends = prefix .. 'silence:' .. id, prefix .. 'silences:ends'

if seen(prefix, event) then
  return
end
remember(prefix, event, id, tonumber(ARGV[5]))
if redis.call('HSETNX', key, ':silence', ARGV[2]) == 1 or redis.call('ZSCORE', ends, id) then
  redis.call('HSET', key, ':silence', ARGV[2])
  redis.call('ZADD', ends, ARGV[3], id)
end
for i = 7, #ARGV do
  redis.call('HINCRBY', key, ARGV[i], 1)
end
redis.call('ZADD', prefix .. 'views:dirty', 'LT', ARGV[6], 'silence:' .. id)
