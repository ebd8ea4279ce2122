-- Takes one token from each bucket, or none where one of them must wait.
-- KEYS[1]  prefix
-- ARGV     for each bucket: name, capacity, tokens a ms, tokens that must remain
-- Returns  0 | ms to wait
local prefix = KEYS[1]
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

local wait, tokens = 0, {}
for i = 1, #ARGV, 4 do
  local capacity, per_ms, reserve = tonumber(ARGV[i + 1]), tonumber(ARGV[i + 2]), tonumber(ARGV[i + 3])
  local bucket = redis.call('HMGET', prefix .. 'budget:' .. ARGV[i], 'tokens', 'at')
  local elapsed = math.max(0, now - (tonumber(bucket[2]) or now))
  local left = math.min(capacity, (tonumber(bucket[1]) or capacity) + elapsed * per_ms)
  local missing = reserve + 1 - left
  if missing > 0 then
    wait = math.max(wait, math.ceil(missing / per_ms))
  end
  wait = math.max(wait, redis.call('PTTL', prefix .. 'blocked:' .. ARGV[i]))
  tokens[i] = left
end
if wait > 0 then
  return wait
end

for i = 1, #ARGV, 4 do
  local key = prefix .. 'budget:' .. ARGV[i]
  redis.call('HSET', key, 'tokens', tokens[i] - 1, 'at', now)
  redis.call('PEXPIRE', key, math.ceil(ARGV[i + 1] / ARGV[i + 2]))
end
return 0
