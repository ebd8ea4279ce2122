-- A halt that is over and has left no lock is looked at no more.
-- KEYS[1]  prefix
-- ARGV     id, ms the record is kept, score for views:dirty
local prefix, id = KEYS[1], ARGV[1]
if redis.call('HDEL', prefix .. 'halts', id) == 1 then
  halts_changed(prefix)
  redis.call('ZADD', prefix .. 'views:dirty', 'LT', ARGV[3], 'halt:' .. id)
end
redis.call('PEXPIRE', prefix .. 'halt:' .. id, ARGV[2])
