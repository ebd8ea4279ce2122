-- Leases dirty views, lowest score first.
-- KEYS[1]  prefix
-- ARGV     how many at most, ms of the lease
-- Returns  {view, lease, score, view, lease, score, …}
local prefix, limit = KEYS[1], tonumber(ARGV[1])
local dirty, held = prefix .. 'views:dirty', prefix .. 'views:held'
local again, leases = prefix .. 'views:again', prefix .. 'views:leases'
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

-- What was leased or postponed until now is dirty again, at its old place.
for _, view in ipairs(redis.call('ZRANGEBYSCORE', held, '-inf', now)) do
  local score = string.match(redis.call('HGET', leases, view), ' (.*)')
  redis.call('ZREM', held, view)
  redis.call('HDEL', leases, view)
  redis.call('ZADD', dirty, 'LT', score, view)
  local changed = redis.call('ZSCORE', again, view)
  if changed then
    redis.call('ZREM', again, view)
    redis.call('ZADD', dirty, 'LT', changed, view)
  end
end

local taken = {}
while #taken < 3 * limit do
  local first = redis.call('ZPOPMIN', dirty)
  if #first == 0 then
    break
  end
  local view, score = first[1], first[2]
  if redis.call('ZSCORE', held, view) then
    redis.call('ZADD', again, 'LT', score, view)
  else
    local lease = redis.call('INCR', prefix .. 'views:lease')
    redis.call('ZADD', held, now + ARGV[2], view)
    redis.call('HSET', leases, view, lease .. ' ' .. score)
    if string.sub(view, 1, 4) == 'run:' then
      redis.call('HDEL', prefix .. view, 'dirty')
    end
    taken[#taken + 1] = view
    taken[#taken + 1] = tostring(lease)
    taken[#taken + 1] = score
  end
end
return taken
