-- Sets or clears a machine's quarantine.
-- KEYS[1]  prefix
-- ARGV     machine, fence, quarantine JSON ('' clears it)
-- Returns  1 | 0 when the fence is no longer the machine's
local key = KEYS[1] .. 'machine:' .. ARGV[1]
if redis.call('HGET', key, 'fence') ~= ARGV[2] then
  return 0
end
if ARGV[3] == '' then
  redis.call('HDEL', key, 'quarantine')
else
  redis.call('HSET', key, 'quarantine', ARGV[3])
end
return 1
