-- Appends a fact; with a slot only when it holds another value yet.
-- KEYS[1]  prefix
-- ARGV     number of entries kept at most, entry, slot ('' for none), value of the slot
-- Returns  1 | 0 when the slot held the value already
local prefix, slot, value = KEYS[1], ARGV[3], ARGV[4]
if slot ~= '' then
  if redis.call('HGET', prefix .. 'ledger:slots', slot) == value then
    return 0
  end
  redis.call('HSET', prefix .. 'ledger:slots', slot, value)
end
ledger(prefix, ARGV[1], ARGV[2])
return 1
