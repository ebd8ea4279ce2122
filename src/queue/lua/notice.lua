-- Keeps a notice, to be posted once.
-- KEYS[1]  prefix
-- ARGV     id, notice JSON, ms it is kept, score for views:dirty, number of ledger entries kept at most, ledger entry
local prefix, id = KEYS[1], ARGV[1]
if redis.call('SET', prefix .. 'notice:' .. id, ARGV[2], 'NX', 'PX', ARGV[3]) then
  ledger(prefix, ARGV[5], ARGV[6])
  redis.call('ZADD', prefix .. 'views:dirty', 'LT', ARGV[4], 'notice:' .. id)
end
