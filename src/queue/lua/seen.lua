-- What an event id led to before; false for one that is new.
local function seen(prefix, event)
  return redis.call('HGET', prefix .. 'seen', event)
end

-- Remembers what an event id led to. The oldest beyond `keep` are forgotten.
local function remember(prefix, event, result, keep)
  redis.call('HSET', prefix .. 'seen', event, result)
  if redis.call('LPUSH', prefix .. 'seen:order', event) > keep then
    redis.call('HDEL', prefix .. 'seen', redis.call('RPOP', prefix .. 'seen:order'))
  end
end
