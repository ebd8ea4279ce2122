-- Sets up or removes a schedule, if what is there still is as it was.
-- KEYS[1]  prefix
-- ARGV     name, body before ('' for none), body ('' removes it), event id, number of event ids kept,
--          number of ledger entries kept at most, ledger entry, how many schedules there may be
-- Returns  'saved' (before, too: the event id was seen) | 'changed' | 'full'
local prefix, name, before, body, event = KEYS[1], ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local key = prefix .. 'schedules'

if seen(prefix, event) then
  return 'saved'
end
if (redis.call('HGET', key, name) or '') ~= before then
  return 'changed'
end
if before == '' and redis.call('HLEN', key) >= tonumber(ARGV[8]) then
  return 'full'
end
remember(prefix, event, name, tonumber(ARGV[5]))
ledger(prefix, ARGV[6], ARGV[7])
if body == '' then
  redis.call('HDEL', key, name)
else
  redis.call('HSET', key, name, body)
end
return 'saved'
