-- Keeps what was done about a schedule, if what is there still is as it was.
-- KEYS[1]  prefix
-- ARGV     name, JSON before ('' for none), JSON ('' removes it)
-- Returns  1 when it was kept | 0
local key, name, after = KEYS[1] .. 'schedules:state', ARGV[1], ARGV[3]
if (redis.call('HGET', key, name) or '') ~= ARGV[2] then
  return 0
end
if after == '' then
  redis.call('HDEL', key, name)
else
  redis.call('HSET', key, name, after)
end
return 1
