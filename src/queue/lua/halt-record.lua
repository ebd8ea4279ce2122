-- Keeps what became of machines of a halt. What waits for them shows that it does.
-- KEYS[1]  prefix
-- ARGV     id, score for views:dirty, score for the views of runs, then for each machine: name, member JSON
local prefix, id = KEYS[1], ARGV[1]
for i = 4, #ARGV, 2 do
  local machine = ARGV[i]
  redis.call('HSET', prefix .. 'halt:' .. id, machine, ARGV[i + 1])
  for _, run in ipairs(redis.call('LRANGE', prefix .. 'inbox:' .. machine, 0, -1)) do
    local key = prefix .. 'run:' .. run
    local was = redis.call('HMGET', key, 'campaign', 'state', 'verdict', 'dirty')
    redis.call('HSET', key, 'dirty', show(prefix, run, machine, was[1], was[2], was[3], nil, was[4], ARGV[3]))
  end
end
redis.call('ZADD', prefix .. 'views:dirty', 'LT', ARGV[2], 'halt:' .. id)
