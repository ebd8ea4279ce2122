-- Raises the fence of a machine that has no current run, above the highest one that it has seen itself.
-- KEYS[1]  prefix
-- ARGV     machine, fence seen by the machine
-- Returns  the fence | nil when the machine has a current run
local machine_key = KEYS[1] .. 'machine:' .. ARGV[1]
local machine = redis.call('HMGET', machine_key, 'fence', 'current')
if machine[2] then
  return false
end
local fence = string.format('%.0f', math.max(tonumber(machine[1]) or 0, tonumber(ARGV[2])) + 1)
redis.call('HSET', machine_key, 'fence', fence)
return fence
