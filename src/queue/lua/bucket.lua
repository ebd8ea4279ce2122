-- Redis' own clock, in ms: the same for all processes.
local function now_ms()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

-- The tokens of a bucket, and how many ms until there is one more than must remain.
local function tokens_of(prefix, name, capacity, per_ms, reserve, now)
  local bucket = redis.call('HMGET', prefix .. 'budget:' .. name, 'tokens', 'at')
  local elapsed = math.max(0, now - (tonumber(bucket[2]) or now))
  local tokens = math.min(capacity, (tonumber(bucket[1]) or capacity) + elapsed * per_ms)
  local missing = reserve + 1 - tokens
  return tokens, missing > 0 and math.ceil(missing / per_ms) or 0
end

local function take_token(prefix, name, capacity, per_ms, tokens, now)
  local key = prefix .. 'budget:' .. name
  redis.call('HSET', key, 'tokens', tokens - 1, 'at', now)
  redis.call('PEXPIRE', key, math.ceil(capacity / per_ms))
end
