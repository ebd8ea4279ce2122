-- Claims machines for a round of an incident, as far as their cool-down and the rate of runs allow. A round that was
-- broken off gets again what it claimed.
-- KEYS[1]  prefix
-- ARGV     id, round, check, now, ms of the cool-down, runs a minute, machines…
-- Returns  for each machine: 'claimed' | 'wait MS' | another's claim: "ID ROUND AT RUN"
local prefix, check, cool_down_ms, rate = KEYS[1], ARGV[3], tonumber(ARGV[5]), tonumber(ARGV[6])
local mine, now, minute_ms = ARGV[1] .. ' ' .. ARGV[2] .. ' ', now_ms(), 60000

local replies = {}
for i = 7, #ARGV do
  local key = prefix .. 'cooldown:' .. ARGV[i] .. ':' .. check
  local claim = redis.call('GET', key)
  if claim then
    replies[#replies + 1] = string.sub(claim, 1, #mine) == mine and 'claimed' or claim
  else
    local tokens, wait_ms = tokens_of(prefix, 'alert-runs', rate, rate / minute_ms, 0, now)
    if wait_ms > 0 then
      replies[#replies + 1] = 'wait ' .. wait_ms
    else
      take_token(prefix, 'alert-runs', rate, rate / minute_ms, tokens, now)
      if cool_down_ms > 0 then
        redis.call('SET', key, mine .. ARGV[4] .. ' ', 'PX', cool_down_ms)
      end
      replies[#replies + 1] = 'claimed'
    end
  end
end
return replies
