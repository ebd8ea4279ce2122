-- Stores what became of a hand-over, if nobody was faster.
-- KEYS[1]  prefix
-- ARGV     JSON before, id, JSON, when somebody is called next ('' where it is over), ms it is kept once it is over,
--          score for views:dirty, number of ledger entries kept at most, ledger entries…
-- Returns  1 | 0 when somebody was faster
local prefix, id = KEYS[1], ARGV[2]
if redis.call('GET', prefix .. 'hand-over:' .. id) ~= ARGV[1] then
  return 0
end
hand_over(prefix, id, ARGV[3], ARGV[4], ARGV[5], ARGV[6])
for i = 8, #ARGV do
  ledger(prefix, ARGV[7], ARGV[i])
end
return 1
