-- Stores a halt as it is now, if it still is as it was, and tells all processes that halts changed.
-- KEYS[1]  prefix
-- ARGV     id, body before ('' for a new one), body, event id ('' for none), number of event ids kept,
--          number of ledger entries kept at most, ledger entry, score for views:dirty,
--          then for each machine that becomes a member: name, member JSON
-- Returns  'saved' | 'changed' | {'duplicate', id of then}
local prefix, id, before, body, event = KEYS[1], ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local key = prefix .. 'halt:' .. id

local led_to = event ~= '' and seen(prefix, event)
if led_to then
  return { 'duplicate', led_to }
end
if (redis.call('HGET', key, ':halt') or '') ~= before then
  return 'changed'
end
if event ~= '' then
  remember(prefix, event, id, tonumber(ARGV[5]))
end
ledger(prefix, ARGV[6], ARGV[7])
redis.call('HSET', key, ':halt', body)
for i = 9, #ARGV, 2 do
  redis.call('HSET', key, ARGV[i], ARGV[i + 1])
end
redis.call('PERSIST', key)
redis.call('HSET', prefix .. 'halts', id, body)
halts_changed(prefix)
redis.call('ZADD', prefix .. 'views:dirty', 'LT', ARGV[8], 'halt:' .. id)
return 'saved'
