-- Keeps a campaign among those of which more is to be handed in, or takes it from them.
local function keep_open(prefix, id, is_open, score)
  if is_open == '1' then
    redis.call('ZADD', prefix .. 'campaigns:open', score, id)
  else
    redis.call('ZREM', prefix .. 'campaigns:open', id)
  end
end
