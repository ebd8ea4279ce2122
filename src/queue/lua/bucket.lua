-- The tokens of a bucket, and how many ms until there is one more than must remain.
local function tokens_of(prefix, name, capacity, per_ms, reserve, now)
  local left, at = string.match(redis.call('GET', prefix .. 'budget:' .. name) or '', '^(%S+) (%S+)$')
  -- A clock that was set back, or another server's that is behind, must not keep a bucket empty.
  local elapsed = math.abs(now - (tonumber(at) or now))
  local tokens = math.min(capacity, (tonumber(left) or capacity) + elapsed * per_ms)
  local missing = reserve + 1 - tokens
  return tokens, missing > 0 and math.ceil(missing / per_ms) or 0
end

local function take_token(prefix, name, capacity, per_ms, tokens, now)
  local stored = string.format('%.17g %.0f', tokens - 1, now)
  redis.call('SET', prefix .. 'budget:' .. name, stored, 'PX', math.ceil(capacity / per_ms))
end
