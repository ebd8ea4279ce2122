-- A reader of the ledger has passed an entry, which may be trimmed then; what is still to be done for it is put off.
-- KEYS[1]  prefix
-- ARGV     reader, position, seq, now, and for what is put off: how many may be at most, until when, what
-- Returns  1 | 0 when too many are put off already: nothing was changed
local prefix, reader = KEYS[1], ARGV[1]
if ARGV[7] then
  local put_off = prefix .. 'ledger:put-off:' .. reader
  if redis.call('ZCARD', put_off) >= tonumber(ARGV[5]) then
    return 0
  end
  redis.call('ZADD', put_off, ARGV[6], ARGV[7])
end
redis.call('HSET', prefix .. 'ledger:cursors', reader, ARGV[2])
redis.call('HSET', prefix .. 'ledger:exporters', reader, ARGV[3] .. ' ' .. ARGV[4])
return 1
