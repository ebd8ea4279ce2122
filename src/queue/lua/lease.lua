-- Takes, renews or gives back a lease.
-- KEYS[1]  prefix
-- ARGV     name, holder, ms (0 gives it back)
-- Returns  1 when the holder has it now | 0
local key, holder, ms = KEYS[1] .. 'lease:' .. ARGV[1], ARGV[2], tonumber(ARGV[3])
local held = redis.call('GET', key)
if held and held ~= holder then
  return 0
end
if ms > 0 then
  redis.call('SET', key, holder, 'PX', ms)
  return 1
end
redis.call('DEL', key)
return 0
