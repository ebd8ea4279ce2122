-- What became of the machines that a round claimed: the run that looks, or none; then the machine is free at once.
-- KEYS[1]  prefix
-- ARGV     id, round, check, then for each machine: name, run ('' for none)
local prefix, mine = KEYS[1], ARGV[1] .. ' ' .. ARGV[2] .. ' '
for i = 4, #ARGV, 2 do
  local key, run = prefix .. 'cooldown:' .. ARGV[i] .. ':' .. ARGV[3], ARGV[i + 1]
  local claim = redis.call('GET', key)
  if claim and string.sub(claim, 1, #mine) == mine then
    if run == '' then
      redis.call('DEL', key)
    else
      redis.call('SET', key, string.match(claim, '^%S+ %S+ %S+ ') .. run, 'KEEPTTL')
    end
  end
end
