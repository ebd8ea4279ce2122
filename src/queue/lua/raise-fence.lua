-- Raises a machine's fence above the highest one that the machine itself has seen.
-- KEYS[1]  prefix
-- ARGV     machine, fence held by the caller, fence seen by the machine
-- Returns  the fence to use | nil when the caller's is no longer the machine's
local prefix = KEYS[1]
local held, seen = tonumber(ARGV[2]), tonumber(ARGV[3])
local machine_key = prefix .. 'machine:' .. ARGV[1]

local machine = redis.call('HMGET', machine_key, 'fence', 'current')
if tonumber(machine[1]) ~= held then
  return false
end
if seen < held then
  return ARGV[2]
end
local fence = string.format('%.0f', seen + 1)
redis.call('HSET', machine_key, 'fence', fence)
if machine[2] then
  redis.call('HSET', prefix .. 'run:' .. machine[2], 'fence', fence)
end
return fence
