-- Takes one token from each bucket, or none where one of them must wait.
-- KEYS[1]  prefix
-- ARGV     for each bucket: name, capacity, tokens a ms, tokens that must remain
-- Returns  0 | ms to wait
local prefix, now = KEYS[1], now_ms()

local wait, tokens = 0, {}
for i = 1, #ARGV, 4 do
  local left, wait_ms = tokens_of(prefix, ARGV[i], tonumber(ARGV[i + 1]), tonumber(ARGV[i + 2]), tonumber(ARGV[i + 3]), now)
  wait = math.max(wait, wait_ms, redis.call('PTTL', prefix .. 'blocked:' .. ARGV[i]))
  tokens[i] = left
end
if wait > 0 then
  return wait
end

for i = 1, #ARGV, 4 do
  take_token(prefix, ARGV[i], tonumber(ARGV[i + 1]), tonumber(ARGV[i + 2]), tokens[i], now)
end
return 0
