-- Keeps what became of machines of a halt.
-- KEYS[1]  prefix
-- ARGV     id, score for views:dirty, then for each machine: name, member JSON
local prefix, id = KEYS[1], ARGV[1]
for i = 3, #ARGV, 2 do
  redis.call('HSET', prefix .. 'halt:' .. id, ARGV[i], ARGV[i + 1])
end
redis.call('ZADD', prefix .. 'views:dirty', 'LT', ARGV[2], 'halt:' .. id)
