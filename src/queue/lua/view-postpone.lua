-- Turns a lease into a postponement: dirty again, at its old place, when the time has come.
-- KEYS[1]  prefix
-- ARGV     view, lease, ms
local prefix, view = KEYS[1], ARGV[1]
local leases = prefix .. 'views:leases'
local held = redis.call('HGET', leases, view)
if not held or string.match(held, '^%d+') ~= ARGV[2] then
  return 0
end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
-- Lease 0 is nobody's: what held it cannot release it any more.
redis.call('HSET', leases, view, '0' .. string.match(held, ' .*'))
redis.call('ZADD', prefix .. 'views:held', now + ARGV[3], view)
return 1
