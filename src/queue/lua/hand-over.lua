-- Keeps a hand-over as it is now. One without a next call ('') is over, and goes with time.
local function hand_over(prefix, id, body, next_at, kept_ms, score)
  local key = prefix .. 'hand-over:' .. id
  if next_at == '' then
    redis.call('SET', key, body, 'PX', kept_ms)
    redis.call('ZREM', prefix .. 'hand-overs:due', id)
  else
    redis.call('SET', key, body)
    redis.call('ZADD', prefix .. 'hand-overs:due', next_at, id)
  end
  redis.call('ZADD', prefix .. 'views:dirty', 'LT', score, 'hand-over:' .. id)
end
