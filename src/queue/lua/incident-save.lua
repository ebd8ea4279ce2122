-- Stores an incident as it is now, if it still is as it was. One is open in its place: that of its key, or of its
-- channel's storm. A new one is stored as far as the rate of its bucket allows.
-- KEYS[1]  prefix
-- ARGV     id, version before ('' for a new one), body, hash of open ones, its field there, the id that stands there
--          ('' for none; of a new one), when it is to be looked at ('' where it is closed), 'sooner' to leave an earlier
--          moment, score for views:dirty, now, ms a closed one is kept, number of ledger entries kept at most,
--          ledger entry ('' for none), ms a delivery is remembered, bucket of new ones, how many a minute ('' for any),
--          number of deliveries, deliveries…,
--          number of alerts, then for each: fingerprint, JSON,
--          then for each target: word, how many more alerts fire
-- Returns  'saved' | 'changed' | 'too many'
local prefix, id, version, body = KEYS[1], ARGV[1], ARGV[2], ARGV[3]
local open, field, before, due = prefix .. ARGV[4], ARGV[5], ARGV[6], ARGV[7]
local now, kept_ms = ARGV[10], ARGV[11]
local bucket, rate = ARGV[15], tonumber(ARGV[16])
local key, deliveries_end = prefix .. 'incident:' .. id, 17 + tonumber(ARGV[17])

if (redis.call('HGET', key, 'version') or '') ~= version then
  return 'changed'
end
for i = 18, deliveries_end do
  if redis.call('EXISTS', prefix .. 'delivery:' .. ARGV[i]) == 1 then
    return 'changed'
  end
end
if version == '' then
  if (redis.call('HGET', open, field) or '') ~= before then
    return 'changed'
  end
  if rate then
    local per_ms, at = rate / 60000, now_ms()
    local tokens, wait_ms = tokens_of(prefix, bucket, rate, per_ms, 0, at)
    if wait_ms > 0 then
      return 'too many'
    end
    take_token(prefix, bucket, rate, per_ms, tokens, at)
  end
  redis.call('HSET', open, field, id)
end
for i = 18, deliveries_end do
  redis.call('SET', prefix .. 'delivery:' .. ARGV[i], id, 'PX', ARGV[14])
end
local alerts_end = deliveries_end + 1 + 2 * tonumber(ARGV[deliveries_end + 1])
for i = deliveries_end + 2, alerts_end, 2 do
  redis.call('HSET', key .. ':alerts', ARGV[i], ARGV[i + 1])
end
for i = alerts_end + 1, #ARGV, 2 do
  local firing, since = string.match(redis.call('HGET', key .. ':targets', ARGV[i]) or '0 0', '(%S+) (%S+)')
  local after = tonumber(firing) + tonumber(ARGV[i + 1])
  if tonumber(firing) == 0 and after > 0 then
    since = now
  end
  redis.call('HSET', key .. ':targets', ARGV[i], after .. ' ' .. since)
end

redis.call('HSET', key, 'body', body)
redis.call('HINCRBY', key, 'version', 1)
redis.call('ZADD', prefix .. 'views:dirty', 'LT', ARGV[9], 'incident:' .. id)
if ARGV[13] ~= '' then
  ledger(prefix, ARGV[12], ARGV[13])
end
if due == '' then
  if redis.call('HGET', open, field) == id then
    redis.call('HDEL', open, field)
  end
  redis.call('ZREM', prefix .. 'incidents:due', id)
  redis.call('DEL', key .. ':alerts')
  redis.call('PEXPIRE', key, kept_ms)
  redis.call('PEXPIRE', key .. ':targets', kept_ms)
elseif ARGV[8] == 'sooner' then
  redis.call('ZADD', prefix .. 'incidents:due', 'LT', due, id)
else
  redis.call('ZADD', prefix .. 'incidents:due', due, id)
end
return 'saved'
