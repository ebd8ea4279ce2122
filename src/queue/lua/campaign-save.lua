-- Stores a campaign as it is now, if it still is as it was read.
-- KEYS[1]  prefix
-- ARGV     id, body before, body, '1' where more is to be handed in ('' for no), score for campaigns:open,
--          score for views:dirty, number of ledger entries kept at most, ledger entry ('' for none)
-- Returns  1 | 0 when somebody was faster
local prefix, id = KEYS[1], ARGV[1]
local key = prefix .. 'campaign:' .. id
if redis.call('HGET', key, ':campaign') ~= ARGV[2] then
  return 0
end
redis.call('HSET', key, ':campaign', ARGV[3])
keep_open(prefix, id, ARGV[4], ARGV[5])
redis.call('ZADD', prefix .. 'views:dirty', 'LT', ARGV[6], 'campaign:' .. id)
if ARGV[8] ~= '' then
  ledger(prefix, ARGV[7], ARGV[8])
end
return 1
