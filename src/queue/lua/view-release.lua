-- Ends a lease: the view is up to date, unless it became dirty since. A run that waited for this to go goes.
-- KEYS[1]  prefix
-- ARGV     view, lease
local prefix, view = KEYS[1], ARGV[1]
local leases, again = prefix .. 'views:leases', prefix .. 'views:again'
local held = redis.call('HGET', leases, view)
if not held or string.match(held, '^%d+') ~= ARGV[2] then
  return 0
end
redis.call('HDEL', leases, view)
redis.call('ZREM', prefix .. 'views:held', view)
local changed = redis.call('ZSCORE', again, view)
if changed then
  redis.call('ZREM', again, view)
  redis.call('ZADD', prefix .. 'views:dirty', 'LT', changed, view)
elseif string.sub(view, 1, 4) == 'run:' and redis.call('HEXISTS', prefix .. view, 'evicted') == 1
  and not redis.call('ZSCORE', prefix .. 'views:dirty', view) then
  redis.call('DEL', prefix .. view, prefix .. 'parts:' .. string.sub(view, 5))
end
return 1
