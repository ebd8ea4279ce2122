-- Ends a silence that is not over: its time is, or somebody ends it. Alerts of which it held back a run, or a question
-- to people, are looked at now where they still fire.
-- KEYS[1]  prefix
-- ARGV     id, body, the latest end that it may have (a window may be longer by now), ms the record is kept, number of
--          ledger entries kept at most, ledger entry, score for views:dirty, now
-- Returns  1 | 0 when it is over already, or not yet
local prefix, id = KEYS[1], ARGV[1]
local key = prefix .. 'silence:' .. id

local ends = redis.call('ZSCORE', prefix .. 'silences:ends', id)
if not ends or tonumber(ends) > tonumber(ARGV[3]) then
  return 0
end
redis.call('ZREM', prefix .. 'silences:ends', id)
redis.call('HDEL', prefix .. 'silences', id)
redis.call('HSET', key, ':silence', ARGV[2])
redis.call('PEXPIRE', key, ARGV[4])
ledger(prefix, ARGV[5], ARGV[6])
redis.call('ZADD', prefix .. 'views:dirty', 'LT', ARGV[7], 'silence:' .. id)

local held, counts = {}, redis.call('HGETALL', key)
for i = 1, #counts, 2 do
  local kind, machine, check = string.match(counts[i], '^%["(%l+)","([^"]+)","([^"]+)"%]$')
  if kind == 'alert' or kind == 'escalation' then
    held[machine .. ' ' .. check] = true
  end
end
if next(held) then
  look_again(prefix, held, ARGV[8])
end
return 1
