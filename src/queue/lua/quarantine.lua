-- Sets or clears a machine's quarantine.
-- KEYS[1]  prefix
-- ARGV     machine, fence, quarantine JSON ('' clears it), number of ledger entries kept at most, ledger entry
-- Returns  1 | 0 when the fence is no longer the machine's
local prefix, machine, quarantine = KEYS[1], ARGV[1], ARGV[3]
local key = prefix .. 'machine:' .. machine
local was = redis.call('HMGET', key, 'fence', 'quarantine')
if was[1] ~= ARGV[2] then
  return 0
end
if quarantine == '' then
  redis.call('HDEL', key, 'quarantine')
  redis.call('SREM', prefix .. 'quarantined', machine)
else
  redis.call('HSET', key, 'quarantine', quarantine)
  redis.call('SADD', prefix .. 'quarantined', machine)
end
if (was[2] or '') ~= quarantine then
  ledger(prefix, ARGV[4], ARGV[5])
end
return 1
